/**
 * By how much leave-one-out flatters. A run that is left out of the prediction was not left out when length scales, nugget
 * and the weights of the mixture were chosen, so with few runs its residual is too small. Folds tell: without a fold, all of
 * them are found anew from where they are, and its runs are predicted with both; how much more the new ones miss is the
 * factor.
 */
import type { Rng } from "../rng.ts";
import type { Algebra } from "./cholesky.ts";
import type { Contestant } from "./contest.ts";
import { correlations } from "./kernel.ts";
import { type Problem, type Solution, solve } from "./posterior.ts";
import { climb, rowsOf } from "./search.ts";
import { stackWeights } from "./stack.ts";

/** With more runs than this, parameters are known too well for it to matter. */
const mostRuns = 300;
const folds = 10;
/** Evaluations of the posterior that a fold's parameters are found anew with. */
const evaluations = 8;
const largest = 3;

/** Factor, at least 1, on the variance of leave-one-out residuals.
 * @param weights of the contestants in the mixture
 * @param stacked whether leave-one-out predictions chose the weights */
export async function optimism(
  problem: Problem,
  contestants: readonly Contestant[],
  weights: readonly number[],
  stacked: boolean,
  algebra: Algebra,
  rng: Rng,
): Promise<number> {
  const { n, d, q, x, y, h } = problem;
  if (n > mostRuns || n < folds) return 1;
  const order = rng.shuffle(Array.from({ length: n }, (_, i) => i));
  const missed = { known: 0, anew: 0 };
  for (let fold = 0; fold < folds; fold++) {
    const out = order.filter((_, i) => i % folds === fold);
    const kept = order.filter((_, i) => i % folds !== fold);
    const rest: Problem = {
      ...problem,
      ...{ x: rowsOf(x, kept, d), y: rowsOf(y, kept, 1), h: rowsOf(h, kept, q), n: kept.length },
    };
    const before: Solution[] = [];
    const after: Solution[] = [];
    for (const [k, { family, theta }] of contestants.entries()) {
      if (weights[k] === 0) continue;
      const { point } = await climb(theta, family, rest, algebra, evaluations);
      const known = await solve(theta, family, rest, algebra);
      const found = await solve(point, family, rest, algebra);
      if (known === undefined || found === undefined) return 1;
      before.push(known);
      after.push(found);
    }
    const given = weights.filter((weight) => weight !== 0);
    const heldOut = after.map(({ looMean: mean, looVariance: variance }) => ({ mean, variance }));
    const points = rowsOf(x, out, d);
    const means = {
      known: meansAt(points, out.length, rest, before, given),
      anew: meansAt(points, out.length, rest, after, stacked ? await stackWeights(heldOut, rest.y) : given),
    };
    out.forEach((row, i) => {
      missed.known += Math.abs(y[row]! - means.known[i]!);
      missed.anew += Math.abs(y[row]! - means.anew[i]!);
    });
  }
  return missed.known > 0 ? Math.min(largest, Math.max(1, (missed.anew / missed.known) ** 2)) : 1;
}

/** Predictive means of a mixture. @param points count × d */
function meansAt(
  points: Float64Array,
  count: number,
  { x, n }: Problem,
  solutions: readonly Solution[],
  weights: readonly number[],
): Float64Array {
  const means = new Float64Array(count);
  solutions.forEach(({ kernel, coefficients, alpha }, k) => {
    const near = correlations(kernel, points, count, x, n);
    for (let i = 0; i < count; i++) {
      let mean = coefficients[0]!;
      for (let j = 0; j < n; j++) mean += near[i * n + j]! * alpha[j]!;
      means[i]! += weights[k]! * mean;
    }
  });
  return means;
}
