/**
 * How an emulator's errors hang together. Neighbours in a spectrum err alike: 250 elements that count as independent make
 * a posterior that is sure of a wrong place. A few modes of the errors on fresh runs, scaled by what the emulator states
 * at each point, hold what is common; what is left counts as independent (a factor model: Bishop 2006, §12.2.4).
 */
import type { Rng } from "../../rng.ts";

/** Correlation of errors as modes'modes + rest, in units of the stated standard deviations. */
export interface ErrorModes {
  readonly rank: number;
  /** rank × size. */
  readonly modes: Float64Array;
  /** Variance of each element that the modes leave, size; with the modes' it is 1. */
  readonly rest: Float64Array;
  /** How large the errors of a run are as a whole, against what is stated: quantiles over the fresh runs. Some runs are far from
   * what the emulator knows, and all their elements err together: one Gaussian would take such errors for evidence. */
  readonly scales: Float64Array;
}

/** Each element by itself, as large as stated. */
export const independentErrors: ErrorModes = {
  rank: 0,
  modes: new Float64Array(),
  rest: new Float64Array(),
  scales: Float64Array.of(1),
};

/** Quantiles that stand for the scales of runs. */
const SCALES = 5;

/** Errors beyond this many standard deviations count as this many: one bad run is no pattern. */
const MOST = 4;
/** Share of an element's variance that is its own at least. */
const LEAST_REST = 0.02;
/** Turns of the power iteration. */
const TURNS = 25;

/** The leading modes of errors. @param errors n × size, (truth - mean) / stated standard deviation, of fresh runs
 * @param rank modes at most. Default 12 */
export function errorModes(errors: Float64Array, size: number, rng: Rng, rank = 12): ErrorModes {
  const n = errors.length / size;
  const z = errors.map((value) => (Number.isFinite(value) ? Math.min(MOST, Math.max(-MOST, value)) : 0));
  // Each element to mean square 1: how large errors are is the emulator's to say.
  for (let j = 0; j < size; j++) {
    let square = 0;
    for (let i = 0; i < n; i++) square += z[i * size + j]! ** 2 / n;
    const scale = square > 0 ? 1 / Math.sqrt(square) : 0;
    for (let i = 0; i < n; i++) z[i * size + j]! *= scale;
  }
  const k = Math.min(rank, size, n);
  let basis: Float64Array = Float64Array.from({ length: k * size }, () => rng.normal());
  const values = orthonormalise(basis, k, size);
  for (let turn = 0; turn < TURNS; turn++) {
    basis = timesCovariance(z, basis, n, k, size);
    values.set(orthonormalise(basis, k, size));
  }
  const modes = basis.map((value, i) => value * Math.sqrt(values[Math.floor(i / size)]!));
  const rest = new Float64Array(size).fill(1);
  for (let j = 0; j < size; j++) {
    let shared = 0;
    for (let m = 0; m < k; m++) shared += modes[m * size + j]! ** 2;
    const least = Math.max(LEAST_REST, 1 - shared);
    const shrink = shared > 0 ? Math.sqrt((1 - least) / shared) : 0;
    for (let m = 0; m < k; m++) modes[m * size + j]! *= shrink;
    rest[j] = least;
  }
  const alone = { rank: k, modes, rest, scales: Float64Array.of(1) };
  return { ...alone, scales: scalesOf(z, n, size, alone) };
}

/** Quantiles over runs of the length of the error in units of its covariance (Mahalanobis), 1 where all runs err alike. */
function scalesOf(z: Float64Array, n: number, size: number, errors: ErrorModes): Float64Array {
  const at = Int32Array.from({ length: size }, (_, j) => j);
  const none = new Float64Array(size);
  const one = new Float64Array(size).fill(1);
  const density = (row: Float64Array): number => correlatedLogDensity(row, none, one, at, errors);
  const atZero = density(none);
  const lengths = Float64Array.from({ length: n }, (_, i) =>
    Math.sqrt((2 * (atZero - density(z.subarray(i * size, (i + 1) * size)))) / size),
  ).sort();
  return Float64Array.from({ length: SCALES }, (_, q) => lengths[Math.floor(((q + 0.5) / SCALES) * n)]!);
}

/** Rows of `basis` times Z'Z / n. */
function timesCovariance(z: Float64Array, basis: Float64Array, n: number, k: number, size: number): Float64Array {
  const out = new Float64Array(k * size);
  for (let i = 0; i < n; i++)
    for (let m = 0; m < k; m++) {
      let dot = 0;
      for (let j = 0; j < size; j++) dot += z[i * size + j]! * basis[m * size + j]!;
      dot /= n;
      for (let j = 0; j < size; j++) out[m * size + j]! += dot * z[i * size + j]!;
    }
  return out;
}

/** Gram-Schmidt on the rows, in place. @returns their lengths before, each less what the rows above take */
function orthonormalise(rows: Float64Array, k: number, size: number): Float64Array {
  const lengths = new Float64Array(k);
  for (let m = 0; m < k; m++) {
    const row = rows.subarray(m * size, (m + 1) * size);
    for (let above = 0; above < m; above++) {
      const other = rows.subarray(above * size, (above + 1) * size);
      let dot = 0;
      for (let j = 0; j < size; j++) dot += row[j]! * other[j]!;
      for (let j = 0; j < size; j++) row[j]! -= dot * other[j]!;
    }
    const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
    lengths[m] = length;
    for (let j = 0; j < size; j++) row[j] = length > 0 ? row[j]! / length : 0;
  }
  return lengths;
}

/** Log density, up to a constant, of residuals under noise and the emulator's errors, over how large these are in a run: a mixture
 * of Gaussians whose spread differs. Arguments as for {@link correlatedLogDensity}. */
export function mixedLogDensity(
  residual: Float64Array,
  noise: Float64Array,
  std: Float64Array,
  at: Int32Array,
  errors: ErrorModes,
): number {
  const each = Array.from(errors.scales, (scale) =>
    correlatedLogDensity(
      residual,
      noise,
      std.map((value) => scale * value),
      at,
      errors,
    ),
  );
  const most = Math.max(...each);
  return most + Math.log(each.reduce((sum, value) => sum + Math.exp(value - most), 0) / each.length);
}

/** Log density, up to a constant, of residuals under noise and the emulator's correlated errors (Woodbury).
 * @param residual values - mean of the elements that are seen   @param noise their noise's standard deviations
 * @param std the emulator's   @param at places of the elements in the modes */
export function correlatedLogDensity(
  residual: Float64Array,
  noise: Float64Array,
  std: Float64Array,
  at: Int32Array,
  { rank, modes, rest }: ErrorModes,
): number {
  const size = rest.length;
  const inner = new Float64Array(rank * rank);
  const b = new Float64Array(rank);
  let sum = 0;
  for (let i = 0; i < residual.length; i++) {
    const s = std[i]!;
    const variance = noise[i]! ** 2 + s * s * (rest[at[i]!] ?? 1);
    sum += residual[i]! ** 2 / variance + Math.log(variance);
    for (let p = 0; p < rank; p++) {
      const u = (s * modes[p * size + at[i]!]!) / variance;
      b[p]! += u * residual[i]!;
      for (let q = 0; q <= p; q++) inner[p * rank + q]! += u * s * modes[q * size + at[i]!]!;
    }
  }
  // Cholesky of I + U D^-1 U', solving for b as it goes.
  for (let p = 0; p < rank; p++) {
    for (let q = 0; q <= p; q++) {
      let value = inner[p * rank + q]! + (p === q ? 1 : 0);
      for (let r = 0; r < q; r++) value -= inner[p * rank + r]! * inner[q * rank + r]!;
      inner[p * rank + q] = p === q ? Math.sqrt(value) : value / inner[q * rank + q]!;
    }
    let value = b[p]!;
    for (let r = 0; r < p; r++) value -= inner[p * rank + r]! * b[r]!;
    b[p] = value / inner[p * rank + p]!;
    sum += 2 * Math.log(inner[p * rank + p]!) - b[p]! ** 2;
  }
  return -0.5 * sum;
}
