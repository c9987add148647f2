/** Predictions of one solved process with plain loops: what the graph computes, for checks and small work. */
import type { Algebra } from "./cholesky.ts";
import { correlations } from "./kernel.ts";
import type { Solution } from "./posterior.ts";

/** Mean and variance (noise left out) at each row of `z`. @param z m × d  @param hz m × q trend columns */
export async function predictSolution(
  s: Solution,
  x: Float64Array,
  n: number,
  z: Float64Array,
  hz: Float64Array,
  m: number,
  algebra: Algebra,
): Promise<{ mean: Float64Array; variance: Float64Array; k: Float64Array }> {
  const q = s.coefficients.length;
  const k = correlations(s.kernel, z, m, x, n);
  const transposed = new Float64Array(n * n);
  for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) transposed[j * n + i] = s.inverseFactor[i * n + j]!;
  const v = await algebra.product(k, transposed, m, n, n);
  const vb = await algebra.product(v, s.trendFactor, m, n, q);
  const mean = new Float64Array(m);
  const variance = new Float64Array(m);
  for (let i = 0; i < m; i++) {
    let sum = 0;
    for (let j = 0; j < n; j++) sum += k[i * n + j]! * s.alpha[j]!;
    for (let t = 0; t < q; t++) sum += hz[i * q + t]! * s.coefficients[t]!;
    mean[i] = sum;
    let left = 1;
    for (let j = 0; j < n; j++) left -= v[i * n + j]! ** 2;
    left = Math.max(left, 0);
    for (let t = 0; t < q; t++) {
      let w = 0;
      for (let r = 0; r <= t; r++) w += s.trendInverse[t * q + r]! * (hz[i * q + r]! - vb[i * q + r]!);
      left += w * w;
    }
    variance[i] = s.variance * left;
  }
  return { mean, variance, k };
}
