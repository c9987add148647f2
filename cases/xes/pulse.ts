import { ELEMENTARY_CHARGE, solveBanded } from "../kernels/index.ts";
import { BAND_ABOVE, BAND_BELOW, chargeOf, ION_DENSITY, stateOf, STATES } from "./atom.ts";
import { type RateEquations } from "./rates.ts";

/** What is left after a pulse, per ion. */
export interface AfterPulse {
  /** Populations of the states. */
  readonly populations: Float64Array;
  /** Electron temperature [eV] and mean charge. */
  readonly temperature: number;
  readonly charge: number;
  /** Photons in each line of the rate equations. */
  readonly photons: Float64Array;
  /** Photons absorbed, and energy absorbed and emitted [eV]. */
  readonly absorbedPhotons: number;
  readonly absorbed: number;
  readonly emitted: number;
  /** Energy of ions and electrons at the start and at the end [eV]. */
  readonly before: number;
  readonly after: number;
}

const START_TEMPERATURE = 5;
const SWEEPS = 3;
/** Time after the pulse for the last holes to fill [s]. */
const AFTERGLOW = 60e-15;
/** Rates are taken at no less [eV]. */
const LEAST_TEMPERATURE = 0.5;

const CHARGES = Float64Array.from({ length: STATES }, (_, i) => chargeOf(i % 3, Math.floor(i / 3)));

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/**
 * Sends a Gaussian pulse through the solid: implicit Euler for the populations, the electron temperature from the energy
 * ledger (photo-electrons thermalise at once), three fixed-point sweeps a step.
 * @param peak intensity [W/cm²] @param fwhm [s] @param photon energy [eV] @param steps of time
 */
export function runPulse(
  equations: RateEquations,
  peak: number,
  fwhm: number,
  photon: number,
  steps = 700,
): AfterPulse {
  const { energies, lines } = equations;
  const start = -2.5 * fwhm;
  const step = (5 * fwhm + AFTERGLOW) / steps;
  const peakFlux = peak / (photon * ELEMENTARY_CHARGE);
  const matrix = new Float64Array(STATES * STATES);
  const p = new Float64Array(STATES);
  const next = new Float64Array(STATES);
  const photons = new Float64Array(lines.length);
  p[stateOf(2, 8)] = 1;
  let te = START_TEMPERATURE;
  let charge = dot(p, CHARGES);
  const before = 1.5 * charge * te;
  let absorbedPhotons = 0;
  let emitted = 0;
  for (let i = 0; i < steps; i++) {
    // intensity averaged over the step by Simpson's rule
    const t = start + i * step;
    const flux = (peakFlux * (gauss(t / fwhm) + 4 * gauss((t + step / 2) / fwhm) + gauss((t + step) / fwhm))) / 6;
    let taken = 0;
    let given = 0;
    for (let sweep = 0; sweep < SWEEPS; sweep++) {
      matrix.fill(0);
      for (let s = 0; s < STATES; s++) matrix[s * STATES + s] = 1;
      equations.subtractInto(matrix, step, flux, Math.max(LEAST_TEMPERATURE, te), ION_DENSITY * charge);
      next.set(p);
      solveBanded(matrix, next, BAND_BELOW, BAND_ABOVE);
      taken = step * equations.absorption(next, flux);
      given = 0;
      for (const { from, rate, energy } of lines) given += step * rate * energy * next[from]!;
      charge = dot(next, CHARGES);
      const heat = before + (absorbedPhotons + taken) * photon - (emitted + given) - dot(next, energies);
      te = heat / (1.5 * charge);
    }
    p.set(next);
    absorbedPhotons += taken;
    emitted += given;
    for (let j = 0; j < lines.length; j++) photons[j] = photons[j]! + step * lines[j]!.rate * p[lines[j]!.from]!;
  }
  const after = 1.5 * charge * te + dot(p, energies);
  const absorbed = absorbedPhotons * photon;
  return { populations: p, temperature: te, charge, photons, absorbedPhotons, absorbed, emitted, before, after };
}

/** Gaussian of full width 1 at half maximum. */
function gauss(x: number): number {
  return Math.exp(-4 * Math.LN2 * x * x);
}
