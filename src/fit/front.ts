/**
 * A front of error against latency on one device: several emulators of the same runs, each searched and trained under a
 * budget of its own. The first has no budget; the others stand evenly, in logarithms, between its latency and the least
 * that is within reach. All members run in a call, so a fast emulator may have fewer of them. Where one of a smaller budget
 * does clearly better on held-out runs, the larger budget takes it too: what a larger one buys is no larger error.
 */
import { median } from "../analysis/index.ts";
import type { Runs } from "../data/index.ts";
import type { EmulatorInfo, LatencyInfo } from "../emulator/index.ts";
import { OptionError } from "../errors.ts";
import { type History, hypervolume, nonDominated } from "../search/index.ts";
import type { Architecture } from "../space/index.ts";
import type { CheckpointStore } from "../tasks/index.ts";
import { type Deployment, emulatorLatency, type Shape, smallestReachable } from "./constrain.ts";
import type { FitOptions } from "./options.ts";
import { planFolds, prepare } from "./prepare.ts";

/** What a fit gives, as far as a front wants to know. */
interface Fitted {
  readonly bytes: Uint8Array;
  readonly info: EmulatorInfo;
  readonly history: History;
}

/** A fit, and what its emulators are like whatever their architecture. */
interface FittedPoint<Result extends Fitted> {
  readonly result: Result;
  readonly shape: Shape;
}

export interface FrontOptions<Result extends Fitted = Fitted> extends Omit<FitOptions, "checkpoints" | "deployment"> {
  /** One device, without a budget. */
  readonly deployment: Omit<Deployment, "budget" | "soft">;
  /** Emulators. Default 5. */
  readonly points?: number;
  /** Error of a finished emulator. Default: the median over outputs of the FVU on held-out folds, as in its file. */
  readonly score?: (result: Result) => number | Promise<number>;
  /** Checkpoints by the number of the point, 1 for the fastest. */
  readonly checkpointsFor?: (point: number) => CheckpointStore;
  /** Before each fit, and with each emulator as it is finished, the slowest first. */
  readonly onBegin?: (point: number, budget: number | undefined, members: number) => void;
  readonly onPoint?: (point: FrontPoint<Result>) => void | Promise<void>;
}

export interface FrontPoint<Result extends Fitted = Fitted> {
  /** 1 for the fastest. */
  readonly number: number;
  /** The point that the emulator was fitted for: this one, or a faster one whose emulator did better. */
  readonly fittedFor: number;
  readonly result: Result;
  readonly members: number;
  /** Seconds; undefined for the emulator that no budget limits. */
  readonly budget?: number;
  readonly latency: LatencyInfo;
  /** Multiply-accumulates of one row through all members. */
  readonly macs: number;
  readonly error: number;
}

export interface Front<Result extends Fitted = Fitted> {
  /** Fastest first; fewer than asked for where the work was interrupted or there is no room between. */
  readonly points: readonly (FrontPoint<Result> & { readonly onFront: boolean })[];
  /** Decades of latency times decades of error that the front covers, below the slowest latency and an error of 1. */
  readonly hypervolume: number;
}

/** An error that is so many times another is more than held-out runs may have by chance. */
const CLEARLY = 1.1;

/** Correlation that is assumed between the errors of members. */
const memberCorrelation = 0.5;

/** Traces the front with a function that fits. @throws OptionError for a front of several devices or of too few points */
export async function traceFront<Result extends Fitted>(
  runs: Runs,
  options: FrontOptions<Result>,
  fitAt: (options: FitOptions) => Promise<FittedPoint<Result>>,
): Promise<Front<Result>> {
  const { deployment, points: count = 5, score = foldError, checkpointsFor, onBegin, onPoint, ...rest } = options;
  if (deployment.devices.length !== 1)
    throw new OptionError(
      "OPTION_TARGET",
      `a front is of one device, not of ${deployment.devices.length}. Name one target, and fit again for another.`,
    );
  if (!Number.isInteger(count) || count < 2 || count > 20)
    throw new OptionError("OPTION_POINTS", `a front of ${count} points: must be a whole number from 2 to 20.`);
  const { now = Date.now, runner } = options;
  const begun = now();
  const { members: most, distinct } = prepare(runs, rest);
  const sizes = memberSizes(most);
  const found: FrontPoint<Result>[] = [];
  const fitPoint = async (
    number: number,
    members: number,
    budget: number | undefined,
  ): Promise<FittedPoint<Result>> => {
    onBegin?.(number, budget, members);
    const left = (options.timeMs ?? Number.POSITIVE_INFINITY) - (now() - begun);
    const fitted = await fitAt({
      ...rest,
      members,
      process: false,
      deployment: { ...deployment, ...(budget === undefined ? {} : { budget }) },
      ...(Number.isFinite(left) ? { timeMs: Math.max(1, left / number) } : {}),
      ...(checkpointsFor === undefined ? {} : { checkpoints: checkpointsFor(number) }),
    });
    const { result } = fitted;
    const [latency] = result.info.latency;
    if (latency === undefined) throw new RangeError("internal: an emulator for a device without its latency");
    const point = {
      number,
      fittedFor: number,
      result,
      members,
      ...(budget === undefined ? {} : { budget }),
      latency,
      macs: result.info.members.reduce((sum, member) => sum + member.macs, 0),
      error: await score(result),
    };
    found.push(point);
    await onPoint?.(point);
    return fitted;
  };

  const free = await fitPoint(count, most, undefined);
  // Only a fit knows what its fields are learned as, and that takes time at every call.
  const ensembles = sizes.map((members) => {
    const shape = { ...free.shape, members };
    return { members, least: smallestReachable(deployment, shape), latency: emulatorLatency(deployment, shape) };
  });
  const slowest = (found[0]?.latency.predictedMs.high ?? 0) / 1000;
  const least = Math.min(...ensembles.map((each) => each.least));
  const archive = evaluated(free.result.history);
  // Fastest last; none where the emulator without a budget is as fast as can be.
  const budgets =
    least < slowest
      ? Array.from({ length: count - 1 }, (_, i) => slowest * (least / slowest) ** ((i + 1) / count))
      : [];
  for (const [i, budget] of budgets.entries()) {
    if (runner?.stopped === true) break;
    const number = count - 1 - i;
    const reached = ensembles.filter((each) => each.least <= budget);
    const expected = reached.map(({ members, latency }) => {
      const within = archive.filter(({ architecture }) => latency.of(architecture) <= 1000 * budget);
      return expectedError(Math.min(...within.map(({ loss }) => loss)), members, planFolds(members, distinct).folds);
    });
    // Where the archive holds nothing so fast: the fewest members, so that each may be as large as can be.
    const best = expected.lastIndexOf(Math.min(...expected));
    await fitPoint(number, reached[best]?.members ?? most, budget);
  }
  const chosen = bestWithin(found.toReversed(), distinct);
  // What does not fit the device runs nowhere: it is no part of the front.
  const costs = chosen.map(({ latency: { fits, predictedMs }, error }) => [
    fits === false ? Number.NaN : Math.log10(predictedMs.p50),
    Math.log10(error),
  ]);
  const kept = nonDominated(costs);
  const reference = [Math.max(...costs.map(([latency = NaN]) => latency).filter(Number.isFinite)), 0];
  return {
    points: chosen.map((point, i) => ({ ...point, onFront: kept[i] ?? false })),
    hypervolume: hypervolume(costs, reference),
  };
}

/** For each budget its emulator, or one of a smaller budget that does clearly better on held-out runs.
 * @param points fastest first   @param distinct runs with inputs of their own */
function bestWithin<Result extends Fitted>(
  points: readonly FrontPoint<Result>[],
  distinct: number,
): readonly FrontPoint<Result>[] {
  const expected = ({ result, members, latency }: FrontPoint<Result>): number =>
    latency.fits === false
      ? Number.POSITIVE_INFINITY
      : expectedError(foldError(result), members, planFolds(members, distinct).folds);
  let best: FrontPoint<Result> | undefined;
  return points.map((point) => {
    const before = best ?? point;
    const taken = CLEARLY * expected(before) < expected(point) ? before : point;
    best = expected(point) < expected(before) ? point : before;
    if (taken === point) return point;
    const { budget: _, latency, ...rest } = taken;
    return { ...rest, ...under(point.budget, latency), number: point.number };
  });
}

/** What a budget says of an emulator of another's: nothing where it is none. */
function under(budget: number | undefined, latency: LatencyInfo): Pick<FrontPoint, "budget" | "latency"> {
  const { budgetMs: _budget, meetsBudget: _meets, ...plain } = latency;
  if (budget === undefined) return { latency: plain };
  const budgetMs = 1000 * budget;
  return { budget, latency: { ...plain, budgetMs, meetsBudget: latency.predictedMs.high <= budgetMs } };
}

/** The ensemble's size, its half and its quarter, no less than two. */
function memberSizes(members: number): number[] {
  return [...new Set([members, members >> 1, members >> 2])].filter((size) => size >= 2);
}

/** The error of an ensemble by that of one of its networks, up to a factor: averaging takes what is not common to all, and
 * a member that holds one of few folds out has seen fewer runs. */
function expectedError(loss: number, members: number, folds: number): number {
  const averaged = memberCorrelation + (1 - memberCorrelation) / members;
  return (loss * averaged) / (1 - 1 / folds);
}

interface Evaluated {
  readonly architecture: Architecture;
  readonly loss: number;
}

/** The archive of a search: architectures with their newest loss; trials alone where there were any, as they compare. */
function evaluated({ records }: History): readonly Evaluated[] {
  const all = records.filter(({ event, valLoss }) => event === "evaluated" && Number.isFinite(valLoss));
  const trials = all.filter(({ reason }) => reason === "trial");
  const losses = new Map((trials.length > 0 ? trials : all).map((each) => [each.architecture, each.valLoss ?? NaN]));
  return [...losses].map(([id, loss]) => ({ architecture: id.split(".").map(Number), loss }));
}

function foldError({ info }: Fitted): number {
  return median(info.scores.map(({ fvu }) => fvu));
}
