/**
 * Tables from what a program has in memory: an Arrow table, a Danfo.js data frame, columns by name, or rows by name;
 * and, so that one function takes it all, a path.
 */
import { DataError } from "../errors.ts";
import { readTable, type ReadTableOptions } from "./readers/index.ts";
import { fromArrow, type ArrowLike } from "./readers/arrow.ts";
import type { RunTables } from "./select.ts";
import { makeTable, type Column, type FieldMeta, type Table } from "./table.ts";
import { columnsOf } from "./values.ts";

/** A data frame of Danfo.js or one like it. */
export interface DataFrameLike {
  readonly columns: readonly string[];
  /** Rows of cells. */
  readonly values: readonly (readonly unknown[])[] | readonly unknown[];
  readonly shape: readonly number[];
}

/** Columns by name: numbers, words, or one list of numbers per row for a field. */
export type ColumnsLike = Readonly<Record<string, ArrayLike<unknown>>>;

/** Rows: cells by name. */
export type RowsLike = readonly Readonly<Record<string, unknown>>[];

/** Whatever a table can be made from. */
export type TableLike = string | Table | ArrowLike | DataFrameLike | ColumnsLike | RowsLike;

/**
 * A table from a path or from data in memory; a table stays what it is.
 * @param options how to read a path   @throws as {@link readTable}; DataError if the data make no table
 */
export async function toTable(from: TableLike, options: ReadTableOptions = {}): Promise<Table> {
  return typeof from === "string" ? readTable(from, options) : tableFrom(from);
}

/** Whatever runs can be made from: one table with all columns, or an inputs' and an outputs' table paired by row. */
export type RunsLike = TableLike | { readonly inputs: TableLike; readonly outputs: TableLike };

/**
 * The table or tables of runs from paths or from data in memory. `{ inputs, outputs }` with lists of cells is one table
 * of two columns, with anything else two tables.
 * @param options how to read paths   @throws as {@link toTable}
 */
export async function toRunTables(from: RunsLike, options: ReadTableOptions = {}): Promise<RunTables> {
  if (!isPair(from)) return toTable(from, options);
  const side = (like: TableLike, name: string): Promise<Table> | Table =>
    typeof like === "string" ? readTable(like, options) : tableFrom(like, name);
  return { inputs: await side(from.inputs, "inputs"), outputs: await side(from.outputs, "outputs") };
}

/**
 * A table from data in memory.
 * @param source name of the data in messages. Default "memory"
 * @throws DataError if it is empty, of unequal columns, mixes numbers and words in a column, or is none of the kinds
 */
export function tableFrom(from: Exclude<TableLike, string>, source = "memory"): Table {
  if (typeof from !== "object" || (from as unknown) === null) {
    throw new DataError(
      "DATA_KIND",
      `${source}: ${typeof from} is no table. Give a path, an Arrow table, a data frame, columns by name or rows by name.`,
    );
  }
  if (isTable(from)) return from;
  if (isArrow(from)) return refuseEmpty(fromArrow(source, from));
  if (isDataFrame(from)) {
    const rows = from.values.map((row) => (Array.isArray(row) ? (row as readonly unknown[]) : [row]));
    return fromColumns(
      source,
      from.columns.map((name, j) => [name, rows.map((row) => row[j])]),
    );
  }
  if (Array.isArray(from)) {
    const rows = from as RowsLike;
    const strange = rows.findIndex((row) => typeof row !== "object" || (row as unknown) === null || Array.isArray(row));
    if (strange >= 0) {
      throw new DataError(
        "DATA_KIND",
        `${source}: row ${strange + 1} is not an object of cells by name. Write rows as { name: value }.`,
      );
    }
    const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
    return fromColumns(
      source,
      names.map((name) => [name, rows.map((row) => row[name])]),
    );
  }
  const columns = Object.entries(from as ColumnsLike);
  const strange = columns.find(
    ([, values]) => typeof values !== "object" || (values as unknown) === null || !("length" in values),
  );
  if (strange === undefined) return fromColumns(source, columns);
  throw new DataError(
    "DATA_KIND",
    `${source}: column "${strange[0]}" is not a list. Give every column as a list of cells, one per run.`,
  );
}

function fromColumns(source: string, named: readonly (readonly [string, ArrayLike<unknown>])[]): Table {
  const columns: Column[] = [];
  const fields: FieldMeta[] = [];
  for (const [name, values] of named) {
    const made = columnsOf(source, name, values);
    if (made === undefined) {
      throw new DataError(
        "DATA_KIND",
        `${source}: column "${name}" holds neither numbers nor words. Convert it, or leave it out.`,
      );
    }
    columns.push(...made.columns);
    if (made.field !== undefined) fields.push(made.field);
  }
  return refuseEmpty(makeTable(source, columns, fields.length > 0 ? { fields } : {}));
}

function refuseEmpty(table: Table): Table {
  if (table.rows > 0 && table.columns.length > 0) return table;
  throw new DataError("DATA_EMPTY", `${table.source}: holds no runs. A table needs at least one column and one row.`);
}

function isPair(from: RunsLike): from is { readonly inputs: TableLike; readonly outputs: TableLike } {
  if (typeof from !== "object" || Array.isArray(from) || !("inputs" in from && "outputs" in from)) return false;
  return ![from.inputs, from.outputs].some(
    (side) =>
      ArrayBuffer.isView(side) || (Array.isArray(side) && (typeof side[0] !== "object" || Array.isArray(side[0]))),
  );
}

function isTable(from: object): from is Table {
  return "source" in from && "columns" in from && "rows" in from && typeof from.rows === "number";
}

function isArrow(from: object): from is ArrowLike {
  return "getChildAt" in from && "schema" in from && "numRows" in from;
}

function isDataFrame(from: object): from is DataFrameLike {
  return (
    "columns" in from &&
    Array.isArray(from.columns) &&
    "values" in from &&
    Array.isArray(from.values) &&
    "shape" in from
  );
}
