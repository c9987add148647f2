/**
 * Least squares with coefficients that are not negative (Lawson & Hanson 1974, ch. 23), over normal equations: costs have
 * no negative parts, and features that are only noise get a zero.
 */
import { median } from "./metrics.ts";

/** Solves min || X b - y || with b >= 0 and weights. @param rows feature rows   @param weights default 1 / y, which
 * minimises the relative error */
export function nonNegativeLeastSquares(
  rows: readonly (readonly number[])[],
  y: readonly number[],
  weights: readonly number[] = y.map((v) => 1 / v),
): number[] {
  const n = rows[0]?.length ?? 0;
  const scale = new Array<number>(n).fill(0);
  rows.forEach((row, i) => {
    for (let j = 0; j < n; j++) scale[j]! += (row[j]! * weights[i]!) ** 2;
  });
  for (let j = 0; j < n; j++) scale[j] = scale[j]! > 0 ? Math.sqrt(scale[j]!) : 1;
  const A = Array.from({ length: n }, () => new Float64Array(n));
  const b = new Float64Array(n);
  rows.forEach((row, i) => {
    const w = weights[i]! ** 2;
    for (let j = 0; j < n; j++) {
      const xj = row[j]! / scale[j]!;
      if (xj === 0) continue;
      b[j]! += w * xj * y[i]!;
      for (let k = 0; k <= j; k++) A[j]![k]! += (w * xj * row[k]!) / scale[k]!;
    }
  });
  for (let j = 0; j < n; j++) for (let k = j + 1; k < n; k++) A[j]![k] = A[k]![j]!;
  return activeSet(A, b).map((value, j) => value / scale[j]!);
}

/** Errors beyond so many standard deviations, as the middle ones tell it, count in proportion, no longer by their square. */
const HUBER = 2;
const ROUNDS = 10;
/** What rounding leaves of an exact fit. */
const EXACT = 1e-6;

/** Non-negative coefficients by relative errors that are the same for twice and for half: weights by 1 / y let a fit to scattered
 * times come out low by their variance. Outliers count less (Huber 1964; reweighted least squares). */
export function robustNonNegative(rows: readonly (readonly number[])[], y: readonly number[]): number[] {
  let b = nonNegativeLeastSquares(rows, y);
  for (let round = 0; round < ROUNDS; round++) {
    const fitted = rows.map((row, i) =>
      Math.max(
        row.reduce((sum, x, j) => sum + x * b[j]!, 0),
        0.1 * y[i]!,
      ),
    );
    const logs = y.map((value, i) => Math.log(value / fitted[i]!));
    const middle = median(logs);
    const sigma = Math.max(1.4826 * median(logs.map((log) => Math.abs(log - middle))), EXACT);
    const weights = logs.map((log, i) => {
      const counts = Math.min(1, (HUBER * sigma) / Math.max(Math.abs(log), Number.MIN_VALUE));
      return Math.sqrt(counts / (fitted[i]! * y[i]!));
    });
    b = nonNegativeLeastSquares(rows, y, weights);
  }
  return b;
}

/** Minimises b'Ab/2 - b'c over b >= 0. A has a unit diagonal or zeros. */
function activeSet(A: readonly Float64Array[], c: Float64Array): number[] {
  const n = c.length;
  const x = new Array<number>(n).fill(0);
  const free = new Set<number>();
  const tolerance = 1e-12 * Math.max(1, ...c.map(Math.abs));
  for (let round = 0; round < 10 * n + 10; round++) {
    let enter = -1;
    let steepest = tolerance;
    for (let j = 0; j < n; j++) {
      if (free.has(j)) continue;
      let slope = c[j]!;
      for (let k = 0; k < n; k++) slope -= A[j]![k]! * x[k]!;
      if (slope > steepest) {
        steepest = slope;
        enter = j;
      }
    }
    if (enter < 0) return x;
    free.add(enter);
    for (;;) {
      const set = [...free];
      const trial = solveOn(A, c, set);
      if (trial.every((value) => value > 0)) {
        x.fill(0);
        set.forEach((j, i) => (x[j] = trial[i]!));
        break;
      }
      // Goes as far towards the trial as nothing turns negative, and fixes what became zero.
      let step = 1;
      set.forEach((j, i) => {
        if (trial[i]! <= 0) step = Math.min(step, x[j]! / Math.max(x[j]! - trial[i]!, Number.MIN_VALUE));
      });
      set.forEach((j, i) => (x[j] = x[j]! + step * (trial[i]! - x[j]!)));
      for (const j of set)
        if (x[j]! <= 1e-14) {
          x[j] = 0;
          free.delete(j);
        }
      if (free.size === 0) break;
    }
  }
  return x;
}

function solveOn(A: readonly Float64Array[], c: Float64Array, set: readonly number[]): number[] {
  return solveSymmetric(
    set.map((j) => set.map((k) => A[j]![k]! + (j === k ? 1e-12 : 0))),
    set.map((j) => c[j]!),
  );
}

/** Solves a positive definite system by Cholesky factors, floored where rounding made a pivot vanish. */
export function solveSymmetric(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const n = right.length;
  const L = matrix.map((row) => Float64Array.from(row));
  for (let j = 0; j < n; j++) {
    let pivot = L[j]![j]!;
    for (let k = 0; k < j; k++) pivot -= L[j]![k]! ** 2;
    const root = Math.sqrt(Math.max(pivot, 1e-14));
    L[j]![j] = root;
    for (let i = j + 1; i < n; i++) {
      let sum = L[i]![j]!;
      for (let k = 0; k < j; k++) sum -= L[i]![k]! * L[j]![k]!;
      L[i]![j] = sum / root;
    }
  }
  const x = [...right];
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) x[i]! -= L[i]![k]! * x[k]!;
    x[i]! /= L[i]![i]!;
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) x[i]! -= L[k]![i]! * x[k]!;
    x[i]! /= L[i]![i]!;
  }
  return x;
}

/** Weighted least squares with a ridge towards `prior`. @param ridge in units of the mean diagonal */
export function ridgeRegression(
  rows: readonly (readonly number[])[],
  y: readonly number[],
  {
    weights = y.map(() => 1),
    ridge = 0,
    prior = [],
  }: { readonly weights?: readonly number[]; readonly ridge?: number; readonly prior?: readonly number[] } = {},
): number[] {
  const n = rows[0]?.length ?? 0;
  const A = Array.from({ length: n }, () => new Array<number>(n).fill(0));
  const b = new Array<number>(n).fill(0);
  rows.forEach((row, i) => {
    const w = weights[i]! ** 2;
    for (let j = 0; j < n; j++) {
      if (row[j] === 0) continue;
      b[j]! += w * row[j]! * y[i]!;
      for (let k = 0; k < n; k++) A[j]![k]! += w * row[j]! * row[k]!;
    }
  });
  const strength = (ridge * A.reduce((sum, row, j) => sum + row[j]!, 0)) / Math.max(1, n);
  for (let j = 0; j < n; j++) {
    A[j]![j]! += strength + 1e-12 * (A[j]![j]! + 1e-300);
    b[j]! += strength * (prior[j] ?? 0);
  }
  return solveSymmetric(A, b);
}
