/** What is said of a case that was run: plain data, as it stands in summary.json and in the table of all cases. */
import { alignRows, hostName, median, type OutputScale, showNumber, version } from "../../src/index.ts";
import type { Case } from "../case.ts";
import { type Inversions, posteriorCoverage, shareLeft } from "./invert.ts";
import type { RealChain } from "./real.ts";
import { payback, type Speed } from "./speed.ts";
import { coverageAt, type Tested } from "./test.ts";

export interface CaseSummary {
  readonly case: string;
  readonly title: string;
  /** What must be known of the numbers. */
  readonly caution: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly machine: { readonly host: string; readonly threads: number; readonly version: string };
  /** Runs learned from, runs that failed, and the fit: wall-clock seconds on `threads` threads. */
  readonly fit: {
    readonly runs: number;
    readonly failed: number;
    readonly seconds: number;
    readonly threads: number;
    readonly outcome: string;
    readonly bytes: number;
  };
  /** On fresh runs, uniform over the box. */
  readonly test: {
    readonly runs: number;
    /** Medians over the fields that vary. */
    readonly fvu: number;
    readonly nrmse: number;
    /** Over all numbers. */
    readonly coverage90: number;
    readonly coverage95: number;
    readonly fields: readonly {
      readonly field: string;
      readonly scale: OutputScale;
      readonly fvu: number;
      readonly nrmse: number;
      readonly rmse: number;
      readonly coverage90: number;
      readonly coverage95: number;
    }[];
  };
  readonly inverse: {
    readonly truths: number;
    readonly seconds: number;
    /** Shares of truths inside central intervals over all inputs, with standard errors. */
    readonly coverage68: number;
    readonly coverage68Error: number;
    readonly coverage95: number;
    readonly coverage95Error: number;
    /** Medians over the problems. */
    readonly rHat: number;
    readonly effectiveDraws: number;
    readonly acceptance: number;
    readonly inputs: readonly {
      readonly input: string;
      readonly coverage68: number;
      readonly coverage95: number;
      /** Width of the posterior over that of the prior: 1 where the data say nothing. */
      readonly shareOfPrior: number;
    }[];
  };
  readonly speed: Speed;
  /** Queries, one at a time, after which the runs and the fit have paid; null where they never do. */
  readonly paybackQueries: number | null;
  /** The chain with the simulator itself, where it was asked for. */
  readonly real: {
    readonly simulations: number;
    readonly seconds: number;
    readonly rHat: number;
    /** Per input, in prior widths: distance of the two medians, and the ratio of the 68 % widths, emulator / simulator. */
    readonly inputs: readonly { readonly input: string; readonly shift: number; readonly widthRatio: number }[];
  } | null;
}

/** What stages gave. */
export interface Stages {
  readonly options: Readonly<Record<string, unknown>>;
  readonly threads: number;
  readonly fit: CaseSummary["fit"];
  readonly tested: Tested;
  readonly inversions: Inversions;
  readonly speed: Speed;
  readonly real: RealChain | undefined;
}

export const caution =
  "The simulator is a stand-in written from published physics: no score here may be set beside a paper's as if the data were the same.";

/** Puts the results of all stages together. */
export function summarise(study: Case, stages: Stages): CaseSummary {
  const { options, threads, fit, tested, inversions, speed, real } = stages;
  const told = (values: readonly number[]): number => median(values.filter((value) => !Number.isNaN(value)));
  const numbers = tested.fields.reduce((sum, { count }) => sum + count, 0);
  const overall = (level: number): number =>
    tested.fields.reduce((sum, field) => sum + coverageAt(field, level) * field.count, 0) / numbers;
  const { solved } = inversions;
  const [all68, all95] = [posteriorCoverage(solved, 0.68), posteriorCoverage(solved, 0.95)];
  const queries = payback(speed, fit.runs + fit.failed, fit.seconds * fit.threads);
  return {
    case: study.name,
    title: study.title,
    caution,
    options,
    machine: { host: hostName(), threads, version },
    fit,
    test: {
      runs: tested.rows,
      fvu: told(tested.fields.map(({ fvu }) => fvu)),
      nrmse: told(tested.fields.map(({ nrmse }) => nrmse)),
      coverage90: overall(0.9),
      coverage95: overall(0.95),
      fields: tested.fields.map((field) => ({
        field: field.field,
        scale: field.scale,
        fvu: field.fvu,
        nrmse: field.nrmse,
        rmse: field.rmse,
        coverage90: coverageAt(field, 0.9),
        coverage95: coverageAt(field, 0.95),
      })),
    },
    inverse: {
      truths: solved.length,
      seconds: inversions.seconds,
      coverage68: all68.share,
      coverage68Error: all68.error,
      coverage95: all95.share,
      coverage95Error: all95.error,
      rHat: median(solved.map(({ rHat }) => rHat)),
      effectiveDraws: median(solved.map(({ effectiveDraws }) => effectiveDraws)),
      acceptance: median(solved.map(({ acceptance }) => acceptance)),
      inputs: study.inputs.map(({ name }, j) => ({
        input: name,
        coverage68: posteriorCoverage(solved, 0.68, j).share,
        coverage95: posteriorCoverage(solved, 0.95, j).share,
        shareOfPrior: shareLeft(solved, j),
      })),
    },
    speed,
    paybackQueries: Number.isFinite(queries) ? Math.ceil(queries) : null,
    real: real === undefined ? null : besides(study, inversions, real),
  };
}

function besides(study: Case, { solved }: Inversions, real: RealChain): CaseSummary["real"] {
  const width = ([low, high]: readonly [number, number]): number => high - low;
  return {
    simulations: real.simulations,
    seconds: real.seconds,
    rHat: real.solved.rHat,
    inputs: study.inputs.map(({ name }, j) => {
      const [ours, theirs] = [solved[0]!.inputs[j]!, real.solved.inputs[j]!];
      return {
        input: name,
        shift: (ours.median - theirs.median) / width(theirs.within68),
        widthRatio: width(ours.within68) / width(theirs.within68),
      };
    }),
  };
}

/** Head and rows of the table of cases. */
export function tableRows(summaries: readonly CaseSummary[]): readonly (readonly string[])[] {
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  const times = (ratio: number): string => `${showNumber(ratio, 3)}x`;
  return [
    [
      "case",
      "runs",
      "fit",
      "FVU",
      "nRMSE",
      "in 90 %",
      "1 query",
      "best",
      "speedup 1",
      "best",
      "posterior 68 %",
      "95 %",
    ],
    ...summaries.map(({ case: name, fit, test, inverse, speed }) => [
      name,
      String(fit.runs),
      `${Math.round(fit.seconds)} s`,
      showNumber(test.fvu, 2),
      showNumber(test.nrmse, 2),
      percent(test.coverage90),
      showMs(speed.single.median),
      showMs(bestOf(speed)),
      times(speed.speedup.single.median),
      times(speed.speedup.batched.median),
      percent(inverse.coverage68),
      percent(inverse.coverage95),
    ]),
  ];
}

/** Milliseconds per row in the best batch. */
export function bestOf({ single, batches, bestRows }: Speed): number {
  return batches.find(({ rows }) => rows === bestRows)?.median ?? single.median;
}

/** Milliseconds as a time with its unit. */
export function showMs(ms: number): string {
  if (ms >= 1000) return `${showNumber(ms / 1000, 3)} s`;
  return ms >= 1 ? `${showNumber(ms, 3)} ms` : `${showNumber(1000 * ms, 3)} us`;
}

/** The table of cases for people. */
export function describeTable(summaries: readonly CaseSummary[]): string {
  return [
    alignRows(tableRows(summaries), [0]),
    "",
    "FVU and nRMSE (RMSE over the standard deviation of the truth): medians over the outputs, on fresh uniform runs. Speedup:",
    "simulator over emulator, one thread each, one query at a time and in the best batch. Posterior: truths inside central intervals.",
    caution,
  ].join("\n");
}
