/**
 * The marginal posterior of a Gaussian process with a polynomial trend: trend coefficients and variance integrated out
 * (REML), the jointly robust prior of Gu, Wang & Berger (2018, Annals of Statistics 46) on inverse length scales and
 * nugget; its gradient; and, at its mode, leave-one-out residuals in closed form (Dubrule 1983).
 */
import type { Algebra } from "./cholesky.ts";
import { choleskySmall, lowerTimes, lowerTransposeTimes } from "./cholesky.ts";
import { contractGradient, type Kernel, type KernelName, selfCorrelations } from "./kernel.ts";

/** The data of one output: standardised inputs n × d, trend columns n × q, and the output, n. */
export interface Problem {
  readonly x: Float64Array;
  readonly h: Float64Array;
  readonly y: Float64Array;
  readonly n: number;
  readonly d: number;
  readonly q: number;
  /** Largest minus smallest value of each input. */
  readonly ranges: Float64Array;
  /** Without a prior the mode is that of the restricted likelihood. Default: with it. */
  readonly flat?: boolean;
}

export interface Family {
  readonly name: KernelName;
  /** Whether inputs have weights b of their own. */
  readonly anova: boolean;
}

/** Everything that the mode of the posterior gives. */
export interface Solution {
  readonly kernel: Kernel;
  readonly nugget: number;
  /** Inverse of the lower factor of R + nugget I, n × n. */
  readonly inverseFactor: Float64Array;
  /** P y: the weights of the runs. */
  readonly alpha: Float64Array;
  /** Trend coefficients. */
  readonly coefficients: Float64Array;
  /** L⁻¹ H, n × q, and the inverse factor of its Gram matrix, q × q. */
  readonly trendFactor: Float64Array;
  readonly trendInverse: Float64Array;
  /** sigma². */
  readonly variance: number;
  readonly looMean: Float64Array;
  /** Variance of a held-out run, noise included. */
  readonly looVariance: Float64Array;
  readonly value: number;
}

/** How many parameters a family has with d inputs. */
export const parameterCount = (family: Family, d: number): number => (family.anova ? 2 * d + 1 : d + 1);

/** Parameters in order: log beta (d), log nugget, logit b (d, if anova). */
export function unpack(theta: Float64Array, family: Family, d: number): { kernel: Kernel; nugget: number } {
  const beta = theta.slice(0, d).map(Math.exp);
  const weights = family.anova ? theta.slice(d + 1, 2 * d + 1).map((v) => 1 / (1 + Math.exp(-v))) : undefined;
  return { kernel: { name: family.name, beta, weights }, nugget: Math.exp(theta[d]!) };
}

interface Parts {
  readonly inverse: Float64Array;
  readonly r: Float64Array;
  readonly kernel: Kernel;
  readonly nugget: number;
  readonly trendFactor: Float64Array;
  readonly trendInverse: Float64Array;
  readonly coefficients: Float64Array;
  readonly alpha: Float64Array;
  readonly residual: number;
  readonly value: number;
}

/** Everything but the gradient. */
async function partsAt(theta: Float64Array, family: Family, p: Problem, algebra: Algebra): Promise<Parts | undefined> {
  const { n, d, q } = p;
  const { kernel, nugget } = unpack(theta, family, d);
  const r = selfCorrelations(kernel, p.x, n);
  const a = r.slice();
  for (let i = 0; i < n; i++) a[i * n + i]! += nugget;
  const found = await algebra.choleskyInverse(a, n);
  if (found === undefined) return undefined;
  const { inverse } = found;
  const trendFactor = lowerTimes(inverse, p.h, n, q);
  const z = lowerTimes(inverse, p.y, n, 1);
  const gram = new Float64Array(q * q);
  const hz = new Float64Array(q);
  for (let i = 0; i < n; i++)
    for (let s = 0; s < q; s++) {
      const v = trendFactor[i * q + s]!;
      hz[s]! += v * z[i]!;
      for (let t = 0; t <= s; t++) gram[s * q + t]! += v * trendFactor[i * q + t]!;
    }
  const small = choleskySmall(gram, q);
  if (small === undefined) return undefined;
  const coefficients = lowerTransposeTimes(small.inverse, lowerTimes(small.inverse, hz, q, 1), q);
  for (let i = 0; i < n; i++) for (let s = 0; s < q; s++) z[i]! -= trendFactor[i * q + s]! * coefficients[s]!;
  // An output that the trend explains to the last digit still has a logarithm.
  let residual = 1e-24 * n;
  for (let i = 0; i < n; i++) residual += z[i]! * z[i]!;
  const alpha = lowerTransposeTimes(inverse, z, n);
  const prior = robustPrior(theta, family, p);
  const value =
    0.5 * found.logDeterminant + 0.5 * small.logDeterminant + 0.5 * (n - q) * Math.log(residual) + prior.value;
  return {
    inverse,
    r,
    kernel,
    nugget,
    trendFactor,
    trendInverse: small.inverse,
    coefficients,
    alpha,
    residual,
    value,
  };
}

/** Minus the log posterior. */
export async function posteriorValue(
  theta: Float64Array,
  family: Family,
  problem: Problem,
  algebra: Algebra,
): Promise<number> {
  return (await partsAt(theta, family, problem, algebra))?.value ?? Infinity;
}

/** Minus the log posterior and its gradient. */
export async function posterior(
  theta: Float64Array,
  family: Family,
  problem: Problem,
  algebra: Algebra,
): Promise<{ value: number; gradient: Float64Array }> {
  const gradient = new Float64Array(theta.length);
  const parts = await partsAt(theta, family, problem, algebra);
  if (parts === undefined) return { value: Infinity, gradient };
  const { n, d, q } = problem;
  const g = await projection(parts, n, q, algebra);
  // dV = 1/2 tr(P dR) - (n-q)/(2 S²) alphaᵀ dR alpha, both halves of the symmetric matrices at once
  const factor = (n - q) / parts.residual;
  let trace = 0;
  for (let i = 0; i < n; i++) {
    const ai = parts.alpha[i]! * factor;
    for (let j = 0; j <= i; j++) g[i * n + j]! -= ai * parts.alpha[j]!;
    trace += g[i * n + i]!;
  }
  const weights = family.anova ? gradient.subarray(d + 1) : undefined;
  contractGradient(parts.kernel, problem.x, n, parts.r, g, gradient.subarray(0, d), weights);
  gradient[d]! += 0.5 * trace * parts.nugget;
  const prior = robustPrior(theta, family, problem);
  for (let i = 0; i < gradient.length; i++) gradient[i]! += prior.gradient[i]!;
  return { value: parts.value, gradient };
}

/** P = K⁻¹ - K⁻¹ H (Hᵀ K⁻¹ H)⁻¹ Hᵀ K⁻¹, lower triangle valid. */
async function projection(parts: Parts, n: number, q: number, algebra: Algebra): Promise<Float64Array> {
  const p = await algebra.gram(parts.inverse, n, n);
  // columns of K⁻¹ H G^{1/2}
  const c = new Float64Array(n * q);
  for (let s = 0; s < q; s++) {
    const column = new Float64Array(n);
    for (let i = 0; i < n; i++)
      for (let t = 0; t <= s; t++) column[i]! += parts.trendFactor[i * q + t]! * parts.trendInverse[s * q + t]!;
    const solved = lowerTransposeTimes(parts.inverse, column, n);
    for (let i = 0; i < n; i++) c[i * q + s] = solved[i]!;
  }
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let s = 0; s < q; s++) sum += c[i * q + s]! * c[j * q + s]!;
      p[i * n + j]! -= sum;
    }
  return p;
}

/** The prior's rate grows with the number of inputs up to this: beyond, it would smother those that matter. */
const mostInputs = 10;

/** Minus the log prior: -(a log t - b t), t = sum_l C_l beta_l + nugget, and a broad normal prior on logit b. */
function robustPrior(theta: Float64Array, family: Family, p: Problem): { value: number; gradient: Float64Array } {
  const { n, d } = p;
  const a = 0.2;
  const spacing = n ** (-1 / d);
  const b = spacing * (a + Math.min(d, mostInputs));
  const gradient = new Float64Array(theta.length);
  if (p.flat === true) return { value: 0, gradient };
  const nugget = Math.exp(theta[d]!);
  let t = nugget;
  for (let l = 0; l < d; l++) t += spacing * p.ranges[l]! * Math.exp(theta[l]!);
  const slope = b - a / t;
  for (let l = 0; l < d; l++) gradient[l] = slope * spacing * p.ranges[l]! * Math.exp(theta[l]!);
  gradient[d] = slope * nugget;
  let value = b * t - a * Math.log(t);
  if (family.anova)
    for (let l = d + 1; l < theta.length; l++) {
      value += theta[l]! ** 2 / 18;
      gradient[l] = theta[l]! / 9;
    }
  return { value, gradient };
}

/** All that predictions need, at one point. @returns undefined where the matrix is not positive definite */
export async function solve(
  theta: Float64Array,
  family: Family,
  problem: Problem,
  algebra: Algebra,
): Promise<Solution | undefined> {
  const parts = await partsAt(theta, family, problem, algebra);
  if (parts === undefined) return undefined;
  const { n, q, y } = problem;
  const p = await projection(parts, n, q, algebra);
  const variance = parts.residual / (n - q);
  const looMean = new Float64Array(n);
  const looVariance = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const pii = p[i * n + i]!;
    looMean[i] = y[i]! - parts.alpha[i]! / pii;
    looVariance[i] = variance / pii;
  }
  return {
    kernel: parts.kernel,
    nugget: parts.nugget,
    inverseFactor: parts.inverse,
    alpha: parts.alpha,
    coefficients: parts.coefficients,
    trendFactor: parts.trendFactor,
    trendInverse: parts.trendInverse,
    variance,
    looMean,
    looVariance,
    value: parts.value,
  };
}
