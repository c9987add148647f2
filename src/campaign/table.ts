/** Runs as a table: inputs, outputs as fields with their axes, and `status`. */
import { type Column, type Coordinate, fieldColumns, makeTable, type Table, textColumn } from "../data/index.ts";

/** One output quantity of a campaign, the same in all runs. */
export interface OutputLayout {
  readonly name: string;
  readonly unit?: string;
  /** `[]` scalar, `[L]`, `[H, W]` or `[C, H, W]`. */
  readonly shape: readonly number[];
  /** One entry per axis of `shape`; null where the axis has none. */
  readonly coordinates?: readonly (Coordinate | null)[];
}

/**
 * A table of runs.
 * @param values per output, runs × size, row-major; NaN in the rows of failed runs
 * @param status per run "ok", or why it failed   @throws DataError if two columns have one name
 */
export function runsTable(
  source: string,
  inputs: readonly Column[],
  outputs: readonly OutputLayout[],
  values: readonly Float64Array[],
  status: readonly string[],
): Table {
  const columns = [
    ...inputs,
    ...outputs.flatMap((output, i) => fieldColumns(output, values[i] ?? new Float64Array())),
    textColumn("status", status),
  ];
  return makeTable(source, columns, { fields: outputs.filter(({ shape }) => shape.length > 0) });
}
