import {
  ATOMIC_MASS_UNIT,
  ELECTRON_MASS,
  ELEMENTARY_CHARGE,
  faddeevaInto,
  VACUUM_PERMITTIVITY,
} from "../kernels/index.ts";

const ROOT_PI = Math.sqrt(Math.PI);
const ION_MASS = 26.98 * ATOMIC_MASS_UNIT;

/** A plasma of aluminium ions and drifting electrons. */
export interface ScatteringPlasma {
  /** Electron density [cm⁻³]. */
  readonly ne: number;
  /** Electron and ion temperature [eV]. */
  readonly te: number;
  readonly ti: number;
  /** Charge of the ions. */
  readonly z: number;
  /** Drift of the electrons along k, over their thermal speed sqrt(2 Te / m). */
  readonly drift: number;
}

/** Dynamic structure factor S(k, w) of one plasma; k in rad/m, w in rad/s. */
export interface StructureFactor {
  /** Electron plasma frequency squared [rad²/s²]. */
  readonly plasmaFrequencySquared: number;
  /** Debye length of the electrons [m]. */
  readonly debyeLength: number;
  /** Thermal speeds sqrt(2T/m) of electrons and ions [m/s]. */
  readonly electronSpeed: number;
  readonly ionSpeed: number;
  /** S(k, w) [s]. */
  readonly at: (k: number, w: number) => number;
  /** Longitudinal permittivity eps(k, w), to out[0] + i out[1]. */
  readonly permittivityInto: (out: Float64Array, k: number, w: number) => void;
}

/**
 * Collisionless S(k, w) of Maxwellian electrons and ions (Froula, Glenzer, Luhmann & Sheffield, Plasma Scattering of
 * Electromagnetic Radiation, 2nd ed., eq. 5.1.2): the electrons' own fluctuations screened by everything, and the ions'
 * dressed by the electrons.
 */
export function makeStructureFactor({ ne, te, ti, z, drift }: ScatteringPlasma): StructureFactor {
  const density = ne * 1e6;
  const plasmaFrequencySquared = (density * ELEMENTARY_CHARGE ** 2) / (VACUUM_PERMITTIVITY * ELECTRON_MASS);
  const debyeLength = Math.sqrt((VACUUM_PERMITTIVITY * te) / (density * ELEMENTARY_CHARGE));
  const electronSpeed = Math.sqrt((2 * te * ELEMENTARY_CHARGE) / ELECTRON_MASS);
  const ionSpeed = Math.sqrt((2 * ti * ELEMENTARY_CHARGE) / ION_MASS);
  const ratio = (z * te) / ti;
  const plasma = new Float64Array(2);
  let eRe = 0;
  let eIm = 0;
  let epsRe = 0;
  let epsIm = 0;
  let xe = 0;
  let xi = 0;

  function susceptibilities(k: number, w: number): void {
    const alpha2 = 1 / (k * debyeLength) ** 2;
    xe = w / (k * electronSpeed) - drift;
    xi = w / (k * ionSpeed);
    dispersionInto(plasma, xe);
    eRe = alpha2 * plasma[0]!;
    eIm = alpha2 * plasma[1]!;
    dispersionInto(plasma, xi);
    epsRe = 1 + eRe + alpha2 * ratio * plasma[0]!;
    epsIm = eIm + alpha2 * ratio * plasma[1]!;
  }

  return {
    plasmaFrequencySquared,
    debyeLength,
    electronSpeed,
    ionSpeed,
    at: (k, w) => {
      susceptibilities(k, w);
      const size = epsRe * epsRe + epsIm * epsIm;
      const free = (epsRe - eRe) ** 2 + (epsIm - eIm) ** 2;
      const dressed = eRe * eRe + eIm * eIm;
      const electrons = (free / size / electronSpeed) * Math.exp(-xe * xe);
      const ions = ((z * dressed) / size / ionSpeed) * Math.exp(-xi * xi);
      return ((2 * ROOT_PI) / k) * (electrons + ions);
    },
    permittivityInto: (out, k, w) => {
      susceptibilities(k, w);
      out[0] = epsRe;
      out[1] = epsIm;
    },
  };
}

/**
 * Ion-acoustic speed over sqrt(2 Te / m) at wave number `k` [rad/m]: c_s² = (Z Te alpha² / (1 + alpha²) + 3 Ti) / M. A drift
 * beyond it makes the waves grow, and then no stationary S(k, w) exists.
 */
export function soundOverElectronSpeed(plasma: ScatteringPlasma, k: number): number {
  const alpha2 = 1 / (k * makeStructureFactor(plasma).debyeLength) ** 2;
  const energy = (plasma.z * plasma.te * alpha2) / (1 + alpha2) + 3 * plasma.ti;
  return Math.sqrt((energy * ELECTRON_MASS) / (2 * plasma.te * ION_MASS));
}

/** 1 + i sqrt(pi) x w(x) for real x; far out by its asymptotic series, where the sum would cancel. */
function dispersionInto(out: Float64Array, x: number): void {
  if (Math.abs(x) > 12) {
    const s = 1 / (2 * x * x);
    out[0] = -s * (1 + s * (3 + s * (15 + s * (105 + s * 945))));
    out[1] = ROOT_PI * x * Math.exp(-x * x);
    return;
  }
  faddeevaInto(out, x, 0);
  out[0] = 1 - ROOT_PI * x * out[1]!;
  // on the real axis Re w = exp(-x²) exactly: the rational expansion's 1e-13 would drown Landau damping
  out[1] = ROOT_PI * x * Math.exp(-x * x);
}
