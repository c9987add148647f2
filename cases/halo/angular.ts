import { besselJ0, intervalOf } from "../kernels/index.ts";
import { comovingDistance, type Cosmology, expansion, HUBBLE_LENGTH } from "./cosmology.ts";

/** Angles of the correlation [degrees], log-spaced. */
export const ANGLES: readonly number[] = Array.from({ length: 250 }, (_, i) => 10 ** (-3 + (3 * i) / 249));

/** Redshift distribution of the galaxies: a Gaussian cut at three widths. */
const MEAN = 1;
const WIDTH = 0.15;
export const Z_LOW = MEAN - 3 * WIDTH;
export const Z_HIGH = MEAN + 3 * WIDTH;

/** Weights of the cubic through four neighbours of even spacing, at `share` between the middle two. */
function cubicWeights(share: number): readonly number[] {
  const a = share + 1;
  const b = share;
  const c = share - 1;
  const d = share - 2;
  return [-(b * c * d) / 6, (a * c * d) / 2, -(a * b * d) / 2, (a * b * c) / 6];
}

/** First of the four neighbours among `n` places, and the place of `x` among them. */
function neighbours(x: number, n: number): { first: number; share: number } {
  const first = Math.min(n - 4, Math.max(0, Math.floor(x) - 1));
  return { first, share: x - first - 1 };
}

/** Cubes of the interpolation in log k are taken of k^1.5 P, which changes slowly. */
const LEVELLING = 1.5;

/**
 * The linear map from P(k) on log-spaced `ks` to its projection S(R) = int k dk / (2 pi) P(k) J0(k R) on log-spaced radii,
 * row-major: quadrature on `fine` log-spaced k with the damping exp(-(k R / 150)²), P between the `ks` by cubics.
 */
function projection(ks: Float64Array, radii: Float64Array, fine: number): Float64Array {
  const n = ks.length;
  const map = new Float64Array(radii.length * n);
  const low = Math.log(ks[0]!);
  const span = Math.log(ks[n - 1]!) - low;
  const step = span / (fine - 1);
  for (let i = 0; i < fine; i++) {
    const k = Math.exp(low + i * step);
    const measure = ((i === 0 || i === fine - 1 ? 0.5 : 1) * step * k * k) / (2 * Math.PI);
    const { first, share } = neighbours((i * (n - 1)) / (fine - 1), n);
    const weights = cubicWeights(share).map((w, j) => w * measure * (ks[first + j]! / k) ** LEVELLING);
    for (let r = 0; r < radii.length; r++) {
      const x = k * radii[r]!;
      if (x > 900) break;
      const value = besselJ0(x) * Math.exp(-((x / 150) ** 2));
      const at = r * n + first;
      for (let j = 0; j < 4; j++) map[at + j] = map[at + j]! + weights[j]! * value;
    }
  }
  return map;
}

/**
 * Limber's projection (ApJ 117, 134 (1953)) of power spectra known at `nodes` redshifts to w(theta) at `ANGLES`. The
 * result takes one spectrum per node, on `ks`; between nodes ln P is linear in z.
 * @param resolution 1: 31 redshifts, 200 radii, 8192 wave numbers; 2: half the steps
 */
export function makeLimber(
  cosmology: Cosmology,
  nodes: Float64Array,
  ks: Float64Array,
  resolution = 1,
): (spectra: readonly Float64Array[]) => Float64Array {
  const steps = 30 * resolution;
  const zs = Float64Array.from({ length: steps + 1 }, (_, i) => Z_LOW + ((Z_HIGH - Z_LOW) * i) / steps);
  const trapezoid = zs.map((_, i) => (i === 0 || i === steps ? 0.5 : 1) * ((Z_HIGH - Z_LOW) / steps));
  const shape = zs.map((z) => Math.exp(-0.5 * ((z - MEAN) / WIDTH) ** 2));
  const total = shape.reduce((sum, n, i) => sum + n * trapezoid[i]!, 0);
  const factors = zs.map(
    (z, i) => (trapezoid[i]! * (shape[i]! / total) ** 2 * expansion(cosmology, z)) / HUBBLE_LENGTH,
  );
  const distances = zs.map((z) => comovingDistance(cosmology, z));
  const count = 200 * resolution;
  const radians = Float64Array.from(ANGLES, (degrees) => (degrees * Math.PI) / 180);
  const logLow = Math.log(distances[0]! * radians[0]!) - 0.01;
  const logStep = (Math.log(distances[steps]! * radians[249]!) + 0.01 - logLow) / (count - 1);
  const radii = Float64Array.from({ length: count }, (_, i) => Math.exp(logLow + i * logStep));
  const map = projection(ks, radii, 8192 * resolution);
  const power = new Float64Array(ks.length);
  const projected = new Float64Array(count);

  return (spectra) => {
    const w = new Float64Array(ANGLES.length);
    zs.forEach((z, at) => {
      const node = intervalOf(nodes, z);
      const share = (z - nodes[node]!) / (nodes[node + 1]! - nodes[node]!);
      const below = spectra[node]!;
      const above = spectra[node + 1]!;
      for (let i = 0; i < power.length; i++) power[i] = below[i]! * (above[i]! / below[i]!) ** share;
      for (let r = 0; r < count; r++) {
        let sum = 0;
        const row = r * power.length;
        for (let i = 0; i < power.length; i++) sum += map[row + i]! * power[i]!;
        projected[r] = sum * radii[r]!;
      }
      for (let i = 0; i < w.length; i++) {
        const radius = distances[at]! * radians[i]!;
        const { first, share: place } = neighbours((Math.log(radius) - logLow) / logStep, count);
        const c = cubicWeights(place);
        const value =
          c[0]! * projected[first]! +
          c[1]! * projected[first + 1]! +
          c[2]! * projected[first + 2]! +
          c[3]! * projected[first + 3]!;
        w[i] = w[i]! + (factors[at]! * value) / radius;
      }
    });
    return w;
  };
}
