/** Smooth densities from draws, for marginals and contours. */

/** A density on even points from low to high. */
export interface Density1 {
  readonly at: Float64Array;
  /** Highest value 1. */
  readonly density: Float64Array;
}

/** Points of a marginal, and along each side of a pair. */
const POINTS = 120;
const SIDE = 56;

/** A Gaussian kernel density with Scott's bandwidth (Scott 1992), mirrored at the ends, where priors are cut off. */
export function density1(draws: Float64Array, low: number, high: number): Density1 {
  const counts = new Float64Array(POINTS);
  const step = (high - low) / POINTS;
  for (const draw of draws) {
    const k = Math.floor((draw - low) / step);
    if (k >= 0 && k < POINTS) counts[k] = (counts[k] ?? 0) + 1;
  }
  const smooth = blurred(counts, POINTS, 1, bandwidth(draws, 5) / step);
  const most = smooth.reduce((all, value) => Math.max(all, value), 0) || 1;
  return {
    at: Float64Array.from({ length: POINTS }, (_, k) => low + (k + 0.5) * step),
    density: smooth.map((value) => value / most),
  };
}

/** For pairs of draws, at each point of a grid the share of them that lies where the density is higher: its contours at
 * 0.68 and 0.95 hold these shares. */
export interface Density2 {
  readonly x: Float64Array;
  readonly y: Float64Array;
  /** A row per y. */
  readonly enclosed: Float64Array;
}

/** Densities of pairs by histogram and Gaussian blur (Scott's bandwidth in two dimensions). */
export function density2(
  xs: Float64Array,
  ys: Float64Array,
  [xLow, xHigh]: readonly [number, number],
  [yLow, yHigh]: readonly [number, number],
): Density2 {
  const counts = new Float64Array(SIDE * SIDE);
  const [dx, dy] = [(xHigh - xLow) / SIDE, (yHigh - yLow) / SIDE];
  xs.forEach((x, i) => {
    const [p, q] = [Math.floor((x - xLow) / dx), Math.floor(((ys[i] ?? Number.NaN) - yLow) / dy)];
    if (p >= 0 && p < SIDE && q >= 0 && q < SIDE) counts[q * SIDE + p] = (counts[q * SIDE + p] ?? 0) + 1;
  });
  const across = blurred(counts, SIDE, 1, bandwidth(xs, 6) / dx);
  const smooth = blurred(across, SIDE, SIDE, bandwidth(ys, 6) / dy);
  const order = Uint32Array.from(smooth.keys()).sort((a, b) => (smooth[b] ?? 0) - (smooth[a] ?? 0));
  const total = smooth.reduce((sum, value) => sum + value, 0) || 1;
  const enclosed = new Float64Array(smooth.length);
  let sum = 0;
  for (const k of order) {
    sum += (smooth[k] ?? 0) / total;
    enclosed[k] = sum;
  }
  const centres = (low: number, step: number): Float64Array =>
    Float64Array.from({ length: SIDE }, (_, k) => low + (k + 0.5) * step);
  return { x: centres(xLow, dx), y: centres(yLow, dy), enclosed };
}

function bandwidth(draws: Float64Array, power: number): number {
  const mean = draws.reduce((sum, value) => sum + value, 0) / draws.length;
  const variance = draws.reduce((sum, value) => sum + (value - mean) ** 2, 0) / draws.length;
  // Draws of a chain are worth fewer independent ones.
  return Math.sqrt(variance) * Math.max(1, draws.length / 20) ** (-1 / power);
}

/** Convolves lines of `n` cells, `stride` apart, with a Gaussian of `sigma` cells, mirrored at the ends. */
function blurred(values: Float64Array, n: number, stride: number, sigma: number): Float64Array {
  const reach = Math.min(n - 1, Math.ceil(4 * sigma));
  const kernel = Float64Array.from({ length: reach + 1 }, (_, k) => Math.exp(-0.5 * (k / Math.max(sigma, 1e-9)) ** 2));
  const norm = kernel.reduce((sum, w, k) => sum + (k === 0 ? w : 2 * w), 0);
  const out = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const k = Math.floor(i / stride) % n;
    const from = i - k * stride;
    let sum = 0;
    for (let r = -reach; r <= reach; r++) {
      const at = k + r < 0 ? -1 - (k + r) : k + r >= n ? 2 * n - 1 - (k + r) : k + r;
      sum += (kernel[Math.abs(r)] ?? 0) * (values[from + at * stride] ?? 0);
    }
    out[i] = sum / norm;
  }
  return out;
}
