/** The burning gas inside the shell: temperature profile, fusion, radiation, self-heating, evaporation. */
import { gaussLegendre } from "../kernels/index.ts";
import { reactivity } from "./reactivity.ts";

/** J per keV. */
export const KEV = 1.602176634e-16;
/** Mass of the mean ion of equimolar DT, 2.5 m_u [kg]. */
export const M_DT = 2.5 * 1.6605390666e-27;
/** Energy of the alpha particle of one fusion [J]. */
export const E_ALPHA = 3500 * KEV;

/** T(x) = Tc (1 - x^2)^0.4: steady heat conduction, kappa ~ T^2.5, at uniform pressure (Betti et al. 2002). */
const SHAPE = 0.4;
/** Heat conductivity k0 Tc^2.5 with k0 in W/(m keV^3.5) (Spitzer, as in Betti et al. 2002). */
const K0 = 1.9e14;
const BREMSSTRAHLUNG = 5.34e-37;

/** Volume mean of 1/T over the profile, times Tc: (3/2) B(3/2, 3/5). */
export const MEAN_INVERSE_T = 1.8917058535118558;
/** Volume mean of T^-1.5, times Tc^1.5: (3/2) B(3/2, 2/5). */
export const MEAN_INVERSE_T15 = 3.0659116503382338;

/** What heats, cools and grows the hot spot; switched off in checks only. */
export interface HotSpotPhysics {
  readonly fusion: boolean;
  /** Whether the alpha particles heat; off keeps the burn, as for a capsule without self-heating. */
  readonly alphas: boolean;
  readonly radiation: boolean;
  readonly conduction: boolean;
}

/** Everything about the hot spot at one time, filled by `hotSpot`. */
export interface HotSpot {
  /** Central temperature [keV]. */
  tc: number;
  /** Fusions per second. */
  fusions: number;
  /** Fusions per second times the ion temperature where they happen [keV/s]. */
  fusionsTimesT: number;
  /** Alpha heating [W]. */
  heating: number;
  /** Bremsstrahlung [W]. */
  radiation: number;
  /** Shell mass evaporated into the spot [kg/s]. */
  evaporation: number;
  /** Areal density [kg/m^2]. */
  rhoR: number;
}

/** Gauss nodes in x on [0, 1]: 1 - x^2, and weights with the 3 x^2 of the volume. */
export interface ProfileNodes {
  readonly shape: Float64Array;
  readonly weight: Float64Array;
  /** Mean of T^-1.5, times Tc^1.5, that bremsstrahlung goes by. */
  readonly inverseT15: number;
}

/**
 * The nodes of `n`-point volume means. The mean of T^-1.5 is singular at the edge (16 nodes give 2.780, 9 % too low,
 * and more nodes converge only as n^-0.8), so bremsstrahlung takes the closed form, unless `edge` is "nodes".
 */
export function profileNodes(n: number, edge: "closed form" | "nodes" = "closed form"): ProfileNodes {
  const { nodes, weights } = gaussLegendre(n, 0, 1);
  const shape = nodes.map((x) => (1 - x * x) ** SHAPE);
  const weight = nodes.map((x, i) => 3 * x * x * weights[i]!);
  const summed = weight.reduce((sum, w, i) => sum + w * shape[i]! ** -1.5, 0);
  return { shape, weight, inverseT15: edge === "nodes" ? summed : MEAN_INVERSE_T15 };
}

/** A hot spot to be filled. */
export function emptyHotSpot(): HotSpot {
  return { tc: 0, fusions: 0, fusionsTimesT: 0, heating: 0, radiation: 0, evaporation: 0, rhoR: 0 };
}

/** Central temperature [keV] from pressure [Pa], volume [m^3] and mass [kg]: M = int (p / 2T) m_DT dV. */
export function centralTemperature(p: number, volume: number, mass: number): number {
  return (MEAN_INVERSE_T * p * M_DT * volume) / (2 * mass * KEV);
}

/** Share of the alphas' energy left in a sphere of areal density rhoR: range and share as in Atzeni & Meyer-ter-Vehn, 4.1. */
export function alphaShare(rhoR: number, tc: number): number {
  const t = tc ** 1.25;
  const tau = (rhoR * (1 + 0.0082 * t)) / (0.25 * t);
  return tau <= 0.5 ? 1.5 * tau - 0.8 * tau * tau : 1 - 1 / (4 * tau) + 1 / (160 * tau ** 3);
}

/** Fills `out` for a hot spot of internal energy `u` [J], volume [m^3] and mass [kg]. */
export function hotSpot(
  out: HotSpot,
  u: number,
  volume: number,
  mass: number,
  nodes: ProfileNodes,
  physics: HotSpotPhysics,
): void {
  const p = (2 * u) / (3 * volume);
  const tc = centralTemperature(p, volume, mass);
  const radius = Math.cbrt((3 * volume) / (4 * Math.PI));
  const nc = p / (2 * tc * KEV);
  out.tc = tc;
  out.rhoR = (mass / volume) * radius;
  let rate = 0;
  let rateT = 0;
  if (physics.fusion) {
    const { shape, weight } = nodes;
    for (let i = 0; i < shape.length; i++) {
      const t = tc * shape[i]!;
      const n = nc / shape[i]!;
      const here = weight[i]! * 0.25 * n * n * reactivity(t);
      rate += here;
      rateT += here * t;
    }
  }
  out.fusions = rate * volume;
  out.fusionsTimesT = rateT * volume;
  out.heating = physics.alphas ? alphaShare(out.rhoR, tc) * out.fusions * E_ALPHA : 0;
  out.radiation = physics.radiation ? volume * BREMSSTRAHLUNG * nc * nc * Math.sqrt(tc) * nodes.inverseT15 : 0;
  out.evaporation = physics.conduction ? (4 * Math.PI * radius * K0 * tc ** 2.5 * (2 / 7) * M_DT) / (5 * KEV) : 0;
}
