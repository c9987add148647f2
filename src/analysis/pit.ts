/**
 * Probability integral transforms: where each truth falls in its predictive distribution, 0 to 1. If the stated
 * distributions are true they are uniform (Dawid 1984; Gneiting, Balabdaoui & Raftery 2007), which a histogram shows and a
 * chi-square test judges. Numbers of one run err together, so the test takes one number of each run, in turn.
 */
import { type FieldPrediction, type OutputScale, slopeAt, toLearned } from "../emulator/index.ts";
import { normalDistribution } from "../normal.ts";
import { chiSquareTail } from "./chi-square.ts";

/** A histogram and its test. */
export interface PitTest {
  /** Share of all numbers in each of ten bins of equal width. */
  readonly shares: readonly number[];
  /** Runs that were tested, one number of each, and the bins that they were counted in. */
  readonly rows: number;
  readonly counts: readonly number[];
  readonly chiSquare: number;
  readonly freedom: number;
  /** Probability of a chi-square at least as large if the stated distributions are true; NaN under ten runs. */
  readonly p: number;
}

const histogramBins = 10;
/** A bin of the test is expected to hold at least so many runs. */
const leastExpected = 5;

/** PIT values of one field: of the Gaussian with the stated mean and the variances of emulator and noise together, or, for
 * a field learned as its logarithm, of the log-normal distribution with these moments; roots are normal to first order.
 * @param truth n x size   @returns n x size */
export function pitValues(prediction: FieldPrediction, truth: Float64Array, scale: OutputScale): Float64Array {
  return truth.map((value, i) => {
    const mean = prediction.mean[i]!;
    const std = prediction.std[i]!;
    const noise = prediction.noise[i]!;
    if (scale === "linear") return standing(value - mean, Math.hypot(std, noise));
    if (scale !== "log")
      return standing(toLearned(scale, value) - toLearned(scale, mean), Math.hypot(std, noise) / slopeAt(scale, mean));
    const variance = Math.log1p((std / mean) ** 2);
    return standing(Math.log(value) - Math.log(mean) + variance / 2, Math.hypot(Math.sqrt(variance), noise / mean));
  });
}

function standing(error: number, std: number): number {
  if (std > 0) return normalDistribution(error / std);
  return error === 0 ? 0.5 : error > 0 ? 1 : 0;
}

/** Which of `size` numbers of a run is tested: a low-discrepancy walk, so that all take their turn. */
function turn(row: number, size: number): number {
  const golden = (Math.sqrt(5) - 1) / 2;
  return Math.floor(((row * golden) % 1) * size);
}

/**
 * Tests whether the PIT values of some fields are uniform.
 * @param fields values, n x size each: one field, or all of them together (runs then take their turn among fields too)
 * @param n runs
 */
export function pitTest(fields: readonly Float64Array[], n: number): PitTest {
  const shares = new Array<number>(histogramBins).fill(0);
  const count = fields.reduce((sum, values) => sum + values.length, 0);
  for (const values of fields) for (const value of values) shares[binOf(value, histogramBins)]! += 1 / count;
  const bins = Math.max(2, Math.min(histogramBins, Math.floor(n / leastExpected)));
  const counts = new Array<number>(bins).fill(0);
  for (let i = 0; i < n; i++) {
    const values = fields[i % fields.length]!;
    const size = values.length / n;
    counts[binOf(values[i * size + turn(Math.floor(i / fields.length), size)]!, bins)]! += 1;
  }
  const expected = n / bins;
  const chiSquare = counts.reduce((sum, seen) => sum + (seen - expected) ** 2 / expected, 0);
  const p = n < 2 * leastExpected ? Number.NaN : chiSquareTail(chiSquare, bins - 1);
  return { shares, rows: n, counts, chiSquare, freedom: bins - 1, p };
}

function binOf(value: number, bins: number): number {
  return Math.max(0, Math.min(bins - 1, Math.floor(value * bins) || 0));
}
