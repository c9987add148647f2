/** Index i of the interval xs[i] <= x < xs[i+1] of increasing `xs`, clamped to the first and last interval. */
export function intervalOf(xs: Float64Array, x: number): number {
  let low = 0;
  let high = xs.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (xs[middle]! <= x) low = middle;
    else high = middle;
  }
  return low;
}

/** Piecewise linear interpolation of (xs, ys) at x; constant outside. @param xs increasing, at least 2 */
export function linearAt(xs: Float64Array, ys: Float64Array, x: number): number {
  const i = intervalOf(xs, x);
  const share = Math.min(1, Math.max(0, (x - xs[i]!) / (xs[i + 1]! - xs[i]!)));
  return ys[i]! + share * (ys[i + 1]! - ys[i]!);
}

/**
 * Monotone piecewise cubic through (xs, ys): C1, no overshoot (Fritsch & Butland, SIAM J. Sci. Stat. Comput. 5, 300,
 * 1984), constant outside. @param xs increasing, at least 2
 */
export function monotoneCubic(xs: Float64Array, ys: Float64Array): (x: number) => number {
  const n = xs.length;
  const slopes = new Float64Array(n);
  const secant = (i: number): number => (ys[i + 1]! - ys[i]!) / (xs[i + 1]! - xs[i]!);
  slopes[0] = secant(0);
  slopes[n - 1] = secant(n - 2);
  for (let i = 1; i < n - 1; i++) {
    const before = secant(i - 1);
    const after = secant(i);
    if (before * after <= 0) continue;
    const left = xs[i]! - xs[i - 1]!;
    const right = xs[i + 1]! - xs[i]!;
    slopes[i] = (3 * (left + right)) / ((2 * right + left) / before + (right + 2 * left) / after);
  }
  return (x) => {
    if (x <= xs[0]!) return ys[0]!;
    if (x >= xs[n - 1]!) return ys[n - 1]!;
    const i = intervalOf(xs, x);
    const h = xs[i + 1]! - xs[i]!;
    const t = (x - xs[i]!) / h;
    const rise = ys[i + 1]! - ys[i]!;
    return ys[i]! + rise * t * t * (3 - 2 * t) + h * t * (1 - t) * (slopes[i]! * (1 - t) - slopes[i + 1]! * t);
  };
}

/** Bilinear interpolation of a rows × columns grid at fractional indices (row, column), clamped to the grid. */
export function bilinearAt(grid: Float64Array, rows: number, columns: number, row: number, column: number): number {
  const r = Math.min(rows - 1, Math.max(0, row));
  const c = Math.min(columns - 1, Math.max(0, column));
  const i = Math.min(Math.max(0, rows - 2), Math.floor(r));
  const j = Math.min(Math.max(0, columns - 2), Math.floor(c));
  const down = r - i;
  const right = c - j;
  const below = Math.min(rows - 1, i + 1) * columns;
  const beside = Math.min(columns - 1, j + 1);
  const top = grid[i * columns + j]! * (1 - right) + grid[i * columns + beside]! * right;
  const bottom = grid[below + j]! * (1 - right) + grid[below + beside]! * right;
  return top * (1 - down) + bottom * down;
}
