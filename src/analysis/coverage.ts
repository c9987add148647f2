/** How many truths fall inside stated intervals, level by level, and how sure that count is. */
import type { FieldPrediction } from "../emulator/index.ts";

/** Levels that a validation looks at. */
export const coverageLevels = [0.5, 0.8, 0.9, 0.95, 0.99] as const;

export interface LevelCoverage {
  readonly level: number;
  /** Share of truths inside. */
  readonly coverage: number;
  /** 95 % interval of that share over other runs (Wilson 1927). The numbers of one run err together, so it counts runs. */
  readonly low: number;
  readonly high: number;
}

/** Wilson's score interval of a share seen in n trials. @param z quantile; default that of 95 % */
export function wilson(
  share: number,
  n: number,
  z = 1.959963984540054,
): { readonly low: number; readonly high: number } {
  if (n === 0) return { low: 0, high: 1 };
  const square = (z * z) / n;
  const middle = (share + square / 2) / (1 + square);
  const half = (z * Math.sqrt((share * (1 - share)) / n + square / (4 * n))) / (1 + square);
  return { low: Math.max(0, middle - half), high: Math.min(1, middle + half) };
}

/** Coverage of some fields together. @param truths as `predictions`, n x size each   @param n runs */
export function coverageOf(
  predictions: readonly FieldPrediction[],
  truths: readonly Float64Array[],
  n: number,
  level: number,
): LevelCoverage {
  let inside = 0;
  let count = 0;
  predictions.forEach(({ lower, upper }, f) => {
    const truth = truths[f]!;
    count += truth.length;
    for (let i = 0; i < truth.length; i++) if (truth[i]! >= lower[i]! && truth[i]! <= upper[i]!) inside++;
  });
  const coverage = inside / count;
  return { level, coverage, ...wilson(coverage, n) };
}

/** Share of runs whose whole field lies inside. @param truth n x size */
export function wholeCoverage(
  { lower, upper }: FieldPrediction,
  truth: Float64Array,
  n: number,
  level: number,
): LevelCoverage {
  const size = truth.length / n;
  let inside = 0;
  for (let i = 0; i < n; i++) {
    let holds = true;
    for (let k = i * size; k < (i + 1) * size; k++)
      if (!(truth[k]! >= lower[k]! && truth[k]! <= upper[k]!)) holds = false;
    if (holds) inside++;
  }
  return { level, coverage: inside / n, ...wilson(inside / n, n) };
}
