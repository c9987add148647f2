import { ATOMIC_MASS_UNIT, ELECTRON_MASS } from "../kernels/index.ts";
import { makePairSolver } from "./pair-solver.ts";
import { DENSITY_DECAY, type Grid } from "./grid.ts";

const COULOMB_LOGARITHM = 15;
const DEUTERON_MASS = 2.014 * ATOMIC_MASS_UNIT;

/** What moves heat in one step; powers in eV/s. */
export interface HeatDrive {
  /** Heat diffusivity of ions and electrons at faces [m²/s]. */
  readonly chiIons: Float64Array;
  readonly chiElectrons: Float64Array;
  /** Power through the inner face. */
  readonly ions: number;
  readonly electrons: number;
  /** Decay lengths of the temperatures at the separatrix [m]. */
  readonly decayIons: number;
  readonly decayElectrons: number;
  /** 1 for collisional exchange between ions and electrons, 0 for none. */
  readonly exchange: number;
}

/** Electron collision time [s] at `te` [eV], `n` [1/m³] (Wesson, Tokamaks, §2.15). */
export function collisionTime(te: number, n: number): number {
  return (1.09e16 * (Math.max(te, 1) / 1000) ** 1.5) / (n * COULOMB_LOGARITHM);
}

/**
 * Share of the outer cell in the temperature that flow carries through a face: half where conduction outweighs it (second
 * order; always so in this case), upwind where it does not.
 */
function shareAhead(carried: number, conduction: number): number {
  if (Math.abs(carried) < 2 * conduction) return 0.5;
  return carried > 0 ? 0 : 1;
}

/** One step of both temperatures: returns the power through the separatrix [eV/s]. */
export type HeatStep = (
  ti: Float64Array,
  te: Float64Array,
  nBefore: Float64Array,
  n: Float64Array,
  flux: Float64Array,
  dt: number,
  drive: HeatDrive,
) => number;

/**
 * Backward-Euler steps of (3/2) d(n T)/dt = -(1/r) d_r [r (-n chi d_r T + (5/2) G T)] +- (3 m_e/m_D) (n/tau_e) (Te - Ti) by
 * finite volumes, hybrid convection. Both temperatures [eV] are solved together, advanced in place; tau_e is of the old Te.
 */
export function makeHeatStep(grid: Grid): HeatStep {
  const { cells, dr, areas, volumes } = grid;
  const solver = makePairSolver(cells);
  const { lower, upper, first, second, coupling, rhsFirst, rhsSecond } = solver;

  /** Fills one species' rows; returns its power out per eV in the last cell. */
  function fill(
    species: 0 | 1,
    t: Float64Array,
    nBefore: Float64Array,
    n: Float64Array,
    flux: Float64Array,
    dt: number,
    chi: Float64Array,
    decay: number,
    power: number,
  ): number {
    const diagonal = species === 0 ? first : second;
    const rhs = species === 0 ? rhsFirst : rhsSecond;
    const low = lower[species];
    const up = upper[species];
    const last = cells - 1;
    // density and temperature fall linearly over the last half cell, so that the boundary is of second order too
    const shrunk = (length: number): number => (length === Infinity ? 1 : length / (length + dr / 2));
    const conducted = (shrunk(DENSITY_DECAY) * n[last]! * chi[cells]!) / (decay + dr / 2);
    const out = areas[cells]! * (conducted + 2.5 * Math.max(0, flux[cells]!) * shrunk(decay));
    for (let i = 0; i < cells; i++) {
      let own = (1.5 * volumes[i]! * n[i]!) / dt;
      low[i] = 0;
      up[i] = 0;
      if (i > 0) {
        const conduction = (areas[i]! * 0.5 * (n[i - 1]! + n[i]!) * chi[i]!) / dr;
        const carried = 2.5 * areas[i]! * flux[i]!;
        const ahead = shareAhead(carried, conduction);
        low[i] = -conduction - (1 - ahead) * carried;
        own += conduction - ahead * carried;
      }
      if (i < last) {
        const conduction = (areas[i + 1]! * 0.5 * (n[i]! + n[i + 1]!) * chi[i + 1]!) / dr;
        const carried = 2.5 * areas[i + 1]! * flux[i + 1]!;
        const ahead = shareAhead(carried, conduction);
        up[i] = -conduction + ahead * carried;
        own += conduction + (1 - ahead) * carried;
      } else own += out;
      diagonal[i] = own;
      rhs[i] = (1.5 * volumes[i]! * nBefore[i]! * t[i]!) / dt + (i === 0 ? power : 0);
    }
    return out;
  }

  return (ti, te, nBefore, n, flux, dt, drive) => {
    const outIons = fill(0, ti, nBefore, n, flux, dt, drive.chiIons, drive.decayIons, drive.ions);
    const outElectrons = fill(1, te, nBefore, n, flux, dt, drive.chiElectrons, drive.decayElectrons, drive.electrons);
    const ratio = (drive.exchange * 3 * ELECTRON_MASS) / DEUTERON_MASS;
    for (let i = 0; i < cells; i++) coupling[i] = (ratio * volumes[i]! * n[i]!) / collisionTime(te[i]!, n[i]!);
    solver.solveInto(ti, te);
    return outIons * ti[cells - 1]! + outElectrons * te[cells - 1]!;
  };
}
