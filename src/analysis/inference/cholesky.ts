/** Cholesky factors of small dense matrices, in plain loops. */

/** The lower factor, in place of a symmetric positive definite matrix of which the lower triangle is read.
 * @param a k × k   @returns log of the determinant */
export function factorise(a: Float64Array, k: number): number {
  let logDeterminant = 0;
  for (let p = 0; p < k; p++) {
    for (let q = 0; q <= p; q++) {
      let value = a[p * k + q]!;
      for (let r = 0; r < q; r++) value -= a[p * k + r]! * a[q * k + r]!;
      a[p * k + q] = p === q ? Math.sqrt(value) : value / a[q * k + q]!;
    }
    logDeterminant += 2 * Math.log(a[p * k + p]!);
  }
  return logDeterminant;
}

/** L⁻¹ b, in place of b. @param l lower factor, k × k */
export function forward(l: Float64Array, b: Float64Array, k: number): void {
  for (let p = 0; p < k; p++) {
    let value = b[p]!;
    for (let r = 0; r < p; r++) value -= l[p * k + r]! * b[r]!;
    b[p] = value / l[p * k + p]!;
  }
}

/** L⁻ᵀ b, in place of b. @param l lower factor, k × k */
export function backward(l: Float64Array, b: Float64Array, k: number): void {
  for (let p = k - 1; p >= 0; p--) {
    let value = b[p]!;
    for (let r = p + 1; r < k; r++) value -= l[r * k + p]! * b[r]!;
    b[p] = value / l[p * k + p]!;
  }
}
