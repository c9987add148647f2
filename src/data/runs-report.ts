/** What became of the rows and columns of a table of runs, in sentences for the user. */
import { wordsOfScale } from "./output-scale.ts";
import type { Schema } from "./schema.ts";
import type { Chosen } from "./select.ts";
import { listNames } from "./table.ts";

/** What became of the rows and columns. */
export interface RunsReport {
  /** Rows in the table. */
  readonly total: number;
  /** Rows that are learned from. */
  readonly used: number;
  /** Rows left out, by number from 1, and why. */
  readonly leftOut: readonly { readonly row: number; readonly reason: string }[];
  /** Inputs that had one value in every run and are no column of x. */
  readonly constantInputs: readonly string[];
  /** Outputs (fields, or elements of fields) that had one value in every run. */
  readonly constantOutputs: readonly string[];
  /** Rows left out because another row is the same, inputs and outputs. */
  readonly duplicates: number;
  /** Rows that share their inputs with another row but not their outputs: the simulator is noisy. */
  readonly replicates: number;
  /** Sentences for the user. */
  readonly notes: readonly string[];
}

/** Begins the reason of a row whose run failed; what follows is the table's own word for it. */
export const FAILED = "run failed: ";

/** The notes of a report: all that was left out or taken in a way the user should know. */
export function notesOn(report: Omit<RunsReport, "notes">, schema: Schema, chosen: Chosen, rows: Int32Array): string[] {
  const notes: string[] = [];
  const failed = report.leftOut.filter(({ reason }) => reason.startsWith(FAILED));
  if (failed.length > 0) {
    const why = failed.map(({ row, reason }) => ({ row, reason: reason.slice(FAILED.length) }));
    notes.push(
      `${countRows(failed.length)} of ${report.total} left out because the run failed (${commonReasons(why)}).`,
    );
  }
  const lacking = report.leftOut.filter(({ reason }) => reason.endsWith("missing") && !reason.startsWith(FAILED));
  if (lacking.length > 0) {
    notes.push(
      `${countRows(lacking.length)} of ${report.total} left out for a missing value (${commonReasons(lacking)}).`,
    );
  }
  if (report.duplicates > 0) notes.push(`${countRows(report.duplicates)} left out as exact copies of others.`);
  if (report.replicates > 0) {
    notes.push(
      `${countRows(report.replicates)} share their inputs with another row but not their outputs: the simulator is noisy, or an input is not in the table. ` +
        `They are kept, and kept together when data are split.`,
    );
  }
  schema.inputs.forEach((input, i) => {
    const unit = input.unit === undefined ? "" : ` ${input.unit}`;
    if (input.constant !== undefined) {
      const value =
        input.kind === "categorical" ? `"${input.levels[input.constant] ?? ""}"` : `${input.constant}${unit}`;
      notes.push(`Input "${input.name}" is ${value} in every run and is left out.`);
    } else if (input.kind === "categorical") {
      notes.push(
        `Input "${input.name}" is categorical with ${input.levels.length} levels (${listNames(input.levels, 6)}).`,
      );
    } else {
      const span = input.range.map((end) => Number(end.toPrecision(4))).join(" to ");
      if (input.kind === "integer") notes.push(`Input "${input.name}" takes whole numbers, ${span}.`);
      if (input.scale === "log") notes.push(`Input "${input.name}" is taken as its logarithm (${span}${unit}).`);
      const column = chosen.inputs[i]?.column;
      const outside =
        column?.kind === "number" ? rows.filter((row) => !within(column.values[row]!, input.range)).length : 0;
      if (outside > 0) notes.push(`${countRows(outside)} of "${input.name}" outside the range that the schema says.`);
    }
  });
  for (const field of schema.fields) {
    if (field.scale !== "linear") notes.push(`Output "${field.name}" is taken as its ${wordsOfScale(field.scale)}.`);
  }
  if (report.constantOutputs.length > 0) {
    notes.push(
      `The same in every run: ${report.constantOutputs.length === 1 ? "output" : "outputs"} ${listNames(report.constantOutputs, 6)}.`,
    );
  }
  return notes;
}

function within(value: number, [low, high]: readonly [number, number]): boolean {
  return value >= low && value <= high;
}

function countRows(count: number): string {
  return count === 1 ? "1 row" : `${count} rows`;
}

/** In brackets what was lost, or nothing. */
export function lostHint(leftOut: readonly { readonly reason: string }[]): string {
  return leftOut.length === 0 ? "" : ` (${countRows(leftOut.length)} left out: ${commonReasons(leftOut)})`;
}

/** The three commonest reasons with their counts. */
export function commonReasons(leftOut: readonly { readonly reason: string }[]): string {
  const counts = new Map<string, number>();
  for (const { reason } of leftOut) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const sorted = [...counts].sort(([, a], [, b]) => b - a);
  return (
    sorted
      .slice(0, 3)
      .map(([reason, count]) => `${reason}: ${count}`)
      .join("; ") + (sorted.length > 3 ? "; and more" : "")
  );
}
