/**
 * Validation scores of predictions against truths: how large errors are, and whether the stated uncertainty is true.
 * Definitions: Gneiting & Raftery 2007 (CRPS, interval score), Lakshminarayanan et al. 2017 (NLL), Spearman 1904.
 */
import type { FieldPrediction } from "../emulator/index.ts";
import { gaussianCrps } from "../normal.ts";

/** Scores of one field over n rows of `size` elements. */
export interface Scores {
  readonly field: string;
  /** Numbers that were compared, n x size. */
  readonly count: number;
  /** Root mean square, mean absolute and mean error (prediction - truth), in the field's unit. */
  readonly rmse: number;
  readonly mae: number;
  readonly bias: number;
  /** Fraction of variance unexplained: mean squared error over the truth's variance, median over the elements that vary;
   * NaN where none does. */
  readonly fvu: number;
  /** Coefficient of determination: 1 - squared errors over squared deviations, both summed over the elements that vary;
   * NaN where none does. */
  readonly r2: number;
  /** Mean continuous ranked probability score of the Gaussian forecast, in the field's unit. */
  readonly crps: number;
  /** Mean negative log likelihood of the Gaussian forecast, over the numbers whose standard deviation is above 0; NaN
   * where none is. */
  readonly nll: number;
  /** Share of truths inside the interval, and the binomial standard error that a true level would have over n rows:
   * sqrt(level (1 - level) / n), because elements of one row err together. */
  readonly coverage: number;
  readonly coverageError: number;
  /** Mean interval score: width plus 2 / (1 - level) times the distance of truths outside. */
  readonly intervalScore: number;
  /** Rank correlation of |error| and standard deviation; 0 where one of them does not vary. */
  readonly spearman: number;
  /** Standard deviation of the truth over the runs, root mean square over the elements, in the field's unit. */
  readonly truthStd: number;
}

/** Scores over all fields; those with a unit are put together in units of each field's `truthStd`. */
export interface OverallScores {
  /** Means over the fields that vary. */
  readonly rmse: number;
  readonly mae: number;
  readonly bias: number;
  readonly crps: number;
  readonly intervalScore: number;
  /** Mean over the fields that vary and have one, of the density in those units. */
  readonly nll: number;
  /** Median over the fields that vary. */
  readonly fvu: number;
  readonly r2: number;
  /** Median over the fields. */
  readonly spearman: number;
  /** Over all numbers, with the standard error of one field. */
  readonly coverage: number;
  readonly coverageError: number;
}

/** Ranks from 1; equal values share the mean of theirs. */
function ranks(values: Float64Array): Float64Array {
  const order = Uint32Array.from(values.keys()).sort((a, b) => values[a]! - values[b]!);
  const rank = new Float64Array(values.length);
  for (let i = 0; i < order.length;) {
    let j = i;
    while (j + 1 < order.length && values[order[j + 1]!] === values[order[i]!]) j++;
    for (let k = i; k <= j; k++) rank[order[k]!] = (i + j) / 2 + 1;
    i = j + 1;
  }
  return rank;
}

/** Spearman's rank correlation; 0 where one side does not vary. */
export function spearman(a: Float64Array, b: Float64Array): number {
  const p = ranks(a);
  const q = ranks(b);
  const middle = (p.length + 1) / 2;
  let pq = 0;
  let pp = 0;
  let qq = 0;
  for (let i = 0; i < p.length; i++) {
    pq += (p[i]! - middle) * (q[i]! - middle);
    pp += (p[i]! - middle) ** 2;
    qq += (q[i]! - middle) ** 2;
  }
  return pp > 0 && qq > 0 ? pq / Math.sqrt(pp * qq) : 0;
}

/** The middle value; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Squared errors and squared deviations from the mean, summed over the rows, of each element that varies.
 * @param truth n x size, as is `mean` */
function elementSquares(truth: Float64Array, mean: Float64Array, size: number): { error: number; total: number }[] {
  const n = truth.length / size;
  const found: { error: number; total: number }[] = [];
  for (let j = 0; j < size; j++) {
    let centre = 0;
    for (let i = 0; i < n; i++) centre += truth[i * size + j]! / n;
    let error = 0;
    let total = 0;
    let varies = false; // rounding gives even equal numbers some variance
    for (let i = 0; i < n; i++) {
      if (truth[i * size + j] !== truth[j]) varies = true;
      error += (truth[i * size + j]! - mean[i * size + j]!) ** 2;
      total += (truth[i * size + j]! - centre) ** 2;
    }
    if (varies) found.push({ error, total });
  }
  return found;
}

/** Fraction of variance unexplained of each element that varies. */
export function elementFvu(truth: Float64Array, mean: Float64Array, size: number): number[] {
  return elementSquares(truth, mean, size).map(({ error, total }) => error / total);
}

/** Scores one field. @param truth n x size   @param level nominal level of the prediction's interval */
export function scoreField(prediction: FieldPrediction, truth: Float64Array, size: number, level: number): Scores {
  const count = truth.length;
  const errors = new Float64Array(count);
  const stds = new Float64Array(count);
  let squares = 0;
  let moduli = 0;
  let bias = 0;
  let crps = 0;
  let nll = 0;
  let likely = 0;
  let inside = 0;
  let interval = 0;
  for (let i = 0; i < count; i++) {
    const error = prediction.mean[i]! - truth[i]!;
    const std = Math.hypot(prediction.std[i]!, prediction.noise[i]!);
    const low = prediction.lower[i]!;
    const high = prediction.upper[i]!;
    errors[i] = Math.abs(error);
    stds[i] = std;
    squares += error * error;
    moduli += Math.abs(error);
    bias += error;
    crps += gaussianCrps(error, std);
    if (std > 0) {
      nll += 0.5 * (error / std) ** 2 + Math.log(std) + 0.5 * Math.log(2 * Math.PI);
      likely++;
    }
    if (truth[i]! >= low && truth[i]! <= high) inside++;
    interval += high - low + (2 / (1 - level)) * (Math.max(0, low - truth[i]!) + Math.max(0, truth[i]! - high));
  }
  const elements = elementSquares(truth, prediction.mean, size);
  const sum = (part: "error" | "total"): number => elements.reduce((all, element) => all + element[part], 0);
  return {
    field: prediction.field,
    count,
    rmse: Math.sqrt(squares / count),
    mae: moduli / count,
    bias: bias / count,
    fvu: median(elements.map(({ error, total }) => error / total)),
    r2: elements.length > 0 ? 1 - sum("error") / sum("total") : Number.NaN,
    crps: crps / count,
    nll: likely > 0 ? nll / likely : Number.NaN,
    coverage: inside / count,
    coverageError: Math.sqrt((level * (1 - level)) / (count / size)),
    intervalScore: interval / count,
    spearman: spearman(errors, stds),
    truthStd: Math.sqrt(sum("total") / count),
  };
}

/** Puts the scores of fields together. @param fields at least one */
export function overallScores(fields: readonly Scores[]): OverallScores {
  const told = (values: readonly number[]): number[] => values.filter((value) => !Number.isNaN(value));
  const count = fields.reduce((sum, field) => sum + field.count, 0);
  const varying = fields.filter((field) => field.truthStd > 0);
  const mean = (of: (field: Scores) => number): number => {
    const values = told(varying.map(of));
    return values.reduce((sum, value) => sum + value, 0) / values.length;
  };
  return {
    rmse: mean((field) => field.rmse / field.truthStd),
    mae: mean((field) => field.mae / field.truthStd),
    bias: mean((field) => field.bias / field.truthStd),
    crps: mean((field) => field.crps / field.truthStd),
    intervalScore: mean((field) => field.intervalScore / field.truthStd),
    nll: mean((field) => field.nll + Math.log(field.truthStd)),
    fvu: median(told(fields.map((field) => field.fvu))),
    r2: median(told(fields.map((field) => field.r2))),
    spearman: median(fields.map((field) => field.spearman)),
    coverage: fields.reduce((sum, field) => sum + field.coverage * field.count, 0) / count,
    coverageError: fields[0]?.coverageError ?? Number.NaN,
  };
}
