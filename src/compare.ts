/**
 * The verb `compare`: the emulator of the default fit, its parts and plain baselines on the same outer folds, so that whoever has
 * a table sees what the search and the mixture buy on it. Every run is held out once; repeats of a run stay together.
 */
import { type Comparison, compareResults } from "./compare/comparison.ts";
import type { Contestant } from "./compare/contestant.ts";
import { type ContestantName, contestantNames, contestants } from "./compare/contestants/index.ts";
import { type LearningCurve, playCurve } from "./compare/curve.ts";
import { curveParts } from "./compare/learning-curve.ts";
import { playRounds } from "./compare/rounds.ts";
import {
  buildRuns,
  foldParts,
  holdOut,
  kFolds,
  type Runs,
  type RunsLike,
  type Selection,
  toRunTables,
} from "./data/index.ts";
import { OptionError } from "./errors.ts";
import type { FitOptions } from "./fit/options.ts";
import { makeRng } from "./rng.ts";

export interface CompareOptions extends Selection {
  /** Who takes part: names, or contestants of one's own. Default: all in `contestants`. */
  readonly methods?: readonly (ContestantName | Contestant)[];
  /** Parts of the runs, each held out once. Default 5. */
  readonly folds?: number;
  /** Work of each fit. Default `standard`. */
  readonly effort?: NonNullable<FitOptions["effort"]>;
  /** Default 1. */
  readonly seed?: number;
  /** Wall-clock cap in milliseconds for all folds; those that are done by then are compared, and none is begun that the
   * time of the last would not suffice for. Default: none. */
  readonly timeMs?: number;
  readonly runner?: NonNullable<FitOptions["runner"]>;
  readonly onProgress?: (progress: { readonly fraction: number; readonly note: string }) => void;
  /** More for the fits, such as `space` or `members`. */
  readonly fit?: FitOptions;
  /** Milliseconds, for measuring. Default: the clock. */
  readonly now?: () => number;
}

/** Compares on one table, or on an inputs' and an outputs' table paired by row, given as for `fit`.
 * @throws FileError, DataError, ShapeError, OptionError for runs or options that cannot be used */
export async function compare(runs: RunsLike, options: CompareOptions = {}): Promise<Comparison> {
  return compareRuns(buildRuns(await toRunTables(runs), options), options);
}

/** Compares on runs that are already built. */
export async function compareRuns(runs: Runs, options: CompareOptions = {}): Promise<Comparison> {
  const { folds = 5, effort = "standard", seed = 1 } = options;
  const entered = contestantsOf(options.methods ?? contestantNames);
  const foldOf = kFolds(runs, folds, makeRng(seed).fork("outer folds"));
  const parts = Array.from({ length: folds }, (_, fold) => foldParts(foldOf, fold));
  const played = await playRounds(runs, parts, { ...options, contestants: entered, fit: fitOptions(options) });
  return compareResults(runs, played, { contestants: entered, folds, effort, seed });
}

/** Fits at growing numbers of runs, tried on the same fifth, and how many more would halve the error; of the emulator unless
 * `methods` says otherwise. Runs and options as for {@link compare}; `folds` has no part in it. */
export async function learningCurve(runs: RunsLike, options: CompareOptions = {}): Promise<LearningCurve> {
  return learningCurveRuns(buildRuns(await toRunTables(runs), options), options);
}

/** The learning curve of runs that are already built. @throws OptionError for too few runs */
export async function learningCurveRuns(runs: Runs, options: CompareOptions = {}): Promise<LearningCurve> {
  const { effort = "standard", seed = 1 } = options;
  const entered = contestantsOf(options.methods ?? ["emulator"]);
  const rng = makeRng(seed).fork("learning curve");
  const parts = curveParts(runs, holdOut(runs, heldShare, rng.fork("held")), rng.fork("subsets"));
  if (parts.length === 0)
    throw new OptionError(
      "OPTION_LEARNING_CURVE",
      `${runs.n} runs are too few for a learning curve: it takes 40, for fits on a quarter, a half and four fifths of them. Add runs, or compare without --learning-curve.`,
    );
  return playCurve(runs, parts, { ...options, contestants: entered, fit: fitOptions(options), effort, seed, rng });
}

/** Share of the runs that a learning curve is tried on. */
const heldShare = 0.2;

/** What every fit is told. */
function fitOptions({ effort = "standard", seed = 1, runner, fit = {} }: CompareOptions): FitOptions {
  return { ...fit, effort, seed, ...(runner === undefined ? {} : { runner }) };
}

/** Contestants by name, in the order of the family's list, then one's own. @throws OptionError for a name that is none */
function contestantsOf(methods: readonly (string | Contestant)[]): Contestant[] {
  const names = methods.filter((method) => typeof method === "string");
  const unknown = names.find((name) => !Object.hasOwn(contestants, name));
  if (unknown !== undefined)
    throw new OptionError(
      "OPTION_METHODS",
      `unknown method "${unknown}" (there are: ${contestantNames.join(", ")}). Choose among these.`,
    );
  if (methods.length === 0)
    throw new OptionError("OPTION_METHODS", `no method to compare. Name some of ${contestantNames.join(", ")}.`);
  const own = methods.filter((method) => typeof method !== "string");
  return [...contestantNames.filter((name) => names.includes(name)).map((name) => contestants[name]), ...own];
}
