/**
 * Families of kernels that compete for one output, each at the mode of its posterior; how likely each is; and whether
 * what they leave unexplained is the simulator's noise.
 */
import type { Engine } from "../engine/index.ts";
import { InternalError, OptionError } from "../errors.ts";
import type { Rng } from "../rng.ts";
import type { Algebra } from "./cholesky.ts";
import type { KernelName } from "./kernel.ts";
import { type Family, type Problem, type Solution, solve } from "./posterior.ts";
import { meanCrps } from "./scores.ts";
import { climb, findMode, findModeNear, leastNugget, randomSubset, type SearchBudget, withWeights } from "./search.ts";
import { mixture } from "./stack.ts";

export interface ProcessOptions {
  /** Families of kernels that compete. The first is searched from scratch. Default: Matern 5/2, Gaussian, 3/2, 1/2. */
  readonly families?: readonly Family[];
  readonly budget?: Partial<SearchBudget>;
  /** Runs of the sample that modes are found with. Default 500; up to a third more are all used. */
  readonly sample?: number;
  /** Runs that carry the variance: a graph holds a matrix of their number squared. Default 1000; up to a third more are
   * all used. */
  readonly anchors?: number;
  /** Most runs that the mean is made of; runs beyond are only predicted. Default 3000. */
  readonly most?: number;
  /** The textbook's process, to compare with: one Matern 5/2 product kernel at the maximum of the restricted likelihood,
   * its own variance as it is; no prior, no stacking, no calibration, no limits. Default false. */
  readonly plain?: boolean;
  /** Evaluations for each family after the first. Default 20. */
  readonly more?: number;
  /** Evaluations for each family on all runs, where the mode was found on a sample: of 1000, more of fewer. Default 12. */
  readonly polish?: number;
  /** Default: ONNX Runtime. */
  readonly engine?: Engine;
  /** Asked all along: if so, the fit ends by throwing `StoppedError`. */
  readonly shouldStop?: () => boolean;
}

const families: readonly Family[] = (["matern52", "gaussian", "matern32", "matern12"] as const).map(
  (name: KernelName) => ({ name, anova: true }),
);
const plainFamilies: readonly Family[] = [{ name: "matern52", anova: false }];
const defaults: SearchBudget = { subset: 250, starts: 4, scout: 25, evaluations: 60 };

/** A nugget is noise from this share of the held-out squared error up, and up to this share of the output's variance. */
const leastNoise = 0.3;
const mostNoise = 0.5;
/** Runs that each parameter of the kernels with weights b takes; with fewer, plain products compete. */
const runsPerParameter = 4;
/** Runs beyond the first at the same inputs that it takes to tell noise. */
const leastReplicates = 5;
/** Families whose held-out score on the sample is this many times the best are dropped. */
const hopeless = 1.5;
/** Posterior densities are raised to 1 / temper. */
const temper = 2;
/** Runs whose output another run has too, as a share: noise would have made them differ. */
const mostTies = 0.02;

/** One family at its mode. */
export interface Contestant {
  readonly family: Family;
  readonly theta: Float64Array;
  readonly solution: Solution;
}

/** Each family at its mode. The first is found with the help of its plain product kernel, the others near the first.
 * Of many runs a sample serves to find the modes and to drop the families that lose; the rest go on with all runs. */
export async function contestantsOf(
  problem: Problem,
  algebra: Algebra,
  options: ProcessOptions,
  rng: Rng,
): Promise<Contestant[]> {
  const budget = { ...defaults, ...options.budget };
  const sample = randomSubset(problem, options.sample ?? 500, rng.fork("sample"));
  // Weights double the parameters: runs must be able to tell them.
  const affordable = 2 * problem.d + 1 <= sample.n / runsPerParameter;
  const [first, ...others] = (options.plain === true ? plainFamilies : (options.families ?? families)).map(
    (family) => ({
      ...family,
      anova: family.anova && affordable,
    }),
  );
  if (first === undefined) throw new OptionError("OPTION_FAMILIES", "families is empty: name at least one kernel");
  const plain: Family = { ...first, anova: false };
  const rough = { ...budget, evaluations: first.anova ? budget.scout : budget.evaluations };
  const product = await findMode(plain, sample, algebra, rough, rng.fork("product"));
  const mode = first.anova
    ? await findMode(first, sample, algebra, budget, rng.fork("anova"), withWeights(product.point, problem.d))
    : product;
  const contestants: Contestant[] = [];
  const enter = async (family: Family, theta: Float64Array): Promise<void> => {
    const solution = await solve(theta, family, sample, algebra);
    if (solution !== undefined) contestants.push({ family, theta, solution });
  };
  await enter(first, mode.point);
  for (const family of others)
    await enter(family, (await findModeNear(mode.point, family, sample, algebra, options.more ?? 20)).point);
  if (contestants.length === 0) throw new InternalError("no Gaussian process could be solved");
  if (sample === problem) return contestants;

  const scores = contestants.map(({ solution }) => heldOutCrps(sample.y, solution));
  const whole: Contestant[] = [];
  for (const [k, { family, theta }] of contestants.entries()) {
    if (scores[k]! > hopeless * Math.min(...scores)) continue;
    const more = Math.round((options.polish ?? 12) * (1000 / problem.n) ** 3);
    const polished = more < 2 ? theta : (await climb(theta, family, problem, algebra, more)).point;
    const solution = await solve(polished, family, problem, algebra);
    if (solution !== undefined) whole.push({ family, theta: polished, solution });
  }
  if (whole.length === 0) throw new InternalError("no Gaussian process could be solved with all runs");
  return whole;
}

function heldOutCrps(y: Float64Array, { looMean, looVariance }: Solution): number {
  return meanCrps(
    y.map((v, i) => v - looMean[i]!),
    looVariance,
  );
}

/** Weights by posterior density at the modes, tempered: what leave-one-out scores cannot tell apart when noise drowns
 * the differences, the likelihood still can. */
export function posteriorWeights(solutions: readonly Solution[]): number[] {
  const least = Math.min(...solutions.map((s) => s.value));
  const chances = solutions.map((s) => Math.exp((least - s.value) / temper)).map((w) => (w < 0.03 ? 0 : w));
  const sum = chances.reduce((a, b) => a + b, 0);
  return chances.map((w) => w / sum);
}

/** Whether nuggets are the simulator's noise. Runs at the same inputs tell, where there are some. Else nuggets are not
 * noise where held-out runs miss by much more, where runs share their outputs to the last digit, and where most of the
 * output is left unexplained: then roughness looks the same, and counting it as uncertainty is the safe side. */
export function isNoisy(problem: Problem, solutions: readonly Solution[], chances: readonly number[]): boolean {
  const { y } = problem;
  const variance = varianceOf(y);
  const replicates = replicateVariance(problem);
  if (replicates.freedom >= leastReplicates) return replicates.variance > 1e-10 * variance;
  const heldOut = solutions.map((s) => ({ mean: s.looMean, variance: s.looVariance }));
  const { mean } = mixture(heldOut, chances);
  const missed = y.reduce((sum, v, i) => sum + (v - mean[i]!) ** 2, 0) / y.length;
  // A nugget at its bound is there for the arithmetic.
  const seen = solutions.map((s) => (s.nugget > 3 * leastNugget ? s.nugget * s.variance : 0));
  const nuggets = seen.reduce((sum, v, k) => sum + chances[k]! * v, 0);
  return nuggets > leastNoise * missed && nuggets < mostNoise * variance && ties(y) < mostTies;
}

/** Variance of the output among runs at the same inputs, and its degrees of freedom. */
function replicateVariance({ x, y, n, d }: Problem): { readonly variance: number; readonly freedom: number } {
  const groups = new Map<string, number[]>();
  for (let i = 0; i < n; i++) {
    const key = x.subarray(i * d, i * d + d).join(" ");
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [y[i]!]);
    else group.push(y[i]!);
  }
  let sum = 0;
  for (const group of groups.values()) {
    const mean = group.reduce((a, b) => a + b, 0) / group.length;
    for (const v of group) sum += (v - mean) ** 2;
  }
  const freedom = n - groups.size;
  return { variance: freedom === 0 ? 0 : sum / freedom, freedom };
}

function varianceOf(y: Float64Array): number {
  const mean = y.reduce((a, b) => a + b, 0) / y.length;
  return y.reduce((a, b) => a + (b - mean) ** 2, 0) / y.length;
}

/** Share of the values that are not the first of their kind. */
function ties(y: Float64Array): number {
  return 1 - new Set(y).size / y.length;
}
