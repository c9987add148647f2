/**
 * Makes tables of runs: a design of points, the simulator at each, one row per run. Edge file: it keeps batches that
 * are done in a folder beside the table, so that work that was stopped goes on where it was.
 */
import {
  type Column,
  type DesignName,
  designs,
  folderStore,
  makeRng,
  makeTable,
  numberColumn,
  openTable,
  type Table,
  type TaskRunner,
  textColumn,
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

export interface MakeProgress {
  readonly done: number;
  readonly runs: number;
  readonly failed: number;
}

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
  const store = folderStore(`${out}.parts`);
  const batches = Math.ceil(runs / BATCH);
  const points = (batch: number): Float64Array => u.slice(batch * BATCH * d, (batch + 1) * BATCH * d);
  const key = (batch: number): string => `${name}-${design}-${runs}-seed-${seed}-batch-${batch}`;
  let done = 0;
  let failed = 0;

  const make = async (batch: number): Promise<void> => {
    let made = (await store.read(key(batch))) as BatchRuns | undefined;
    if (made === undefined) {
      if (runner.stopped) return;
      made = await runner.run(batchTask, { name, u: points(batch) });
      if (made === undefined) return;
      await store.write(key(batch), made);
    }
    done += made.status.length;
    failed += made.status.filter((status) => status !== "ok").length;
    onProgress?.({ done, runs, failed });
  };
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < batches) await make(next++);
  };
  await Promise.all(Array.from({ length: runner.parallel }, work));
  if (done < runs) return { outcome: "stopped", runs: done, failed };

  const file = await openTable(out);
  try {
    for (let batch = 0; batch < batches; batch++) {
      await file.add(tableOf(study, points(batch), (await store.read(key(batch))) as BatchRuns));
    }
    await file.close();
  } catch (error) {
    await file.discard();
    throw error;
  }
  await store.clear();
  return { outcome: "made", runs, failed };
}

/** Runs as a table: inputs, fields spread over their elements, status. */
function tableOf(study: Case, u: Float64Array, made: BatchRuns): Table {
  const d = study.inputs.length;
  const rows = made.status.length;
  const x = Array.from({ length: rows }, (_, row) => physicalInputs(study.inputs, u.slice(row * d, (row + 1) * d)));
  const columns: Column[] = study.inputs.map(({ name, unit }, i) => {
    return numberColumn(
      name,
      x.map((point) => point[i]!),
      unit,
    );
  });
  for (const { name, unit, shape } of study.outputs) {
    const values = made.outputs[name]!;
    const size = values.length / rows;
    for (let k = 0; k < size; k++) {
      const column = Float64Array.from({ length: rows }, (_, row) => values[row * size + k]!);
      columns.push(numberColumn(`${name}${subscript(k, shape)}`, column, unit));
    }
  }
  columns.push(textColumn("status", made.status));
  return makeTable(study.name, columns, { fields: study.outputs.filter(({ shape }) => shape.length > 0).map(metaOf) });
}

/** "[i,j]" of element k, or "" for a scalar. */
function subscript(k: number, shape: readonly number[]): string {
  if (shape.length === 0) return "";
  let rest = k;
  const index = shape.toReversed().map((extent) => {
    const i = rest % extent;
    rest = Math.floor(rest / extent);
    return i;
  });
  return `[${index.reverse().join(",")}]`;
}

/** What the file says of a field; axes without coordinates come first. */
function metaOf({ name, unit, shape, axes }: CaseOutput): NonNullable<Table["fields"]>[number] {
  const coordinates = shape.map((_, i) => axes[i - (shape.length - axes.length)] ?? null);
  return { name, unit, shape, coordinates };
}
