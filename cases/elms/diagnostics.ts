import { gaussLegendre, linearAt, SIGMA_PER_FWHM } from "../kernels/index.ts";
import { type Grid, SEPARATRIX } from "./grid.ts";

const logTimes = (count: number): readonly number[] =>
  Array.from({ length: count }, (_, i) => 0.05 * 400 ** (i / (count - 1)));
const evenRadii = (count: number, low: number, high: number): readonly number[] =>
  Array.from({ length: count }, (_, i) => low + ((high - low) * i) / (count - 1));

/** Times [ms] and radii [m] of the profiles, of the separatrix power, and of the charge-exchange diagnostic. */
export const PROFILE_TIMES = logTimes(32);
export const PROFILE_RADII = evenRadii(32, 0.42, SEPARATRIX);
export const POWER_TIMES = logTimes(250);
export const CXRS_TIMES = logTimes(25);
export const CXRS_RADII = evenRadii(10, 0.43, 0.495);

/** Full width at half maximum of the diagnostic's radial blur [m]. */
const BLUR = 5e-3;
const BLUR_RULE = gaussLegendre(24, -3, 3);

/** A profile of the cells as a function of radius: linear, with its value at the separatrix as the last point. */
export function makeSampler(grid: Grid, decay: number): (profile: Float64Array, radius: number) => number {
  const { cells, dr, centres } = grid;
  const radii = new Float64Array(cells + 1);
  radii.set(centres);
  radii[cells] = SEPARATRIX;
  const values = new Float64Array(cells + 1);
  return (profile, radius) => {
    values.set(profile);
    values[cells] = (profile[cells - 1]! * decay) / (decay + dr / 2);
    return linearAt(radii, values, radius);
  };
}

/** The same seen through the diagnostic's Gaussian blur, within the plasma. */
export function blurred(sample: (radius: number) => number, radius: number): number {
  let sum = 0;
  let weights = 0;
  BLUR_RULE.nodes.forEach((u, i) => {
    const at = radius + u * BLUR * SIGMA_PER_FWHM;
    if (at > SEPARATRIX) return;
    const weight = BLUR_RULE.weights[i]! * Math.exp(-0.5 * u * u);
    sum += weight * sample(at);
    weights += weight;
  });
  return sum / weights;
}
