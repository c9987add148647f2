/**
 * Gaussian processes as an emulator of scalar outputs: for each output several families of kernels, each at its marginal
 * posterior mode, stacked by leave-one-out CRPS, with spreads calibrated on leave-one-out residuals. A fit is plain data.
 */
import { InternalError } from "../errors.ts";
import { makeRng, type Rng } from "../rng.ts";
import { calibrate } from "./calibrate.ts";
import { type Algebra, makeAlgebra } from "./cholesky.ts";
import { type Contestant, contestantsOf, isNoisy, posteriorWeights, type ProcessOptions } from "./contest.ts";
import { predictProcess } from "./graph.ts";
import { correlations } from "./kernel.ts";
import { optimism } from "./optimism.ts";
import { type Problem, type Solution, solve } from "./posterior.ts";
import type { Component, Limits, OutputProcess, Predictor, ProcessFit } from "./process.ts";
import { type Principal, principalComponents } from "./principal.ts";
import { meanCrps } from "./scores.ts";
import { rowsOf } from "./search.ts";
import { type HeldOut, mixture, stackWeights } from "./stack.ts";

/** Outputs up to this number each get processes of their own; more of them are fitted as principal components. */
export const mostOutputs = 4;
export const mostComponents = 8;
/** Share of the outputs' variance that components may leave out. */
const negligible = 1e-6;
const leastShare = 0.05;
/** Components after the first are searched with less. */
const lesser = { starts: 2, scout: 15, evaluations: 25 };

/** Fits every output by itself, or many of them as principal components, of which those are kept that held-out runs
 * show to be predictable.
 * @param x n × d, standardised  @param y n × m, row-major, centred and scaled to about unit variance
 * @param options with defaults for all that is left out  @param rng for samples of the runs
 * @throws StoppedError if `options.shouldStop` says so */
export async function fitProcess(
  x: Float64Array,
  y: Float64Array,
  shape: { readonly n: number; readonly d: number; readonly m: number },
  options: ProcessOptions = {},
  rng: Rng = makeRng(1),
): Promise<ProcessFit> {
  const { n: given, d, m } = shape;
  const n = Math.min(given, options.most ?? 3000);
  const anchors = options.anchors ?? 1000;
  const r = n <= 1.3 * anchors ? n : anchors;
  // Any runs may carry the variance, or be left out, so long as they are not the first of a sorted table.
  const order = Array.from({ length: given }, (_, i) => i);
  if (r < given) rng.fork("order").shuffle(order);
  const rows = rowsOf(x, order, d);
  const used = rows.slice(0, n * d);
  const targets = rowsOf(y, order.slice(0, n), m);
  const principal = m <= mostOutputs ? undefined : principalOf(targets, n, m, rng);
  const columns = principal === undefined ? m : principal.k;
  const found: { output: OutputProcess; k: number }[] = [];
  const algebra = makeAlgebra(options.engine, options.shouldStop);
  try {
    for (let k = 0; k < columns; k++) {
      const column = Float64Array.from({ length: n }, (_, i) => (principal?.scores ?? targets)[i * columns + k]!);
      const ranges = rangesOf(used, n, d);
      const problem: Problem = {
        x: used,
        h: new Float64Array(n).fill(1),
        y: column,
        n,
        d,
        q: 1,
        ranges,
        flat: options.plain === true,
      };
      const less = principal !== undefined && k > 0;
      const own = less
        ? {
            ...options,
            budget: { ...lesser, ...options.budget },
            more: options.more ?? 10,
            sample: options.sample ?? 300,
            polish: options.polish ?? 1,
          }
        : options;
      const output = await fitOutput(problem, r, algebra, own, rng.fork(`output ${k}`));
      const missed = column.reduce((sum, v, i) => sum + (v - output.looMean[i]!) ** 2, 0) / n;
      if (principal === undefined || missed < 1 || k === 0) found.push({ output, k });
      else addRest(principal, k, m);
    }
  } finally {
    await algebra.dispose();
  }
  const outputs = found.map(({ output }) => output);
  const projection = principal && {
    mean: principal.mean,
    basis: Float64Array.from(found.flatMap(({ k }) => Array.from(principal.basis.subarray(k * m, k * m + m)))),
    rest: principal.rest,
  };
  const fit = { x: used, n, r, d, m, outputs, projection };
  const unseen = rows.slice(n * d);
  const rest = unseen.length === 0 ? undefined : await predictProcess(fit, unseen, options.engine);
  return { version: 1, ...fit, ...heldOutOf(fit, order, rest) };
}

function principalOf(targets: Float64Array, n: number, m: number, rng: Rng): Principal {
  return principalComponents(targets, n, m, mostComponents, negligible, rng.fork("components"));
}

/** What a component that cannot be predicted explains of each output is left over. */
function addRest({ basis, rest }: Principal, k: number, m: number): void {
  for (let j = 0; j < m; j++) rest[j]! += basis[k * m + j]! ** 2;
}

/** Held-out numbers in the order of the rows that were given.
 * @param rest predictions for the rows that no fit has seen */
function heldOutOf(
  fit: Predictor,
  order: readonly number[],
  rest: { readonly mean: Float64Array; readonly variance: Float64Array } | undefined,
): Pick<ProcessFit, "looMean" | "looVariance" | "noise"> {
  const { n, m, outputs } = fit;
  const noise = perOutput(
    fit,
    outputs.map((output) => Float64Array.of(output.noise)),
    "noise",
  );
  const mean = perOutput(
    fit,
    outputs.map((output) => output.looMean),
    "mean",
  );
  const variance = perOutput(
    fit,
    outputs.map((output) => output.looVariance),
    "variance",
  );
  const looMean = new Float64Array(order.length * m);
  const looVariance = new Float64Array(order.length * m);
  order.forEach((row, i) => {
    for (let j = 0; j < m; j++) {
      const unseen = (i - n) * m + j;
      looMean[row * m + j] = i < n ? mean[i * m + j]! : rest!.mean[unseen]!;
      looVariance[row * m + j] = i < n ? variance[i * m + j]! : rest!.variance[unseen]! + noise[j]!;
    }
  });
  return { looMean, looVariance, noise };
}

/** Numbers of each process as numbers of each output, n × m. @param values one list of n per process */
function perOutput(
  { m, projection }: Predictor,
  values: readonly Float64Array[],
  what: "mean" | "variance" | "noise",
): Float64Array {
  const n = values[0]?.length ?? 0;
  const out = new Float64Array(n * m);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < m; j++) {
      if (projection === undefined) {
        out[i * m + j] = values[j]![i]!;
        continue;
      }
      let sum = what === "mean" ? projection.mean[j]! : what === "variance" ? projection.rest[j]! : 0;
      values.forEach((value, k) => {
        const direction = projection.basis[k * m + j]!;
        sum += value[i]! * (what === "mean" ? direction : direction * direction);
      });
      out[i * m + j] = sum;
    }
  return out;
}

async function fitOutput(
  problem: Problem,
  r: number,
  algebra: Algebra,
  options: ProcessOptions,
  rng: Rng,
): Promise<OutputProcess> {
  const { n, y, x, d } = problem;
  const contestants = await contestantsOf(problem, algebra, options, rng);
  const solutions = contestants.map(({ solution }) => solution);
  const chances = posteriorWeights(solutions);
  const plain = options.plain === true;
  const noisy = !plain && isNoisy(problem, solutions, chances);
  const carriers: Solution[] = [];
  for (const contestant of contestants)
    carriers.push(r === n ? contestant.solution : await anchored(contestant, problem, r, algebra));
  const heldOut: HeldOut[] = carriers.map((s) => ({ mean: s.looMean, variance: s.looVariance }));
  const weights = noisy ? chances : await stackWeights(heldOut, y);
  const { mean, variance } = mixture(heldOut, weights);
  const limits = plain ? { lower: undefined, upper: undefined } : limitsOf(y);
  const clipped = mean.map((v) => Math.min(Math.max(v, limits.lower ?? -Infinity), limits.upper ?? Infinity));
  const flattery = plain ? 1 : await optimism(problem, contestants, weights, !noisy, algebra, rng.fork("optimism"));
  const errors = y.map((v, i) => Math.sqrt(flattery) * (v - clipped[i]!));
  const components: Component[] = carriers.flatMap((s, k) => {
    const { kernel, nugget, alpha, coefficients, inverseFactor, trendFactor, trendInverse } = s;
    const weight = weights[k]!;
    if (weight === 0) return [];
    const parts = { kernel, nugget, alpha, coefficients, inverseFactor, trendFactor, trendInverse };
    return [{ weight, variance: s.variance, ...parts }];
  });
  const lead = components.reduce((best, c, k) => (c.weight > components[best]!.weight ? k : best), 0);
  const near = correlations(components[lead]!.kernel, x, n, x.subarray(0, r * d), r);
  const { spread, factors, score } = plain ? asStated(errors, variance) : calibrate(errors, variance, near, r);
  const noise = noisy ? components.reduce((sum, c) => sum + c.weight * c.nugget * c.variance, 0) : 0;
  return {
    components,
    limits,
    lead,
    spread,
    noise,
    looMean: y.map((v, i) => v - errors[i]!),
    // As predictions have it (`processGraph`): noise is never taken for certainty about the simulator.
    looVariance: variance.map((v, i) => Math.max(v * factors[i]!, noise + (v - noise) * factors[i]!)),
    looCrps: score,
  };
}

/** The process's own variance, not calibrated. */
function asStated(errors: Float64Array, variance: Float64Array): ReturnType<typeof calibrate> {
  const spread = { size: 1, power: 0, prior: 0, squares: new Float64Array(0), meanSquare: 1 };
  return { spread, factors: new Float64Array(errors.length).fill(1), score: meanCrps(errors, variance) };
}

/** The same process with its variance carried by the first r runs alone: a little too wide, which calibration mends. */
async function anchored(
  { family, theta, solution }: Contestant,
  problem: Problem,
  r: number,
  algebra: Algebra,
): Promise<Solution> {
  const { n, d, q, x, h, y } = problem;
  const first: Problem = { ...problem, x: x.subarray(0, r * d), h: h.subarray(0, r * q), y: y.subarray(0, r), n: r };
  const carrier = await solve(theta, family, first, algebra);
  if (carrier === undefined) throw new InternalError("a part of a positive definite matrix is not positive definite");
  const { inverseFactor, trendFactor, trendInverse, kernel, nugget } = carrier;
  const looVariance = new Float64Array(n);
  looVariance.set(carrier.looVariance.map((v) => (v * solution.variance) / carrier.variance));
  const transposed = new Float64Array(r * r);
  for (let i = 0; i < r; i++) for (let j = 0; j <= i; j++) transposed[j * r + i] = inverseFactor[i * r + j]!;
  const near = correlations(kernel, x.subarray(r * d), n - r, first.x, r);
  const v = await algebra.product(near, transposed, n - r, r, r);
  for (let i = 0; i < n - r; i++) {
    let explained = 0;
    let slack = 1;
    for (let j = 0; j < r; j++) {
      const vij = v[i * r + j]!;
      explained += vij * vij;
      slack -= vij * trendFactor[j]!;
    }
    const left = Math.max(0, 1 - explained) + (slack * trendInverse[0]!) ** 2 + nugget;
    looVariance[r + i] = solution.variance * left;
  }
  return { ...solution, inverseFactor, trendFactor, trendInverse, looVariance };
}

/** The extremes that at least `leastShare` of the runs sit at. */
function limitsOf(y: Float64Array): Limits {
  const extreme = (value: number): number | undefined =>
    y.filter((v) => v === value).length >= Math.max(3, leastShare * y.length) ? value : undefined;
  return { lower: extreme(y.reduce((a, b) => Math.min(a, b))), upper: extreme(y.reduce((a, b) => Math.max(a, b))) };
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
