/** Principal components of long outputs, so that a few processes serve a field of thousands of elements. */
import type { Rng } from "../rng.ts";

/** y ≈ mean + scores basis, with the variance per element that is left over. */
export interface Principal {
  /** m. */
  readonly mean: Float64Array;
  /** k × m: directions times the standard deviation of their scores. */
  readonly basis: Float64Array;
  /** n × k, unit variance each. */
  readonly scores: Float64Array;
  readonly k: number;
  /** Mean squared rest per element, m. */
  readonly rest: Float64Array;
}

const sweeps = 40;

/** The leading components, found by subspace iteration (Golub & Van Loan 8.2).
 * @param y n × m  @param most components at most  @param negligible share of the variance that may be left out */
export function principalComponents(
  y: Float64Array,
  n: number,
  m: number,
  most: number,
  negligible: number,
  rng: Rng,
): Principal {
  const mean = new Float64Array(m);
  for (let i = 0; i < n; i++) for (let j = 0; j < m; j++) mean[j]! += y[i * m + j]! / n;
  const centred = y.map((v, i) => v - mean[i % m]!);
  const total = centred.reduce((sum, v) => sum + v * v, 0);
  const width = Math.min(most + 4, n, m);
  // Orthonormal directions of the outputs.
  let q: Float64Array[] = Array.from({ length: width }, () => Float64Array.from({ length: m }, () => rng.normal()));
  orthonormalise(q);
  for (let sweep = 0; sweep < sweeps; sweep++) {
    q = q.map((direction) => backward(centred, forward(centred, direction, n, m), n, m));
    orthonormalise(q);
  }
  const scored = q
    .map((direction) => ({ direction, score: forward(centred, direction, n, m) }))
    .map(({ direction, score }) => ({ direction, score, power: score.reduce((sum, v) => sum + v * v, 0) }))
    .sort((a, b) => b.power - a.power);
  let left = total;
  const kept = scored.slice(0, most).filter(({ power }, c) => {
    const wanted = c === 0 || (left > negligible * total && power > 1e-14 * total);
    left -= power;
    return wanted;
  });
  const k = kept.length;
  const basis = new Float64Array(k * m);
  const scores = new Float64Array(n * k);
  const residual = centred;
  kept.forEach(({ direction, score, power }, c) => {
    const std = Math.max(Math.sqrt(power / n), 1e-150);
    for (let j = 0; j < m; j++) basis[c * m + j] = direction[j]! * std;
    for (let i = 0; i < n; i++) {
      scores[i * k + c] = score[i]! / std;
      for (let j = 0; j < m; j++) residual[i * m + j]! -= score[i]! * direction[j]!;
    }
  });
  const rest = new Float64Array(m);
  for (let i = 0; i < n; i++) for (let j = 0; j < m; j++) rest[j]! += residual[i * m + j]! ** 2 / n;
  return { mean, basis, scores, k, rest };
}

/** a direction. */
function forward(a: Float64Array, direction: Float64Array, n: number, m: number): Float64Array {
  const out = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    let sum = 0;
    for (let j = 0; j < m; j++) sum += a[i * m + j]! * direction[j]!;
    out[i] = sum;
  }
  return out;
}

/** aᵀ score. */
function backward(a: Float64Array, score: Float64Array, n: number, m: number): Float64Array {
  const out = new Float64Array(m);
  for (let i = 0; i < n; i++) {
    const s = score[i]!;
    for (let j = 0; j < m; j++) out[j]! += s * a[i * m + j]!;
  }
  return out;
}

/** Modified Gram-Schmidt, twice, in place. A direction that vanishes becomes zero. */
function orthonormalise(q: readonly Float64Array[]): void {
  q.forEach((v, c) => {
    for (let pass = 0; pass < 2; pass++)
      for (const u of q.slice(0, c)) {
        let along = 0;
        for (let j = 0; j < v.length; j++) along += u[j]! * v[j]!;
        for (let j = 0; j < v.length; j++) v[j]! -= along * u[j]!;
      }
    const length = Math.sqrt(v.reduce((sum, x) => sum + x * x, 0));
    for (let j = 0; j < v.length; j++) v[j] = length > 1e-150 ? v[j]! / length : 0;
  });
}
