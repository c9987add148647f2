/**
 * How an emulator's errors hang together. Neighbours in a spectrum err alike: 250 elements that count as independent make
 * a posterior that is sure of a wrong place. Modes of the errors on fresh runs, scaled by what the emulator states at each
 * point, hold what is common; what is left counts as independent (a factor model: Bishop 2006, §12.2.4).
 */
import type { Rng } from "../../rng.ts";
import { factorise, forward } from "./cholesky.ts";

/** Covariance of errors as modes modes' + rest, in units of the stated standard deviations. */
export interface ErrorModes {
  readonly rank: number;
  /** size × rank. */
  readonly modes: Float64Array;
  /** Variance of each element that the modes leave, size. */
  readonly rest: Float64Array;
}

/** Each element by itself, as large as stated. */
export const independentErrors: ErrorModes = { rank: 0, modes: new Float64Array(), rest: new Float64Array() };

/** Errors beyond this many standard deviations count as this many: one bad run is no pattern. */
const MOST = 4;
/** Share of an element's variance that is its own at least. */
const LEAST_REST = 0.02;
/** Turns of the power iteration. */
const TURNS = 25;

/** The leading modes of errors. No element's variance is below what is stated.
 * @param errors n × size, (truth - mean) / stated standard deviation, of fresh runs   @param rank modes at most. Default 40 */
export function errorModes(errors: Float64Array, size: number, rng: Rng, rank = 40): ErrorModes {
  const n = errors.length / size;
  const z = errors.map((value) => (Number.isFinite(value) ? Math.min(MOST, Math.max(-MOST, value)) : 0));
  const variance = new Float64Array(size).fill(1);
  for (let j = 0; j < size; j++) {
    let square = 0;
    for (let i = 0; i < n; i++) square += z[i * size + j]! ** 2 / n;
    variance[j] = Math.max(1, square);
    const scale = square > 0 ? Math.sqrt(variance[j]! / square) : 0;
    for (let i = 0; i < n; i++) z[i * size + j]! *= scale;
  }
  const k = Math.min(rank, size, n);
  const directions = leading(gram(z, n, size), n, k, rng);
  const modes = new Float64Array(size * k);
  for (let m = 0; m < k; m++)
    for (let i = 0; i < n; i++) {
      const weight = directions[m * n + i]! / Math.sqrt(n);
      for (let j = 0; j < size; j++) modes[j * k + m]! += weight * z[i * size + j]!;
    }
  const rest = new Float64Array(size);
  for (let j = 0; j < size; j++) {
    const own = modes.subarray(j * k, (j + 1) * k);
    const shared = own.reduce((sum, value) => sum + value * value, 0);
    rest[j] = Math.max(LEAST_REST * variance[j]!, variance[j]! - shared);
    const shrink = shared > 0 ? Math.sqrt((variance[j]! - rest[j]!) / shared) : 0;
    for (let m = 0; m < k; m++) own[m]! *= shrink;
  }
  return { rank: k, modes, rest };
}

/** The same errors, `factor` times as large. */
export function inflated({ rank, modes, rest }: ErrorModes, factor: number): ErrorModes {
  return { rank, modes: modes.map((value) => factor * value), rest: rest.map((value) => factor ** 2 * value) };
}

/** Z Z', n × n, two rows by two: each number that is read is used twice. @param z n × size */
function gram(z: Float64Array, n: number, size: number): Float64Array {
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i += 2)
    for (let r = 0; r <= i; r += 2) {
      // An odd row at the end stands in for the one after it.
      const [i1, r1] = [Math.min(i + 1, n - 1), Math.min(r + 1, n - 1)];
      const [a, b, c, d] = [i * size, i1 * size, r * size, r1 * size];
      let [ac, ad, bc, bd] = [0, 0, 0, 0];
      for (let j = 0; j < size; j++) {
        const za = z[a + j]!;
        const zb = z[b + j]!;
        const zc = z[c + j]!;
        const zd = z[d + j]!;
        ac += za * zc;
        ad += za * zd;
        bc += zb * zc;
        bd += zb * zd;
      }
      out[i * n + r] = out[r * n + i] = ac;
      out[i * n + r1] = out[r1 * n + i] = ad;
      out[i1 * n + r] = out[r * n + i1] = bc;
      out[i1 * n + r1] = out[r1 * n + i1] = bd;
    }
  return out;
}

/** The `k` leading eigenvectors of a symmetric matrix, k × n, by power iteration. */
function leading(matrix: Float64Array, n: number, k: number, rng: Rng): Float64Array {
  let basis: Float64Array = Float64Array.from({ length: k * n }, () => rng.normal());
  orthonormalise(basis, k, n);
  for (let turn = 0; turn < TURNS; turn++) {
    const next = new Float64Array(k * n);
    for (let m = 0; m < k; m++)
      for (let i = 0; i < n; i++) {
        const weight = basis[m * n + i]!;
        for (let r = 0; r < n; r++) next[m * n + r]! += weight * matrix[i * n + r]!;
      }
    orthonormalise(next, k, n);
    basis = next;
  }
  return basis;
}

/** Gram-Schmidt on the rows, in place. */
function orthonormalise(rows: Float64Array, k: number, size: number): void {
  for (let m = 0; m < k; m++) {
    const row = rows.subarray(m * size, (m + 1) * size);
    for (let above = 0; above < m; above++) {
      const other = rows.subarray(above * size, (above + 1) * size);
      let dot = 0;
      for (let j = 0; j < size; j++) dot += row[j]! * other[j]!;
      for (let j = 0; j < size; j++) row[j]! -= dot * other[j]!;
    }
    const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
    for (let j = 0; j < size; j++) row[j] = length > 0 ? row[j]! / length : 0;
  }
}

/** B'S⁻¹B and log |S| where S is the covariance of noise and of the emulator's correlated errors (Woodbury).
 * @param columns of B, each over the elements that are seen   @param noise their noise's standard deviations
 * @param std the emulator's   @param at places of the elements in the modes   @returns products c × c */
export function inverseProducts(
  columns: readonly Float64Array[],
  noise: Float64Array,
  std: Float64Array,
  at: Int32Array,
  { rank, modes, rest }: ErrorModes,
): { readonly products: Float64Array; readonly logDeterminant: number } {
  const [n, c] = [at.length, columns.length];
  // Rows of modes and of B, every element over its own standard deviation; products of rows are most of the work.
  const rows = new Float64Array((rank + c) * n);
  let logDeterminant = 0;
  for (let i = 0; i < n; i++) {
    const [s, element] = [std[i]!, at[i]!];
    const variance = noise[i]! ** 2 + s * s * (rest[element] ?? 1);
    logDeterminant += Math.log(variance);
    const scale = 1 / Math.sqrt(variance);
    for (let p = 0; p < rank; p++) rows[p * n + i] = scale * s * modes[element * rank + p]!;
    for (let a = 0; a < c; a++) rows[(rank + a) * n + i] = scale * columns[a]![i]!;
  }
  const all = gram(rows, rank + c, n);
  const k = rank + c;
  const inner = new Float64Array(rank * rank);
  for (let p = 0; p < rank; p++) {
    inner.set(all.subarray(p * k, p * k + rank), p * rank);
    inner[p * rank + p]! += 1;
  }
  logDeterminant += factorise(inner, rank);
  const onModes = columns.map((_, a) => all.slice((rank + a) * k, (rank + a) * k + rank));
  for (const column of onModes) forward(inner, column, rank);
  const products = Float64Array.from({ length: c * c }, (_, place) => {
    const [a, b] = [Math.floor(place / c), place % c];
    const inModes = onModes[a]!.reduce((sum, value, p) => sum + value * onModes[b]![p]!, 0);
    return all[(rank + a) * k + rank + b]! - inModes;
  });
  return { products, logDeterminant };
}

/** Log density, up to a constant, of residuals under noise and the emulator's correlated errors. Arguments as for
 * {@link inverseProducts}. @param residual values - mean of the elements that are seen */
export function correlatedLogDensity(
  residual: Float64Array,
  noise: Float64Array,
  std: Float64Array,
  at: Int32Array,
  errors: ErrorModes,
): number {
  const { products, logDeterminant } = inverseProducts([residual], noise, std, at, errors);
  return -0.5 * (products[0]! + logDeterminant);
}
