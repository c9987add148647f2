/**
 * Calibration of the ensemble on out-of-fold residuals: every run is held out by some members, whose prediction of it is
 * honest. A scale turns the members' spread into a standard deviation, a floor catches what all members miss alike, and
 * conformal quantiles of the standardised residuals give the intervals (Vovk et al. 2005). The shrinkage from one
 * member's error to the ensemble's is an estimate, so the coverage is checked by measurement, not guaranteed.
 */
import type { FieldCalibration, LevelFactor } from "./emulator-graph.ts";

/** Levels whose quantiles an emulator carries. */
export const calibrationLevels = [0.5, 0.6827, 0.8, 0.9, 0.95, 0.9545, 0.99] as const;

export interface OutOfFold {
  /** Rows, elements per row, and members of the ensemble. */
  readonly rows: number;
  readonly size: number;
  readonly members: number;
  /** Truth, mean of the members that had not seen the row, and the spread of all members, each rows x size, scaled. */
  readonly truth: Float64Array;
  readonly mean: Float64Array;
  readonly spread: Float64Array;
  /** Standard deviation of the simulator's noise per element, scaled. */
  readonly noise: readonly number[];
  /** Of how many members `mean` is the mean. Default 1. */
  readonly averaged?: number;
  /** Share of a member's squared error that is its own, where it was seen. */
  readonly ownShare?: number;
}

/** The conformal quantile: the ceil((n + 1) level)-th smallest score; the largest where there are too few. */
export function conformalQuantile(sorted: Float64Array, level: number): number {
  const n = sorted.length;
  if (n === 0) return 0;
  const rank = Math.min(n, Math.ceil((n + 1) * level));
  return sorted[rank - 1]!;
}

/** Conformal quantiles of scores at every level that an emulator carries, divided by `unit`. @param scores get sorted */
export function levelFactors(scores: Float64Array, unit = 1): LevelFactor[] {
  scores.sort();
  return calibrationLevels.map((level) => ({ level, factor: conformalQuantile(scores, level) / unit }));
}

/** The largest score of each row: what a band has to reach to hold the whole field. @param scores rows x size */
export function rowMaxima(scores: Float64Array, size: number): Float64Array {
  const maxima = new Float64Array(scores.length / size);
  for (let i = 0; i < scores.length; i++) {
    const row = Math.floor(i / size);
    maxima[row] = Math.max(maxima[row]!, scores[i]!);
  }
  return maxima;
}

function medianOf(values: Float64Array): number {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Share of the typical squared residual that the floor takes: 0.3 of the variance of a Gaussian with that median. */
const floorShare = 0.3 * 2.198;
/** The mean of the members is never taken to be better than this share of one member's error. */
const leastShrink = 0.5;

/**
 * Calibrates one field. The score of a run is its residual, by the member that had not seen it, over
 * s = sqrt(members' variance + floor^2). Residuals are one member's, the emulator is the mean of all: widths shrink by c,
 * the share of the error that averaging leaves. If members' errors correlate alike, c^2 = 1 - x (1 - 1/M), where x is the share of a
 * squared error that is a member's own; where that was not seen, x = mean(members' variance) / mean(residual^2).
 * Elements of a field share one set of quantiles, each in units of its own floor; bands are quantiles of the largest
 * score of each run, so that they hold the whole field (simultaneous bands: Diquigiovanni, Fontana & Vantini 2022).
 * @returns the calibration, and c as `shrink`
 */
export function calibrateField(oof: OutOfFold): FieldCalibration & { readonly shrink: number } {
  const { rows, size, members } = oof;
  const floor = new Float64Array(size);
  const squares = new Float64Array(rows);
  for (let j = 0; j < size; j++) {
    for (let i = 0; i < rows; i++) squares[i] = (oof.truth[i * size + j]! - oof.mean[i * size + j]!) ** 2;
    floor[j] = Math.sqrt(floorShare * medianOf(squares));
  }
  // An element that most members hit exactly still needs a width: a small part of what the field's elements have.
  const least = 1e-3 * Math.sqrt(floor.reduce((sum, value) => sum + value * value, 0) / size) || 1e-9;
  const scores = new Float64Array(rows * size);
  let meanSquare = 0;
  let meanVariance = 0;
  let meanScore = 0;
  for (let j = 0; j < size; j++) floor[j] = Math.max(floor[j]!, least);
  for (let i = 0; i < scores.length; i++) {
    const residual = Math.abs(oof.truth[i]! - oof.mean[i]!);
    const unit = floor[i % size]!;
    scores[i] = residual / Math.hypot(oof.spread[i]!, unit);
    meanScore += scores[i]! ** 2 / scores.length;
    meanSquare += (residual / unit) ** 2 / scores.length;
    meanVariance += (oof.spread[i]! / unit) ** 2 / scores.length;
  }
  const { averaged = 1, ownShare = meanVariance / (meanSquare || 1) } = oof;
  const leftBy = (count: number): number => Math.max(leastShrink ** 2, 1 - (1 - 1 / count) * ownShare);
  const shrink = Math.sqrt(Math.min(1, leftBy(members) / leftBy(averaged)));
  // Unit: the root mean square of the standardised residuals becomes 1, so that std is a standard deviation.
  const unit = Math.sqrt(meanScore) || 1;
  const factor = shrink * unit;
  const noise = oof.noise.map((value, j) => Math.min(value, 0.999 * factor * floor[j]!));
  return {
    shrink,
    spreadFactor: [factor],
    floor: Array.from(floor, (value, j) => Math.sqrt((factor * value) ** 2 - noise[j]! ** 2)),
    noise: [...noise],
    ...(size === 1 ? {} : { bands: levelFactors(rowMaxima(scores, size), unit) }),
    quantiles: levelFactors(scores, unit),
  };
}
