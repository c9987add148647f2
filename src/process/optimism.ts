/**
 * By how much leave-one-out flatters. A run that is left out of the prediction was not left out when length scales, weights
 * and nugget were chosen, so with few runs its residual is too small. Folds tell: without a fold, parameters are found anew
 * from where they are, and its runs are predicted with both; how much more the new ones miss is the factor.
 */
import type { Rng } from "../rng.ts";
import type { Algebra } from "./cholesky.ts";
import type { Contestant } from "./contest.ts";
import { correlations } from "./kernel.ts";
import { type Problem, type Solution, solve } from "./posterior.ts";
import { climb, rowsOf } from "./search.ts";

/** With more runs than this, parameters are known too well for it to matter. */
const mostRuns = 300;
const folds = 5;
/** Evaluations of the posterior that a fold's parameters are found anew with. */
const evaluations = 15;
const largest = 3;

/** Factor, at least 1, on the variance of leave-one-out residuals.
 * @param weights of the contestants in the mixture */
export async function optimism(
  problem: Problem,
  contestants: readonly Contestant[],
  weights: readonly number[],
  algebra: Algebra,
  rng: Rng,
): Promise<number> {
  const { n, d, q, x, y, h } = problem;
  if (n > mostRuns || n < 2 * folds) return 1;
  const order = rng.shuffle(Array.from({ length: n }, (_, i) => i));
  let known = 0;
  let anew = 0;
  for (let fold = 0; fold < folds; fold++) {
    const out = order.filter((_, i) => i % folds === fold);
    const kept = order.filter((_, i) => i % folds !== fold);
    const rest: Problem = {
      ...problem,
      ...{ x: rowsOf(x, kept, d), y: rowsOf(y, kept, 1), h: rowsOf(h, kept, q), n: kept.length },
    };
    const points = rowsOf(x, out, d);
    const means = { known: new Float64Array(out.length), anew: new Float64Array(out.length) };
    for (const [k, { family, theta }] of contestants.entries()) {
      const weight = weights[k]!;
      if (weight === 0) continue;
      const found = (await climb(theta, family, rest, algebra, evaluations)).point;
      const before = await solve(theta, family, rest, algebra);
      const after = await solve(found, family, rest, algebra);
      if (before === undefined || after === undefined) return 1;
      addMeans(means.known, weight, before, rest, points);
      addMeans(means.anew, weight, after, rest, points);
    }
    out.forEach((row, i) => {
      known += Math.abs(y[row]! - means.known[i]!);
      anew += Math.abs(y[row]! - means.anew[i]!);
    });
  }
  return known > 0 ? Math.min(largest, Math.max(1, (anew / known) ** 2)) : 1;
}

/** Adds a share of the predictive mean at some points. @param points p × d */
function addMeans(sum: Float64Array, weight: number, solution: Solution, problem: Problem, points: Float64Array): void {
  const { n } = problem;
  const near = correlations(solution.kernel, points, sum.length, problem.x, n);
  for (let i = 0; i < sum.length; i++) {
    let mean = solution.coefficients[0]!;
    for (let j = 0; j < n; j++) mean += near[i * n + j]! * solution.alpha[j]!;
    sum[i]! += weight * mean;
  }
}
