/** Kernels of a graphics processor under WebGPU and the features of their times. What is in float64 the engine leaves to the
 * processor: kinds of their own, marked `64`; so are the casts that values cross with. */
import { type Kernel, ortRules } from "../kernels.ts";
import { furtherResults, type KernelScheme, kindOf, nearest, paddedMacs } from "../measured/scheme.ts";

export const gpuScheme: KernelScheme = {
  rules: ortRules,
  kindOf: gpuKind,
  standIns: (kind) =>
    isOnHost(kind)
      ? [kind, `${nearest[kind.replace("64", "")] ?? "cheap"}64`, "cheap64"]
      : isCrossing(kind)
        ? [kind]
        : [kind, nearest[kind] ?? "cheap", "cheap"],
  width: 4,
  /** Constant, work, bytes, bytes of weights. */
  features: (kernel, batch, padding) => [
    1,
    kernel.geometry === undefined
      ? (kernel.macs + kernel.elementOps) * batch
      : paddedMacs(kernel.geometry, batch, padding),
    (kernel.bytesIn + kernel.bytesOut) * batch,
    kernel.bytesWeights,
  ],
  // Each result and each value that goes on in float64 is waited for; results in float64 lie on the processor already.
  around: [
    furtherResults(
      ({ results, wideResults }, kernels) =>
        results - wideResults + kernels.filter((kernel) => gpuKind(kernel) === "readback").length,
    ),
  ],
};

function gpuKind(kernel: Kernel): string {
  const wide = kernel.elementBytes === 8;
  if (kernel.name === "Cast" && wide && kernel.bytesOut === 2 * kernel.bytesIn) return "readback";
  if (kernel.name === "Cast" && !wide && kernel.bytesIn === 2 * kernel.bytesOut) return "upload";
  const kind = kindOf(kernel);
  return wide && !kind.endsWith("64") ? `${kind}64` : kind;
}

/** Whether kernels of that kind run on the processor. */
export function isOnHost(kind: string): boolean {
  return kind.endsWith("64");
}

/** Whether kernels of that kind take values from the one to the other. */
export function isCrossing(kind: string): boolean {
  return kind === "upload" || kind === "readback";
}
