/** Straight lines through measured times. */

/** Least squares of T = intercept + slope n, weighted to the relative error. @param points at two different n at least */
export function fitLine(points: readonly (readonly [n: number, seconds: number])[]): {
  readonly slope: number;
  readonly intercept: number;
} {
  let [w, wn, wt, wnn, wnt] = [0, 0, 0, 0, 0];
  for (const [n, t] of points) {
    const weight = 1 / t ** 2;
    w += weight;
    wn += weight * n;
    wt += weight * t;
    wnn += weight * n * n;
    wnt += weight * n * t;
  }
  const slope = (w * wnt - wn * wt) / (w * wnn - wn * wn);
  return { slope, intercept: (wt - slope * wn) / w };
}
