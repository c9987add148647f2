/** What a comparison finds: scores of every contestant on the same held-out runs, and who is best at what. */
import { coverageOf, overallScores, scoreField, takeValues } from "../analysis/index.ts";
import { fieldSize, type Runs, type Schema } from "../data/index.ts";
import type { FieldPrediction } from "../emulator/index.ts";
import type { Contestant } from "./contestant.ts";
import type { RoundResult, RoundsResult } from "./rounds.ts";
import { type Stacking, stackingOf } from "./stacking.ts";

/** Scores of one contestant on one output. Root mean squared error and CRPS are in units of the output's standard
 * deviation over the held-out runs, so that outputs can be averaged. */
export interface OutputScores {
  readonly output: string;
  readonly fvu: number;
  readonly rmse: number;
  readonly crps: number;
  readonly coverage90: number;
  readonly coverage95: number;
}

export interface MethodScores {
  readonly method: string;
  readonly title: string;
  readonly source: string;
  /** Median over the outputs that vary. */
  readonly fvu: number;
  /** Means over the outputs that vary. */
  readonly rmse: number;
  readonly crps: number;
  /** Over all numbers. */
  readonly coverage90: number;
  readonly coverage95: number;
  /** Mean of the rounds; null where the fit was part of the emulator's. */
  readonly fitSeconds: number | null;
  /** Of one row, in calls of up to 1000 rows, median of the rounds. */
  readonly queryMicros: number;
  readonly outputs: readonly OutputScores[];
}

export interface Winner {
  readonly output: string;
  /** Contestants of least CRPS: more than one where they predict the same. Empty where the output does not vary. */
  readonly best: readonly string[];
  /** The next after them, and its CRPS over theirs. */
  readonly next: string | null;
  readonly ratio: number | null;
}

export interface Comparison {
  readonly runs: number;
  /** Folds that all of the methods below were scored on, and folds that were asked for. */
  readonly folds: number;
  readonly asked: number;
  /** Runs in these folds: each was predicted without it. */
  readonly scored: number;
  readonly effort: string;
  readonly seed: number;
  readonly outcome: RoundsResult["outcome"];
  /** In the order of the contestants. */
  readonly methods: readonly MethodScores[];
  readonly winners: readonly Winner[];
  /** How the emulator came to its mixture; null where it took no part. */
  readonly stacking: Stacking | null;
  /** Why contestants are missing, by name. */
  readonly absent: Readonly<Record<string, string>>;
}

/** Scores what the rounds gave, on the rounds that all contestants finished that finished any. */
export function compareResults(
  runs: Runs,
  { results, absent, outcome }: RoundsResult,
  asked: {
    readonly contestants: readonly Contestant[];
    readonly folds: number;
    readonly effort: string;
    readonly seed: number;
  },
): Comparison {
  const taking = asked.contestants.filter(({ name }) => results.some((result) => result.contestant === name));
  const rounds = Array.from({ length: asked.folds }, (_, round) => round).filter(
    (round) =>
      taking.length > 0 &&
      taking.every(({ name }) => results.some((result) => result.contestant === name && result.round === round)),
  );
  const methods = rounds.length === 0 ? [] : taking.map((contestant) => scoreMethod(runs, contestant, results, rounds));
  const scored = results
    .filter(({ contestant, round }) => contestant === taking[0]?.name && rounds.includes(round))
    .reduce((sum, { rows }) => sum + rows.length, 0);
  const missing = asked.contestants.filter(({ name }) => !taking.some((each) => each.name === name));
  return {
    runs: runs.n,
    folds: rounds.length,
    asked: asked.folds,
    scored,
    effort: asked.effort,
    seed: asked.seed,
    outcome,
    methods,
    winners: runs.schema.fields.map((field, f) => winnerOf(field.name, methods, f)),
    stacking: stackingOf(
      runs.schema,
      results.filter(({ round }) => rounds.includes(round)),
    ),
    absent: Object.fromEntries(missing.map(({ name }) => [name, absent[name] ?? "it was not done in time"])),
  };
}

/** Scores one contestant on the runs of some rounds, all together. */
export function scoreMethod(
  runs: Runs,
  { name, title, source }: Contestant,
  all: readonly RoundResult[],
  rounds: readonly number[],
): MethodScores {
  const results = all.filter(({ contestant, round }) => contestant === name && rounds.includes(round));
  const { schema } = runs;
  const rows = Int32Array.from(results.flatMap((result) => [...result.rows]));
  const truths = schema.fields.map((field, f) => takeValues(runs.y[f]!, rows, fieldSize(field)));
  const at95 = join(
    schema,
    results.map((result) => result.at95),
  );
  const at90 = join(
    schema,
    results.map((result) => result.at90),
  );
  const fields = schema.fields.map((field, f) => scoreField(at95[f]!, truths[f]!, fieldSize(field), 0.95));
  const overall = overallScores(fields);
  const seconds = results.flatMap(({ fitSeconds }) => (fitSeconds === undefined ? [] : [fitSeconds]));
  const micros = results.map(({ queryMicros }) => queryMicros).sort((a, b) => a - b);
  return {
    method: name,
    title,
    source,
    fvu: overall.fvu,
    rmse: overall.rmse,
    crps: overall.crps,
    coverage90: coverageOf(at90, truths, rows.length, 0.9).coverage,
    coverage95: overall.coverage,
    fitSeconds: seconds.length === 0 ? null : seconds.reduce((a, c) => a + c, 0) / seconds.length,
    queryMicros: micros[micros.length >> 1] ?? Number.NaN,
    outputs: fields.map((field, f) => ({
      output: field.field,
      fvu: field.fvu,
      rmse: field.truthStd > 0 ? field.rmse / field.truthStd : Number.NaN,
      crps: field.truthStd > 0 ? field.crps / field.truthStd : Number.NaN,
      coverage90: coverageOf([at90[f]!], [truths[f]!], rows.length, 0.9).coverage,
      coverage95: field.coverage,
    })),
  };
}

/** Predictions of several rounds one after another. */
function join(schema: Schema, parts: readonly (readonly FieldPrediction[])[]): FieldPrediction[] {
  return schema.fields.map((field, f) => {
    const of = (statistic: Exclude<keyof FieldPrediction, "field">): Float64Array =>
      joined(parts.map((part) => part[f]![statistic]));
    return {
      field: field.name,
      mean: of("mean"),
      std: of("std"),
      noise: of("noise"),
      lower: of("lower"),
      upper: of("upper"),
    };
  });
}

function joined(parts: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** CRPS that differ by less are the same prediction. */
const same = 1e-9;

function winnerOf(output: string, methods: readonly MethodScores[], f: number): Winner {
  const ranked = methods
    .map(({ method, outputs }) => ({ method, crps: outputs[f]!.crps }))
    .filter(({ crps }) => !Number.isNaN(crps))
    .sort((a, b) => a.crps - b.crps);
  const least = ranked[0]?.crps ?? 0;
  const best = ranked.filter(({ crps }) => crps <= least * (1 + same));
  const next = ranked[best.length];
  return {
    output,
    best: best.map(({ method }) => method),
    next: next?.method ?? null,
    ratio: next === undefined ? null : next.crps / least,
  };
}
