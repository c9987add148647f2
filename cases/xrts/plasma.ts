import {
  bisect,
  BOHR_RADIUS_ANGSTROM as A0,
  COULOMB_EV_ANGSTROM as E2,
  gaussLegendre,
  HBAR2_OVER_2M_EV_ANGSTROM2 as H2,
} from "../kernels/index.ts";

/** A plasma of free electrons and ions at one temperature; energies in eV, lengths in Å. */
export interface Plasma {
  /** Temperature of electrons and ions [eV]. */
  readonly te: number;
  /** Free-electron density [Å⁻³]. */
  readonly ne: number;
  /** Free electrons per ion. */
  readonly zf: number;
  /** Ion density [Å⁻³]. */
  readonly ni: number;
  /** Fermi wave number [Å⁻¹]. */
  readonly kF: number;
  /** Fermi energy [eV]. */
  readonly fermiEnergy: number;
  /** Fermi energy over temperature. */
  readonly degeneracy: number;
  /** Chemical potential over temperature. */
  readonly eta: number;
  /** Inverse screening length of the electrons at zero frequency [Å⁻¹]. */
  readonly ke: number;
}

const HALF_LINE = gaussLegendre(200, 0, 1);

/** Integral of h(y) / (exp(D y² - eta) + 1) over y from 0 to infinity; beyond D y² - eta = 45 the rest is dropped. */
export function fermiIntegral(degeneracy: number, eta: number, h: (y: number) => number): number {
  const edge = Math.sqrt((Math.max(eta, 0) + 45) / degeneracy);
  const { nodes, weights } = HALF_LINE;
  let sum = 0;
  for (let i = 0; i < nodes.length; i++) {
    const y = edge * nodes[i]!;
    sum += (weights[i]! * h(y)) / (Math.exp(degeneracy * y * y - eta) + 1);
  }
  return edge * sum;
}

/** Chemical potential over temperature at Theta = 1/`degeneracy`: F_1/2(eta) = (2/3) Theta^(-3/2), by bisection. */
function chemicalPotential(degeneracy: number): number {
  const wanted = (2 / 3) * degeneracy ** 1.5;
  const excess = (eta: number): number => 2 * fermiIntegral(1, eta, (y) => y * y) - wanted;
  return bisect(excess, Math.log(wanted) - 5, degeneracy + 5);
}

/** The plasma at temperature `te` [eV], electron density `neCm3` [cm⁻³] and `zf` free electrons per ion. */
export function makePlasma(te: number, neCm3: number, zf: number): Plasma {
  const ne = neCm3 * 1e-24;
  const kF = Math.cbrt(3 * Math.PI * Math.PI * ne);
  const fermiEnergy = H2 * kF * kF;
  const degeneracy = fermiEnergy / te;
  const eta = chemicalPotential(degeneracy);
  const ke = Math.sqrt(((4 * kF) / (Math.PI * A0)) * fermiIntegral(degeneracy, eta, () => 1));
  return { te, ne, zf, ni: ne / zf, kF, fermiEnergy, degeneracy, eta, ke };
}

/** Inverse Debye length of the ions squared [Å⁻²]. */
export function ionScreeningSquared({ te, zf, ni }: Plasma): number {
  return (4 * Math.PI * E2 * zf * zf * ni) / te;
}
