/**
 * Warped axes of inputs. A design covers an input evenly, the response need not: near zero a length or a rate may matter by its
 * order of magnitude. A place u on the axis, 0 and 1 at the ends of its range, moves to log(1 + (e^c - 1) u) / c: the curvature
 * c > 0 widens the low end (at 5 it is nearly the logarithm over a ratio of 150), c < 0 the high end, 0 changes nothing (input
 * warping: Snoek, Swersky, Zemel & Adams 2014, with one parameter for their two). Beyond the ends it goes on straight.
 */

/** The axis of one input: the range that becomes 0 to 1, after a logarithm where one is taken, and the curvature. */
export interface Warp {
  readonly low: number;
  readonly high: number;
  readonly curvature: number;
}

/** Slopes at the ends of the axis, 0 and 1. */
export function endSlopes(curvature: number): readonly [number, number] {
  const rise = Math.expm1(curvature);
  return [rise / curvature, rise / curvature / (1 + rise)];
}

/** Where a place on the axis moves to. */
export function warpPlace(u: number, curvature: number): number {
  if (curvature === 0) return u;
  const inside = Math.min(Math.max(u, 0), 1);
  const [first, last] = endSlopes(curvature);
  return Math.log1p(Math.expm1(curvature) * inside) / curvature + (u - inside) * (u < inside ? first : last);
}

/** Derivative of {@link warpPlace} by the curvature, for u from 0 to 1. */
export function warpSensitivity(u: number, curvature: number): number {
  if (Math.abs(curvature) < 1e-4) return (u - u * u) / 2;
  const rise = Math.expm1(curvature);
  return (((rise + 1) * u) / (1 + rise * u) - Math.log1p(rise * u) / curvature) / curvature;
}

/** The way back. */
export function unwarpPlace(w: number, curvature: number): number {
  if (curvature === 0) return w;
  const inside = Math.min(Math.max(w, 0), 1);
  const [first, last] = endSlopes(curvature);
  return Math.expm1(curvature * inside) / Math.expm1(curvature) + (w - inside) / (w < inside ? first : last);
}

/** A value on its warped axis. */
export function toWarped({ low, high, curvature }: Warp, value: number): number {
  return warpPlace((value - low) / (high - low), curvature);
}

/** The way back. */
export function fromWarped({ low, high, curvature }: Warp, place: number): number {
  return low + (high - low) * unwarpPlace(place, curvature);
}
