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
