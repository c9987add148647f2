/**
 * Several fitted processes as one: weights on the simplex that minimise the leave-one-out CRPS of the mixture's first two
 * moments (stacking of predictive distributions: Yao, Vehtari, Simpson & Gelman 2018, with CRPS for their log score).
 */
import { minimise } from "./minimise.ts";
import { meanCrps } from "./scores.ts";

/** Leave-one-out mean and variance of one contestant, n each. */
export interface HeldOut {
  readonly mean: Float64Array;
  readonly variance: Float64Array;
}

/** Mean and variance of the mixture of normals, element by element. */
export function mixture(parts: readonly HeldOut[], weights: readonly number[]): HeldOut {
  const n = parts[0]!.mean.length;
  const mean = new Float64Array(n);
  const variance = new Float64Array(n);
  parts.forEach((part, k) => {
    for (let i = 0; i < n; i++) mean[i]! += weights[k]! * part.mean[i]!;
  });
  parts.forEach((part, k) => {
    for (let i = 0; i < n; i++) variance[i]! += weights[k]! * (part.variance[i]! + (part.mean[i]! - mean[i]!) ** 2);
  });
  return { mean, variance };
}

const softmax = (t: Float64Array): number[] => {
  const most = t.reduce((a, b) => Math.max(a, b), -Infinity);
  const e = Array.from(t, (v) => Math.exp(v - most));
  const sum = e.reduce((a, b) => a + b, 0);
  return e.map((v) => v / sum);
};

/** Weights, summing to 1; those under `least` are set to 0. */
export async function stackWeights(parts: readonly HeldOut[], y: Float64Array, least = 0.03): Promise<number[]> {
  const count = parts.length;
  if (count === 1) return [1];
  const score = (t: Float64Array): number => {
    const { mean, variance } = mixture(parts, softmax(t.subarray(0, count)));
    const errors = y.map((v, i) => v - mean[i]!);
    return Math.log(meanCrps(errors, variance, Math.exp(2 * t[count]!)));
  };
  const evaluate = async (t: Float64Array): Promise<{ value: number; gradient: Float64Array }> => {
    const value = score(t);
    const gradient = t.map((v, i) => {
      const step = 1e-4;
      const moved = t.slice();
      moved[i] = v + step;
      return (score(moved) - value) / step;
    });
    return { value, gradient };
  };
  // The last parameter scales the spread: it is set aside here, calibration comes after.
  const lower = new Float64Array(count + 1).fill(-6);
  const upper = new Float64Array(count + 1).fill(6);
  let best: { point: Float64Array; value: number } | undefined;
  for (let k = 0; k < count; k++) {
    const start = new Float64Array(count + 1);
    start[k] = 3;
    const found = await minimise(start, evaluate, { lower, upper, evaluations: 60, tolerance: 1e-4 });
    if (best === undefined || found.value < best.value) best = found;
  }
  const weights = softmax(best!.point.subarray(0, count)).map((w) => (w < least ? 0 : w));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((w) => w / sum);
}
