/** Latency and resources on an FPGA: the back end's fastest mapping that fits, clock and host call (spec latency 4). */
import type { Graph } from "../../graph/index.ts";
import type { Network } from "../network.ts";
import {
  asNetwork,
  assemble,
  identify,
  type LatencyModel,
  type LatencyPrediction,
  type OperationLatency,
} from "../prediction.ts";
import type { FpgaBackEnd, FpgaDevice, FpgaTarget } from "../target.ts";
import { makeMemo } from "./memo.ts";
import type { Plan, Planner } from "./plan.ts";
import { planBinary } from "./plans/binary.ts";
import { planDataflow } from "./plans/dataflow.ts";
import { planReuse } from "./plans/reuse.ts";
import { planTiled, planTiledUnder } from "./plans/tiled.ts";

/** The back ends. A new one is a file in `plans/` and a line here. */
export const planners = {
  tiled: planTiled,
  dataflow: planDataflow,
  reuse: planReuse,
  binary: planBinary,
} as const satisfies Readonly<Record<FpgaBackEnd, Planner>>;

/** LUT use above which routing costs 15 % of the clock (spec latency 4.8). */
const CROWDED = 0.7;

/** The latency model of an FPGA target. */
export function fpgaModel(target: FpgaTarget): LatencyModel {
  const identity = identify(target);
  const device = target.fpga;
  const memo = makeMemo();
  return {
    target,
    predict(graph: Graph | Network, batch = 1): LatencyPrediction {
      const network = asNetwork(graph);
      const plan = planFor(target, network, memo);
      const clockHz = device.clockHz * (plan.resources.lut > CROWDED * device.lut ? 0.85 : 1);
      const perOp = contributions(network, plan, clockHz);
      const transfer = transferCycles(network, device);
      const period = Math.max(plan.interval, transfer);
      const fixed = [
        { name: "input and output of one sample", seconds: transfer / clockHz },
        ...(batch > 1
          ? [{ name: `${batch - 1} more samples of the stream`, seconds: ((batch - 1) * period) / clockHz }]
          : []),
        ...(device.hostCallSeconds > 0 ? [{ name: "call from the host", seconds: device.hostCallSeconds }] : []),
      ];
      const hints =
        device.hostCallSeconds > 0
          ? []
          : ["triggered by hardware: a call from embedded Linux adds about 20 us (:linux)"];
      return assemble(identity, batch, {
        perOp,
        fixed,
        interval: (batch * period) / clockHz,
        resources: plan.resources,
        fits: plan.fits,
        clockHz,
        mapping: plan.mapping,
        warnings: [
          ...plan.warnings,
          ...(network.operations.some((o) => o.elementBytes === 8)
            ? ["float64 scaling and statistics are counted as fixed point"]
            : []),
          ...hints,
        ],
      });
    },
  };
}

/** The plan of the target's back end; of `auto`, the fastest that fits, else the one that comes first. */
export function planFor(target: FpgaTarget, network: Network, memo = makeMemo()): Plan {
  const { name } = target.engine;
  if (name !== "auto") return planners[name](network, target.fpga, memo);
  const dataflow = planDataflow(network, target.fpga, memo);
  const reuse = planReuse(network, target.fpga, memo);
  const end = (plan: Plan): number => (plan.fits ? 0 : 1e15) + Math.max(0, ...plan.finish);
  const best = end(reuse) < end(dataflow) ? reuse : dataflow;
  const tiled = planTiledUnder(network, target.fpga, end(best), memo);
  return tiled !== undefined && end(tiled) < end(best) ? tiled : best;
}

/** What each operation adds to the time at which everything before it was done: the parts add up to the whole. */
function contributions(network: Network, plan: Plan, clockHz: number): OperationLatency[] {
  let done = 0;
  return network.operations.map((operation, i) => {
    const cycles = Math.max(0, plan.finish[i]! - done);
    done += cycles;
    return {
      ids: operation.nodes,
      kernel: operation.op,
      seconds: cycles / clockHz,
      cycles,
      bound: "compute" as const,
      source: "formula" as const,
    };
  });
}

function transferCycles(
  { inputElements, outputElements }: Network,
  { activationBits, extBwBytesPerCycle }: FpgaDevice,
): number {
  return Math.ceil(((inputElements + outputElements) * Math.max(8, activationBits)) / 8 / extBwBytesPerCycle);
}
