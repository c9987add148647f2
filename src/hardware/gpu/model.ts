/** Latency on a GPU: as its calibration has it, or a roofline per kernel, fed through the launch queue (spec latency 3). */
import type { Graph } from "../../graph/index.ts";
import { fuseKernels, type Kernel } from "../kernels.ts";
import type { Network } from "../network.ts";
import { predictBySum } from "../measured/model.ts";
import {
  asNetwork,
  assemble,
  identify,
  type LatencyModel,
  type LatencyPrediction,
  type OperationLatency,
  type TargetIdentity,
} from "../prediction.ts";
import type { GpuConstants, GpuTarget } from "../target.ts";
import { runQueue, waveUse } from "./queue.ts";
import { gpuScheme } from "./scheme.ts";

/** Share of the peak memory bandwidth that kernels reach. */
const MEMORY_SHARE = 0.8;
/** Outputs of one work-group, and work-groups that one multiprocessor runs at once. */
const GROUP_OUTPUTS = 1024;
const RESIDENT = 2;

/** Share of the peak arithmetic by kind: convolutions 0.3, products of 256 rows and more 0.6, fewer 0.3. */
function efficiency(kernel: Kernel, batch: number): number {
  return kernel.kind === "dense" && batch * (kernel.geometry?.vectors ?? 1) >= 256 ? 0.6 : 0.3;
}

/** Seconds of one kernel on the device. */
function kernelSeconds(
  kernel: Kernel,
  batch: number,
  gpu: GpuConstants,
): { readonly seconds: number; readonly bound: OperationLatency["bound"] } {
  const groups = Math.ceil((kernel.elements * batch) / GROUP_OUTPUTS);
  const use = waveUse(groups, gpu.sm * RESIDENT);
  // Small kernels leave most of the device idle; only the arithmetic of large ones feels the last wave.
  const share = Math.max(efficiency(kernel, batch) * use, 1 / (gpu.sm * RESIDENT));
  const compute = (2 * kernel.macs * batch + kernel.elementOps * batch) / (gpu.fp32 * share);
  const bytes = (kernel.bytesIn + kernel.bytesOut) * batch + kernel.bytesWeights;
  const memory = bytes / (gpu.bw * MEMORY_SHARE);
  const work = Math.max(compute, memory);
  return { seconds: gpu.tFix + work, bound: gpu.tFix > work ? "overhead" : compute > memory ? "compute" : "memory" };
}

/** The latency model of a GPU target: the kernel sum of its calibration, without one the queue over the roofline. */
export function gpuModel(target: GpuTarget): LatencyModel {
  const identity = identify(target);
  const { gpu, calibration } = target;
  return {
    target,
    predict(graph: Graph | Network, batch = 1) {
      const network = asNetwork(graph);
      return calibration === undefined
        ? predictByQueue(identity, gpu, network, batch)
        : predictBySum(identity, calibration, gpuScheme, network, batch);
    },
  };
}

function predictByQueue(
  identity: TargetIdentity,
  gpu: GpuConstants,
  network: Network,
  batch: number,
): LatencyPrediction {
  const kernels = fuseKernels(network);
  const times = kernels.map((kernel) => kernelSeconds(kernel, batch, gpu));
  const run = runQueue(
    times.map(({ seconds }) => seconds),
    gpu,
  );
  const start = gpu.graph ? gpu.tSubmit : 0;
  const perOp = kernels.map((kernel, k): OperationLatency => {
    const { seconds: alone, bound } = times[k]!;
    const seconds = run.end[k]! - (run.end[k - 1] ?? start);
    return {
      ids: kernel.nodes,
      kernel: kernel.name,
      seconds,
      bound: seconds > alone * 1.000001 ? "overhead" : bound,
      source: "formula",
    };
  });
  const fixed = [
    { name: "synchronisation", seconds: gpu.tSync },
    ...(gpu.graph ? [{ name: "submission", seconds: gpu.tSubmit }] : []),
  ];
  const warnings = network.operations.some(({ elementBytes }) => elementBytes === 8)
    ? ["float64 scaling and statistics are counted as float32 kernels"]
    : [];
  return assemble(identity, batch, { perOp, fixed, warnings });
}
