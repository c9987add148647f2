/** Linear overdensity at collapse. */
export const COLLAPSE = 1.686;

/** Tinker et al., ApJ 688, 709 (2008): f(sigma) at 200 times the mean density and redshift z (their table 2, eqs. 3-8). */
export function tinkerMultiplicity(sigma: number, z: number): number {
  const amplitude = 0.186 * (1 + z) ** -0.14;
  const a = 1.47 * (1 + z) ** -0.06;
  const b = 2.57 * (1 + z) ** -(10 ** -((0.75 / Math.log10(200 / 75)) ** 1.2));
  return amplitude * ((sigma / b) ** -a + 1) * Math.exp(-1.19 / (sigma * sigma));
}

/** Tinker et al., ApJ 724, 878 (2010): large-scale bias at 200 times the mean density (their eq. 6, table 2). */
export function tinkerBias(sigma: number): number {
  const nu = COLLAPSE / sigma;
  const y = Math.log10(200);
  const tail = Math.exp(-((4 / y) ** 4));
  const a = 0.44 * y - 0.88;
  const c = 0.019 + 0.107 * y + 0.19 * tail;
  return 1 - ((1 + 0.24 * y * tail) * nu ** a) / (nu ** a + COLLAPSE ** a) + 0.183 * nu ** 1.5 + c * nu ** 2.4;
}

/** Sheth & Tormen, MNRAS 308, 119 (1999): f per ln nu, whose integral is 1. For checks: all mass lies in haloes. */
export function shethTormenMultiplicity(nu: number): number {
  const v = 0.707 * nu * nu;
  return 0.3222 * (1 + v ** -0.3) * Math.sqrt((2 * v) / Math.PI) * Math.exp(-v / 2);
}

/** The bias that belongs to it by the peak-background split: matter is unbiased. */
export function shethTormenBias(nu: number): number {
  const v = 0.707 * nu * nu;
  return 1 + (v - 1) / COLLAPSE + 0.6 / COLLAPSE / (1 + v ** 0.3);
}
