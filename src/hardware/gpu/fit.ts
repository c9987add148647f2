/**
 * Constants of the queue and roofline model from measured times (spec latency 3): launch and synchronisation from chains of
 * tiny kernels, bandwidth and efficiencies by kind from kernels, and the interval from whole networks that no constant saw.
 */
import type { Kernel } from "../kernels.ts";
import { fitLine } from "../line.ts";
import { median } from "../metrics.ts";
import type { GpuCalibration, GpuConstants } from "../target.ts";
import { kernelSeconds, paddedMacs } from "./model.ts";
import { runQueue } from "./queue.ts";

export interface GpuPoint {
  readonly kernels: readonly Kernel[];
  readonly batch: number;
  /** Measured: of one link of a chain, or of one call of a network. */
  readonly seconds: number;
}

export interface GpuMeasurements {
  /** Whole calls of chains of n tiny kernels. */
  readonly tiny: readonly (readonly [kernels: number, seconds: number])[];
  /** The same in float64, which WebGPU leaves to the processor. */
  readonly host: readonly (readonly [kernels: number, seconds: number])[];
  /** One link of a chain of equal kernels. */
  readonly units: readonly GpuPoint[];
  /** Whole networks. */
  readonly networks: readonly GpuPoint[];
}

export interface GpuFit {
  readonly gpu: GpuConstants;
  readonly efficiency: Readonly<Record<string, number>>;
  readonly padding: NonNullable<GpuCalibration["padding"]>;
  readonly hostKernel: number;
  readonly residuals: readonly number[];
  /** Mean absolute logarithm of predicted over measured, over kernels. */
  readonly unitError: number;
}

/** Multiprocessors and paddings that are tried: an adapter does not tell its own. */
const multiprocessors = [1, 2, 4, 8, 16, 32, 64, 128];
const paddings = [1, 8, 16, 32, 64].flatMap((rows) => [1, 16, 32].map((columns) => ({ rows, columns })));
/** Efficiencies that are tried, as shares of the fastest rate seen: each 6 % above the last. */
const shares = Array.from({ length: 160 }, (_, i) => 1.06 ** -i);

/** Fits all constants. @param before what the target has so far, for what is not measured */
export function fitGpu({ tiny, host, units, networks }: GpuMeasurements, before: GpuConstants): GpuFit {
  const launch = fitLine(tiny);
  const hostKernel = Math.max(1e-7, fitLine(host).slope);
  const tLaunch = Math.max(1e-7, launch.slope);
  const rate = (of: (kernel: Kernel, batch: number) => number): number =>
    Math.max(1, ...units.map(({ kernels, batch, seconds }) => sum(kernels, (k) => of(k, batch)) / seconds));
  const bytes = (k: Kernel, batch: number): number => (k.bytesIn + k.bytesOut) * batch + k.bytesWeights;
  const gpu: GpuConstants = {
    ...before,
    tLaunch,
    tSync: Math.max(0, launch.intercept),
    tFix: Math.min(tLaunch, before.tFix),
    // The best that was seen, so that efficiencies are below 1.
    fp32: 1.25 * rate((k, batch) => 2 * k.macs * batch + k.elementOps * batch),
    bw: 1.25 * rate(bytes),
  };
  let best: { readonly error: number; readonly sm: number; readonly fit: Omit<Setting, "sm"> } | undefined;
  for (const padding of paddings) {
    // Padded work is done faster than the work that is asked for.
    const scale = 1.25 * rate((k, batch) => paddedWork(k, batch, padding));
    for (const sm of multiprocessors) {
      const fit = efficiencies(units, { ...gpu, sm, fp32: scale }, padding);
      if (best === undefined || fit.error < best.error)
        best = { error: fit.error, sm, fit: { ...fit, fp32: scale, padding } };
    }
  }
  const { sm = before.sm, fit, error = 0 } = best ?? {};
  const constants = { ...gpu, sm, ...(fit === undefined ? {} : { fp32: fit.fp32 }) };
  const padding = fit?.padding ?? { rows: 1, columns: 1 };
  const setting = { efficiency: fit?.efficiency ?? {}, padding };
  // Kernels in a network meet other caches than in a chain of their own: every second network says how much that is.
  const ratios = networks.map((point) => Math.log(point.seconds / callSeconds(point, constants, setting)));
  const shift = Math.exp(median(ratios.filter((_, i) => i % 2 === 0)));
  const shifted = {
    ...constants,
    fp32: constants.fp32 / shift,
    bw: constants.bw / shift,
    tLaunch: constants.tLaunch * shift,
    tFix: constants.tFix * shift,
  };
  const residuals = networks
    .filter((_, i) => i % 2 === 1)
    .map((point) => Math.log(point.seconds / callSeconds(point, shifted, setting)));
  return { gpu: shifted, ...setting, hostKernel, residuals, unitError: error };
}

interface Setting {
  readonly sm: number;
  readonly fp32: number;
  readonly efficiency: Readonly<Record<string, number>>;
  readonly padding: NonNullable<GpuCalibration["padding"]>;
}

/** The efficiency of each kind that predicts its kernels best, the rest as it is. */
function efficiencies(
  units: readonly GpuPoint[],
  gpu: GpuConstants,
  padding: Setting["padding"],
): { readonly efficiency: Readonly<Record<string, number>>; readonly error: number } {
  const efficiency: Record<string, number> = {};
  let total = 0;
  const kinds = [...new Set(units.map(({ kernels }) => mainKind(kernels)))];
  for (const kind of kinds) {
    const mine = units.filter(({ kernels }) => mainKind(kernels) === kind);
    let [least, chosen] = [Number.POSITIVE_INFINITY, 1];
    for (const share of shares) {
      const setting = { efficiency: { ...efficiency, [kind]: share }, padding };
      const error = sum(mine, (point) => Math.abs(Math.log(linkSeconds(point, gpu, setting) / point.seconds)));
      if (error < least) [least, chosen] = [error, share];
    }
    efficiency[kind] = chosen;
    total += least;
  }
  return { efficiency, error: total / Math.max(1, units.length) };
}

type Measured = Pick<GpuCalibration, "efficiency" | "padding">;

/** What one more link of a chain takes: launches hide kernels that are shorter. */
function linkSeconds({ kernels, batch }: GpuPoint, gpu: GpuConstants, measured: Measured): number {
  return sum(kernels, (kernel) => Math.max(gpu.tLaunch, kernelSeconds(kernel, batch, gpu, measured).seconds));
}

function callSeconds({ kernels, batch }: GpuPoint, gpu: GpuConstants, measured: Measured): number {
  const exec = kernels.map((kernel) => kernelSeconds(kernel, batch, gpu, measured).seconds);
  return runQueue(exec, gpu).seconds;
}

/** The kind of the kernel with the most work. */
function mainKind(kernels: readonly Kernel[]): string {
  const most = [...kernels].sort((a, b) => b.macs + b.elements - a.macs - a.elements)[0];
  return most?.kind ?? "elementwise";
}

function paddedWork(kernel: Kernel, batch: number, padding: Setting["padding"]): number {
  return 2 * paddedMacs(kernel, batch, padding) + kernel.elementOps * batch;
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
