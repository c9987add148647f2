/** X-ray pictures of the hot spot, seen along the y axis. */
import { KEV } from "./hot-spot.ts";
import type { Implosion } from "./implosion.ts";
import { halfTimes, peakOf, radiiAt, valueAt } from "./scalars.ts";
import { type Modes, radiusOf, speedMode } from "./shell.ts";

/** Photon energies of the channels [keV]. */
export const CHANNELS = [6, 9, 12, 16] as const;
/** Pixels along each side, over -60..60 um. */
export const PIXELS = 64;
const HALF_WIDTH = 60e-6;
const TIMES = 12;

/**
 * A ten-thousandth of the brightest pixel of each channel in the nominal run (all inputs in the middle of their ranges),
 * in the units of `brightness`: the same numbers for every run.
 */
export const REFERENCE: readonly number[] = [
  5.181993680817022, 2.6397905047369763, 1.4361162042386115, 0.676820401137412,
];

/** log10(1 + I / REFERENCE) of every pixel, [4, 64, 64]: channel, z up, x up. */
export function imagesOf(run: Implosion, samples = 64): Float64Array {
  const images = brightness(run, samples);
  const pixels = PIXELS * PIXELS;
  return images.map((value, i) => Math.log10(1 + value / REFERENCE[Math.floor(i / pixels)]!));
}

/**
 * Brightness of every pixel: n^2 T^-1/2 exp(-E / T), with n in 1e30 m^-3 and T in keV, summed along the ray (um) and over
 * the full width at half maximum of the x-ray power (ps, 12 equal parts). T = Tc (1 - x^2)^0.4 with x = r / R(theta, phi).
 * The hot spot is even in x and y, as its modes are, so a quarter of the samples are worked out.
 * @param samples along the ray   @returns [4, 64, 64]
 */
export function brightness(run: Implosion, samples = 64): Float64Array {
  const images = new Float64Array(CHANNELS.length * PIXELS * PIXELS);
  const rays = rayTable(run.modes, samples);
  const [start, end] = halfTimes(run.time, run.radiation, peakOf(run.time, run.radiation).value);
  const weight = ((end - start) / TIMES) * 1e12 * 2 * ((2 * HALF_WIDTH * 1e6) / samples);
  for (let i = 0; i < TIMES; i++) {
    const t = start + ((i + 0.5) / TIMES) * (end - start);
    const p = valueAt(run.time, run.pressure, t);
    expose(images, rays, run.tracerSpeeds, radiiAt(run, t), p, valueAt(run.time, run.tc, t), weight);
  }
  for (let row = 0; row < CHANNELS.length * PIXELS; row++) {
    for (let k = 0; k < PIXELS / 2; k++) images[row * PIXELS + k] = images[row * PIXELS + PIXELS - 1 - k]!;
  }
  return images;
}

/** Radius of each sample of the quarter x, y > 0, and the relative speed of the shell beyond it. */
interface RayTable {
  readonly depth: number;
  readonly radius: Float64Array;
  readonly speed: Float64Array;
}

function rayTable(modes: Modes, samples: number): RayTable {
  const depth = samples / 2;
  const count = PIXELS * (PIXELS / 2) * depth;
  const table = { depth, radius: new Float64Array(count), speed: new Float64Array(count) };
  let at = 0;
  for (let row = 0; row < PIXELS; row++) {
    const z = ((row + 0.5) / PIXELS) * 2 * HALF_WIDTH - HALF_WIDTH;
    for (let column = 0; column < PIXELS / 2; column++) {
      const x = ((column + 0.5) / PIXELS) * 2 * HALF_WIDTH;
      for (let s = 0; s < depth; s++, at++) {
        const y = ((s + 0.5) / depth) * HALF_WIDTH;
        const squared = x * x + y * y + z * z;
        table.radius[at] = Math.sqrt(squared);
        // sin^2(theta) cos(2 phi) = (x^2 - y^2) / r^2.
        table.speed[at] = speedMode(modes, z / table.radius[at]!, (x * x - y * y) / squared);
      }
    }
  }
  return table;
}

/** Adds one moment to the right half of the images. */
function expose(
  images: Float64Array,
  rays: RayTable,
  speeds: Float64Array,
  radii: Float64Array,
  p: number,
  tc: number,
  weight: number,
): void {
  const { depth, radius, speed } = rays;
  const nc = p / (2 * tc * KEV) / 1e30;
  let largest = 0;
  for (const value of radii) largest = Math.max(largest, value);
  let at = 0;
  for (let row = 0; row < PIXELS; row++) {
    for (let column = PIXELS / 2; column < PIXELS; column++) {
      const pixel = row * PIXELS + column;
      for (let s = 0; s < depth; s++, at++) {
        const r = radius[at]!;
        if (r >= largest) continue;
        const edge = radiusOf(speeds, radii, speed[at]!);
        const inside = 1 - (r / edge) ** 2;
        if (inside <= 0) continue;
        const shape = inside ** 0.4;
        const t = tc * shape;
        const n = nc / shape;
        const emitted = (weight * n * n) / Math.sqrt(t);
        for (let channel = 0; channel < 4; channel++) {
          images[channel * PIXELS * PIXELS + pixel]! += emitted * Math.exp(-CHANNELS[channel]! / t);
        }
      }
    }
  }
}
