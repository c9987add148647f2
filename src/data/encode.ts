/** Inputs as numbers, in the order and units that the schema says. */
import { DataError } from "../errors.ts";
import type { InputSpec, Schema } from "./schema.ts";
import { findColumn, listNames, type Column, type Table } from "./table.ts";

/** Inputs to predict at. */
export interface EncodedInputs {
  readonly n: number;
  /** n × d, physical units, as in {@link Runs}; NaN where a cell is missing. */
  readonly x: Float64Array;
  /** 1 where every input of the row is there and within the schema's range, and constants have their value. */
  readonly inDomain: Uint8Array;
  /** Numbers (from 1) of rows in which an input is missing. */
  readonly missing: readonly number[];
}

/**
 * Takes the inputs of a schema from a table, by name, in any order of columns. A constant input need not be there.
 * @throws DataError for a missing column, words where numbers belong, or a level that the schema does not know
 */
export function encodeInputs(schema: Schema, table: Table): EncodedInputs {
  const n = table.rows;
  const before = table.rowsBefore ?? 0;
  const inDomain = new Uint8Array(n).fill(1);
  const missing = new Set<number>();
  const columns: Float64Array[] = [];
  for (const input of schema.inputs) {
    if (input.constant !== undefined && !table.columns.some((column) => column.name === input.name)) continue;
    const values = encodeColumn(table.source, input, findColumn(table, input.name), before);
    const [low, high] = input.constant === undefined ? input.range : [input.constant, input.constant];
    for (let i = 0; i < n; i++) {
      const value = values[i]!;
      if (Number.isNaN(value)) missing.add(before + i + 1);
      if (!(value >= low && value <= high)) inDomain[i] = 0;
    }
    if (input.constant === undefined) columns.push(values);
  }
  return {
    n,
    x: interleave(columns, Int32Array.from(inDomain.keys())),
    inDomain,
    missing: [...missing].sort((a, b) => a - b),
  };
}

/**
 * Kinds of the columns of a schema's inputs, for readers: so a number column is known before its first cell, and a
 * level that looks like a number is still a word. Levels that all are numbers are read as they come.
 */
export function inputKinds(schema: Pick<Schema, "inputs">): ReadonlyMap<string, Column["kind"]> {
  const kinds = new Map<string, Column["kind"]>();
  for (const input of schema.inputs) {
    if (input.kind !== "categorical") kinds.set(input.name, "number");
    else if (input.levels.some((level) => Number.isNaN(Number(level)))) kinds.set(input.name, "text");
  }
  return kinds;
}

/** A column as numbers: itself, or the index of each word among the levels. NaN stands for a missing cell. */
export function encodeColumn(source: string, input: InputSpec, column: Column, rowsBefore: number): Float64Array {
  if (input.kind !== "categorical") {
    if (column.kind === "number") return column.values;
    const row = column.values.findIndex((word) => word !== "");
    throw new DataError(
      "DATA_CELL",
      `${source}: row ${rowsBefore + row + 1}, column "${input.name}": "${column.values[row] ?? ""}" is not a number, and this input is one. Mend the column.`,
    );
  }
  const index = new Map<string | number, number>();
  input.levels.forEach((level, i) => index.set(column.kind === "text" ? level : Number(level), i));
  const codes = new Float64Array(column.values.length);
  for (let i = 0; i < codes.length; i++) {
    const cell = column.values[i]!;
    if (cell === "" || Number.isNaN(cell)) {
      codes[i] = NaN;
      continue;
    }
    const code = index.get(cell);
    if (code === undefined) {
      throw new DataError(
        "DATA_LEVEL",
        `${source}: row ${rowsBefore + i + 1}, column "${input.name}": "${cell}" is not among the levels of this input ` +
          `(${listNames(input.levels)}). Correct it; an emulator knows the levels it was trained on.`,
      );
    }
    codes[i] = code;
  }
  return codes;
}

/** Columns side by side as one row-major matrix of the given rows. */
export function interleave(columns: readonly Float64Array[], rows: Int32Array): Float64Array {
  const width = columns.length;
  const out = new Float64Array(rows.length * width);
  columns.forEach((values, j) => {
    for (let i = 0; i < rows.length; i++) out[i * width + j] = values[rows[i]!]!;
  });
  return out;
}
