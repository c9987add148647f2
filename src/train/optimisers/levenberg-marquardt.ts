/**
 * Levenberg-Marquardt (Levenberg 1944, Marquardt 1963) on the mean square of R residuals plus a decay of weights, for far more
 * weights than residuals: each step is found in the space of residuals. With r the residuals, J their derivatives, theta the
 * weights and W = decay + damping, the step that minimises
 *
 *   |r + J delta|² / R + decay |theta + delta|² + damping |delta|²   is   delta = - (decay theta + Jᵀ v / R) / W,
 *   (I + J W⁻¹ Jᵀ / R) v = r - J W⁻¹ decay theta,
 *
 * an R × R system, and v is what is left of the residuals after it. The damping follows the gain ratio (Nielsen 1999).
 */

/** A network at some weights, seen from its residuals. Valid until the next call. */
export interface Linearised {
  /** r, R numbers. */
  readonly residuals: Float32Array;
  /** J Jᵀ over the weights that decay, and over the others, R × R each. */
  readonly decaying: Float64Array;
  readonly free: Float64Array;
  /** J theta over the weights that decay, R numbers. */
  readonly along: Float32Array;
}

/** The problem. */
export interface ResidualProblem {
  /** R. */
  readonly residuals: number;
  /** 1 for weights that decay, 0 for the others. */
  readonly mask: Float32Array;
  linearise(point: Float32Array): Promise<Linearised>;
  /** Jᵀ v. Valid until the next call. */
  pull(point: Float32Array, v: Float32Array): Promise<Float32Array>;
  /** Mean square of the residuals. */
  meanSquare(point: Float32Array): Promise<number>;
  /** Solves a v = b for a symmetric positive definite matrix, of which the lower triangle is read; undefined where it is not. */
  solve(a: Float64Array, b: Float64Array): Promise<Float64Array | undefined>;
}

export interface LevenbergMarquardtOptions {
  readonly weightDecay: number;
  /** Steps at most. */
  readonly iterations: number;
  /** Damping to start with. */
  readonly damping: number;
  /** Called after each step; return true to stop. */
  readonly onIteration?: (iteration: number, loss: number) => boolean;
}

export interface LevenbergMarquardtResult {
  readonly point: Float32Array;
  /** Mean square of the residuals there, without the decay. */
  readonly meanSquare: number;
  /** To start the next problem with. */
  readonly damping: number;
  readonly iterations: number;
  readonly evaluations: number;
}

const leastDamping = 1e-12;
const mostDamping = 1e6;
/** Damping that the next problem starts with, at most: that this one's end was in rounding says nothing of it. */
const calmest = 1;
/** What a step multiplies the damping by, at least, and what a matrix that is not positive definite in rounding does. */
const boldest = 1 / 5;
const unsolved = 10;
/** A step that lowers the loss by no more than this share of it is the last. */
const leastHeadway = 1e-3;

/** I + J W⁻¹ Jᵀ / R, its lower triangle, for W of one number for weights that decay and another for the free ones. */
export function dampedMatrix(
  decaying: Float64Array,
  free: Float64Array,
  decayingUnit: number,
  freeUnit: number,
  count: number,
  into: Float64Array = new Float64Array(count * count),
): Float64Array {
  for (let i = 0; i < count; i++) {
    for (let j = 0, k = i * count; j <= i; j++, k++)
      into[k] = (decaying[k]! / decayingUnit + free[k]! / freeUnit) / count;
    into[i * count + i]! += 1;
  }
  return into;
}

export async function levenbergMarquardt(
  problem: ResidualProblem,
  start: Float32Array,
  options: LevenbergMarquardtOptions,
): Promise<LevenbergMarquardtResult> {
  const { weightDecay, iterations } = options;
  const { residuals: count, mask } = problem;
  const penaltyOf = (point: Float32Array): number => {
    let sum = 0;
    for (let i = 0; i < point.length; i++) sum += mask[i]! * point[i]! * point[i]!;
    return weightDecay * sum;
  };
  const matrix = new Float64Array(count * count);
  const right = new Float64Array(count);
  const left = new Float32Array(count);
  let point = Float32Array.from(start);
  let trial = new Float32Array(start.length);
  let meanSquare = await problem.meanSquare(point);
  let loss = meanSquare + penaltyOf(point);
  let evaluations = 1;
  let damping = options.damping;
  let iteration = 0;
  while (iteration < iterations) {
    const at = await problem.linearise(point);
    const before = loss;
    let raise = 2;
    while (loss === before && damping < mostDamping) {
      const unit = weightDecay + damping;
      dampedMatrix(at.decaying, at.free, unit, damping, count, matrix);
      for (let i = 0; i < count; i++) right[i] = at.residuals[i]! - (weightDecay / unit) * at.along[i]!;
      const v = await problem.solve(matrix, right);
      if (v === undefined) {
        damping *= unsolved;
        continue;
      }
      left.set(v);
      const gradient = await problem.pull(point, left);
      for (let i = 0; i < trial.length; i++) {
        const decay = mask[i]! * weightDecay;
        trial[i] = point[i]! - (decay * point[i]! + gradient[i]! / count) / (decay + damping);
      }
      const tried = await problem.meanSquare(trial);
      evaluations++;
      const penalty = penaltyOf(trial);
      if (!(tried + penalty < loss)) {
        damping *= raise;
        raise *= 2;
        continue;
      }
      const predicted = loss - v.reduce((sum, each) => sum + each * each, 0) / count - penalty;
      const gain = (loss - tried - penalty) / predicted;
      damping = Math.max(leastDamping, damping * Math.max(boldest, 1 - (2 * gain - 1) ** 3));
      [point, trial] = [trial, point];
      meanSquare = tried;
      loss = tried + penalty;
    }
    if (loss === before) break;
    iteration++;
    const stop = options.onIteration?.(iteration, loss) === true;
    if (stop || before - loss <= leastHeadway * before) break;
  }
  return { point, meanSquare, damping: Math.min(damping, calmest), iterations: iteration, evaluations };
}
