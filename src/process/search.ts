/**
 * The mode of the posterior. A coarse grid of isotropic starts is ranked by value; the best few are climbed on a subset
 * of the runs, where an evaluation costs little, and the best of them on all runs. Other families of kernels start from
 * the mode of one already found, at several scales.
 */
import type { Rng } from "../rng.ts";
import type { Algebra } from "./cholesky.ts";
import { minimise, type Minimum } from "./minimise.ts";
import { type Family, parameterCount, posterior, posteriorValue, type Problem } from "./posterior.ts";

/** Smallest and largest nugget, in units of the process's variance. */
export const leastNugget = 1e-8;
const mostNugget = 10;
/** Inverse length scales to start from, in units of 1 / (range sqrt d); the largest only where runs can show such detail. */
const startRates = [0.3, 1, 3, 10, 30, 100];
const fineRate = 10;
const fineInputs = 3;
const startNuggets = [1e-6, 1e-3, 0.1];
/** Factors on a known mode's inverse length scales. */
const restartFactors = [0.2, 0.5, 1, 2];

export interface SearchBudget {
  /** Runs on which starts are climbed. Default 250. */
  readonly subset: number;
  /** Starts climbed there, and evaluations of each. Default 4 and 25. */
  readonly starts: number;
  readonly scout: number;
  /** Evaluations of the last climb of the first family. Default 60. */
  readonly evaluations: number;
}

function limitsOf(family: Family, p: Problem): { lower: Float64Array; upper: Float64Array } {
  const lower = new Float64Array(parameterCount(family, p.d)).fill(-8);
  const upper = new Float64Array(lower.length).fill(8);
  for (let l = 0; l < p.d; l++) {
    lower[l] = Math.log(1e-4 / p.ranges[l]!);
    upper[l] = Math.log(300 / p.ranges[l]!);
  }
  lower[p.d] = Math.log(leastNugget);
  upper[p.d] = Math.log(mostNugget);
  return { lower, upper };
}

function isotropic(family: Family, p: Problem, rate: number, nugget: number): Float64Array {
  const theta = new Float64Array(parameterCount(family, p.d));
  for (let l = 0; l < p.d; l++) theta[l] = Math.log(rate / (Math.sqrt(p.d) * p.ranges[l]!));
  theta[p.d] = Math.log(nugget);
  return theta;
}

/** The start of lowest value. */
async function bestOf(
  starts: readonly Float64Array[],
  family: Family,
  problem: Problem,
  algebra: Algebra,
): Promise<Float64Array> {
  const [best] = await ranked(starts, family, problem, algebra, 1);
  if (best === undefined) throw new RangeError("internal: no start");
  return best;
}

/** The `count` starts of lowest value, best first. */
async function ranked(
  starts: readonly Float64Array[],
  family: Family,
  problem: Problem,
  algebra: Algebra,
  count: number,
): Promise<Float64Array[]> {
  const found: { theta: Float64Array; value: number }[] = [];
  for (const theta of starts) found.push({ theta, value: await posteriorValue(theta, family, problem, algebra) });
  return found
    .sort((a, b) => a.value - b.value)
    .slice(0, count)
    .map(({ theta }) => theta);
}

/** About `size` of a problem's runs, drawn without replacement and kept in order; all of them if they are hardly more. */
export function randomSubset(problem: Problem, size: number, rng: Rng): Problem {
  if (problem.n <= 1.3 * size) return problem;
  const rows = rng.shuffle(Array.from({ length: problem.n }, (_, i) => i)).slice(0, size);
  return subsetOf(
    problem,
    rows.sort((a, b) => a - b),
  );
}

function subsetOf(p: Problem, rows: readonly number[]): Problem {
  return { ...p, x: rowsOf(p.x, rows, p.d), h: rowsOf(p.h, rows, p.q), y: rowsOf(p.y, rows, 1), n: rows.length };
}

/** The rows `order` of a table, row-major. */
export function rowsOf(a: Float64Array, order: readonly number[], width: number): Float64Array {
  const out = new Float64Array(order.length * width);
  order.forEach((row, i) => {
    out.set(a.subarray(row * width, row * width + width), i * width);
  });
  return out;
}

/** The mode for one family, from scratch.
 * @param more further starts, such as another family's mode */
export async function findMode(
  family: Family,
  problem: Problem,
  algebra: Algebra,
  budget: SearchBudget,
  rng: Rng,
  more: readonly Float64Array[] = [],
): Promise<Minimum> {
  const limits = limitsOf(family, problem);
  const rates = startRates.filter((rate) => rate <= fineRate || problem.d <= fineInputs);
  const grid = rates.flatMap((rate) => startNuggets.map((nugget) => isotropic(family, problem, rate, nugget)));
  const starts = [...more, ...(await ranked(grid, family, problem, algebra, budget.starts))];
  const subset = randomSubset(problem, budget.subset, rng);
  const evaluate = (theta: Float64Array): ReturnType<typeof posterior> => posterior(theta, family, subset, algebra);
  const climbed: Float64Array[] = [];
  for (const start of starts)
    climbed.push((await minimise(start, evaluate, { ...limits, evaluations: budget.scout, tolerance: 0.1 })).point);
  const best = await bestOf([...starts, ...climbed], family, problem, algebra);
  return climb(best, family, problem, algebra, budget.evaluations);
}

/** A mode of the plain product kernel as starts of the family with weights b: all of them near 1, or at 1/2. */
export function withWeights(theta: Float64Array, d: number): Float64Array[] {
  return [2, 0].map((logit) => Float64Array.from({ length: 2 * d + 1 }, (_, i) => theta[i] ?? logit));
}

/** The mode for a family near the mode `known` of another: its parameters where the families share them. */
export async function findModeNear(
  known: Float64Array,
  family: Family,
  problem: Problem,
  algebra: Algebra,
  evaluations: number,
): Promise<Minimum> {
  const scaled = (factor: number, nugget: number | undefined): Float64Array =>
    isotropic(family, problem, 1, 1).map((v, i) => {
      if (i === problem.d && nugget !== undefined) return Math.log(nugget);
      return (known[i] ?? v) + (i < problem.d ? Math.log(factor) : 0);
    });
  const starts = restartFactors.flatMap((factor) => [undefined, 0.03].map((nugget) => scaled(factor, nugget)));
  return climb(await bestOf(starts, family, problem, algebra), family, problem, algebra, evaluations);
}

/** Climbs from one start. */
export async function climb(
  start: Float64Array,
  family: Family,
  problem: Problem,
  algebra: Algebra,
  evaluations: number,
): Promise<Minimum> {
  const evaluate = (theta: Float64Array): ReturnType<typeof posterior> => posterior(theta, family, problem, algebra);
  return minimise(start, evaluate, { ...limitsOf(family, problem), evaluations, tolerance: 0.02 });
}
