/**
 * Limited-memory BFGS with a line search for the strong Wolfe conditions (Nocedal & Wright 2006, algorithms 7.4, 3.5
 * and 3.6, cubic interpolation). The point and the direction are float32, because the engine runs in float32.
 */
import { curvature, type PairProducts, plainProducts } from "./curvature.ts";

/** Loss and gradient at a point. The gradient may be reused by the next call: it is copied here. */
export type Objective = (point: Float32Array) => Promise<{ readonly loss: number; readonly gradient: Float32Array }>;

export interface LbfgsOptions {
  readonly iterations: number;
  /** Pairs of curvature kept. Default 10. */
  readonly memory?: number;
  /** Products with so many pairs, which start anew. Default: in plain loops. */
  readonly products?: PairProducts;
  /** Armijo constant. Default 1e-4. */
  readonly c1?: number;
  /** Curvature constant. Default 0.9. */
  readonly c2?: number;
  /** Stop when the largest gradient element falls below this. Default 1e-9. */
  readonly gradientTolerance?: number;
  /** Called after each iteration; return true to stop. */
  readonly onIteration?: (state: {
    readonly iteration: number;
    readonly point: Float32Array;
    readonly loss: number;
  }) => Promise<boolean> | boolean;
}

export interface LbfgsResult {
  readonly point: Float32Array;
  readonly loss: number;
  readonly iterations: number;
  readonly evaluations: number;
  /** Why it ended: the budget, a flat gradient, no further descent in float32, or the caller. */
  readonly reason: "iterations" | "gradient" | "stalled" | "stopped";
}

/** Iterations in a row that lower the loss by no more than this share of it: what is left is rounding. */
const leastHeadway = 1e-9;
const patience = 3;

/** Four sums at once: twice as fast as one, whose additions wait for each other. */
function dot(a: Float32Array, c: Float32Array): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  const whole = a.length & ~3;
  for (let i = 0; i < whole; i += 4) {
    s0 += a[i]! * c[i]!;
    s1 += a[i + 1]! * c[i + 1]!;
    s2 += a[i + 2]! * c[i + 2]!;
    s3 += a[i + 3]! * c[i + 3]!;
  }
  for (let i = whole; i < a.length; i++) s0 += a[i]! * c[i]!;
  return s0 + s1 + (s2 + s3);
}

/** Step at the minimum of the cubic through two points with slopes, kept inside the bracket (Nocedal & Wright 3.59). */
function cubicMinimum(a: number, fa: number, ga: number, c: number, fc: number, gc: number): number {
  const d1 = ga + gc - (3 * (fa - fc)) / (a - c);
  const square = d1 * d1 - ga * gc;
  const low = Math.min(a, c);
  const high = Math.max(a, c);
  const margin = 0.1 * (high - low);
  if (square < 0) return (a + c) / 2;
  const d2 = Math.sign(c - a) * Math.sqrt(square);
  const t = c - (c - a) * ((gc + d2 - d1) / (gc - ga + 2 * d2));
  if (!Number.isFinite(t)) return (a + c) / 2;
  return Math.min(Math.max(t, low + margin), high - margin);
}

/** Minimises `objective` from `start`. */
export async function lbfgs(objective: Objective, start: Float32Array, options: LbfgsOptions): Promise<LbfgsResult> {
  const { iterations, memory = 10, c1 = 1e-4, c2 = 0.9, gradientTolerance = 1e-9 } = options;
  const size = start.length;
  const point = Float32Array.from(start);
  const trial = new Float32Array(size);
  const gradient = new Float32Array(size);
  const trialGradient = new Float32Array(size);
  const direction = new Float32Array(size);
  const known = curvature(memory, size, options.products ?? plainProducts(memory, size));
  let evaluations = 0;

  const evaluate = async (step: number): Promise<{ loss: number; slope: number }> => {
    for (let i = 0; i < size; i++) trial[i] = point[i]! + step * direction[i]!;
    const result = await objective(trial);
    evaluations++;
    trialGradient.set(result.gradient);
    const slope = dot(trialGradient, direction);
    // A point whose slope overflowed is as useless as one whose loss did.
    const usable = Number.isFinite(result.loss) && Number.isFinite(slope);
    return { loss: usable ? result.loss : Number.POSITIVE_INFINITY, slope };
  };

  const first = await objective(point);
  evaluations++;
  gradient.set(first.gradient);
  let loss = first.loss;

  const setDirection = async (): Promise<number> => {
    await known.directionInto(direction, gradient);
    return dot(gradient, direction);
  };

  /** Finds a step under the strong Wolfe conditions; leaves its point and gradient in `trial`, `trialGradient`. */
  const search = async (slope0: number, firstStep: number): Promise<{ step: number; loss: number } | undefined> => {
    let low = { step: 0, loss, slope: slope0 };
    let high: { step: number; loss: number; slope: number } | undefined;
    let step = firstStep;
    let best: { step: number; loss: number } | undefined;
    for (let tries = 0; tries < 25; tries++) {
      const at = await evaluate(step);
      // Near the end c1 * step * slope0 drowns in the loss: a step must lower it all the same.
      const sufficient = at.loss < loss && at.loss <= loss + c1 * step * slope0;
      if (sufficient && Math.abs(at.slope) <= -c2 * slope0) return { step, loss: at.loss };
      if (sufficient && (best === undefined || at.loss < best.loss)) best = { step, loss: at.loss };
      if (high === undefined) {
        if (!sufficient || (tries > 0 && at.loss >= low.loss)) high = { step, ...at };
        else if (at.slope >= 0) {
          high = low;
          low = { step, ...at };
        } else {
          const next = Math.min(10 * step, cubicExtrapolation(low, { step, ...at }));
          low = { step, ...at };
          step = next;
          continue;
        }
      } else if (!sufficient || at.loss >= low.loss) high = { step, ...at };
      else {
        if (at.slope * (high.step - low.step) >= 0) high = low;
        low = { step, ...at };
      }
      if (Math.abs(high.step - low.step) < 1e-10 * Math.max(1, low.step)) break;
      step = Number.isFinite(high.loss)
        ? cubicMinimum(low.step, low.loss, low.slope, high.step, high.loss, high.slope)
        : (low.step + high.step) / 2;
    }
    if (best === undefined) return undefined;
    await evaluate(best.step);
    return best;
  };

  let iteration = 0;
  let reason: LbfgsResult["reason"] = "iterations";
  let restarted = false;
  let withoutHeadway = 0;
  while (iteration < iterations) {
    if (gradient.every((slope) => Math.abs(slope) < gradientTolerance)) {
      reason = "gradient";
      break;
    }
    let slope = await setDirection();
    if (!(slope < 0)) {
      known.clear();
      slope = await setDirection();
    }
    const fresh = known.pairs === 0;
    const found = await search(slope, fresh ? Math.min(1, 1 / Math.sqrt(-slope)) : 1);
    if (found === undefined) {
      if (restarted || fresh) {
        reason = "stalled";
        break;
      }
      // The curvature pairs mislead: forget them and try steepest descent once.
      known.clear();
      restarted = true;
      continue;
    }
    restarted = false;
    await known.add({ point, gradient }, { point: trial, gradient: trialGradient });
    point.set(trial);
    gradient.set(trialGradient);
    withoutHeadway = loss - found.loss > leastHeadway * Math.abs(loss) ? 0 : withoutHeadway + 1;
    loss = found.loss;
    iteration++;
    if (await options.onIteration?.({ iteration, point, loss })) {
      reason = "stopped";
      break;
    }
    if (withoutHeadway === patience) {
      reason = "stalled";
      break;
    }
  }
  return { point, loss, iterations: iteration, evaluations, reason };
}

interface Probe {
  readonly step: number;
  readonly loss: number;
  readonly slope: number;
}

/** A longer step from two points that both go downhill: the cubic's minimum if it lies ahead, else four times the step. */
function cubicExtrapolation(before: Probe, now: Probe): number {
  const d1 = before.slope + now.slope - (3 * (before.loss - now.loss)) / (before.step - now.step);
  const square = d1 * d1 - before.slope * now.slope;
  if (square >= 0) {
    const d2 = Math.sqrt(square);
    const t = now.step - (now.step - before.step) * ((now.slope + d2 - d1) / (now.slope - before.slope + 2 * d2));
    if (Number.isFinite(t) && t > 1.1 * now.step) return t;
  }
  return 4 * now.step;
}
