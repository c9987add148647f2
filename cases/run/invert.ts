/** The inverse problem of a case, over many hidden truths: does the posterior hold the truth as often as it says? */
import {
  calibratedErrors,
  centralInterval,
  defaultWalkers,
  drawsOf,
  type Emulator,
  emulatorModel,
  type ErrorModes,
  type ForwardModel,
  infer,
  makeRng,
  type Measurement,
  type Posterior,
  quantileOf,
  rankOf,
  rankWithin,
  type Rng,
  type Runs,
  unitOf,
} from "../../src/index.ts";
import type { Case } from "../case.ts";

/** One input of one posterior; intervals in u, where the prior is [0, 1]. */
export interface Retrieved {
  /** Share of the draws below the truth. */
  readonly rank: number;
  readonly median: number;
  readonly within68: readonly [number, number];
  readonly within95: readonly [number, number];
}

/** One solved inverse problem. */
export interface Solved {
  /** The truth, in u. */
  readonly truth: Float64Array;
  /** Per input. */
  readonly inputs: readonly Retrieved[];
  readonly rHat: number;
  readonly effectiveDraws: number;
  readonly acceptance: number;
}

export interface Inversions {
  readonly solved: readonly Solved[];
  /** Draws of the first problem in u, for its figure, and where its walkers ended. */
  readonly draws: Float64Array;
  readonly walkers: Float64Array;
  readonly seconds: number;
}

export interface InvertOptions {
  /** Problems; as many of `runs` from the first on are the truths. */
  readonly truths: number;
  /** Milliseconds after which no more problems are begun; those that are solved do not depend on it. */
  readonly timeMs: number;
  /** Steps of each chain and of its burn-in, after a tempered start. Default 120 and 40. */
  readonly steps?: number;
  readonly burn?: number;
  readonly seed: number;
  readonly onProgress?: (fraction: number) => void;
  readonly shouldStop?: () => boolean;
  /** Milliseconds. */
  readonly now: () => number;
}

/** Problems that are solved side by side, and numbers that predictions of one half-step may have: memory, and caches. */
const TOGETHER = 10;
const ELEMENTS_AT_ONCE = 2e6;
/** Draws that are kept for a figure. */
const DRAWS_KEPT = 6000;

/** Solves the case's inverse problem for the first runs. @param emulator of the case, of its observed outputs at least
 * @returns undefined if told to stop */
export async function invert(
  study: Case,
  emulator: Emulator,
  runs: Runs,
  options: InvertOptions,
): Promise<Inversions | undefined> {
  const { truths, timeMs, seed, steps = 120, burn = 40, onProgress, shouldStop, now } = options;
  const started = now();
  const rng = makeRng(seed).fork(`inverse problem of ${study.name}`);
  const count = Math.min(truths, runs.n);
  const measured = Array.from({ length: count }, (_, t) => measure(study, runs, t, rng.fork(`noise ${t}`)));
  const model = emulatorModel(emulator, study.inverse.observed);
  const errors = await errorsOf(study, model, runs, count, rng.fork("error modes"));
  const elements = measured[0]?.reduce((sum, { values }) => sum + values.length, 0) ?? 1;
  const walkers = defaultWalkers(study.inputs.length);
  const fitting = Math.floor(ELEMENTS_AT_ONCE / (elements * (walkers / 2)));
  const together = Math.max(1, Math.min(TOGETHER, fitting));
  const posteriors: Posterior[] = [];
  for (let from = 0; from < count && (from === 0 || now() - started < timeMs); from += together) {
    const part = measured.slice(from, from + together);
    const share = part.length / count;
    posteriors.push(
      ...(await infer({
        prior: study.inputs,
        model,
        measured: part,
        ...(errors === undefined ? {} : { errors }),
        rng: rng.fork(`posteriors ${from}`),
        walkers,
        steps,
        burn,
        onFraction: (done) => onProgress?.(from / count + share * done),
        ...(shouldStop === undefined ? {} : { shouldStop }),
      })),
    );
    if (shouldStop?.() === true) return undefined;
  }
  const [first] = posteriors;
  return {
    solved: posteriors.map((posterior, t) => describe(posterior, truthOf(study, runs, t))),
    draws: first === undefined ? new Float64Array() : thinned(first),
    walkers: first?.u.slice(-walkers * study.inputs.length) ?? new Float64Array(),
    seconds: (now() - started) / 1000,
  };
}

/** Fresh runs that tell how the emulator's errors hang together: at least, and at most. */
const ERROR_RUNS = { least: 50, most: 300 } as const;

/** The emulator's errors on runs that are no truths; undefined where there are too few. */
async function errorsOf(
  study: Case,
  model: ForwardModel,
  runs: Runs,
  truths: number,
  rng: Rng,
): Promise<ErrorModes | undefined> {
  const n = Math.min(ERROR_RUNS.most, runs.n - truths);
  if (n < ERROR_RUNS.least) return undefined;
  const known = Array.from({ length: n }, (_, i) => ({
    u: truthOf(study, runs, truths + i),
    fields: observedOf(study, runs, truths + i),
  }));
  return calibratedErrors(study.inputs, model, known, rng);
}

/** The observed outputs of run `t`, free of noise. */
function observedOf({ inverse: { observed, noise } }: Case, runs: Runs, t: number): readonly Measurement[] {
  return observed.map((name) => {
    const f = runs.schema.fields.findIndex((field) => field.name === name);
    const size = runs.y[f]!.length / runs.n;
    return {
      field: name,
      values: runs.y[f]!.slice(t * size, (t + 1) * size),
      noise: (values) => noise(name, values),
    };
  });
}

/** What an experiment on run `t` would have seen: its observed outputs with noise. */
export function measure(study: Case, runs: Runs, t: number, rng: Rng): readonly Measurement[] {
  return observedOf(study, runs, t).map((clean) => {
    const sigma = clean.noise(clean.values);
    return {
      ...clean,
      values: clean.values.map((value, k) => {
        const error = rng.normal();
        return Number.isFinite(sigma[k]!) ? value + sigma[k]! * error : value;
      }),
    };
  });
}

/** The inputs of run `t`, in u. */
export function truthOf(study: Case, runs: Runs, t: number): Float64Array {
  return Float64Array.from(study.inputs, (input, j) => unitOf(input, runs.x[t * runs.d + j]!));
}

/** The chain of the first problem with the simulator itself: starts where the emulator's ended. */
export async function invertWith(
  model: ForwardModel,
  study: Case,
  measured: readonly Measurement[],
  start: Float64Array,
  options: {
    readonly steps: number;
    readonly burn: number;
    readonly rng: Rng;
    readonly onFraction?: (fraction: number) => void;
    readonly shouldStop?: () => boolean;
  },
): Promise<Posterior> {
  const walkers = start.length / study.inputs.length;
  const [posterior] = await infer({ prior: study.inputs, model, measured: [measured], walkers, start, ...options });
  return posterior!;
}

/** Intervals, ranks and convergence of a posterior. */
export function describe(posterior: Posterior, truth: Float64Array): Solved {
  const { rHat, effectiveDraws, acceptance } = posterior.convergence;
  const inputs = posterior.prior.map((_, j): Retrieved => {
    const draws = drawsOf(posterior, j);
    return {
      rank: rankOf(draws, truth[j]!),
      median: quantileOf(draws.slice().sort(), 0.5),
      within68: centralInterval(draws, 0.68),
      within95: centralInterval(draws, 0.95),
    };
  });
  return { truth, inputs, rHat, effectiveDraws, acceptance };
}

/** Share of the truths inside the central intervals of a level, over all inputs or one, with its standard error for
 * independent problems. */
export function posteriorCoverage(
  solved: readonly Solved[],
  level: number,
  input?: number,
): { readonly share: number; readonly error: number } {
  const ranks = solved.flatMap(({ inputs }) => (input === undefined ? inputs : inputs.slice(input, input + 1)));
  const held = ranks.filter(({ rank }) => rankWithin(rank, level)).length;
  return { share: held / ranks.length, error: Math.sqrt((level * (1 - level)) / solved.length) };
}

/** How much of the prior's width the posterior leaves of an input: 68 % intervals, median over the problems. */
export function shareLeft(solved: readonly Solved[], input: number): number {
  const widths = solved.map(({ inputs }) => inputs[input]!.within68[1] - inputs[input]!.within68[0]);
  return quantileOf(Float64Array.from(widths).sort(), 0.5) / 0.68;
}

/** Draws evenly taken from a chain: every k-th, k odd, so that all of an even number of walkers get their turn. */
export function thinned({ u, prior }: Posterior): Float64Array {
  const d = prior.length;
  const n = u.length / d;
  const every = Math.ceil(n / DRAWS_KEPT);
  const stride = every % 2 === 0 ? every + 1 : every;
  const out = new Float64Array(Math.ceil(n / stride) * d);
  for (let i = 0; i * d < out.length; i++) out.set(u.subarray(i * stride * d, (i * stride + 1) * d), i * d);
  return out;
}
