/**
 * Solves the dense system A x = b in place by LU with partial pivoting: `a` is overwritten by its factors and `b` by x.
 * @param a n × n row-major @param b n @returns false where a pivot is zero (A singular): `b` is then meaningless
 */
export function solveDense(a: Float64Array, b: Float64Array): boolean {
  const n = b.length;
  for (let k = 0; k < n; k++) {
    let best = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(a[i * n + k]!) > Math.abs(a[best * n + k]!)) best = i;
    const pivot = a[best * n + k]!;
    if (pivot === 0) return false;
    if (best !== k) {
      for (let j = k; j < n; j++) {
        const held = a[k * n + j]!;
        a[k * n + j] = a[best * n + j]!;
        a[best * n + j] = held;
      }
      const held = b[k]!;
      b[k] = b[best]!;
      b[best] = held;
    }
    for (let i = k + 1; i < n; i++) {
      const row = i * n;
      const entry = a[row + k]!;
      if (entry === 0) continue;
      const factor = entry / pivot;
      a[row + k] = factor;
      for (let j = k + 1; j < n; j++) a[row + j] = a[row + j]! - factor * a[k * n + j]!;
      b[i] = b[i]! - factor * b[k]!;
    }
  }
  for (let i = n - 1; i >= 0; i--) {
    let sum = b[i]!;
    for (let j = i + 1; j < n; j++) sum -= a[i * n + j]! * b[j]!;
    b[i] = sum / a[i * n + i]!;
  }
  return true;
}

/**
 * Solves A x = b in place for a banded A without pivoting: safe where A is diagonally dominant by rows or by columns.
 * @param a n × n row-major, zero outside the band; overwritten @param b n, becomes x
 * @param below number of diagonals below the main one @param above number above it
 */
export function solveBanded(a: Float64Array, b: Float64Array, below: number, above: number): void {
  const n = b.length;
  for (let k = 0; k < n; k++) {
    const pivot = a[k * n + k]!;
    const lastRow = Math.min(n - 1, k + below);
    const lastColumn = Math.min(n - 1, k + above);
    for (let i = k + 1; i <= lastRow; i++) {
      const factor = a[i * n + k]! / pivot;
      if (factor === 0) continue;
      for (let j = k + 1; j <= lastColumn; j++) a[i * n + j] = a[i * n + j]! - factor * a[k * n + j]!;
      b[i] = b[i]! - factor * b[k]!;
    }
  }
  for (let i = n - 1; i >= 0; i--) {
    const lastColumn = Math.min(n - 1, i + above);
    let sum = b[i]!;
    for (let j = i + 1; j <= lastColumn; j++) sum -= a[i * n + j]! * b[j]!;
    b[i] = sum / a[i * n + i]!;
  }
}
