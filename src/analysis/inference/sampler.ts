/**
 * Draws from a density by an ensemble of walkers that propose by one another's places: the affine-invariant stretch move
 * of Goodman & Weare 2010 (Comm. App. Math. Comp. Sci. 5, 65), with the ensemble in two halves that move in turn
 * (Foreman-Mackey et al. 2013, PASP 125, 306), so that a half-step is one call for all its walkers. Departs: a part of
 * the moves are differential evolution (ter Braak 2006, Stat. Comput. 16, 239), some of them over the whole distance
 * between two walkers. Stretch moves alone do not get from one peak to another: with the implosion's mirror images they
 * ended at an R-hat of 2.2. Several ensembles, each with a density of its own, share the calls: an emulator is at its
 * best with many rows at once.
 */
import { OptionError } from "../../errors.ts";
import type { Rng } from "../../rng.ts";

/** Log density, up to a constant, at every point. @param points n × d, row-major   @param ensemble of each point, n
 * @returns n numbers; -Infinity where the density is 0 */
export type LogDensity = (points: Float64Array, ensemble: Int32Array) => Promise<Float64Array>;

export interface SampleOptions {
  /** Number of coordinates. */
  readonly d: number;
  /** Walkers of an ensemble: even, more than 2 d. */
  readonly walkers: number;
  /** Where they start, ensembles × walkers × d: in general position, with a density above 0. */
  readonly start: Float64Array;
  /** Steps that are kept, and steps before them that are not. */
  readonly steps: number;
  readonly burn: number;
  readonly rng: Rng;
  /** Steps done, out of burn + steps. */
  readonly onStep?: (done: number) => void;
  /** Asked before each step: true ends the chain with what there is. */
  readonly shouldStop?: () => boolean;
}

/** What one ensemble drew. */
export interface Chain {
  readonly d: number;
  readonly walkers: number;
  readonly steps: number;
  /** steps × walkers × d. */
  readonly points: Float64Array;
  /** steps × walkers. */
  readonly logDensity: Float64Array;
  /** Share of proposals that were taken, after the burn-in. */
  readonly acceptance: number;
}

/** Where the walkers of all ensembles are. */
export interface Walkers {
  readonly d: number;
  readonly perEnsemble: number;
  /** ensembles × walkers × d, and the log density there. */
  readonly points: Float64Array;
  readonly logDensity: Float64Array;
}

/** Runs all ensembles side by side. @returns one chain per ensemble; fewer steps than asked if told to stop
 * @throws OptionError for an odd or too small number of walkers, or a start without density */
export async function sample(density: LogDensity, options: SampleOptions): Promise<readonly Chain[]> {
  const { d, walkers, start, steps, burn, rng, onStep, shouldStop } = options;
  if (walkers % 2 !== 0 || walkers <= 2 * d)
    throw new OptionError(
      "OPTION_WALKERS",
      `${walkers} walkers in ${d} dimensions: must be even and more than ${2 * d}.`,
    );
  const state = await placeWalkers(density, start, d, walkers);
  const lost = state.logDensity.findIndex((value) => !Number.isFinite(value));
  if (lost >= 0)
    throw new OptionError("OPTION_START", `walker ${lost + 1} starts where the density is 0. Start inside the prior.`);
  const ensembles = state.logDensity.length / walkers;
  const chains = Array.from({ length: ensembles }, () => ({
    points: new Float64Array(steps * walkers * d),
    logDensity: new Float64Array(steps * walkers),
    taken: 0,
  }));
  const draws = rng.fork("moves");
  let kept = 0;
  for (let step = 0; step < burn + steps && shouldStop?.() !== true; step++) {
    const taken = await moveWalkers(density, state, draws);
    onStep?.(step + 1);
    if (step < burn) continue;
    chains.forEach((chain, e) => {
      const from = e * walkers;
      chain.points.set(state.points.subarray(from * d, (from + walkers) * d), kept * walkers * d);
      chain.logDensity.set(state.logDensity.subarray(from, from + walkers), kept * walkers);
      chain.taken += taken[e]!;
    });
    kept++;
  }
  return chains.map(({ points, logDensity, taken }) => ({
    d,
    walkers,
    steps: kept,
    points: points.subarray(0, kept * walkers * d),
    logDensity: logDensity.subarray(0, kept * walkers),
    acceptance: taken / Math.max(1, kept * walkers),
  }));
}

/** Walkers at `start`, with their densities. */
export async function placeWalkers(
  density: LogDensity,
  start: Float64Array,
  d: number,
  perEnsemble: number,
): Promise<Walkers> {
  const n = start.length / d;
  const ensemble = Int32Array.from({ length: n }, (_, i) => Math.floor(i / perEnsemble));
  return { d, perEnsemble, points: start.slice(), logDensity: (await density(start.slice(), ensemble)).slice() };
}

/** Largest stretch a: proposals are at 1/a to a times the distance to another walker. */
const STRETCH = 2;
/** Share of moves that are differential evolution, and the share of those over the whole distance of two walkers. */
const DIFFERENTIAL = 0.4;
const LEAPS = 0.3;

/** One step of every walker, in place: first the even ones by the odd ones, then the other way round.
 * @param power of the density, per ensemble: below 1 it is flattened. Default 1   @returns moves taken, per ensemble */
export async function moveWalkers(
  density: LogDensity,
  state: Walkers,
  rng: Rng,
  power?: Float64Array,
): Promise<Float64Array> {
  const { d, perEnsemble, points, logDensity } = state;
  const half = perEnsemble / 2;
  const ensembles = logDensity.length / perEnsemble;
  const taken = new Float64Array(ensembles);
  const moving = ensembles * half;
  const proposals = new Float64Array(moving * d);
  const logRatio = new Float64Array(moving);
  const ensemble = Int32Array.from({ length: moving }, (_, i) => Math.floor(i / half));
  for (const parity of [0, 1]) {
    const walkerOf = (i: number): number => ensemble[i]! * perEnsemble + 2 * (i % half) + parity;
    for (let i = 0; i < moving; i++) {
      const first = ensemble[i]! * perEnsemble + 1 - parity;
      logRatio[i] = propose(proposals, i, points, walkerOf(i), first, half, d, rng);
    }
    const proposed = await density(proposals, ensemble);
    for (let i = 0; i < moving; i++) {
      const walker = walkerOf(i);
      const e = ensemble[i]!;
      const gain = (power?.[e] ?? 1) * (proposed[i]! - logDensity[walker]!);
      const threshold = Math.log(1 - rng.uniform());
      // A density of 0 is refused even where its power is 0.
      if (proposed[i] === Number.NEGATIVE_INFINITY || !(logRatio[i]! + gain > threshold)) continue;
      points.set(proposals.subarray(i * d, (i + 1) * d), walker * d);
      logDensity[walker] = proposed[i]!;
      taken[e]!++;
    }
  }
  return taken;
}

/** Writes a proposal for one walker to row `row` of `out`. @param first of the walkers of the other half, every second
 * from there on, `half` of them   @returns log of the factor on the ratio of densities */
function propose(
  out: Float64Array,
  row: number,
  points: Float64Array,
  walker: number,
  first: number,
  half: number,
  d: number,
  rng: Rng,
): number {
  const partner = rng.int(half);
  const a = (first + 2 * partner) * d;
  const from = walker * d;
  const to = row * d;
  if (rng.uniform() >= DIFFERENTIAL) {
    // z from g(z) ~ 1/sqrt(z) on [1/a, a] (Goodman & Weare, eq. 9), by its inverse.
    const z = ((STRETCH - 1) * rng.uniform() + 1) ** 2 / STRETCH;
    for (let j = 0; j < d; j++) out[to + j] = points[a + j]! + z * (points[from + j]! - points[a + j]!);
    return (d - 1) * Math.log(z);
  }
  const b = (first + 2 * ((partner + 1 + rng.int(half - 1)) % half)) * d;
  const gamma = (rng.uniform() < LEAPS ? 1 : 2.38 / Math.sqrt(2 * d)) * (1 + 0.01 * rng.normal());
  for (let j = 0; j < d; j++) out[to + j] = points[from + j]! + gamma * (points[a + j]! - points[b + j]!);
  return 0;
}
