/**
 * Curvatures of the inputs' axes on which outputs are easiest to follow: those of the highest likelihood of a process with one
 * Matern 5/2 kernel for all outputs, kept where it then predicts held-out runs better by more than so many parameters would by chance.
 */
import { type Algebra, makeAlgebra } from "./cholesky.ts";
import { type Kernel, selfCorrelations } from "./kernel.ts";
import { type Evaluation, minimise } from "./minimise.ts";
import { principalComponents } from "./principal.ts";
import { leastNugget } from "./search.ts";
import type { Rng } from "../rng.ts";

/** A place from 0 to 1 on an axis, moved: `place` says where to, `sensitivity` is its derivative by the curvature. */
export interface WarpFamily {
  readonly place: (u: number, curvature: number) => number;
  readonly sensitivity: (u: number, curvature: number) => number;
}

/** Standard deviation of the prior of curvatures, which has mean 0. */
const PRIOR_STD = 2.5;
const MOST_CURVATURE = 9;
/** Curvatures below this are left out. */
const LEAST_CURVATURE = 0.25;
const EVALUATIONS = 80;
const START = { rate: 1, nugget: 1e-2 } as const;

/** Outputs are looked at as so many principal components at most, which leave out at most this share of their variance. */
const COMPONENTS = { most: 6, negligible: 0.01 } as const;
/** Held-out mean squares have to be lower than this share of those on straight axes. */
const WORTHWHILE = 0.95;

/** Runs on axes from 0 to 1. */
export interface AxisRuns {
  /** n x d. */
  readonly u: Float64Array;
  /** n x m, of about the same spread. */
  readonly y: Float64Array;
  readonly n: number;
  readonly d: number;
  readonly m: number;
  /** Whether each axis may be warped. */
  readonly free: readonly boolean[];
}

/** What {@link findWarps} finds. */
export interface FoundWarps {
  /** One curvature per axis, all 0 where straight axes are as good. */
  readonly curvatures: readonly number[];
  /** Held-out mean squares on warped axes over those on straight ones. */
  readonly ratio: number;
}

/** Finds the curvatures. @throws StoppedError if `shouldStop` says so */
export async function findWarps(
  runs: AxisRuns,
  family: WarpFamily,
  rng: Rng,
  shouldStop?: () => boolean,
): Promise<FoundWarps> {
  const { n, d, m, free } = runs;
  const { scores, k, basis } = principalComponents(runs.y, n, m, COMPONENTS.most, COMPONENTS.negligible, rng);
  const task: AxisRuns = { ...runs, y: scores, m: k };
  const shares = Array.from({ length: k }, (_, c) =>
    basis.subarray(c * m, c * m + m).reduce((sum, v) => sum + v * v, 0),
  );
  const algebra = makeAlgebra(undefined, shouldStop);
  try {
    const straight = await climb(task, family, algebra, startOf(d), false);
    const warped = await climb(task, family, algebra, straight, true);
    const before = await heldOutErrors(task, family, algebra, straight);
    const after = await heldOutErrors(task, family, algebra, warped);
    const gain = shares.reduce((sum, share, c) => sum + share * Math.log(after[c]! / before[c]!), 0);
    const ratio = Math.exp(gain / shares.reduce((sum, share) => sum + share, 0));
    // Curvatures found with the same runs flatter by as much as Akaike's count says.
    const flattery = 1 + (2 * free.filter(Boolean).length) / n;
    const curvatures = Array.from(warped.subarray(d + 1), (c) =>
      ratio * flattery < WORTHWHILE && Math.abs(c) >= LEAST_CURVATURE ? c : 0,
    );
    return { curvatures, ratio };
  } finally {
    await algebra.dispose();
  }
}

/** Parameters in order: log beta (d), log nugget, curvatures (d). */
function startOf(d: number): Float64Array {
  return Float64Array.from({ length: 2 * d + 1 }, (_, l) =>
    l < d ? Math.log(START.rate) : l === d ? Math.log(START.nugget) : 0,
  );
}

async function climb(
  task: AxisRuns,
  family: WarpFamily,
  algebra: Algebra,
  start: Float64Array,
  warp: boolean,
): Promise<Float64Array> {
  const { d, free } = task;
  const bound = (beta: number, nugget: number, curvature: number): Float64Array =>
    start.map((_, l) => (l < d ? beta : l === d ? nugget : warp && free[l - d - 1]! ? curvature : 0));
  const lower = bound(Math.log(1e-3), Math.log(leastNugget), -MOST_CURVATURE);
  const upper = bound(Math.log(1e2), Math.log(10), MOST_CURVATURE);
  const evaluate = (theta: Float64Array): Promise<Evaluation> => likelihood(task, family, algebra, theta);
  const { point } = await minimise(start, evaluate, { lower, upper, evaluations: EVALUATIONS, tolerance: 0.1 });
  return point;
}

interface Parts {
  readonly kernel: Kernel;
  readonly x: Float64Array;
  readonly r: Float64Array;
  readonly nugget: number;
  readonly logDeterminant: number;
  /** K⁻¹, n x n, lower triangle valid. */
  readonly inverse: Float64Array;
  /** K⁻¹ y, n x m. */
  readonly alpha: Float64Array;
}

async function partsAt(
  { u, y, n, d, m }: AxisRuns,
  family: WarpFamily,
  algebra: Algebra,
  theta: Float64Array,
): Promise<Parts | undefined> {
  const x = u.map((v, at) => family.place(v, theta[d + 1 + (at % d)]!));
  const kernel: Kernel = { name: "matern52", beta: theta.slice(0, d).map(Math.exp), weights: undefined };
  const nugget = Math.exp(theta[d]!);
  const r = selfCorrelations(kernel, x, n);
  const a = r.slice();
  for (let i = 0; i < n; i++) a[i * n + i]! += nugget;
  const found = await algebra.choleskyInverse(a, n);
  if (found === undefined) return undefined;
  const inverse = await algebra.gram(found.inverse, n, n);
  const alpha = await algebra.product(inverse, y, n, n, m);
  return { kernel, x, r, nugget, logDeterminant: found.logDeterminant, inverse, alpha };
}

/** Minus the logarithm of likelihood and prior, mean over the outputs, each with its own variance; and the gradient. */
async function likelihood(
  task: AxisRuns,
  family: WarpFamily,
  algebra: Algebra,
  theta: Float64Array,
): Promise<Evaluation> {
  const gradient = new Float64Array(theta.length);
  const parts = await partsAt(task, family, algebra, theta);
  if (parts === undefined) return { value: Infinity, gradient };
  const { u, y, n, d, m } = task;
  const { inverse, alpha, logDeterminant, nugget } = parts;
  const residual = new Float64Array(m).fill(1e-24 * n);
  for (let at = 0; at < n * m; at++) residual[at % m]! += y[at]! * alpha[at]!;
  let value = 0.5 * logDeterminant;
  for (const sum of residual) value += (0.5 * n * Math.log(sum)) / m;
  // dV = 1/2 tr(G dR): G = K⁻¹ - sum_k alpha_k alpha_kᵀ / variance_k / m
  const weighted = alpha.map((v, at) => v * Math.sqrt(n / m / residual[at % m]!));
  const sensitivity = u.map((v, at) => family.sensitivity(v, theta[d + 1 + (at % d)]!));
  let trace = 0;
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      let g = inverse[i * n + j]!;
      for (let k = 0; k < m; k++) g -= weighted[i * m + k]! * weighted[j * m + k]!;
      if (i === j) trace += g;
      else addPair(parts, sensitivity, d, i, j, g * parts.r[i * n + j]!, gradient);
    }
  gradient[d] = 0.5 * trace * nugget;
  for (let l = d + 1; l < theta.length; l++) {
    value += 0.5 * (theta[l]! / PRIOR_STD) ** 2;
    gradient[l]! += theta[l]! / PRIOR_STD ** 2;
  }
  return { value, gradient };
}

/** Adds what one pair of runs says: d log k / d log v = -v² (1 + v) / 3 / (1 + v + v²/3) for v = sqrt 5 beta |x - x'|. */
function addPair(
  { kernel, x }: Parts,
  sensitivity: Float64Array,
  d: number,
  i: number,
  j: number,
  weight: number,
  into: Float64Array,
): void {
  for (let l = 0; l < d; l++) {
    const apart = x[i * d + l]! - x[j * d + l]!;
    if (apart === 0) continue;
    const v = Math.sqrt(5) * kernel.beta[l]! * Math.abs(apart);
    const slope = (-weight * v * v * (1 + v)) / (3 + v * (3 + v));
    into[l]! += slope;
    into[d + 1 + l]! += (slope * (sensitivity[i * d + l]! - sensitivity[j * d + l]!)) / apart;
  }
}

/** Mean squares of leave-one-out residuals, per output. */
async function heldOutErrors(
  task: AxisRuns,
  family: WarpFamily,
  algebra: Algebra,
  theta: Float64Array,
): Promise<Float64Array> {
  const { n, m } = task;
  const errors = new Float64Array(m).fill(Number.MIN_VALUE);
  const parts = await partsAt(task, family, algebra, theta);
  if (parts === undefined) return errors.fill(Infinity);
  for (let i = 0; i < n; i++)
    for (let k = 0; k < m; k++) errors[k]! += (parts.alpha[i * m + k]! / parts.inverse[i * n + i]!) ** 2 / n;
  return errors;
}
