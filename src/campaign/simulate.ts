/** The verb: a simulator at the points of a campaign, as one table of runs. */
import { writeWhole, type Table } from "../data/index.ts";
import { type CampaignProgress, type CampaignResult, runCampaign } from "./campaign.ts";
import { misfit, type RunOutput } from "./outputs.ts";
import type { Points } from "./points.ts";
import type { Outcome, Simulator } from "./simulator.ts";
import { type OutputLayout, runsTable } from "./table.ts";

export interface SimulateOptions {
  /** Table to write: .arrow, .parquet or .csv. `OUT.parts` beside it holds what is done until all is. */
  readonly out: string;
  /** How often to run again where a run fails. Default 0. */
  readonly retries?: number;
  /** Remove what is left of another campaign beside `out`, or of this one. Default: go on with this, refuse another. */
  readonly restart?: boolean;
  /** Go on though the first runs all failed. Default: give up after {@link FIRST_RUNS}. */
  readonly keepGoing?: boolean;
  /** Ends the campaign; what is done is kept. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: CampaignProgress) => void;
}

/** If so many runs have ended and all of them failed, the others are likely to. */
export const FIRST_RUNS = 5;

/** One failed run. */
export interface FailedRun {
  /** From 1, as the table's rows are counted. */
  readonly run: number;
  readonly reason: string;
  readonly attempts: number;
  readonly seconds: number;
}

export interface SimulateResult extends CampaignResult {
  /** Where the table is made, what is in it. */
  readonly outputs: readonly OutputLayout[];
  readonly failures: readonly FailedRun[];
  /** Seconds that a run took, all attempts together. */
  readonly secondsPerRun?: { readonly median: number; readonly longest: number };
  /** CSV with attempts, seconds and outcome of each run; they are not in the table, which is the same each time. */
  readonly log?: string;
}

/** What is kept of one run. */
interface Kept {
  readonly status: readonly [string];
  readonly outputs: readonly RunOutput[];
  readonly attempts: number;
  readonly seconds: number;
}

/** Rows that are written at once. */
const ROWS = 256;

/**
 * Runs a simulator at each point and writes the table: inputs, outputs, `status`. The first run that succeeds, in the
 * order of the points, says which outputs there are and their shapes; a run that gave others has failed. Failed runs keep
 * their row, with NaN. The bytes depend on points and simulator alone, not on how many ran at once or on interruptions.
 * @throws OptionError for another campaign's parts beside `out`, and what the simulator throws; FileError
 */
export async function simulate(
  simulator: Simulator,
  points: Points,
  options: SimulateOptions,
): Promise<SimulateResult> {
  const { out, retries = 0, restart = false, keepGoing = false, signal, onProgress } = options;
  const log = `${out}.log.csv`;
  let report: Pick<SimulateResult, "outputs" | "failures" | "secondsPerRun"> = { outputs: [], failures: [] };
  const result = await runCampaign<Kept>({
    ...{ out, runs: points.runs, partSize: 1, parallel: simulator.parallel },
    identity: { ...simulator.identity, ...points.identity },
    leftovers: restart ? "restart" : "resume",
    make: (run, halted) => attempt(simulator, points, run, retries, halted),
    async *tables(read) {
      const layout = await layoutOf(points.runs, read);
      const all: Omit<Kept, "outputs">[] = [];
      for (let from = 0; from < points.runs; from += ROWS) {
        const to = Math.min(points.runs, from + ROWS);
        const runs: Kept[] = [];
        for (let run = from; run < to; run++) runs.push(judge(await read(run), layout));
        for (const { status, attempts, seconds } of runs) all.push({ status, attempts, seconds });
        yield tableOf(points, from, layout.outputs, runs);
      }
      report = { outputs: layout.outputs, ...summary(all) };
      await writeWhole(log, logOf(all));
    },
    ...(signal === undefined ? {} : { signal }),
    ...(keepGoing ? {} : { giveUpAfter: FIRST_RUNS }),
    ...(onProgress === undefined ? {} : { onProgress }),
  });
  if (result.outcome !== "made") return { ...result, ...report };
  return { ...result, failed: report.failures.length, ...report, log };
}

async function attempt(
  simulator: Simulator,
  points: Points,
  run: number,
  retries: number,
  signal: AbortSignal,
): Promise<Kept | undefined> {
  const started = performance.now();
  for (let attempts = 1; ; attempts++) {
    const outcome: Outcome = await simulator.run(run, points.at(run), signal);
    const seconds = (performance.now() - started) / 1000;
    switch (outcome.status) {
      case "stopped":
        return undefined;
      case "ok":
        return { status: ["ok"], outputs: outcome.outputs, attempts, seconds };
      case "failed":
        if (attempts > retries) return { status: [outcome.reason], outputs: [], attempts, seconds };
    }
  }
}

/** The outputs of the first run that succeeded, and its number from 1. */
interface Layout {
  readonly outputs: readonly OutputLayout[];
  readonly first: number;
}

async function layoutOf(runs: number, read: (run: number) => Promise<Kept>): Promise<Layout> {
  for (let run = 0; run < runs; run++) {
    const { status, outputs } = await read(run);
    if (status[0] === "ok") return { outputs: outputs.map(({ values: _, ...output }) => output), first: run + 1 };
  }
  return { outputs: [], first: 0 };
}

/** A run that gave other outputs than the first has failed. */
function judge(kept: Kept, { outputs, first }: Layout): Kept {
  if (kept.status[0] !== "ok") return kept;
  const reason = misfit(kept.outputs, outputs, first);
  return reason === undefined ? kept : { ...kept, status: [reason], outputs: [] };
}

function tableOf(points: Points, from: number, layout: readonly OutputLayout[], runs: readonly Kept[]): Table {
  const values = layout.map(({ name, shape }) => {
    const size = shape.reduce((product, extent) => product * extent, 1);
    const all = new Float64Array(runs.length * size).fill(NaN);
    runs.forEach(({ outputs }, row) => {
      const found = outputs.find((output) => output.name === name);
      if (found !== undefined) all.set(found.values, row * size);
    });
    return all;
  });
  const status = runs.map((run) => run.status[0]);
  return runsTable("runs", points.columns(from, from + runs.length), layout, values, status);
}

function summary(runs: readonly Omit<Kept, "outputs">[]): Pick<SimulateResult, "failures" | "secondsPerRun"> {
  const failures = runs.flatMap(({ status, attempts, seconds }, i): FailedRun[] =>
    status[0] === "ok" ? [] : [{ run: i + 1, reason: status[0], attempts, seconds }],
  );
  const times = runs.map(({ seconds }) => seconds).sort((a, b) => a - b);
  const [median, longest] = [times[times.length >> 1] ?? 0, times.at(-1) ?? 0];
  return { failures, secondsPerRun: { median, longest } };
}

function logOf(runs: readonly Omit<Kept, "outputs">[]): string {
  const rows = runs.map(({ status, attempts, seconds }, i) =>
    [i + 1, attempts, seconds.toFixed(3), `"${status[0].replaceAll('"', '""')}"`].join(),
  );
  return ["run,attempts,seconds [s],status", ...rows, ""].join("\n");
}
