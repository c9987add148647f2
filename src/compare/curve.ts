/** Plays a learning curve's fits and puts what they give together, per method. */
import type { Runs } from "../data/index.ts";
import type { Rng } from "../rng.ts";
import { scoreMethod } from "./comparison.ts";
import type { Contestant } from "./contestant.ts";
import { type CurveErrors, type CurvePart, type Forecast, forecast, meanError } from "./learning-curve.ts";
import { playRounds, type RoundsOptions, type RoundsResult } from "./rounds.ts";

/** All fits with one number of runs. */
export interface CurveSize {
  readonly runs: number;
  readonly fits: number;
  /** Geometric mean over fits and outputs of the root mean squared error in units of the output's standard deviation; and
   * the least and largest of the fits. */
  readonly error: number;
  readonly least: number;
  readonly most: number;
}

export interface MethodCurve {
  readonly method: string;
  readonly title: string;
  readonly sizes: readonly CurveSize[];
  readonly points: readonly CurveErrors[];
  /** Null where fewer than three numbers of runs were done. */
  readonly forecast: Forecast | null;
}

export interface LearningCurve {
  readonly runs: number;
  /** Runs that all fits were tried on. */
  readonly held: number;
  /** Fits of each method that were done, and asked for. */
  readonly fits: number;
  readonly asked: number;
  readonly effort: string;
  readonly seed: number;
  readonly outcome: RoundsResult["outcome"];
  readonly outputs: readonly string[];
  readonly methods: readonly MethodCurve[];
  readonly absent: Readonly<Record<string, string>>;
}

/** Plays the fits, those of the first repeat first, and forecasts from what is done. */
export async function playCurve(
  runs: Runs,
  parts: readonly CurvePart[],
  options: RoundsOptions & { readonly effort: string; readonly seed: number; readonly rng: Rng },
): Promise<LearningCurve> {
  const played = await playRounds(runs, parts, options);
  const done = (name: string): number[] =>
    played.results.filter(({ contestant }) => contestant === name).map(({ round }) => round);
  const methods = options.contestants
    .filter(({ name }) => done(name).length > 0)
    .map((contestant) => curveOf(runs, contestant, parts, done(contestant.name), played, options.rng));
  return {
    runs: runs.n,
    held: parts[0]?.test.length ?? 0,
    fits: methods.reduce((least, { points }) => Math.min(least, points.length), parts.length),
    asked: parts.length,
    effort: options.effort,
    seed: options.seed,
    outcome: played.outcome,
    outputs: runs.schema.fields.map(({ name }) => name),
    methods,
    absent: Object.fromEntries(
      options.contestants
        .filter(({ name }) => done(name).length === 0)
        .map(({ name }) => [name, played.absent[name] ?? "it was not done in time"]),
    ),
  };
}

function curveOf(
  runs: Runs,
  contestant: Contestant,
  parts: readonly CurvePart[],
  rounds: readonly number[],
  { results }: RoundsResult,
  rng: Rng,
): MethodCurve {
  const points = rounds.map((round): CurveErrors => {
    const { outputs } = scoreMethod(runs, contestant, results, [round]);
    const { train, repeat } = parts[round]!;
    return { runs: train.length, repeat, errors: outputs.map(({ rmse }) => rmse) };
  });
  const counts = [...new Set(points.map((point) => point.runs))].sort((a, b) => a - b);
  const sizes = counts.map((count): CurveSize => {
    const errors = points.filter((point) => point.runs === count).map((point) => meanError(point.errors));
    const error = Math.exp(errors.reduce((sum, each) => sum + Math.log(each), 0) / errors.length);
    return { runs: count, fits: errors.length, error, least: Math.min(...errors), most: Math.max(...errors) };
  });
  return {
    method: contestant.name,
    title: contestant.title.trim(),
    sizes,
    points,
    forecast: counts.length < 3 ? null : forecast(points, runs.n, rng.fork(contestant.name)),
  };
}
