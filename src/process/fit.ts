/**
 * Gaussian processes as an emulator of scalar outputs: for each output several families of kernels, each at its marginal
 * posterior mode, stacked by leave-one-out CRPS, with spreads calibrated on leave-one-out residuals. A fit is plain data.
 */
import type { Engine } from "../engine/index.ts";
import { InternalError, OptionError } from "../errors.ts";
import { makeRng, type Rng } from "../rng.ts";
import { calibrate, type Spread } from "./calibrate.ts";
import { type Algebra, makeAlgebra } from "./cholesky.ts";
import { type Kernel, type KernelName, selfCorrelations } from "./kernel.ts";
import { type Family, type Problem, type Solution, solve } from "./posterior.ts";
import { climb, findMode, findModeNear, randomSubset, type SearchBudget, withWeights } from "./search.ts";
import { meanCrps } from "./scores.ts";
import { type HeldOut, mixture, stackWeights } from "./stack.ts";

export interface ProcessOptions {
  /** Families of kernels that compete. The first is searched from scratch. Default: Matern 5/2, Gaussian, 3/2, 1/2. */
  readonly families?: readonly Family[];
  readonly budget?: Partial<SearchBudget>;
  /** Runs of the sample that modes are found with. Default 500; up to a third more are all used. */
  readonly sample?: number;
  /** Evaluations for each family after the first. Default 30. */
  readonly more?: number;
  /** Default: ONNX Runtime. */
  readonly engine?: Engine;
}

/** One Gaussian process of a stack: everything that its predictions need. */
export interface Component {
  readonly weight: number;
  readonly kernel: Kernel;
  readonly nugget: number;
  /** sigma². */
  readonly variance: number;
  /** Weights of the runs in the mean, n; trend coefficients, q. */
  readonly alpha: Float64Array;
  readonly coefficients: Float64Array;
  /** Inverse of the lower factor L of R + nugget I, n × n; L⁻¹ H, n × q; inverse factor of its Gram matrix, q × q. */
  readonly inverseFactor: Float64Array;
  readonly trendFactor: Float64Array;
  readonly trendInverse: Float64Array;
}

/** One output. */
export interface OutputProcess {
  readonly components: readonly Component[];
  /** Which component's correlations weigh the residuals of a varying spread. */
  readonly lead: number;
  readonly spread: Spread;
  /** Variance of the simulator's noise; 0: none was seen, and nuggets count as uncertainty about the simulator. */
  readonly noise: number;
  readonly looMean: Float64Array;
  /** Variance of a held-out run, noise included, calibrated, n. */
  readonly looVariance: Float64Array;
  /** Mean leave-one-out CRPS. */
  readonly looCrps: number;
}

export interface ProcessFit {
  readonly version: 1;
  /** Inputs of the runs, n × d, as given. */
  readonly x: Float64Array;
  readonly n: number;
  readonly d: number;
  readonly outputs: readonly OutputProcess[];
}

const families: readonly Family[] = (["matern52", "gaussian", "matern32", "matern12"] as const).map(
  (name: KernelName) => ({ name, anova: true }),
);
const defaults: SearchBudget = { subset: 250, starts: 4, scout: 25, evaluations: 60 };

/** A nugget is noise from this share of the held-out squared error up, and up to this share of the output's variance. */
const leastNoise = 0.3;
const mostNoise = 0.5;
/** Families whose held-out score on the sample is this many times the best are dropped. */
const hopeless = 1.5;
/** Posterior densities are raised to 1 / temper. */
const temper = 2;
/** Runs whose output another run has too, as a share: noise would have made them differ. */
const mostTies = 0.02;

/** Fits every output by itself.
 * @param x n × d, standardised  @param y n × m, row-major, centred and scaled to about unit variance */
export async function fitProcess(
  x: Float64Array,
  y: Float64Array,
  shape: { readonly n: number; readonly d: number; readonly m: number },
  options: ProcessOptions = {},
  rng: Rng = makeRng(1),
): Promise<ProcessFit> {
  const { n, d, m } = shape;
  const algebra = makeAlgebra(options.engine);
  const outputs: OutputProcess[] = [];
  for (let k = 0; k < m; k++) {
    const column = Float64Array.from({ length: n }, (_, i) => y[i * m + k]!);
    const problem: Problem = { x, h: new Float64Array(n).fill(1), y: column, n, d, q: 1, ranges: rangesOf(x, n, d) };
    outputs.push(await fitOutput(problem, algebra, options, rng.fork(`output ${k}`)));
  }
  await algebra.dispose();
  return { version: 1, x, n, d, outputs };
}

async function fitOutput(
  problem: Problem,
  algebra: Algebra,
  options: ProcessOptions,
  rng: Rng,
): Promise<OutputProcess> {
  const { n, y } = problem;
  const solutions = await solutionsOf(problem, algebra, options, rng);
  const heldOut: HeldOut[] = solutions.map((s) => ({ mean: s.looMean, variance: s.looVariance }));
  const chances = posteriorWeights(solutions);
  const noisy = isNoisy(y, solutions, chances);
  const weights = noisy ? chances : await stackWeights(heldOut, y);
  const { mean: looMean, variance } = mixture(heldOut, weights);
  const components: Component[] = solutions.flatMap((s, k) => {
    const { kernel, nugget, alpha, coefficients, inverseFactor, trendFactor, trendInverse } = s;
    const weight = weights[k]!;
    if (weight === 0) return [];
    const parts = { kernel, nugget, alpha, coefficients, inverseFactor, trendFactor, trendInverse };
    return [{ weight, variance: s.variance, ...parts }];
  });
  const lead = components.reduce((best, c, k) => (c.weight > components[best]!.weight ? k : best), 0);
  const errors = y.map((v, i) => v - looMean[i]!);
  const correlations = selfCorrelations(components[lead]!.kernel, problem.x, n);
  const { spread, factors, score } = calibrate(errors, variance, correlations);
  return {
    components,
    lead,
    spread,
    noise: noisy ? components.reduce((sum, c) => sum + c.weight * c.nugget * c.variance, 0) : 0,
    looMean,
    looVariance: variance.map((v, i) => v * factors[i]!),
    looCrps: score,
  };
}

interface Contestant {
  readonly family: Family;
  readonly theta: Float64Array;
  readonly solution: Solution;
}

/** Each family at its mode. The first is found with the help of its plain product kernel, the others near the first.
 * Of many runs a sample serves to find the modes and to drop the families that lose; the rest go on with all runs. */
async function solutionsOf(problem: Problem, algebra: Algebra, options: ProcessOptions, rng: Rng): Promise<Solution[]> {
  const budget = { ...defaults, ...options.budget };
  const sample = randomSubset(problem, options.sample ?? 500, rng.fork("sample"));
  const [first, ...others] = options.families ?? families;
  if (first === undefined) throw new OptionError("OPTION_FAMILIES", "families is empty: name at least one kernel");
  const plain: Family = { ...first, anova: false };
  const product = await findMode(plain, sample, algebra, budget, rng.fork("product"));
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
    await enter(family, (await findModeNear(mode.point, family, sample, algebra, options.more ?? 30)).point);
  if (contestants.length === 0) throw new InternalError("no Gaussian process could be solved");
  if (sample === problem) return contestants.map(({ solution }) => solution);

  const scores = contestants.map(({ solution }) => heldOutCrps(sample.y, solution));
  const solutions: Solution[] = [];
  for (const [k, { family, theta }] of contestants.entries()) {
    if (scores[k]! > hopeless * Math.min(...scores)) continue;
    const more = Math.round(12 * (1000 / problem.n) ** 3);
    const polished = more < 2 ? theta : (await climb(theta, family, problem, algebra, more)).point;
    const solution = await solve(polished, family, problem, algebra);
    if (solution !== undefined) solutions.push(solution);
  }
  if (solutions.length === 0) throw new InternalError("no Gaussian process could be solved with all runs");
  return solutions;
}

function heldOutCrps(y: Float64Array, { looMean, looVariance }: Solution): number {
  return meanCrps(
    y.map((v, i) => v - looMean[i]!),
    looVariance,
  );
}

/** Weights by posterior density at the modes, tempered: what leave-one-out scores cannot tell apart when noise drowns
 * the differences, the likelihood still can. */
function posteriorWeights(solutions: readonly Solution[]): number[] {
  const least = Math.min(...solutions.map((s) => s.value));
  const chances = solutions.map((s) => Math.exp((least - s.value) / temper)).map((w) => (w < 0.03 ? 0 : w));
  const sum = chances.reduce((a, b) => a + b, 0);
  return chances.map((w) => w / sum);
}

/** Whether nuggets are the simulator's noise. They are not where held-out runs miss by much more, where runs share their
 * outputs to the last digit, and where most of the output is left unexplained: then roughness looks the same, and
 * counting it as uncertainty is the safe side. */
function isNoisy(y: Float64Array, solutions: readonly Solution[], chances: readonly number[]): boolean {
  const heldOut = solutions.map((s) => ({ mean: s.looMean, variance: s.looVariance }));
  const { mean } = mixture(heldOut, chances);
  const missed = y.reduce((sum, v, i) => sum + (v - mean[i]!) ** 2, 0) / y.length;
  const nuggets = solutions.reduce((sum, s, k) => sum + chances[k]! * s.nugget * s.variance, 0);
  return nuggets > leastNoise * missed && nuggets < mostNoise * varianceOf(y) && ties(y) < mostTies;
}

function rangesOf(x: Float64Array, n: number, d: number): Float64Array {
  return Float64Array.from({ length: d }, (_, l) => {
    let low = Infinity;
    let high = -Infinity;
    for (let i = 0; i < n; i++) {
      low = Math.min(low, x[i * d + l]!);
      high = Math.max(high, x[i * d + l]!);
    }
    return high > low ? high - low : 1;
  });
}

function varianceOf(y: Float64Array): number {
  const mean = y.reduce((a, b) => a + b, 0) / y.length;
  return y.reduce((a, b) => a + (b - mean) ** 2, 0) / y.length;
}

/** Share of the values that are not the first of their kind. */
function ties(y: Float64Array): number {
  return 1 - new Set(y).size / y.length;
}
