/** The shell as points in solid angle: Gauss nodes in the cosine of the polar angle, even steps around the axis. */
import { gaussLegendre } from "../kernels/index.ts";

/** Elements j = i phis + k at cosine i and azimuth k; lengths are cosines.length x phis. */
export interface Directions {
  readonly cosines: Float64Array;
  readonly phis: number;
  /** Solid angle of each element, summing to 4 pi. */
  readonly solidAngle: Float64Array;
}

/** `thetas` Gauss nodes in cos(theta), from -1 up, by `phis` azimuths at (k + 1/2) 2 pi / phis. */
export function directions(thetas: number, phis: number): Directions {
  const { nodes, weights } = gaussLegendre(thetas);
  const solidAngle = new Float64Array(thetas * phis);
  for (let i = 0; i < thetas; i++) solidAngle.fill((weights[i]! * 2 * Math.PI) / phis, i * phis, (i + 1) * phis);
  return { cosines: Float64Array.from(nodes), phis, solidAngle };
}

/** Azimuth k [rad]. */
export function azimuth(k: number, phis: number): number {
  return ((k + 0.5) * 2 * Math.PI) / phis;
}

/** Shape modes of the shell's speed. */
export interface Modes {
  readonly a10: number;
  readonly a20: number;
  readonly a22: number;
}

/** Relative speed 1 + a10 c + a20 P2(c) + a22 (1 - c^2) cos 2 phi of each element. */
export function elementSpeeds(grid: Directions, modes: Modes): Float64Array {
  const { cosines, phis } = grid;
  const speeds = new Float64Array(cosines.length * phis);
  cosines.forEach((c, i) => {
    for (let k = 0; k < phis; k++) {
      speeds[i * phis + k] = speedMode(modes, c, (1 - c * c) * Math.cos(2 * azimuth(k, phis)));
    }
  });
  return speeds;
}

/** Relative speed of a direction, from its cosine and (1 - c^2) cos 2 phi. */
export function speedMode(modes: Modes, c: number, across: number): number {
  return 1 + modes.a10 * c + (modes.a20 * (3 * c * c - 1)) / 2 + modes.a22 * across;
}

/**
 * Relative speeds of `count` tracers, evenly from the slowest to the fastest direction on the sphere. An element's path
 * depends on its relative speed alone, as pressure is common to all, so tracers tell the radius in every direction.
 */
export function tracerSpeeds(modes: Modes, count: number): Float64Array {
  const steps = 400;
  let slowest = Infinity;
  let fastest = -Infinity;
  for (let i = 0; i <= steps; i++) {
    const c = (2 * i) / steps - 1;
    for (const side of [-1, 1]) {
      const speed = speedMode(modes, c, side * (1 - c * c));
      slowest = Math.min(slowest, speed);
      fastest = Math.max(fastest, speed);
    }
  }
  const width = Math.max(fastest - slowest, 1e-6);
  return Float64Array.from({ length: count }, (_, i) => slowest + (width * i) / (count - 1));
}

/** Radius of the direction of relative speed `speed`, by straight lines between tracers. */
export function radiusOf(speeds: Float64Array, radii: Float64Array, speed: number): number {
  const last = speeds.length - 1;
  const place = ((speed - speeds[0]!) / (speeds[last]! - speeds[0]!)) * last;
  const i = Math.min(last - 1, Math.max(0, Math.floor(place)));
  return radii[i]! + (place - i) * (radii[i + 1]! - radii[i]!);
}
