/**
 * The mode of the posterior: a coarse grid of isotropic starts by value alone, then the best few climbed a little, then
 * the best of those to the end.
 */
import type { Algebra } from "./cholesky.ts";
import { minimise } from "./minimise.ts";
import { type Family, posterior, posteriorValue, type Problem } from "./posterior.ts";

export interface SearchOptions {
  /** Starts climbed a little, and evaluations for each. */
  readonly starts: number;
  readonly scout: number;
  /** Most evaluations of the last climb. */
  readonly evaluations: number;
}

export interface Mode {
  readonly theta: Float64Array;
  readonly value: number;
  readonly evaluations: number;
}

/** Smallest and largest nugget, in units of the process's variance. */
const nuggets = [1e-8, 10] as const;

export function bounds(family: Family, p: Problem): { lower: Float64Array; upper: Float64Array } {
  const size = family.anova ? 2 * p.d + 1 : p.d + 1;
  const lower = new Float64Array(size).fill(-8);
  const upper = new Float64Array(size).fill(8);
  for (let l = 0; l < p.d; l++) {
    lower[l] = Math.log(1e-4 / p.ranges[l]!);
    upper[l] = Math.log(300 / p.ranges[l]!);
  }
  lower[p.d] = Math.log(nuggets[0]);
  upper[p.d] = Math.log(nuggets[1]);
  return { lower, upper };
}

/** A start with the same inverse length scale for every input, in units of its range. */
function isotropic(family: Family, p: Problem, rate: number, nugget: number): Float64Array {
  const theta = new Float64Array(family.anova ? 2 * p.d + 1 : p.d + 1);
  for (let l = 0; l < p.d; l++) theta[l] = Math.log(rate / p.ranges[l]!);
  theta[p.d] = Math.log(nugget);
  theta.fill(0, p.d + 1);
  return theta;
}

export async function findMode(
  family: Family,
  problem: Problem,
  algebra: Algebra,
  { starts, scout, evaluations }: SearchOptions,
  more: readonly Float64Array[] = [],
): Promise<Mode> {
  const limits = bounds(family, problem);
  const grid: Float64Array[] = [...more];
  const spread = Math.sqrt(problem.d);
  const rates = [0.3, 1, 3, 10, 30, 100].map((r) => r / spread).filter((r) => problem.d < 4 || r < 8);
  for (const rate of rates) for (const nugget of [1e-5, 0.1]) grid.push(isotropic(family, problem, rate, nugget));
  const ranked: { theta: Float64Array; value: number }[] = [];
  for (const theta of grid) ranked.push({ theta, value: await posteriorValue(theta, family, problem, algebra) });
  ranked.sort((a, b) => a.value - b.value);
  const evaluate = (theta: Float64Array): ReturnType<typeof posterior> => posterior(theta, family, problem, algebra);
  let best: Mode | undefined;
  let used = grid.length;
  for (const { theta } of ranked.slice(0, starts)) {
    const found = await minimise(theta, evaluate, { ...limits, evaluations: starts > 1 ? scout : evaluations });
    used += found.evaluations;
    if (best === undefined || found.value < best.value)
      best = { theta: found.point, value: found.value, evaluations: used };
  }
  if (best === undefined) throw new RangeError("internal: no start");
  if (starts > 1) {
    const found = await minimise(best.theta, evaluate, { ...limits, evaluations });
    used += found.evaluations;
    best = { theta: found.point, value: found.value, evaluations: used };
  }
  return { ...best, evaluations: used };
}
