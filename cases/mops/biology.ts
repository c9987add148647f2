/** Plankton, waste and their decay in one layer after another: MOPS (Kriest & Oschlies, GMD 8, 2929 (2015)). */
import type { Column, Tracers } from "./column.ts";
import type { Forcing } from "./forcing.ts";

/** Physical inputs. */
export interface Parameters {
  /** Light constant of growth [W/m2]. */
  readonly ic: number;
  /** Phosphate at half the growth [mmol P/m3]. */
  readonly halfSaturation: number;
  /** Fastest grazing [1/d]. */
  readonly grazing: number;
  /** Quadratic loss of zooplankton [m3/mmol/d]. */
  readonly zooLoss: number;
  /** Exponent b of the particles' flux, z^-b. */
  readonly fluxExponent: number;
  /** Oxygen needed to decay a mole of phosphorus. */
  readonly oxygenDemand: number;
}

/** Running totals over the column and time [mmol/m2]. */
export interface Ledger {
  growth: number;
  excretion: number;
  oxicDecay: number;
  gas: number;
  relaxation: number;
}

const N_TO_P = 16;
/** Share of the waste that dissolves at once. */
const DISSOLVED = 0.15;
const MOST_UPTAKE = 0.9;

/** Share of the fastest growth that a layer's light allows: the day's and the layer's mean (Evans & Parslow 1985). */
export function lightShare(g: number, attenuation: number, dayLength: number): number {
  return (dayLength / attenuation) * (phi(g) - phi(g * Math.exp(-attenuation)));
}

/** asinh(u) - (sqrt(1 + u^2) - 1) / u, written without loss at small u. */
function phi(u: number): number {
  const root = Math.sqrt(1 + u * u);
  return Math.log(u + root) - u / (root + 1);
}

/**
 * Advances all tracers by `dt` days of biology in each layer, explicitly. Every term of phosphorus is worked out once and
 * added to one tracer and taken from another. @returns growth of the column [mmol P/m2/d]
 */
export function stepBiology(
  tracers: Tracers,
  column: Column,
  forcing: Forcing,
  parameters: Parameters,
  dt: number,
  ledger: Ledger,
): number {
  const { po4, dop, phy, zoo, det, o2, din } = tracers;
  const { ic, halfSaturation, grazing: mu, zooLoss, oxygenDemand: ro } = parameters;
  const layers = po4.length;
  let light = forcing.par;
  let production = 0;
  for (let k = 0; k < layers; k++) {
    const dz = column.thickness[k]!;
    const p = phy[k]!;
    const z = zoo[k]!;
    const nitrate = din[k]!;
    const phosphate = po4[k]!;
    const t = forcing.temperature[k]!;

    let growth = 0;
    if (light > 1e-9) {
      const warmth = Math.exp(t / 15.65);
      const attenuation = (0.04 + 0.48 * p) * dz;
      const share = lightShare((2 * light) / (ic * warmth * forcing.dayLength), attenuation, forcing.dayLength);
      const nutrient = Math.min(phosphate, nitrate / N_TO_P);
      const fed = nutrient / (halfSaturation + nutrient);
      growth = dt * 0.6 * warmth * p * Math.min(share, fed);
      growth = Math.min(growth, MOST_UPTAKE * nutrient);
      light *= Math.exp(-attenuation);
    }
    const eaten = (dt * mu * p * p * z) / (mu / 256 + p * p);
    const exuded = dt * 0.03 * p;
    const excreted = dt * 0.03 * z;
    const lost = dt * zooLoss * z * z;
    const deadPhy = dt * 0.01 * p;
    const deadZoo = dt * 0.01 * z;
    const assimilated = 0.75 * eaten;
    const waste = eaten - assimilated + exuded + lost;
    const dissolved = DISSOLVED * waste;

    const oxygen = Math.max(o2[k]! - 1, 0);
    const oxic = (oxygen * oxygen) / (oxygen * oxygen + 4);
    let anoxic = 0;
    if (oxygen < 36) {
      const d = Math.max(nitrate - 4, 0);
      anoxic = ((d * d) / (d * d + 64)) * (1 - oxic);
    }
    const decay = dt * (0.17 / 360);
    const dopDecay = decay * dop[k]! * (oxic + anoxic);
    const detDecay = dt * 0.05 * det[k]! * (oxic + anoxic);
    const all = decay * dop[k]! + dt * 0.05 * det[k]!;
    const oxicDecay = oxic * all;
    const denitrified = anoxic * all;
    const fixed = dt * fixation(t, nitrate, phosphate);

    po4[k] = phosphate - growth + excreted + dopDecay + detDecay;
    phy[k] = p + growth - eaten - exuded - deadPhy;
    zoo[k] = z + assimilated - excreted - lost - deadZoo;
    dop[k] = dop[k]! + dissolved + deadPhy + deadZoo - dopDecay;
    det[k] = det[k]! + (waste - dissolved) - detDecay;
    o2[k] = o2[k]! + ro * (growth - excreted - oxicDecay);
    din[k] = nitrate + N_TO_P * (excreted + oxicDecay - growth) - (0.8 * ro - N_TO_P) * denitrified + fixed;

    production += (growth / dt) * dz;
    ledger.growth += growth * dz;
    ledger.excretion += excreted * dz;
    ledger.oxicDecay += oxicDecay * dz;
  }
  return production;
}

/** Nitrogen fixed from the air [mmol N/m3/d]: only in water over 19 deg C that lacks nitrate; so never in this column. */
function fixation(t: number, nitrate: number, phosphate: number): number {
  const warm = Math.max(0, -0.0042 * t * t + 0.2253 * t - 2.7819) / 0.2395;
  return warm === 0 ? 0 : 0.002 * warm * Math.max(0, 1 - nitrate / (N_TO_P * phosphate));
}
