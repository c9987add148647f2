/** From a case's table of runs to its emulator, and back from tables to runs. */
import { buildRuns, fitRuns, type FitOptions, type Runs, type SchemaDraft, toRunTables } from "../../src/index.ts";
import type { Case } from "../case.ts";

/** What a case says of its columns. Whether to learn logarithms is left to the data. */
export function schemaOf({ inputs, outputs }: Case): SchemaDraft {
  return {
    inputs: inputs.map(({ name, unit }) => ({ name, ...(unit === "" ? {} : { unit }) })),
    fields: outputs.map(({ name, unit, shape, channels, axes }) => ({
      name,
      shape,
      ...(unit === "" ? {} : { unit }),
      ...(channels === true ? { channels } : {}),
      ...(axes.length > 0 ? { coordinates: shape.map((_, i) => axes[i - (shape.length - axes.length)] ?? null) } : {}),
    })),
  };
}

/** The complete runs of a case in a table. @throws FileError, DataError for tables that are not there or not of this case */
export async function readRuns(study: Case, path: string): Promise<Runs> {
  return buildRuns(await toRunTables(path), { schema: schemaOf(study) });
}

/** What a fit left to report. */
export interface Learnt {
  readonly bytes: Uint8Array;
  /** Runs learned from, and rows left out: failed runs. */
  readonly used: number;
  readonly leftOut: number;
  readonly seconds: number;
  readonly outcome: string;
}

/** Fits a case's emulator. @param now milliseconds */
export async function learn(study: Case, path: string, options: FitOptions, now: () => number): Promise<Learnt> {
  const runs = await readRuns(study, path);
  const started = now();
  const { bytes, info } = await fitRuns(runs, options);
  return {
    bytes,
    used: runs.n,
    leftOut: runs.report.total - runs.n,
    seconds: (now() - started) / 1000,
    outcome: info.fit.outcome,
  };
}
