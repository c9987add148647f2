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
import { type Problem, type Solution, solve } from "./posterior.ts";
import type { Component, OutputProcess, ProcessFit } from "./process.ts";
import { type HeldOut, mixture, stackWeights } from "./stack.ts";

/** Fits every output by itself.
 * @param x n × d, standardised  @param y n × m, row-major, centred and scaled to about unit variance */
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
  const runs = Float64Array.from({ length: given * d }, (_, i) => x[order[Math.floor(i / d)]! * d + (i % d)]!);
  const used = runs.subarray(0, n * d);
  const algebra = makeAlgebra(options.engine);
  const outputs: OutputProcess[] = [];
  for (let k = 0; k < m; k++) {
    const column = Float64Array.from({ length: n }, (_, i) => y[order[i]! * m + k]!);
    const ranges = rangesOf(used, n, d);
    const problem: Problem = { x: used, h: new Float64Array(n).fill(1), y: column, n, d, q: 1, ranges };
    outputs.push(await fitOutput(problem, r, algebra, options, rng.fork(`output ${k}`)));
  }
  await algebra.dispose();
  const fit: ProcessFit = { version: 1, x: used, n, r, d, outputs };
  if (r === given) return fit;
  const rest = n < given ? await predictProcess(fit, runs.slice(n * d), options.engine) : undefined;
  return { ...fit, outputs: outputs.map((output, k) => inOrder(output, order, rest, k, m)) };
}

/** Held-out numbers in the order of the rows that were given; those of rows that no fit has seen are predictions. */
function inOrder(
  output: OutputProcess,
  order: readonly number[],
  rest: { readonly mean: Float64Array; readonly variance: Float64Array } | undefined,
  k: number,
  m: number,
): OutputProcess {
  const looMean = new Float64Array(order.length);
  const looVariance = new Float64Array(order.length);
  const n = output.looMean.length;
  order.forEach((row, i) => {
    const at = (i - n) * m + k;
    looMean[row] = i < n ? output.looMean[i]! : rest!.mean[at]!;
    looVariance[row] = i < n ? output.looVariance[i]! : rest!.variance[at]! + output.noise;
  });
  return { ...output, looMean, looVariance };
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
  const noisy = isNoisy(y, solutions, chances);
  const carriers: Solution[] = [];
  for (const contestant of contestants)
    carriers.push(r === n ? contestant.solution : await anchored(contestant, problem, r, algebra));
  const heldOut: HeldOut[] = carriers.map((s) => ({ mean: s.looMean, variance: s.looVariance }));
  const weights = noisy ? chances : await stackWeights(heldOut, y);
  const { mean: looMean, variance } = mixture(heldOut, weights);
  const components: Component[] = carriers.flatMap((s, k) => {
    const { kernel, nugget, alpha, coefficients, inverseFactor, trendFactor, trendInverse } = s;
    const weight = weights[k]!;
    if (weight === 0) return [];
    const parts = { kernel, nugget, alpha, coefficients, inverseFactor, trendFactor, trendInverse };
    return [{ weight, variance: s.variance, ...parts }];
  });
  const lead = components.reduce((best, c, k) => (c.weight > components[best]!.weight ? k : best), 0);
  const errors = y.map((v, i) => v - looMean[i]!);
  const near = correlations(components[lead]!.kernel, x, n, x.subarray(0, r * d), r);
  const { spread, factors, score } = calibrate(errors, variance, near, r);
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
