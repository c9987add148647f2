/** Kernels of a processor and the features of their times (spec latency 2.2). */
import type { Kernel } from "../kernels.ts";
import type { Padding } from "../measured/calibration.ts";
import { type KernelScheme, kindOf, nearest, paddedMacs } from "../measured/scheme.ts";
import type { CpuTarget } from "../target.ts";

/** The scheme of a processor: sizes of its caches decide two features. */
export function cpuScheme(cpu: CpuTarget["cpu"]): KernelScheme {
  return {
    kindOf,
    standIns: (kind) => [kind, kind.replace("64", ""), nearest[kind] ?? "cheap", "cheap"],
    width: 8,
    features: (kernel, batch, padding) => kernelFeatures(kernel, batch, cpu, padding),
    returns: ({ results }) => results,
  };
}

/** Constant, work, bytes in, bytes out, bytes of weights, workspace, bytes beyond L2 and beyond L3. A product's lanes are
 * padded to the SIMD width and the row tile. */
function kernelFeatures(kernel: Kernel, batch: number, cpu: CpuTarget["cpu"], padding: Padding): number[] {
  const { geometry } = kernel;
  const inOut = (kernel.bytesIn + kernel.bytesOut) * batch;
  const total = inOut + kernel.bytesWeights;
  let work = kernel.elementOps * batch;
  let workspace = 0;
  if (geometry) {
    work = paddedMacs(geometry, batch, padding);
    if (kernel.kind !== "dense") workspace = 4 * geometry.nIn * geometry.vectors * geometry.groups * batch;
  }
  return [
    1,
    work,
    kernel.bytesIn * batch,
    kernel.bytesOut * batch,
    kernel.bytesWeights,
    workspace,
    Math.max(0, total - cpu.l2),
    Math.max(0, total - cpu.l3),
  ];
}
