import { LIGHT_SPEED } from "../kernels/index.ts";
import { type StructureFactor } from "./structure-factor.ts";

/** Probe wavelength [nm] and its frequency [rad/s]. */
export const PROBE_NM = 526.5;
export const PROBE_FREQUENCY = (2 * Math.PI * LIGHT_SPEED) / (PROBE_NM * 1e-9);

/** Scattering in one direction, seen per wavelength of the scattered light. */
export interface Scattering {
  /** Scattered power per nm, 2 pi times the share of the light per electron: S(k, w) |dw/dlam| (1 + 2w/w0) [1/nm]. */
  readonly perNm: (nm: number) => number;
  /** eps(k, w) at scattered wavelength `nm`, to out[0] + i out[1]. */
  readonly permittivityInto: (out: Float64Array, nm: number) => void;
}

/** Scattering by `angle` [rad]: both wave vectors are those of light in the plasma, so k follows the wavelength. */
export function makeScattering(factor: StructureFactor, angle: number): Scattering {
  const wp2 = factor.plasmaFrequencySquared;
  const ki = Math.sqrt(PROBE_FREQUENCY ** 2 - wp2) / LIGHT_SPEED;
  const cosine = Math.cos(angle);
  const waveNumber = (ws: number): number => {
    const ks = Math.sqrt(Math.max(0, ws * ws - wp2)) / LIGHT_SPEED;
    return Math.sqrt(ki * ki + ks * ks - 2 * ki * ks * cosine);
  };
  return {
    perNm: (nm) => {
      const ws = (2 * Math.PI * LIGHT_SPEED) / (nm * 1e-9);
      const w = ws - PROBE_FREQUENCY;
      return factor.at(waveNumber(ws), w) * (ws / nm) * (1 + (2 * w) / PROBE_FREQUENCY);
    },
    permittivityInto: (out, nm) => {
      const ws = (2 * Math.PI * LIGHT_SPEED) / (nm * 1e-9);
      factor.permittivityInto(out, waveNumber(ws), ws - PROBE_FREQUENCY);
    },
  };
}
