/**
 * Rounds of a comparison: every contestant learns from the same runs and predicts the same held-out ones. A round may be cut
 * short, by the clock or by who asks to stop; what is done by then counts, what was under way does not: a fit that had to
 * hurry is not what the table is about.
 */
import { type HoldOut, type Runs, takeRuns } from "../data/index.ts";
import type { EmulatorInfo } from "../emulator/index.ts";
import { train } from "../fit.ts";
import type { FitOptions, FitProgress } from "../fit/options.ts";
import type { Trained } from "../fit/assemble.ts";
import { inProcess } from "../tasks/index.ts";
import type { Contestant, Predictions, Predictor, Round } from "./contestant.ts";

/** What one contestant did in one round. */
export interface RoundResult {
  readonly contestant: string;
  /** Number of the round. */
  readonly round: number;
  /** The held-out rows, and the predictions there with intervals of 90 and of 95 %. */
  readonly rows: Int32Array;
  readonly at90: Predictions;
  readonly at95: Predictions;
  /** Wall-clock time of the fit; undefined where it was part of another contestant's. */
  readonly fitSeconds?: number;
  /** Of one row, in calls of up to 1000 rows. */
  readonly queryMicros: number;
  readonly info?: EmulatorInfo;
}

export interface RoundsOptions {
  readonly contestants: readonly Contestant[];
  readonly fit: FitOptions;
  /** Wall-clock cap in milliseconds. */
  readonly timeMs?: number;
  readonly onProgress?: (progress: { readonly fraction: number; readonly note: string }) => void;
  /** Milliseconds, for measuring time and for the cap. Default: the clock. */
  readonly now?: () => number;
}

export interface RoundsResult {
  readonly results: readonly RoundResult[];
  /** Why contestants did not take part, by name. */
  readonly absent: Readonly<Record<string, string>>;
  readonly outcome: "complete" | "time" | "interrupted";
}

/** Runs of the work that a round takes, by its number of runs: fits grow a little faster than that. */
const workOf = (rows: number): number => rows + 50;

/** Plays all rounds, one after another. Contestants that take little time go first: they are done when a long fit is cut
 * short. */
export async function playRounds(runs: Runs, parts: readonly HoldOut[], options: RoundsOptions): Promise<RoundsResult> {
  const { contestants, timeMs = Number.POSITIVE_INFINITY, now = () => performance.now() } = options;
  const runner = options.fit.runner ?? inProcess();
  const end = now() + timeMs;
  const works = parts.map(({ train: rows }) => workOf(rows.length));
  const allWork = works.reduce((a, c) => a + c, 0);
  const ownWork = contestants.reduce((sum, { work }) => sum + work, 0);
  const byWork = [...contestants].sort((a, b) => a.work - b.work);
  const isPart = ({ name }: Contestant): boolean => partsOfEmulator.includes(name);
  const order = [...byWork.filter((each) => !isPart(each)), ...byWork.filter(isPart)];
  const results: RoundResult[] = [];
  const absent: Record<string, string> = {};
  /** Milliseconds per unit of work, the longest so far. */
  const pace = new Map<string, number>();
  let done = 0;
  for (const [round, { train: trainRows, test }] of parts.entries()) {
    const share = works[round]! / allWork;
    let played = 0;
    const report = (within: number, note: string): void => {
      options.onProgress?.({
        fraction: done + (share * (played + within)) / ownWork,
        note: `${parts.length === 1 ? "" : `part ${round + 1} of ${parts.length}, `}${note}`,
      });
    };
    const learn = takeRuns(runs, trainRows);
    const held = takeRuns(runs, test);
    // Only the first fit has a cap of its own: later ones begin where the time of the last is left.
    const cap = Number.isFinite(end) && round === 0 ? end - now() : undefined;
    const state = makeRound(learn, options, cap, ({ fraction, phase }) => {
      report(fraction * (contestants.find(({ name }) => name === "emulator")?.work ?? 2), phase);
    });
    for (const contestant of order) {
      if (runner.stopped) return { results, absent, outcome: "interrupted" };
      const expected = (pace.get(contestant.name) ?? 0) * works[round]!;
      if (now() + expected >= end) return { results, absent, outcome: "time" };
      report(0, contestant.name);
      const began = now();
      const fitted = await contestant.fit(state);
      const fitMs = now() - began;
      pace.set(contestant.name, Math.max(pace.get(contestant.name) ?? 0, fitMs / works[round]!));
      if (fitted.kind === "absent") absent[contestant.name] ??= fitted.reason;
      else if (runner.stopped || fitted.info?.fit.outcome === "time") await fitted.predictor.dispose();
      else {
        const { predictor, shared = false, info } = fitted;
        const at95 = await predictor.predict(held.x, 0.95);
        const at90 = await predictor.predict(held.x, 0.9);
        const queryMicros = await timeQuery(predictor, held.x, held.n, now);
        await predictor.dispose();
        results.push({
          ...{ contestant: contestant.name, round, rows: test, at90, at95, queryMicros },
          ...(shared ? {} : { fitSeconds: fitMs / 1000 }),
          ...(info === undefined ? {} : { info }),
        });
      }
      played += contestant.work;
    }
    done += share;
  }
  return { results, absent, outcome: runner.stopped ? "interrupted" : now() >= end ? "time" : "complete" };
}

/** Contestants that are made of the emulator's training, so after it. */
const partsOfEmulator: readonly string[] = ["networks", "processes"];

function makeRound(
  runs: Runs,
  { fit, contestants }: RoundsOptions,
  timeMs: number | undefined,
  onProgress: (progress: FitProgress) => void,
): Round {
  // The networks alone are judged as an ensemble, however far behind they are.
  const allMembers = contestants.some(({ name }) => name === "networks");
  const cap = timeMs === undefined ? {} : { timeMs: Math.max(1, timeMs) };
  const options: FitOptions = { ...fit, allMembers, onProgress, ...cap };
  let trained: Promise<Trained> | undefined;
  return {
    runs,
    options,
    entered: contestants.map(({ name }) => name),
    trained: () => (trained ??= train(runs, options)),
  };
}

const rowsPerCall = 1000;
const calls = 5;

/** Microseconds of one row: the middle of some calls of up to 1000 rows, the held-out ones over and over. */
async function timeQuery(predictor: Predictor, x: Float64Array, n: number, now: () => number): Promise<number> {
  const width = x.length / n;
  const copies = Math.max(1, Math.floor(rowsPerCall / n));
  const rows = Math.min(rowsPerCall, copies * n);
  const feed = new Float64Array(rows * width);
  for (let i = 0; i < feed.length; i++) feed[i] = x[i % x.length]!;
  const times: number[] = [];
  for (let call = 0; call < calls; call++) {
    const began = now();
    await predictor.predict(feed);
    times.push(now() - began);
  }
  times.sort((a, b) => a - b);
  return (1000 * times[calls >> 1]!) / rows;
}
