/** Makes tables of runs of a case: a design of points, the simulator at each, one row per run, as a resumable campaign. */
import {
  type CampaignProgress,
  type Column,
  type DesignName,
  designs,
  makeRng,
  numberColumn,
  type OutputLayout,
  runCampaign,
  runsTable,
  type Table,
  type TaskRunner,
} from "../src/index.ts";
import { type Case, type CaseOutput, physicalInputs } from "./case.ts";
import { type BatchRuns, batchTask, getCase } from "./simulate.ts";

/** Runs in a batch: what is done at once by a thread, kept at once, and lost at most by a thread when stopped. */
const BATCH = 25;

export interface MakeOptions {
  /** How many; default: the case's number of runs to train on. */
  readonly runs?: number;
  /** Where; default "sobol". Points for tests should be "uniform", with another seed. */
  readonly design?: DesignName;
  /** Default 0. The same seed gives the same bytes, on any number of threads. */
  readonly seed?: number;
  /** A .arrow, .parquet or .csv file; `OUT.parts` beside it holds what is done until all is. */
  readonly out: string;
  readonly runner: TaskRunner;
  readonly onProgress?: (progress: MakeProgress) => void;
}

export type MakeProgress = CampaignProgress;

export interface MakeResult {
  /** "stopped" where the runner was told to stop: the batches that are done are kept for the next call. */
  readonly outcome: "made" | "stopped";
  readonly runs: number;
  readonly failed: number;
}

/**
 * Writes runs of a case: a column per input in physical units, the outputs as fields with their axes, and `status`, "ok"
 * or why the run failed; a failed run keeps its row, with NaN for its outputs.
 * @throws OptionError for an unknown case or a design that cannot be, FileError where `out` cannot be written
 */
export async function makeRuns(name: string, options: MakeOptions): Promise<MakeResult> {
  const study = getCase(name);
  const { runs = study.runs.train, design = "sobol", seed = 0, out, runner, onProgress } = options;
  const d = study.inputs.length;
  const u = designs[design](runs, d, makeRng(seed).fork(`case ${name} ${design}`));
  const points = (batch: number): Float64Array => u.slice(batch * BATCH * d, (batch + 1) * BATCH * d);
  const { outcome, ...counts } = await runCampaign<BatchRuns>({
    out,
    runs,
    partSize: BATCH,
    identity: { case: name, design, seed: String(seed) },
    leftovers: "replace",
    parallel: runner.parallel,
    make: async (batch) => (runner.stopped ? undefined : runner.run(batchTask, { name, u: points(batch) })),
    async *tables(read) {
      for (let batch = 0; batch * BATCH < runs; batch++) yield tableOf(study, points(batch), await read(batch));
    },
    ...(onProgress === undefined ? {} : { onProgress }),
  });
  return { outcome: outcome === "made" ? "made" : "stopped", runs: counts.runs, failed: counts.failed };
}

function tableOf(study: Case, u: Float64Array, { outputs, status }: BatchRuns): Table {
  const d = study.inputs.length;
  const x = status.map((_, row) => physicalInputs(study.inputs, u.slice(row * d, (row + 1) * d)));
  const inputs = study.inputs.map(({ name, unit }, i): Column => {
    return numberColumn(
      name,
      x.map((point) => point[i]!),
      unit,
    );
  });
  const values = study.outputs.map(({ name }) => outputs[name]!);
  return runsTable(study.name, inputs, study.outputs.map(layoutOf), values, status);
}

/** What the file says of a field; axes without coordinates come first. */
function layoutOf({ name, unit, shape, axes }: CaseOutput): OutputLayout {
  const coordinates = shape.map((_, i) => axes[i - (shape.length - axes.length)] ?? null);
  return { name, unit, shape, coordinates };
}
