import { expint1Scaled } from "../kernels/index.ts";
import { LEAST_THRESHOLD, stateEnergies, stateOf, STATES } from "./atom.ts";

/** What drives the ions and which processes run, apart from the electrons' own state. */
export interface Drive {
  /** Photon energy [eV] and relative bandwidth of the laser. */
  readonly photon: number;
  readonly bandwidth: number;
  /** Factors on the continuum lowering, the collision rates, the Auger and the radiative rates. */
  readonly lowering: number;
  readonly collisions: number;
  readonly auger: number;
  readonly radiation: number;
}

/** The rate equations dp/dt = A p of the 27 states. */
export interface RateEquations {
  readonly energies: Float64Array;
  /** Adds -step A to `matrix` (27 × 27 row-major) at photon flux [1/cm²/s], temperature [eV], density [1/cm³]. */
  readonly subtractInto: (matrix: Float64Array, step: number, flux: number, te: number, ne: number) => void;
  /** Photons absorbed per second and ion by populations `p` at photon flux `flux`. */
  readonly absorption: (p: Float64Array, flux: number) => number;
  /** The K-alpha lines: from state, to state, photons per second of an ion in the from state, energy. */
  readonly lines: readonly Channel[];
}

interface Channel {
  readonly from: number;
  readonly to: number;
  /** Rate [1/s]; for photo-ionisation cross-section [cm²]. */
  readonly rate: number;
  readonly energy: number;
}

/** Collisional ionisation and its inverse. */
interface Collision {
  readonly from: number;
  readonly to: number;
  readonly electrons: number;
  readonly threshold: number;
  /** Statistical weight before over after. */
  readonly weights: number;
}

const K_SECTION = 1.6e-19;
const L_SECTION = 1.5e-20;
const AUGER = 5.9e14;
const RADIATION = 2.4e13;
/** Lotz (1968), in cm³/s with energies in eV. */
const LOTZ = 3.0e-6;
/** Detailed balance of three-body recombination [cm³ eV^1.5]: 1 / 6.039e21. */
const SAHA = 1.6559e-22;

const choose = (n: number, k: number): number => (k <= 0 ? 1 : (choose(n, k - 1) * (n - k + 1)) / k);
const weightOf = (k: number, l: number): number => choose(2, k) * choose(8, l);

/** The rate equations of one set of factors (Vinko et al. 2012; collisions after Lotz, Z. Phys. 216, 241 (1968)). */
export function makeRateEquations(drive: Drive): RateEquations {
  const energies = stateEnergies(drive.lowering);
  const photo: Channel[] = [];
  const decays: Channel[] = [];
  const lines: Channel[] = [];
  const collisions: Collision[] = [];
  const section = (1560 / drive.photon) ** 2.8;
  const edgeWidth = Math.max(2, (drive.bandwidth * drive.photon) / 4);

  function ionise(k: number, l: number, toK: number, toL: number, electrons: number): void {
    const from = stateOf(k, l);
    const to = stateOf(toK, toL);
    const threshold = Math.max(LEAST_THRESHOLD, energies[to]! - energies[from]!);
    const open = 1 / (1 + Math.exp(-(drive.photon - threshold) / edgeWidth));
    const rate = toK < k ? (k / 2) * K_SECTION * section * open : (l / 8) * L_SECTION * section;
    photo.push({ from, to, rate, energy: drive.photon });
    collisions.push({ from, to, electrons, threshold, weights: weightOf(k, l) / weightOf(toK, toL) });
  }

  for (let k = 0; k <= 2; k++) {
    for (let l = 0; l <= 8; l++) {
      if (k > 0) ionise(k, l, k - 1, l, k);
      if (l > 0) ionise(k, l, k, l - 1, l);
      if (k < 2 && l > 1) {
        const rate = (drive.auger * AUGER * (2 - k) * l * (l - 1)) / 56;
        decays.push({ from: stateOf(k, l), to: stateOf(k + 1, l - 2), rate, energy: 0 });
      }
      if (k < 2 && l > 0) {
        const from = stateOf(k, l);
        const to = stateOf(k + 1, l - 1);
        lines.push({
          from,
          to,
          rate: (drive.radiation * RADIATION * (2 - k) * l) / 8,
          energy: energies[from]! - energies[to]!,
        });
      }
    }
  }
  decays.push(...lines);

  const n = STATES;
  function move(matrix: Float64Array, from: number, to: number, amount: number): void {
    matrix[from * n + from] = matrix[from * n + from]! + amount;
    matrix[to * n + from] = matrix[to * n + from]! - amount;
  }

  return {
    energies,
    lines,
    absorption: (p, flux) => photo.reduce((sum, { from, rate }) => sum + rate * flux * p[from]!, 0),
    subtractInto: (matrix, step, flux, te, ne) => {
      for (const { from, to, rate } of photo) move(matrix, from, to, step * flux * rate);
      for (const { from, to, rate } of decays) move(matrix, from, to, step * rate);
      const common = (step * drive.collisions * LOTZ * ne) / Math.sqrt(te);
      const back = ne * SAHA * te ** -1.5;
      for (const { from, to, electrons, threshold, weights } of collisions) {
        const x = threshold / te;
        const scaled = (common * electrons * expint1Scaled(x)) / threshold;
        move(matrix, from, to, scaled * Math.exp(-x));
        move(matrix, to, from, scaled * back * weights);
      }
    },
  };
}
