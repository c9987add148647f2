/** Ten years of the column. */
import { type Ledger, type Parameters, stepBiology } from "./biology.ts";
import { type Column, makeColumn, startTracers, type Tracers } from "./column.ts";
import { emptyForcing, forcingAt, oxygenSaturation, YEAR } from "./forcing.ts";
import { diffuse, factorDiffusion, makeDiffusion, sink } from "./transport.ts";

/** Five-day means of a year. */
export const PERIODS = 72;
const GAS_VELOCITY = 3; // m/d
const DEEP_OXYGEN = 200;
const RELAXATION_DAYS = 20 * YEAR;
const EXPORT_DEPTH = 100;

/** What a run may do otherwise than the case: for checks. */
export interface RunOptions {
  readonly years?: number;
  /** Time step [d]; default 0.125. */
  readonly dt?: number;
  /** Factor on the light; default 1. */
  readonly light?: number;
}

/** The last year of a run, and its end. */
export interface Year {
  readonly column: Column;
  /** At the end of the run, and at its start. */
  readonly end: Tracers;
  readonly start: Tracers;
  /** Annual means by layer [mmol/m3]. */
  readonly po4: Float64Array;
  readonly o2: Float64Array;
  readonly din: Float64Array;
  /** Five-day means: surface PO4 and PHY [mmol P/m3], production and export [mmol P/m2/d]. */
  readonly seasonal: readonly [Float64Array, Float64Array, Float64Array, Float64Array];
  /** Sums over the whole run. */
  readonly ledger: Ledger;
  /** The lowest value of any tracer in any layer at the end of any step. */
  readonly lowest: number;
}

/** Runs the column: each step stirs implicitly, then sinking, biology and gas exchange act explicitly. */
export function runColumn(parameters: Parameters, options: RunOptions = {}): Year {
  const { years = 10, dt = 0.125, light = 1 } = options;
  const column = makeColumn();
  const layers = column.centres.length;
  const tracers = startTracers(column);
  const all = Object.values(tracers) as Float64Array[];
  const { po4, phy, det, o2, din } = tracers;
  const forcing = emptyForcing(layers);
  const diffusion = makeDiffusion(layers);
  const flux = new Float64Array(layers + 1);
  const ledger: Ledger = { growth: 0, excretion: 0, oxicDecay: 0, gas: 0, relaxation: 0 };
  const means = [po4, o2, din].map(() => new Float64Array(layers)) as [Float64Array, Float64Array, Float64Array];
  const seasonal = [0, 1, 2, 3].map(() => new Float64Array(PERIODS)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const stepsPerYear = Math.round(YEAR / dt);
  const share = 1 / stepsPerYear;
  const below = column.faces.findIndex((z) => z > EXPORT_DEPTH);
  const past = (EXPORT_DEPTH - column.faces[below - 1]!) / (column.faces[below]! - column.faces[below - 1]!);
  let lowest = Infinity;

  for (let step = 0; step < years * stepsPerYear; step++) {
    const day = (step % stepsPerYear) * dt;
    forcingAt(forcing, column, day);
    forcing.par *= light;
    factorDiffusion(diffusion, column, forcing.diffusivity, dt);
    for (const tracer of all) diffuse(tracer, diffusion, column);
    sink(det, flux, column, parameters.fluxExponent, dt);
    const production = stepBiology(tracers, column, forcing, parameters, dt, ledger);
    ventilate(o2, column, oxygenSaturation(forcing.surfaceTemperature), dt, ledger);
    for (const tracer of all) lowest = lowestOf(tracer, lowest);
    if (step < (years - 1) * stepsPerYear) continue;
    for (let k = 0; k < layers; k++) {
      means[0][k]! += share * po4[k]!;
      means[1][k]! += share * o2[k]!;
      means[2][k]! += share * din[k]!;
    }
    const period = Math.floor((day * PERIODS) / YEAR);
    const exported = flux[below - 1]! * (1 - past) + flux[below]! * past;
    seasonal[0][period]! += share * PERIODS * po4[0]!;
    seasonal[1][period]! += share * PERIODS * phy[0]!;
    seasonal[2][period]! += share * PERIODS * production;
    seasonal[3][period]! += share * PERIODS * exported;
  }
  const [meanPo4, meanO2, meanDin] = means;
  return {
    column,
    end: tracers,
    start: startTracers(column),
    po4: meanPo4,
    o2: meanO2,
    din: meanDin,
    seasonal,
    ledger,
    lowest,
  };
}

function lowestOf(tracer: Float64Array, lowest: number): number {
  for (let k = 0; k < tracer.length; k++) if (tracer[k]! < lowest) lowest = tracer[k]!;
  return lowest;
}

/** Exchanges oxygen: the surface layer with the air, the layers below with water from the side. */
function ventilate(o2: Float64Array, column: Column, saturation: number, dt: number, ledger: Ledger): void {
  const { thickness } = column;
  const gas = dt * GAS_VELOCITY * (saturation - o2[0]!);
  o2[0] = o2[0]! + gas / thickness[0]!;
  ledger.gas += gas;
  for (let k = 1; k < o2.length; k++) {
    const gain = (dt * (DEEP_OXYGEN - o2[k]!)) / RELAXATION_DAYS;
    o2[k] = o2[k]! + gain;
    ledger.relaxation += gain * thickness[k]!;
  }
}
