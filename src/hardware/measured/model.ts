/** The latency of a call by a calibration's kernel sum, with the interval of its residuals (spec latency 2.4). */
import { factorsFor } from "../conformal.ts";
import { fuseKernels, type Kernel } from "../kernels.ts";
import type { Network } from "../network.ts";
import { assemble, type LatencyPrediction, type OperationLatency, type TargetIdentity } from "../prediction.ts";
import type { Calibration } from "./calibration.ts";
import { kernelTime, partsOf } from "./kernel-sum.ts";
import type { KernelScheme } from "./scheme.ts";

/** The parts of a call around its kernels. @param seconds for each of what the scheme counts around them; none where not given */
export function aroundKernels(
  { around }: KernelScheme,
  network: Network,
  kernels: readonly Kernel[],
  call: number,
  seconds: readonly number[],
) {
  return [
    { name: "call", seconds: call },
    ...around.slice(0, seconds.length).flatMap(({ name, count }, j) => {
      const found = count(network, kernels);
      return found > 0 ? [{ name, seconds: found * seconds[j]! }] : [];
    }),
  ];
}

/** What a calibration says of a network. @param scale on all times, for a machine that drifted; with what to say of it */
export function predictBySum(
  identity: TargetIdentity,
  calibration: Calibration,
  scheme: KernelScheme,
  network: Network,
  batch: number,
  { scale, warnings: before }: { readonly scale: number; readonly warnings: readonly string[] } = {
    scale: 1,
    warnings: [],
  },
): LatencyPrediction {
  const { kinds, padding, batches, sessionSeconds, aroundSeconds } = calibration;
  const kernels = fuseKernels(network, scheme.rules);
  let outside = 0;
  const perOp = kernels.map((kernel): OperationLatency => {
    const { seconds, inside } = kernelTime(kinds, kernel, batch, { scheme, padding });
    if (!inside) outside++;
    return {
      ids: kernel.nodes,
      kernel: kernel.name,
      seconds: scale * seconds,
      bound: kernel.macs > 0 ? "compute" : "memory",
      source: "fit",
    };
  });
  const fixed = aroundKernels(
    scheme,
    network,
    kernels,
    scale * sessionSeconds,
    aroundSeconds.map((seconds) => scale * seconds),
  );
  const rest = fixed.reduce((sum, { seconds }) => sum + seconds, 0);
  const parts = partsOf(
    kernels,
    batch,
    scheme,
    perOp.map(({ seconds }) => seconds),
    rest,
  );
  const factors = factorsFor(calibration.residuals, parts, batch);
  // Outside the box the interval is twice as wide, in logarithms.
  const widened =
    outside > 0 ? { ...factors, lo: Math.min(factors.lo, 1) ** 2, hi: Math.max(factors.hi, 1) ** 2 } : factors;
  const warnings = [
    ...before,
    ...(outside > 0 ? [`${outside} kernels are larger than what was calibrated: twice the interval`] : []),
    ...(batches.includes(batch) || batch < Math.max(...batches)
      ? []
      : [`batch ${batch} is above those calibrated (${batches.join(", ")})`]),
  ];
  return assemble(identity, batch, { perOp, fixed, factors: widened, warnings });
}
