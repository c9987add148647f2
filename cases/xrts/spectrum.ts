import {
  BOHR_RADIUS_ANGSTROM as A0,
  COULOMB_EV_ANGSTROM as E2,
  erf,
  gaussianConvolveInto,
  HBAR2_OVER_2M_EV_ANGSTROM2 as H2,
  HBAR_C_EV_ANGSTROM,
  SIGMA_PER_FWHM,
} from "../kernels/index.ts";
import { bornCollisionEnergy } from "./collisions.ts";
import { type Dielectric, makeDielectric } from "./dielectric.ts";
import { makeHypernettedChain } from "./ion-structure.ts";
import { makePlasma, type Plasma } from "./plasma.ts";

/** Photon energy of the probe [eV] and scattering angle [rad]. */
const PROBE_EV = 2960;
const ANGLE = (40 * Math.PI) / 180;
/** Wave number of the scattering [Å⁻¹] and the energy it gives a free electron at rest [eV]. */
export const WAVE_NUMBER = ((2 * PROBE_EV) / HBAR_C_EV_ANGSTROM) * Math.sin(ANGLE / 2);
export const RECOIL_EV = H2 * WAVE_NUMBER * WAVE_NUMBER;

const ELECTRONS = 4;
const INSTRUMENT_FWHM_EV = 7;
const CORE_CHARGE = 3.685;
const EDGE_EV = 115;
const EDGE_WIDTH_EV = 5;
/** Fine grid before the convolution [eV]. */
const FINE_LOW = -120;
const FINE_HIGH = 180;

/** Energy losses of the spectrum [eV]. */
export const LOSSES: readonly number[] = Array.from({ length: 250 }, (_, i) => -100 + (250 * i) / 249);

/** Free-electron structure factor S_ee(k, W) per electron [1/eV] by the fluctuation-dissipation theorem. */
export function freeStructure(plasma: Plasma, k: number, dielectric: Dielectric, w: number, nu: number): number {
  if (Math.abs(w) < 1e-6) w = 1e-3;
  dielectric.mermin(EPS, w, nu);
  const loss = EPS[1]! / (EPS[0]! * EPS[0]! + EPS[1]! * EPS[1]!);
  return ((k * k) / (4 * Math.PI * Math.PI * E2 * plasma.ne)) * (loss / -Math.expm1(-w / plasma.te));
}

const EPS = new Float64Array(2);

/** |f_I + q|² of Chihara (1987): bound electrons by a hydrogenic form factor, the screening cloud of free electrons. */
function elasticFactor({ zf, ke }: Plasma, k: number): number {
  const bound = (ELECTRONS - zf) / (1 + ((k * A0) / 7.37) ** 2) ** 2;
  const cloud = (zf * ke * ke) / (k * k + ke * ke);
  return (bound + cloud) ** 2;
}

/** Bound-free part per ion [1/eV]: impulse approximation for hydrogenic 1s electrons, its edge smoothed over 5 eV. */
function boundFree({ zf }: Plasma, k: number, w: number): number {
  const doppler = 2 * H2 * k;
  const x = ((w - RECOIL_EV) * A0) / (CORE_CHARGE * doppler);
  const profile = ((8 * A0) / (3 * Math.PI * CORE_CHARGE)) * (1 + x * x) ** -3;
  const open = 0.5 * (1 + erf((w - EDGE_EV) / EDGE_WIDTH_EV));
  return ((ELECTRONS - zf) * profile * open) / doppler;
}

/** A spectrum [1/eV] per ion, or why there is none. */
export type Spectrum =
  { readonly status: "ok"; readonly values: Float64Array } | { readonly status: "failed"; readonly reason: string };

/**
 * Simulator of the measured spectrum: elastic + free-free + bound-free parts (Chihara, J. Phys. F 17, 295 (1987)), blurred
 * by the instrument. @param resolution 1 as specified; 2 doubles every grid and rule
 */
export function makeSpectrum(resolution = 1): (te: number, neCm3: number, zf: number) => Spectrum {
  const steps = 1200 * resolution;
  const step = (FINE_HIGH - FINE_LOW) / steps;
  const zero = Math.round(-FINE_LOW / step);
  const fine = Float64Array.from({ length: steps + 1 }, (_, i) => FINE_LOW + i * step);
  const amounts = new Float64Array(steps + 1);
  const structure = makeHypernettedChain(400 * resolution);
  return (te, neCm3, zf) => {
    const plasma = makePlasma(te, neCm3, zf);
    const k = WAVE_NUMBER;
    const nu = bornCollisionEnergy(plasma, 200 * resolution);
    const dielectric = makeDielectric(plasma, k, 96 * resolution);
    const radius = Math.cbrt(3 / (4 * Math.PI * plasma.ni));
    const ions = structure((zf * zf * E2) / (radius * te), plasma.ke * radius);
    if (ions.status === "failed") return ions;
    for (let i = zero; i <= steps; i++) {
      const w = fine[i]!;
      const loss = zf * freeStructure(plasma, k, dielectric, w, nu);
      amounts[i] = step * (loss + boundFree(plasma, k, w));
      // energy gain by detailed balance
      if (2 * zero - i >= 0 && i > zero) amounts[2 * zero - i] = step * loss * Math.exp(-w / te);
    }
    amounts[zero] = amounts[zero]! + elasticFactor(plasma, k) * ions.at(k * radius);
    const values = new Float64Array(LOSSES.length);
    gaussianConvolveInto(values, LOSSES, fine, amounts, INSTRUMENT_FWHM_EV * SIGMA_PER_FWHM);
    return { status: "ok", values };
  };
}
