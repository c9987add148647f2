/** Whether chains have run long enough: autocorrelation time, effective draws, R-hat. */
import type { Chain } from "./sampler.ts";

export interface Convergence {
  /** Steps between independent draws of a walker, per coordinate: see {@link autocorrelationTime}. */
  readonly tau: readonly number[];
  /** Independent draws that the chain is worth in its slowest coordinate: walkers × steps / tau. */
  readonly effectiveDraws: number;
  /** Largest R-hat over the coordinates, between four groups of walkers and the two halves of their steps: 1 where all
   * agree, above about 1.1 they do not. A walker by itself is too short a chain to be compared. */
  readonly rHat: number;
  readonly acceptance: number;
}

/** Judges a chain; all of it NaN where it has under four steps. */
export function convergence(chain: Chain): Convergence {
  const { d, walkers, steps, acceptance } = chain;
  if (steps < 4) {
    return { tau: new Array<number>(d).fill(NaN), effectiveDraws: NaN, rHat: NaN, acceptance };
  }
  const columns = Array.from({ length: d }, (_, j) => walkerSeries(chain, j));
  const tau = columns.map(autocorrelationTime);
  return {
    tau,
    effectiveDraws: (walkers * steps) / Math.max(...tau),
    rHat: Math.max(...columns.map((series) => rHat(groups(series)))),
    acceptance,
  };
}

/** Coordinate j of each walker over the steps. */
function walkerSeries({ d, walkers, steps, points }: Chain, j: number): Float64Array[] {
  return Array.from({ length: walkers }, (_, w) =>
    Float64Array.from({ length: steps }, (_, step) => points[(step * walkers + w) * d + j]!),
  );
}

/** Integrated autocorrelation time 1 + 2 sum rho(t), the correlations averaged over the series, summed up to the first
 * lag that is five times the sum so far (Sokal 1996; over walkers as in Foreman-Mackey et al. 2013). At least 1; series
 * that stand still have their length. @param series of equal length */
export function autocorrelationTime(series: readonly Float64Array[]): number {
  const steps = series[0]?.length ?? 0;
  // One mean for all: walkers that stay apart are no independent draws of one density.
  let mean = 0;
  for (const values of series) for (const value of values) mean += value / (steps * series.length);
  const covariance = (lag: number): number => {
    let sum = 0;
    for (const values of series)
      for (let i = 0; i + lag < steps; i++) sum += (values[i]! - mean) * (values[i + lag]! - mean);
    return sum / (series.length * (steps - lag));
  };
  const variance = covariance(0);
  if (!(variance > 0)) return steps;
  let tau = 1;
  for (let lag = 1; lag < steps && lag < 5 * tau; lag++) tau += (2 * covariance(lag)) / variance;
  return Math.min(steps, Math.max(1, tau));
}

/** Walkers in four groups, each group's steps in two halves: eight samples. */
function groups(series: readonly Float64Array[]): Float64Array[] {
  const half = Math.floor((series[0]?.length ?? 0) / 2);
  return [0, 1, 2, 3].flatMap((group) => {
    const mine = series.filter((_, w) => w % 4 === group);
    const join = (parts: readonly Float64Array[]): Float64Array => Float64Array.from(parts.flatMap((x) => [...x]));
    return [join(mine.map((x) => x.subarray(0, half))), join(mine.map((x) => x.subarray(x.length - half)))];
  });
}

/** R-hat of Gelman et al. (Bayesian Data Analysis, 3rd ed., eq. 11.4) between samples of about equal size; 1 where
 * nothing varies at all. */
export function rHat(parts: readonly Float64Array[]): number {
  const n = Math.min(...parts.map((part) => part.length));
  const means = parts.map((part) => part.reduce((sum, value) => sum + value, 0) / part.length);
  const variances = parts.map(
    (part, k) => part.reduce((sum, value) => sum + (value - means[k]!) ** 2, 0) / (part.length - 1),
  );
  const grand = means.reduce((sum, value) => sum + value, 0) / parts.length;
  const within = variances.reduce((sum, value) => sum + value, 0) / parts.length;
  const between = means.reduce((sum, value) => sum + (value - grand) ** 2, 0) / (parts.length - 1);
  if (within === 0) return between === 0 ? 1 : Number.POSITIVE_INFINITY;
  return Math.sqrt((n - 1) / n + between / within);
}
