/** Latency on a GPU: a roofline per kernel, fed through the launch queue (spec latency 3). */
import type { Graph } from "../../graph/index.ts";
import { fuseKernels, type Kernel } from "../kernels.ts";
import type { Network } from "../network.ts";
import { asNetwork, assemble, identify, type LatencyModel, type OperationLatency } from "../prediction.ts";
import { conformalFactors } from "../conformal.ts";
import type { GpuCalibration, GpuConstants, GpuTarget } from "../target.ts";
import { runQueue, waveUse } from "./queue.ts";

/** Share of the peak memory bandwidth that kernels reach. */
const MEMORY_SHARE = 0.8;
/** Outputs of one work-group, and work-groups that one multiprocessor runs at once. */
const GROUP_OUTPUTS = 1024;
const RESIDENT = 2;

/** What a calibration says of kernels. */
type Measured = Pick<GpuCalibration, "efficiency" | "padding">;

/** Multiply-accumulates of a kernel whose outputs are padded to tiles. */
export function paddedMacs(
  kernel: Kernel,
  batch: number,
  { rows, columns }: { readonly rows: number; readonly columns: number },
): number {
  const { geometry } = kernel;
  if (geometry === undefined) return kernel.macs * batch;
  const { nIn, nOut, vectors, groups } = geometry;
  return Math.ceil(nOut / columns) * columns * nIn * groups * Math.ceil((batch * vectors) / rows) * rows;
}

/** Share of the peak arithmetic by kind: convolutions 0.3, products of 256 rows and more 0.6, fewer 0.3. */
function efficiency(kernel: Kernel, batch: number, measured: Measured | undefined): number {
  const known = measured?.efficiency[kernel.kind];
  if (known !== undefined) return known;
  return kernel.kind === "dense" && batch * (kernel.geometry?.vectors ?? 1) >= 256 ? 0.6 : 0.3;
}

/** Seconds of one kernel on the device. */
export function kernelSeconds(
  kernel: Kernel,
  batch: number,
  gpu: GpuConstants,
  measured?: Measured,
): { readonly seconds: number; readonly bound: OperationLatency["bound"] } {
  const groups = Math.ceil((kernel.elements * batch) / GROUP_OUTPUTS);
  const use = waveUse(groups, gpu.sm * RESIDENT);
  // Small kernels leave most of the device idle; only the arithmetic of large ones feels the last wave.
  const share = Math.max(efficiency(kernel, batch, measured) * use, 1 / (gpu.sm * RESIDENT));
  const macs = measured?.padding === undefined ? kernel.macs * batch : paddedMacs(kernel, batch, measured.padding);
  const compute = (2 * macs + kernel.elementOps * batch) / (gpu.fp32 * share);
  const bytes = (kernel.bytesIn + kernel.bytesOut) * batch + kernel.bytesWeights;
  const memory = bytes / (gpu.bw * MEMORY_SHARE);
  const work = Math.max(compute, memory);
  return { seconds: gpu.tFix + work, bound: gpu.tFix > work ? "overhead" : compute > memory ? "compute" : "memory" };
}

/** The latency model of a GPU target. */
export function gpuModel(target: GpuTarget): LatencyModel {
  const identity = identify(target);
  const { gpu, calibration } = target;
  const hostKernel = calibration?.hostKernel;
  const interval = calibration === undefined ? undefined : conformalFactors(calibration.residuals);
  return {
    target,
    predict(graph: Graph | Network, batch = 1) {
      const network = asNetwork(graph);
      const kernels = fuseKernels(network);
      const onHost = (kernel: Kernel): boolean => hostKernel !== undefined && kernel.elementBytes === 8;
      const times = kernels.map((kernel) => kernelSeconds(kernel, batch, gpu, calibration));
      const queued = kernels.flatMap((kernel, k) => (onHost(kernel) ? [] : [k]));
      const run = runQueue(
        queued.map((k) => times[k]!.seconds),
        gpu,
      );
      const start = gpu.graph ? gpu.tSubmit : 0;
      const taken = new Map(queued.map((k, i) => [k, run.end[i]! - (run.end[i - 1] ?? start)]));
      const perOp = kernels.map((kernel, k): OperationLatency => {
        const { seconds: alone, bound } = times[k]!;
        const seconds = taken.get(k) ?? hostKernel ?? 0;
        return {
          ids: kernel.nodes,
          kernel: kernel.name,
          seconds,
          bound: seconds > alone * 1.000001 || !taken.has(k) ? "overhead" : bound,
          source: "formula",
        };
      });
      const fixed = [
        { name: "synchronisation", seconds: gpu.tSync },
        ...(gpu.graph ? [{ name: "submission", seconds: gpu.tSubmit }] : []),
      ];
      const warnings =
        hostKernel === undefined && network.operations.some(({ elementBytes }) => elementBytes === 8)
          ? ["float64 scaling and statistics are counted as float32 kernels"]
          : [];
      return assemble(identity, batch, {
        perOp,
        fixed,
        warnings,
        ...(interval === undefined ? {} : { factors: interval }),
      });
    },
  };
}
