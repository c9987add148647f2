/** Latency on a processor: session + kernels, from a fit or a rough formula (spec latency 2). */
import type { Graph } from "../../graph/index.ts";
import { EngineError } from "../../errors.ts";
import { fuseKernels, type Kernel } from "../kernels.ts";
import type { Network } from "../network.ts";
import { aroundKernels, predictBySum } from "../measured/model.ts";
import { asNetwork, assemble, identify, type LatencyModel, type OperationLatency } from "../prediction.ts";
import type { CpuTarget } from "../target.ts";
import { cpuScheme, plainScheme } from "./scheme.ts";

/** Without a calibration: a call, a further result, a kernel, FLOP per cycle and core that products reach, bytes/s, seconds
 * per element of a transcendental function. Of the order of a server core; TensorFlow.js on WebAssembly. */
const ROUGH = {
  ort: {
    session: 6e-6,
    result: 3e-6,
    kernel: 1e-6,
    flopPerCycle: 12,
    bytesPerSecond: 1.5e10,
    dear: 4e-9,
    tanh: 1e-9,
    activation: 1e-9,
    cheap: 1.5e-10,
  },
  tfjs: {
    session: 1e-5,
    result: 6e-6,
    kernel: 6e-6,
    flopPerCycle: 7,
    bytesPerSecond: 5e9,
    dear: 2.7e-8,
    tanh: 1.5e-8,
    activation: 2e-9,
    cheap: 5e-10,
  },
} as const satisfies Readonly<Record<CpuTarget["engine"]["name"], Readonly<Record<string, number>>>>;

type Rough = (typeof ROUGH)[CpuTarget["engine"]["name"]];

/** How a machine that drifted from its calibration is treated (spec latency 2.3): up to 3 % as it is, up to 15 % scaled,
 * above that refused. */
export const DRIFT_LIMITS = { scale: 0.03, refuse: 0.15 } as const;

/** The latency model of a processor. @param ratio of the reference network now to then, from `referenceRatio`
 * @throws EngineError if the machine is no longer what was calibrated */
export function cpuModel(target: CpuTarget, ratio = 1): LatencyModel {
  const identity = identify(target);
  const { calibration, cpu } = target;
  const drift = Math.abs(ratio - 1);
  if (calibration !== undefined && drift > DRIFT_LIMITS.refuse)
    throw new EngineError(
      "ENGINE_CALIBRATION",
      `${target.id}: the reference network takes ${ratio.toFixed(2)} times what it took when this was calibrated (${calibration.host}, ${calibration.date.slice(0, 10)}). Run \`condense latency calibrate --target ${target.id}\` on this machine, or wait until nothing else runs.`,
    );
  const scale = drift > DRIFT_LIMITS.scale ? ratio : 1;
  const drifted =
    scale === 1
      ? []
      : [`scaled by ${ratio.toFixed(2)}: the reference network's time now against when it was calibrated`];
  const scheme = cpuScheme(target);
  const rough = ROUGH[target.engine.name];
  const { kindOf } = plainScheme(target);
  return {
    target,
    predict(graph: Graph | Network, batch = 1) {
      const network = asNetwork(graph);
      if (calibration !== undefined)
        return predictBySum(identity, calibration, scheme, network, batch, { scale, warnings: drifted });
      const kernels = fuseKernels(network, scheme.rules);
      return assemble(identity, batch, {
        perOp: kernels.map((kernel) => roughTime(kernel, kindOf(kernel, batch).replace("64", ""), batch, cpu, rough)),
        fixed: aroundKernels(scheme, network, kernels, rough.session, [rough.result]),
        warnings: [],
      });
    },
  };
}

const dearKinds = ["dear", "tanh", "activation"] as const;

function isDear(kind: string): kind is (typeof dearKinds)[number] {
  return (dearKinds as readonly string[]).includes(kind);
}

function roughTime(kernel: Kernel, kind: string, batch: number, cpu: CpuTarget["cpu"], rough: Rough): OperationLatency {
  const perElement = isDear(kind) ? rough[kind] : rough.cheap;
  const arithmetic =
    (2 * kernel.macs * batch) / (rough.flopPerCycle * cpu.ghz * 1e9 * cpu.threads) +
    kernel.elementOps * batch * perElement;
  const memory = ((kernel.bytesIn + kernel.bytesOut) * batch + kernel.bytesWeights) / rough.bytesPerSecond;
  const work = Math.max(arithmetic, memory);
  return {
    ids: kernel.nodes,
    kernel: kernel.name,
    seconds: rough.kernel + work,
    bound: rough.kernel > work ? "overhead" : arithmetic > memory ? "compute" : "memory",
    source: "formula",
  };
}
