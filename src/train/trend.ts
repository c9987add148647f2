/**
 * A linear trend of scaled outputs in scaled inputs by ridge regression. Where it helps, networks learn what the trend
 * leaves. The ridge constant minimises the leave-one-out error, which has a closed form (Hastie, Tibshirani & Friedman
 * 2009, eq. 7.64).
 */

/** z is learned as (z - x weights - bias) / scale. */
export interface Trend {
  /** inputs x size. */
  readonly weights: Float64Array;
  /** size. */
  readonly bias: Float64Array;
  /** size: root mean square of what is left. */
  readonly scale: Float64Array;
}

/** The trend that changes nothing. */
export function noTrend(inputs: number, size: number): Trend {
  return {
    weights: new Float64Array(inputs * size),
    bias: new Float64Array(size),
    scale: new Float64Array(size).fill(1),
  };
}

const ridgeConstants = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1, 10];

/** Eigenvalues and eigenvectors (columns) of a symmetric matrix by cyclic Jacobi rotations (Golub & Van Loan 8.5). */
export function symmetricEigen(
  matrix: Float64Array,
  n: number,
): { readonly values: Float64Array; readonly vectors: Float64Array } {
  const a = Float64Array.from(matrix);
  const v = new Float64Array(n * n);
  for (let i = 0; i < n; i++) v[i * n + i] = 1;
  for (let sweep = 0; sweep < 60; sweep++) {
    let off = 0;
    let all = 0;
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) {
        const square = a[i * n + j]! ** 2;
        all += square;
        if (i !== j) off += square;
      }
    if (off <= 1e-26 * all) break;
    for (let p = 0; p < n - 1; p++)
      for (let q = p + 1; q < n; q++) {
        const apq = a[p * n + q]!;
        if (apq === 0) continue;
        const theta = (a[q * n + q]! - a[p * n + p]!) / (2 * apq);
        const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
        const c = 1 / Math.sqrt(t * t + 1);
        const s = t * c;
        for (let k = 0; k < n; k++) {
          const kp = a[k * n + p]!;
          const kq = a[k * n + q]!;
          a[k * n + p] = c * kp - s * kq;
          a[k * n + q] = s * kp + c * kq;
        }
        for (let k = 0; k < n; k++) {
          const pk = a[p * n + k]!;
          const qk = a[q * n + k]!;
          a[p * n + k] = c * pk - s * qk;
          a[q * n + k] = s * pk + c * qk;
          const vp = v[k * n + p]!;
          const vq = v[k * n + q]!;
          v[k * n + p] = c * vp - s * vq;
          v[k * n + q] = s * vp + c * vq;
        }
      }
  }
  const values = new Float64Array(n);
  for (let i = 0; i < n; i++) values[i] = a[i * n + i]!;
  return { values, vectors: v };
}

/**
 * Fits the trend on the given rows.
 * @param x rows x inputs   @param z rows x size, scaled
 * @returns the trend whose scale is the leave-one-out root mean square of what it leaves
 */
export function fitTrend(x: Float32Array, z: Float32Array, inputs: number, rows: ArrayLike<number>): Trend {
  const n = rows.length;
  const size = z.length / (x.length / inputs);
  const xMean = new Float64Array(inputs);
  const zMean = new Float64Array(size);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < inputs; j++) xMean[j]! += x[rows[i]! * inputs + j]! / n;
    for (let k = 0; k < size; k++) zMean[k]! += z[rows[i]! * size + k]! / n;
  }
  const gram = new Float64Array(inputs * inputs);
  const cross = new Float64Array(inputs * size);
  for (let i = 0; i < n; i++) {
    const xr = rows[i]! * inputs;
    const zr = rows[i]! * size;
    for (let j = 0; j < inputs; j++) {
      const xj = (x[xr + j]! - xMean[j]!) / n;
      for (let l = 0; l <= j; l++) gram[j * inputs + l]! += xj * (x[xr + l]! - xMean[l]!);
      for (let k = 0; k < size; k++) cross[j * size + k]! += xj * (z[zr + k]! - zMean[k]!);
    }
  }
  for (let j = 0; j < inputs; j++) for (let l = j + 1; l < inputs; l++) gram[j * inputs + l] = gram[l * inputs + j]!;
  const { values, vectors } = symmetricEigen(gram, inputs);
  // Rotated: one coefficient per eigenvector and output.
  const rotated = new Float64Array(inputs * size);
  for (let e = 0; e < inputs; e++)
    for (let j = 0; j < inputs; j++) {
      const w = vectors[j * inputs + e]!;
      if (w !== 0) for (let k = 0; k < size; k++) rotated[e * size + k]! += w * cross[j * size + k]!;
    }
  const projected = new Float64Array(n * inputs);
  for (let i = 0; i < n; i++)
    for (let e = 0; e < inputs; e++) {
      let sum = 0;
      for (let j = 0; j < inputs; j++) sum += vectors[j * inputs + e]! * (x[rows[i]! * inputs + j]! - xMean[j]!);
      projected[i * inputs + e] = sum;
    }
  let best: { score: number; ridge: number; scale: Float64Array } | undefined;
  for (const ridge of ridgeConstants) {
    const scale = leaveOneOut(projected, values, rotated, z, zMean, rows, ridge, inputs, size);
    let score = 0;
    for (let k = 0; k < size; k++) score += Math.log(scale[k]! ** 2 + 1e-12);
    if (best === undefined || score < best.score) best = { score, ridge, scale };
  }
  const { ridge, scale } = best!;
  const weights = new Float64Array(inputs * size);
  const bias = Float64Array.from(zMean);
  for (let e = 0; e < inputs; e++) {
    const shrink = values[e]! + ridge;
    for (let j = 0; j < inputs; j++) {
      const factor = vectors[j * inputs + e]! / shrink;
      for (let k = 0; k < size; k++) weights[j * size + k]! += factor * rotated[e * size + k]!;
    }
  }
  for (let j = 0; j < inputs; j++) for (let k = 0; k < size; k++) bias[k]! -= xMean[j]! * weights[j * size + k]!;
  return { weights, bias, scale: scale.map((value) => Math.max(value, 1e-3)) };
}

/** Leave-one-out root mean square residual per output. */
function leaveOneOut(
  projected: Float64Array,
  values: Float64Array,
  rotated: Float64Array,
  z: Float32Array,
  zMean: Float64Array,
  rows: ArrayLike<number>,
  ridge: number,
  inputs: number,
  size: number,
): Float64Array {
  const n = rows.length;
  const scale = new Float64Array(size);
  const coefficient = new Float64Array(inputs * size);
  for (let e = 0; e < inputs; e++)
    for (let k = 0; k < size; k++)
      coefficient[e * size + k] = rotated[e * size + k]! / (Math.max(values[e]!, 0) + ridge);
  const fitted = new Float64Array(size);
  for (let i = 0; i < n; i++) {
    let leverage = 1 / n;
    fitted.set(zMean);
    for (let e = 0; e < inputs; e++) {
      const p = projected[i * inputs + e]!;
      leverage += (p * p) / (n * (Math.max(values[e]!, 0) + ridge));
      for (let k = 0; k < size; k++) fitted[k]! += p * coefficient[e * size + k]!;
    }
    const kept = Math.max(1 - leverage, 1e-3);
    for (let k = 0; k < size; k++) scale[k]! += ((z[rows[i]! * size + k]! - fitted[k]!) / kept) ** 2 / n;
  }
  return scale.map(Math.sqrt);
}

/** What networks learn instead of `z`: (z - x weights - bias) / scale, rows x size. */
export function withoutTrend(trend: Trend, x: Float32Array, z: Float32Array, inputs: number): Float32Array {
  const size = trend.bias.length;
  const rest = new Float32Array(z.length);
  const fitted = new Float64Array(size);
  for (let i = 0; i < z.length / size; i++) {
    fitted.set(trend.bias);
    for (let j = 0; j < inputs; j++) {
      const value = x[i * inputs + j]!;
      for (let k = 0; k < size; k++) fitted[k]! += value * trend.weights[j * size + k]!;
    }
    for (let k = 0; k < size; k++) rest[i * size + k] = (z[i * size + k]! - fitted[k]!) / trend.scale[k]!;
  }
  return rest;
}
