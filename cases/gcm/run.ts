/** Sixty days of soot, its absorption and the warming it brings. */
import { emissionMap } from "./emission.ts";
import { type Grid, makeGrid } from "./grid.ts";
import { massAbsorption } from "./optics.ts";
import { makeRemoval, remove } from "./removal.ts";
import { warming } from "./response.ts";
import { advance, makeTransport } from "./transport.ts";
import { makeWind } from "./wind.ts";

const FRESH_SHARE = 0.8;
/** How much more an aged, coated particle absorbs. */
const COATING = 1.5;
/** W/m2 per absorption optical depth. */
const FORCING = 150;

/** Physical inputs. */
export interface Aerosol {
  /** Factors on emission and on removal by rain. */
  readonly emission: number;
  readonly wetRemoval: number;
  /** Imaginary part of the refractive index. */
  readonly k: number;
}

/** What a run may do otherwise than the case: for checks. */
export interface RunOptions {
  readonly lats?: number;
  readonly lons?: number;
  /** Step [s]; default 3600. */
  readonly dt?: number;
  /** Days; default 60. */
  readonly days?: number;
  /** Whether soot ages and goes; default true. */
  readonly losses?: boolean;
}

/** Maps at the end of a run. */
export interface Soot {
  readonly grid: Grid;
  /** kg/m2. */
  readonly fresh: Float64Array;
  readonly aged: Float64Array;
}

/** Carries soot from a clean start: each step emits half, moves, ages and removes, and emits the other half. */
export function carry(aerosol: Pick<Aerosol, "emission" | "wetRemoval">, options: RunOptions = {}): Soot {
  const { lats = 48, lons = 96, dt = 3600, days = 60, losses = true } = options;
  const grid = makeGrid(lats, lons);
  const half = emissionMap(grid).map((rate) => (rate * aerosol.emission * dt) / 2);
  const transport = makeTransport(grid, makeWind(grid));
  const removal = makeRemoval(grid, aerosol.wetRemoval, dt);
  const fresh = new Float64Array(lats * lons);
  const aged = new Float64Array(lats * lons);
  const steps = Math.round((days * 86400) / dt);
  for (let step = 0; step < steps; step++) {
    emit(fresh, aged, half);
    advance(fresh, transport, dt);
    advance(aged, transport, dt);
    if (losses) remove(fresh, aged, removal, grid);
    emit(fresh, aged, half);
  }
  return { grid, fresh, aged };
}

function emit(fresh: Float64Array, aged: Float64Array, amount: Float64Array): void {
  for (let cell = 0; cell < amount.length; cell++) {
    fresh[cell] = fresh[cell]! + FRESH_SHARE * amount[cell]!;
    aged[cell] = aged[cell]! + (1 - FRESH_SHARE) * amount[cell]!;
  }
}

/** Absorption optical depth of the soot, for a mass absorption in m2/g. */
export function absorption({ fresh, aged }: Soot, perGram: number): Float64Array {
  return fresh.map((mass, cell) => perGram * 1000 * (mass + COATING * aged[cell]!));
}

/** Warming [K] by an absorption optical depth. */
export function response(grid: Grid, aaod: Float64Array): Float64Array {
  return warming(
    grid,
    aaod.map((depth) => FORCING * depth),
  );
}

/** Everything of one run. */
export function runAerosol(
  aerosol: Aerosol,
  options?: RunOptions,
): Soot & { readonly aaod: Float64Array; readonly dT: Float64Array } {
  const soot = carry(aerosol, options);
  const aaod = absorption(soot, massAbsorption(aerosol.k));
  return { ...soot, aaod, dT: response(soot.grid, aaod) };
}
