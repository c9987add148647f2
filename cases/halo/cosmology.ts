import { gaussLegendre } from "../kernels/index.ts";

/** A flat universe of matter and a cosmological constant. */
export interface Cosmology {
  readonly matter: number;
  readonly baryons: number;
  readonly hubble: number;
  readonly tilt: number;
  readonly sigma8: number;
}

/** The fixed cosmology of the case (Planck 2015 values). */
export const PLANCK: Cosmology = { matter: 0.3089, baryons: 0.0486, hubble: 0.6774, tilt: 0.9667, sigma8: 0.8159 };

/** c / H0 [Mpc/h]. */
export const HUBBLE_LENGTH = 2997.92458;
/** Critical density today [(Msun/h) / (Mpc/h)³]. */
const CRITICAL_DENSITY = 2.77536627e11;

const RULE = gaussLegendre(64, 0, 1);

/** H(z) / H0. */
export function expansion({ matter }: Cosmology, z: number): number {
  return Math.sqrt(matter * (1 + z) ** 3 + 1 - matter);
}

/** Comoving distance [Mpc/h]. */
export function comovingDistance(cosmology: Cosmology, z: number): number {
  let sum = 0;
  for (let i = 0; i < 64; i++) sum += (RULE.weights[i]! * z) / expansion(cosmology, z * RULE.nodes[i]!);
  return HUBBLE_LENGTH * sum;
}

/** Linear growth D(z), 1 today: E(z) int_z^inf (1 + x) / E(x)³ dx, with x = 1/a - 1 and a = t². */
export function growth(cosmology: Cosmology, z: number): number {
  return growing(cosmology, z) / growing(cosmology, 0);
}

function growing(cosmology: Cosmology, z: number): number {
  const edge = Math.sqrt(1 / (1 + z));
  let sum = 0;
  for (let i = 0; i < 64; i++) {
    const t = edge * RULE.nodes[i]!;
    const a = t * t;
    sum += RULE.weights[i]! * edge * 2 * t * (a / (cosmology.matter + (1 - cosmology.matter) * a ** 3)) ** 1.5;
  }
  return expansion(cosmology, z) * sum;
}

/** Mean matter density, comoving [(Msun/h) / (Mpc/h)³]. */
export function matterDensity({ matter }: Cosmology): number {
  return CRITICAL_DENSITY * matter;
}

/** Radius [Mpc/h] of the uniform sphere of mass `mass` [Msun/h]. */
export function sphereRadius(cosmology: Cosmology, mass: number): number {
  return Math.cbrt((3 * mass) / (4 * Math.PI * matterDensity(cosmology)));
}

/** Transfer function without baryon wiggles (Eisenstein & Hu, ApJ 496, 605 (1998), eqs. 26, 28-31); k in h/Mpc. */
export function transfer({ matter, baryons, hubble }: Cosmology, k: number): number {
  const theta = 2.7255 / 2.7;
  const wm = matter * hubble * hubble;
  const wb = baryons * hubble * hubble;
  const share = baryons / matter;
  const horizon = (44.5 * Math.log(9.83 / wm)) / Math.sqrt(1 + 10 * wb ** 0.75);
  const alpha = 1 - 0.328 * Math.log(431 * wm) * share + 0.38 * Math.log(22.3 * wm) * share * share;
  const shape = matter * hubble * (alpha + (1 - alpha) / (1 + (0.43 * k * hubble * horizon) ** 4));
  const q = (k * theta * theta) / shape;
  const l = Math.log(2 * Math.E + 1.8 * q);
  return l / (l + (14.2 + 731 / (1 + 62.5 * q)) * q * q);
}

/** Linear matter power and the fluctuations it gives, today. */
export interface LinearPower {
  /** P(k) [(Mpc/h)³], k in h/Mpc. */
  readonly at: (k: number) => number;
  /** Root mean square of the density in spheres of `radius` [Mpc/h]. */
  readonly sigma: (radius: number) => number;
}

/** P(k) = A k^ns T(k)², normalised to sigma8 by the same quadrature that `sigma` uses. @param points of log k */
export function linearPower(cosmology: Cosmology, points = 4000): LinearPower {
  const low = Math.log(1e-5);
  const step = (Math.log(1e4) - low) / (points - 1);
  const ks = Float64Array.from({ length: points }, (_, i) => Math.exp(low + i * step));
  const shape = (k: number): number => k ** cosmology.tilt * transfer(cosmology, k) ** 2;
  const terms = ks.map((k) => (k ** 3 * shape(k) * step) / (2 * Math.PI * Math.PI));
  const variance = (radius: number): number => {
    let sum = 0;
    for (let i = 0; i < points; i++) {
      const x = ks[i]! * radius;
      const window = x < 0.05 ? 1 - (x * x) / 10 : (3 * (Math.sin(x) - x * Math.cos(x))) / x ** 3;
      sum += terms[i]! * window * window;
    }
    return sum;
  };
  const amplitude = cosmology.sigma8 ** 2 / variance(8);
  return { at: (k) => amplitude * shape(k), sigma: (radius) => Math.sqrt(amplitude * variance(radius)) };
}
