/** What the seasons do to the column. */
import type { Column } from "./column.ts";

/** Days of the model's year. */
export const YEAR = 360;
const SECONDS = 86400;
const DEEP_TEMPERATURE = 6;
/** Share of the short-wave light that plants use. */
const PAR = 0.4;

/** The state of the seasons, filled by `forcingAt`. */
export interface Forcing {
  /** Light for plants at the surface, mean of the day [W/m2]. */
  par: number;
  /** Light part of the day [d]. */
  dayLength: number;
  surfaceTemperature: number;
  /** Temperature at the layers' centres [deg C]. */
  readonly temperature: Float64Array;
  /** Vertical diffusivity at the faces [m2/d]; 0 at the surface and the bottom. */
  readonly diffusivity: Float64Array;
}

/** Forcing to be filled for a column of `layers` layers. */
export function emptyForcing(layers: number): Forcing {
  return {
    par: 0,
    dayLength: 0,
    surfaceTemperature: 0,
    temperature: new Float64Array(layers),
    diffusivity: new Float64Array(layers + 1),
  };
}

/** Fills `out` for `day` of the year, which has 360: a temperate sea with deep mixing in late winter. */
export function forcingAt(out: Forcing, column: Column, day: number): void {
  const phase = (2 * Math.PI * day) / YEAR;
  const mixed = 25 + 275 * ((1 + Math.cos(phase - Math.PI / 4)) / 2) ** 3;
  out.par = PAR * (150 - 100 * Math.cos(phase + Math.PI / 18));
  out.dayLength = 0.5 - 0.15 * Math.cos(phase + Math.PI / 18);
  out.surfaceTemperature = 14 - 4 * Math.cos(phase - (5 * Math.PI) / 18);
  const { centres, faces } = column;
  for (let k = 0; k < centres.length; k++) {
    const below = Math.max(0, centres[k]! - mixed);
    out.temperature[k] = DEEP_TEMPERATURE + (out.surfaceTemperature - DEEP_TEMPERATURE) * Math.exp(-below / 300);
    if (k > 0) out.diffusivity[k] = SECONDS * (1e-4 + 1e-2 * (1 - Math.tanh((faces[k]! - mixed) / 10)));
  }
}

const A = [2.00907, 3.22014, 4.0501, 4.94457, -0.256847, 3.88767] as const;
const B = [-6.24523e-3, -7.37614e-3, -1.0341e-2, -8.17083e-3] as const;
const C0 = -4.88682e-7;

/** Oxygen in equilibrium with the air [mmol/m3] at `t` deg C and salinity `s`: Garcia & Gordon (1992), ml/l to mmol/m3. */
export function oxygenSaturation(t: number, s = 35): number {
  const x = Math.log((298.15 - t) / (273.15 + t));
  const polynomial = (terms: readonly number[]): number => terms.reduceRight((sum, term) => sum * x + term, 0);
  return (Math.exp(polynomial(A) + s * polynomial(B) + C0 * s * s) * 1e6) / 22391.6;
}
