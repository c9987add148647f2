/** Right-hand side of y' = f(t, y): writes the slope into `out`, which has the length of `y`. */
export type Slope = (t: number, y: Float64Array, out: Float64Array) => void;

/** A classical fourth-order Runge-Kutta stepper for systems of `size` equations; it keeps its own scratch space. */
export function makeRk4(slope: Slope, size: number): (t: number, y: Float64Array, step: number) => void {
  const k1 = new Float64Array(size);
  const k2 = new Float64Array(size);
  const k3 = new Float64Array(size);
  const k4 = new Float64Array(size);
  const at = new Float64Array(size);
  /** Advances `y` in place from t to t + step. */
  return (t, y, step) => {
    slope(t, y, k1);
    for (let i = 0; i < size; i++) at[i] = y[i]! + (step / 2) * k1[i]!;
    slope(t + step / 2, at, k2);
    for (let i = 0; i < size; i++) at[i] = y[i]! + (step / 2) * k2[i]!;
    slope(t + step / 2, at, k3);
    for (let i = 0; i < size; i++) at[i] = y[i]! + step * k3[i]!;
    slope(t + step, at, k4);
    for (let i = 0; i < size; i++) y[i] = y[i]! + (step / 6) * (k1[i]! + 2 * k2[i]! + 2 * k3[i]! + k4[i]!);
  };
}

/** Fifth-order weights of Dormand & Prince (1980), row by row; the last row is also the solution. */
const ROWS: readonly (readonly number[])[] = [
  [1 / 5],
  [3 / 40, 9 / 40],
  [44 / 45, -56 / 15, 32 / 9],
  [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
  [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
  [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
];
const TIMES = [1 / 5, 3 / 10, 4 / 5, 8 / 9, 1, 1];
/** Fifth-order minus fourth-order weights: the error of a step. */
const ERROR = [71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40];

/** Tolerances of `dormandPrince`. */
export interface StepControl {
  /** Relative tolerance, default 1e-8. */
  readonly relative?: number;
  /** Absolute tolerance, default 1e-12. */
  readonly absolute?: number;
  /** Most steps tried, default 100 000. */
  readonly maxSteps?: number;
}

/**
 * Solves y' = f(t, y) from t0 to t1 with steps chosen by the embedded pair of Dormand & Prince, J. Comput. Appl. Math. 6,
 * 19 (1980). `y` is advanced in place. @returns whether t1 was reached within `maxSteps`
 */
export function dormandPrince(
  slope: Slope,
  t0: number,
  t1: number,
  y: Float64Array,
  control: StepControl = {},
): boolean {
  const { relative = 1e-8, absolute = 1e-12, maxSteps = 100_000 } = control;
  const n = y.length;
  const k = Array.from({ length: 7 }, () => new Float64Array(n));
  const at = new Float64Array(n);
  let t = t0;
  let step = (t1 - t0) / 100;
  slope(t, y, k[0]!);
  for (let tried = 0; tried < maxSteps; tried++) {
    if (Math.abs(step) > Math.abs(t1 - t)) step = t1 - t;
    for (let s = 0; s < 6; s++) {
      const row = ROWS[s]!;
      for (let i = 0; i < n; i++) {
        let sum = 0;
        for (let j = 0; j <= s; j++) sum += row[j]! * k[j]![i]!;
        at[i] = y[i]! + step * sum;
      }
      slope(t + TIMES[s]! * step, at, k[s + 1]!);
    }
    let worst = 0;
    for (let i = 0; i < n; i++) {
      let error = 0;
      for (let j = 0; j < 7; j++) error += ERROR[j]! * k[j]![i]!;
      const scale = absolute + relative * Math.max(Math.abs(y[i]!), Math.abs(at[i]!));
      worst = Math.max(worst, Math.abs(step * error) / scale);
    }
    if (worst <= 1) {
      t += step;
      y.set(at);
      if (t === t1 || Math.abs(t1 - t) <= 1e-15 * Math.abs(t1)) return true;
      k[0]!.set(k[6]!);
    }
    step *= Math.min(5, Math.max(0.2, 0.9 * Math.max(worst, 1e-10) ** -0.2));
  }
  return false;
}
