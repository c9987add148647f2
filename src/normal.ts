/** The standard normal distribution, and the score of normal forecasts. Imports nothing and serves all rooms. */

/** Standard normal density. */
export function normalDensity(z: number): number {
  return Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI);
}

/** Standard normal distribution function, to 1e-15: the series of Marsaglia 2004, J. Stat. Software 11(4). */
export function normalDistribution(z: number): number {
  if (Math.abs(z) > 8.3) return z > 0 ? 1 : 0;
  let sum = z;
  let before = 0;
  let term = z;
  for (let i = 3; sum !== before; i += 2) {
    before = sum;
    term *= (z * z) / i;
    sum += term;
  }
  return 0.5 + sum * normalDensity(z);
}

/** CRPS of a Gaussian forecast (Gneiting & Raftery 2007, eq. 21). @param error prediction - truth */
export function gaussianCrps(error: number, std: number): number {
  if (!(std > 0)) return Math.abs(error);
  const z = error / std;
  return std * (z * (2 * normalDistribution(z) - 1) + 2 * normalDensity(z) - 1 / Math.sqrt(Math.PI));
}

/** The quantile of the standard normal: Newton's steps from a rough start, to 1e-12. @param p above 0 and below 1 */
export function normalQuantile(p: number): number {
  // Start: Abramowitz & Stegun 26.2.22, good to 3e-3.
  const tail = Math.min(p, 1 - p);
  const t = Math.sqrt(-2 * Math.log(tail));
  let z = t - (2.30753 + 0.27061 * t) / (1 + t * (0.99229 + 0.04481 * t));
  for (let i = 0; i < 6; i++) z += (1 - normalDistribution(z) - tail) / normalDensity(z);
  return p < 0.5 ? -z : z;
}
