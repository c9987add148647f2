/** How much light a gram of soot takes away. */
import { mie } from "./mie.ts";

/** Density [g/m3], wavelength [um], real part of the refractive index, median radius [um], geometric deviation. */
export const DENSITY = 1.8e6;
export const WAVELENGTH = 0.55;
export const REAL_INDEX = 1.85;
const RADIUS = 0.05;
const SIGMA = 1.6;

/** Mass absorption [m2/g] of lognormal spheres with imaginary index `k`: `radii` sizes over 4 deviations either way. */
export function massAbsorption(k: number, radii = 200): number {
  let absorbed = 0;
  let volume = 0;
  for (let i = 0; i < radii; i++) {
    const z = -4 + (8 * i) / (radii - 1);
    const r = RADIUS * SIGMA ** z;
    const number = Math.exp(-(z * z) / 2);
    const { extinction, scattering } = mie((2 * Math.PI * r) / WAVELENGTH, REAL_INDEX, k);
    absorbed += number * (extinction - scattering) * Math.PI * r * r;
    volume += (number * 4 * Math.PI * r * r * r) / 3;
  }
  // um2 / um3 = 1e6 / m.
  return (absorbed / volume) * (1e6 / DENSITY);
}
