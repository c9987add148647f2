/** Ageing, settling and rain-out of soot. */
import type { Grid } from "./grid.ts";

const DAY = 86400;
const AGEING = 1 / (1.15 * DAY);
const DRY = 1 / (20 * DAY);
const DEGREE = Math.PI / 180;

/** Rain [mm/d] at a latitude [deg]: the tropical belt and two storm tracks. */
export function rain(lat: number): number {
  const track = (centre: number): number => Math.exp(-(((lat - centre) / 14) ** 2));
  return 1 + 5 * Math.exp(-(((lat - 6) / 9) ** 2)) + 2.2 * (track(45) + track(-48));
}

/** What one step leaves, by row: of fresh as fresh, of fresh as aged, of aged as aged. */
export interface Removal {
  readonly freshKept: number;
  readonly freshAged: Float64Array;
  readonly agedKept: Float64Array;
}

/** The exact solution over `dt` seconds of B1' = -(ageing + dry) B1, B2' = ageing B1 - (dry + wet) B2; wet = scale x 0.06 P / d. */
export function makeRemoval(grid: Grid, wetScale: number, dt: number): Removal {
  const fresh = AGEING + DRY;
  const freshKept = Math.exp(-fresh * dt);
  const aged = grid.lat.map((lat) => DRY + (wetScale * 0.06 * rain(lat / DEGREE)) / DAY);
  return {
    freshKept,
    agedKept: aged.map((rate) => Math.exp(-rate * dt)),
    // (e^-f - e^-g) / (g - f) = e^-f (1 - e^-(g - f)) / (g - f), which expm1 keeps exact where the rates meet.
    freshAged: aged.map((rate) => {
      const gap = rate - fresh;
      return AGEING * freshKept * (gap === 0 ? dt : -Math.expm1(-gap * dt) / gap);
    }),
  };
}

/** Removes in place. */
export function remove(fresh: Float64Array, aged: Float64Array, removal: Removal, grid: Grid): void {
  const { freshKept, freshAged, agedKept } = removal;
  for (let i = 0; i < grid.lats; i++) {
    for (let cell = i * grid.lons; cell < (i + 1) * grid.lons; cell++) {
      aged[cell] = agedKept[i]! * aged[cell]! + freshAged[i]! * fresh[cell]!;
      fresh[cell] = freshKept * fresh[cell]!;
    }
  }
}
