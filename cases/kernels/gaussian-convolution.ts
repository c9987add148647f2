/** Standard deviation of a Gaussian with full width at half maximum 1. */
export const SIGMA_PER_FWHM = 1 / (2 * Math.sqrt(2 * Math.log(2)));

/** Gaussian tails beyond this many standard deviations are dropped (below 1e-16 of the peak). */
const CUT = 8.5;

/**
 * Direct Gaussian convolution: out[j] = sum_i amounts[i] G(targets[j] - positions[i]), G the normalised Gaussian of
 * standard deviation `sigma`. `amounts` are integrals (value × step of the quadrature), so sums are conserved on the
 * line; `positions` must increase.
 */
export function gaussianConvolveInto(
  out: Float64Array,
  targets: ArrayLike<number>,
  positions: Float64Array,
  amounts: Float64Array,
  sigma: number,
): void {
  const n = positions.length;
  const norm = 1 / (sigma * Math.sqrt(2 * Math.PI));
  for (let j = 0; j < out.length; j++) {
    const x = targets[j]!;
    let low = 0;
    let high = n;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (positions[middle]! < x - CUT * sigma) low = middle + 1;
      else high = middle;
    }
    let sum = 0;
    for (let i = low; i < n; i++) {
      const u = (x - positions[i]!) / sigma;
      if (u < -CUT) break;
      sum += amounts[i]! * Math.exp(-0.5 * u * u);
    }
    out[j] = sum * norm;
  }
}
