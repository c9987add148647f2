/** The continuous ranked probability score of normal predictions, the yardstick of everything chosen in this room. */

/** Standard normal distribution function, good to 1e-7 (Numerical Recipes §6.2.2). */
function normalCdf(z: number): number {
  const t = 1 / (1 + 0.25 * Math.SQRT2 * Math.abs(z));
  const series =
    1.00002368 +
    t *
      (0.37409196 +
        t *
          (0.09678418 +
            t *
              (-0.18628806 +
                t * (0.27886807 + t * (-1.13520398 + t * (1.48851587 + t * (-0.82215223 + t * 0.17087277)))))));
  const tail = (t / 2) * Math.exp(-0.5 * z * z - 1.26551223 + t * series);
  return z >= 0 ? 1 - tail : tail;
}

/** CRPS of N(0, std²) at `error` (Gneiting & Raftery 2007, eq. 21). @param std positive */
export function crpsNormal(error: number, std: number): number {
  const z = error / std;
  const density = Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI);
  return std * (z * (2 * normalCdf(z) - 1) + 2 * density - 1 / Math.sqrt(Math.PI));
}

/** Mean CRPS over runs, the variances times `factor`. */
export function meanCrps(errors: Float64Array, variances: Float64Array, factor = 1): number {
  let sum = 0;
  for (let i = 0; i < errors.length; i++) sum += crpsNormal(errors[i]!, Math.sqrt(variances[i]! * factor));
  return sum / errors.length;
}
