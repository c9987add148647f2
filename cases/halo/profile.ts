import { sineCosineIntegralInto } from "../kernels/index.ts";
import { type Cosmology, matterDensity } from "./cosmology.ts";

/** Concentration of a halo of `mass` [Msun/h] (Duffy et al., MNRAS 390, L64 (2008), 200 times the mean density). */
export function concentration(mass: number, z: number): number {
  return 10.14 * (mass / 2e12) ** -0.081 * (1 + z) ** -1.01;
}

/** Comoving radius [Mpc/h] within which the density is 200 times the mean. */
export function haloRadius(cosmology: Cosmology, mass: number): number {
  return Math.cbrt((3 * mass) / (800 * Math.PI * matterDensity(cosmology)));
}

const near = new Float64Array(2);
const far = new Float64Array(2);

/** Fourier transform of the truncated Navarro-Frenk-White profile, 1 at k = 0 (Cooray & Sheth 2002, eq. 81). @param x k r_s */
export function profileTransform(x: number, c: number): number {
  sineCosineIntegralInto(near, x);
  sineCosineIntegralInto(far, (1 + c) * x);
  const sum = Math.sin(x) * (far[0]! - near[0]!) - Math.sin(c * x) / ((1 + c) * x) + Math.cos(x) * (far[1]! - near[1]!);
  return sum / (Math.log(1 + c) - c / (1 + c));
}
