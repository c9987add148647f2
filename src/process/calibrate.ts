/**
 * True spreads from leave-one-out residuals: predictive variances times a factor, the same everywhere or varying over the
 * inputs. The varying factor is a kernel average of squared standardised residuals near a point (Nadaraya & Watson), with
 * the correlations of a fitted process, to a power, as weights: wide beside a jump, narrow on a plateau. Power, shrinkage
 * and size minimise the leave-one-out CRPS, each run's own residual left out.
 */
import { meanCrps } from "./scores.ts";

/** factor(x) = size * (sum_i w_i z_i + prior * mean z) / (sum_i w_i + prior), w_i = R(x, x_i)^power, z_i squared
 * standardised residuals of the first r runs; `power` 0: factor = size everywhere. */
export interface Spread {
  readonly size: number;
  /** 0 or a power of two. */
  readonly power: number;
  readonly prior: number;
  /** Squared standardised residuals, r; empty where the power is 0. */
  readonly squares: Float64Array;
  readonly meanSquare: number;
}

const powers = [1, 2, 4, 8, 16, 32, 64];
const priors = [0.1, 0.3, 1, 3, 10];
/** A varying factor has to lower the score by this share. */
const worthIt = 0.01;

/** The spread, and the factor at each run (its own residual left out).
 * @param correlations of the runs with the first `r` of them, whose residuals weigh in, n × r */
export function calibrate(
  errors: Float64Array,
  variances: Float64Array,
  correlations: Float64Array,
  r: number,
): { readonly spread: Spread; readonly factors: Float64Array; readonly score: number } {
  const n = errors.length;
  const squares = errors.map((e, i) => (e * e) / variances[i]!);
  const meanSquare = squares.reduce((a, b) => a + b, 0) / n;
  const plain = bestSize(errors, variances);
  let best = {
    spread: { size: plain.size, power: 0, prior: 0, squares: new Float64Array(0), meanSquare },
    factors: new Float64Array(n).fill(plain.size),
    score: plain.score,
  };
  const weights = correlations.slice();
  for (let i = 0; i < r; i++) weights[i * r + i] = 0;
  let last = 1;
  let bar = plain.score * (1 - worthIt);
  for (const power of powers) {
    for (; last < power; last *= 2) for (let i = 0; i < weights.length; i++) weights[i]! *= weights[i]!;
    const near = new Float64Array(n);
    const total = new Float64Array(n);
    for (let i = 0; i < n; i++)
      for (let j = 0; j < r; j++) {
        const w = weights[i * r + j]!;
        near[i]! += w * squares[j]!;
        total[i]! += w;
      }
    for (const prior of priors) {
      const shape = near.map((v, i) => (v + prior * meanSquare) / (total[i]! + prior));
      const { size, score } = bestSize(
        errors,
        variances.map((v, i) => v * shape[i]!),
      );
      if (score >= bar) continue;
      bar = score;
      best = {
        spread: { size, power, prior, squares: squares.slice(0, r), meanSquare },
        factors: shape.map((v) => v * size),
        score,
      };
    }
  }
  return best;
}

/** The factor on the variances of lowest mean CRPS: a grid in the logarithm, then a finer one. */
function bestSize(errors: Float64Array, variances: Float64Array): { size: number; score: number } {
  let centre = 0;
  let score = Infinity;
  for (const [span, steps] of [
    [5, 20],
    [0.5, 10],
    [0.05, 5],
  ] as const) {
    const middle = centre;
    for (let k = -steps; k <= steps; k++) {
      const at = middle + (span * k) / steps;
      const found = meanCrps(errors, variances, Math.exp(at));
      if (found < score) {
        score = found;
        centre = at;
      }
    }
  }
  return { size: Math.exp(centre), score };
}
