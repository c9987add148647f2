/** The tables of a case: runs to learn from, and fresh ones to test on. Edge file: it writes them. */
import { stat } from "node:fs/promises";
import { type CheckpointStore, FileError, type TaskRunner } from "../../src/index.ts";
import type { Case } from "../case.ts";
import { makeRuns } from "../make.ts";
import { exists } from "./folder.ts";
import { stage } from "./stages.ts";

/** What tells one table from another. */
export type TableKey = Readonly<Record<string, string | number>>;

export interface TableOptions {
  readonly runs: number;
  readonly design: "sobol" | "uniform";
  readonly seed: number;
  /** The file. */
  readonly path: string;
  readonly store: CheckpointStore;
  readonly runner: TaskRunner;
  readonly onProgress: (fraction: number, note: string) => void;
}

/** A table of runs at `path`, made unless it is there. @returns its key; undefined if told to stop */
export async function runsTable(study: Case, options: TableOptions): Promise<TableKey | undefined> {
  const { runs, design, seed, path, store, runner, onProgress } = options;
  const key = { case: study.name, runs, design, seed };
  const make = async (): Promise<{ readonly failed: number } | undefined> => {
    const result = await makeRuns(study.name, {
      ...{ runs, design, seed, out: path, runner },
      onProgress: ({ done }) => {
        onProgress(done / runs, `${done} of ${runs} runs`);
      },
    });
    return result.outcome === "stopped" ? undefined : { failed: result.failed };
  };
  return (await stage(store, `${design}-runs`, key, make, !(await exists(path)))) === undefined ? undefined : key;
}

/** The key of a table that somebody else made. @throws FileError if it is not there */
export async function givenTable(study: Case, path: string): Promise<TableKey> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined)
    throw new FileError("FILE_MISSING", `${path}: no such file. Make it with condense cases make ${study.name}.`);
  return { from: path, bytes: found.size, written: found.mtimeMs };
}
