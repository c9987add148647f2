/**
 * Where walkers start: spread over the prior, then drawn together as the likelihood is raised to powers from 0 to 1, each
 * chosen so that half of the walkers would survive by their weights (sequential Monte Carlo: Del Moral, Doucet & Jasra
 * 2006, J. R. Stat. Soc. B 68, 411; adaptive powers as in Jasra et al. 2011). Walkers from the prior alone get stuck
 * where the data are precise; these have the bulk of the posterior before the chain begins.
 */
import type { Rng } from "../../rng.ts";
import { type LogDensity, moveWalkers, placeWalkers, type Walkers } from "./sampler.ts";

export interface StartOptions {
  readonly d: number;
  readonly walkers: number;
  readonly ensembles: number;
  readonly rng: Rng;
  /** Points of the prior per walker that the first walkers are chosen from. Default 8. */
  readonly oversample?: number;
  /** Moves after each rise. Default 6. */
  readonly moves?: number;
  /** Rises at most, after which the power is 1 in any case. Default 60. */
  readonly stages?: number;
  /** After each rise, the least power of all ensembles: 1 at the end. */
  readonly onPower?: (power: number) => void;
  readonly shouldStop?: () => boolean;
}

/** Walkers for {@link sample}, over the prior that is even on [0, 1]^d. @param density log likelihood inside, -Infinity
 * outside   @returns ensembles × walkers × d */
export async function temperedStart(density: LogDensity, options: StartOptions): Promise<Float64Array> {
  const { d, walkers, ensembles, rng, oversample = 8, moves = 6, stages = 60, onPower, shouldStop } = options;
  const pool = walkers * oversample;
  const prior = rng.fork("prior");
  const first = await placeWalkers(
    density,
    Float64Array.from({ length: ensembles * pool * d }, () => prior.uniform()),
    d,
    pool,
  );
  const draws = rng.fork("tempering");
  const power = new Float64Array(ensembles);
  const state: Walkers = {
    d,
    perEnsemble: walkers,
    points: new Float64Array(ensembles * walkers * d),
    logDensity: new Float64Array(ensembles * walkers),
  };
  raise(first, state, power, draws, 1 / oversample);
  for (let stage = 0; stage < stages && shouldStop?.() !== true; stage++) {
    for (let move = 0; move < moves; move++) await moveWalkers(density, state, draws, power);
    onPower?.(Math.min(...power));
    if (power.every((value) => value === 1)) break;
    if (stage === stages - 2) power.fill(1);
    else raise({ ...state, points: state.points.slice(), logDensity: state.logDensity.slice() }, state, power, draws);
  }
  return state.points;
}

/** Raises each ensemble's power as far as an effective `share` of its points survives, and draws `to` from `from` by the
 * weights (systematic resampling). @param power per ensemble; changed */
function raise(from: Walkers, to: Walkers, power: Float64Array, rng: Rng, share = 0.5): void {
  const { d, perEnsemble: many } = from;
  const few = to.perEnsemble;
  for (let e = 0; e < power.length; e++) {
    const logs = from.logDensity.subarray(e * many, (e + 1) * many);
    const before = power[e]!;
    power[e] = nextPower(logs, before, share);
    const weights = weightsOf(logs, power[e]! - before);
    let sum = weights[0]!;
    let i = 0;
    const offset = rng.uniform();
    for (let k = 0; k < few; k++) {
      const target = (k + offset) / few;
      while (sum < target && i < many - 1) sum += weights[++i]!;
      to.points.set(from.points.subarray((e * many + i) * d, (e * many + i + 1) * d), (e * few + k) * d);
      to.logDensity[e * few + k] = logs[i]!;
    }
  }
  // Neighbours in the draw are copies of one point: apart, they stand in both halves.
  shuffleWalkers(to, rng);
}

function shuffleWalkers(walkers: Walkers, rng: Rng): void {
  const { d, perEnsemble, points, logDensity } = walkers;
  for (let from = 0; from < logDensity.length; from += perEnsemble) {
    const order = rng.shuffle(Int32Array.from({ length: perEnsemble }, (_, i) => from + i));
    const [oldPoints, oldLogs] = [points.slice(), logDensity.slice()];
    order.forEach((source, k) => {
      points.set(oldPoints.subarray(source * d, (source + 1) * d), (from + k) * d);
      logDensity[from + k] = oldLogs[source]!;
    });
  }
}

/** The power up to 1 at which the effective number of points is `share` of all, by bisection. */
function nextPower(logs: Float64Array, before: number, share: number): number {
  const enough = (power: number): boolean => {
    const weights = weightsOf(logs, power - before);
    return 1 / weights.reduce((sum, w) => sum + w * w, 0) >= share * logs.length;
  };
  if (enough(1)) return 1;
  let [low, high] = [before, 1];
  // The powers span many decades: halve their logarithms.
  for (let i = 0; i < 60; i++) {
    const middle = low > 0 ? Math.sqrt(low * high) : high * 1e-3;
    if (enough(middle)) low = middle;
    else high = middle;
    if (low > 0 && high / low < 1.001) break;
  }
  return low > before ? low : high;
}

/** Weights that sum to 1: densities to a power. */
function weightsOf(logs: Float64Array, power: number): Float64Array {
  let most = Number.NEGATIVE_INFINITY;
  for (const value of logs) if (value > most) most = value;
  const weights = logs.map((value) => (value > Number.NEGATIVE_INFINITY ? Math.exp(power * (value - most)) : 0));
  const sum = weights.reduce((all, w) => all + w, 0);
  return weights.map((w) => w / sum);
}
