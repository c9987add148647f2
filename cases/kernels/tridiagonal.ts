/**
 * Solves a tridiagonal system of n rows by the Thomas algorithm: lower[i] x[i-1] + diagonal[i] x[i] + upper[i] x[i+1] =
 * rhs[i]. Stable where the matrix is diagonally dominant. lower[0] and upper[n-1] are not read. `x` may be `rhs`.
 * @param scratch at least n numbers, overwritten
 */
export function solveTridiagonal(
  lower: Float64Array,
  diagonal: Float64Array,
  upper: Float64Array,
  rhs: Float64Array,
  x: Float64Array,
  scratch: Float64Array,
): void {
  const n = diagonal.length;
  let pivot = diagonal[0]!;
  x[0] = rhs[0]! / pivot;
  for (let i = 1; i < n; i++) {
    const ratio = upper[i - 1]! / pivot;
    scratch[i] = ratio;
    pivot = diagonal[i]! - lower[i]! * ratio;
    x[i] = (rhs[i]! - lower[i]! * x[i - 1]!) / pivot;
  }
  for (let i = n - 2; i >= 0; i--) x[i] = x[i]! - scratch[i + 1]! * x[i + 1]!;
}
