/**
 * The in-memory table: named columns of numbers or text, all of the same length. Every reader makes one and every
 * writer takes one. A field with a shape is spread over columns `name[i]`, `name[i,j]` or `name[i,j,k]` (row-major,
 * counted from 0); what the file said about it besides (shape, unit, coordinates) is kept in `fields`.
 */
import { DataError } from "../errors.ts";

/** A column of numbers; NaN stands for a missing, NaN or infinite cell. */
export interface NumberColumn {
  readonly kind: "number";
  readonly name: string;
  readonly unit?: string;
  readonly values: Float64Array;
}

/** A column of words (a categorical quantity); the empty string stands for a missing cell. */
export interface TextColumn {
  readonly kind: "text";
  readonly name: string;
  readonly unit?: string;
  readonly values: readonly string[];
}

export type Column = NumberColumn | TextColumn;

/** Positions along one axis of a field. */
export interface Coordinate {
  readonly name?: string;
  readonly unit?: string;
  /** One value per element of the axis. */
  readonly values: readonly number[];
}

/** What a file says about a field whose elements are the columns `name[...]`. */
export interface FieldMeta {
  readonly name: string;
  readonly unit?: string;
  readonly shape: readonly number[];
  /** One entry per axis; null where the axis has none. */
  readonly coordinates?: readonly (Coordinate | null)[];
}

/** Columns of equal length with distinct names. */
export interface Table {
  /** Where the table came from, for messages: a path, "stdin", "memory". */
  readonly source: string;
  readonly columns: readonly Column[];
  readonly rows: number;
  /** Rows that went before in the same source, where this is one batch of a stream. Default 0. */
  readonly rowsBefore?: number;
  readonly fields?: readonly FieldMeta[];
  /** What the reader did that the user may want to know. */
  readonly notes?: readonly string[];
}

/** Extras of a table that are seldom there. */
export interface TableExtras {
  readonly rowsBefore?: number;
  readonly fields?: readonly FieldMeta[];
  readonly notes?: readonly string[];
}

/** A column of numbers from any list of numbers; infinities become NaN, a `Float64Array` without any is kept as it is. */
export function numberColumn(name: string, values: ArrayLike<number>, unit?: string): NumberColumn {
  let held = values instanceof Float64Array ? values : Float64Array.from(values);
  for (let i = 0; i < held.length; i++) {
    if (held[i] !== Infinity && held[i] !== -Infinity) continue;
    if (held === values) held = held.slice();
    held[i] = NaN;
  }
  return { kind: "number", name, ...(unit === undefined ? {} : { unit }), values: held };
}

/** A column of words. */
export function textColumn(name: string, values: readonly string[], unit?: string): TextColumn {
  return { kind: "text", name, ...(unit === undefined ? {} : { unit }), values };
}

/** Makes a table of columns. @throws DataError if lengths differ, or a name is empty or there twice */
export function makeTable(source: string, columns: readonly Column[], extras: TableExtras = {}): Table {
  const rows = columns[0]?.values.length ?? 0;
  const seen = new Set<string>();
  for (const column of columns) {
    if (column.name === "") {
      throw new DataError("DATA_HEADER", `${source}: a column has no name. Name every column in the header.`);
    }
    if (seen.has(column.name)) {
      throw new DataError(
        "DATA_HEADER",
        `${source}: two columns are named "${column.name}". Give every column a name of its own.`,
      );
    }
    seen.add(column.name);
    if (column.values.length !== rows) {
      throw new DataError(
        "DATA_ROWS",
        `${source}: column "${column.name}" has ${column.values.length} rows, column "${columns[0]?.name}" has ${rows}. ` +
          `All columns need the same number of rows.`,
      );
    }
  }
  return { source, columns, rows, ...extras };
}

/** The column called `name`; `name [unit]` finds it too. @throws DataError that lists the columns and the nearest name */
export function findColumn(table: Table, name: string): Column {
  const found = lookUp(table, name);
  if (found === undefined) throw missingColumn(table, name);
  return found;
}

function lookUp(table: Table, name: string): Column | undefined {
  const bare = splitUnit(name).name;
  return table.columns.find((c) => c.name === name) ?? table.columns.find((c) => c.name === bare);
}

/** The fault "no such column", with what there is and what may be meant. */
export function missingColumn(table: Table, name: string): DataError {
  const names = columnNames(table);
  const near = nearestName(name, names);
  const hint = near === undefined ? "Rename it in the file, or correct the name." : `Did you mean "${near}"?`;
  return new DataError("DATA_COLUMN", `${table.source}: no column "${name}" (found: ${listNames(names)}). ${hint}`);
}

/** Names of the columns, with the elements of a field folded to `name[0..9]`-less `name[...]`. */
function columnNames(table: Table): readonly string[] {
  return [...new Set(table.columns.map((c) => splitElement(c.name)?.name ?? c.name))];
}

/** A list of names for a message: at most `limit` of them. */
export function listNames(names: readonly string[], limit = 12): string {
  if (names.length === 0) return "none";
  const shown = names.slice(0, limit).join(", ");
  return names.length > limit ? `${shown} and ${names.length - limit} more` : shown;
}

/** The name in `names` that `name` is most likely a slip of (Levenshtein, case ignored), or undefined. */
export function nearestName(name: string, names: readonly string[]): string | undefined {
  const plain = (s: string): string => s.toLowerCase().replace(/[\s_.-]/g, "");
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of names) {
    const distance = editDistance(plain(name), plain(candidate));
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(swap, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}

/** The given rows of a table, in the given order. */
export function takeRows(table: Table, rows: ArrayLike<number>): Table {
  const pick = (column: Column): Column => {
    if (column.kind === "text") {
      return { ...column, values: Array.from(rows, (row) => column.values[row] ?? "") };
    }
    const values = new Float64Array(rows.length);
    for (let i = 0; i < rows.length; i++) values[i] = column.values[rows[i]!]!;
    return { ...column, values };
  };
  return { ...table, columns: table.columns.map(pick), rows: rows.length };
}

/** Rows `from` to `to` (excluded) as a table that knows where it stood. Number columns are views, not copies. */
export function sliceRows(table: Table, from: number, to: number): Table {
  const end = Math.min(to, table.rows);
  const cut = (column: Column): Column =>
    column.kind === "text"
      ? { ...column, values: column.values.slice(from, end) }
      : { ...column, values: column.values.subarray(from, end) };
  return {
    ...table,
    columns: table.columns.map(cut),
    rows: Math.max(0, end - from),
    rowsBefore: (table.rowsBefore ?? 0) + from,
  };
}

/** The columns of two tables of equally many rows side by side, under the first one's source. */
export function joinColumns(left: Table, right: Table): Table {
  return makeTable(left.source, [...left.columns, ...right.columns], {
    ...(left.rowsBefore === undefined ? {} : { rowsBefore: left.rowsBefore }),
    fields: [...(left.fields ?? []), ...(right.fields ?? [])],
    notes: [...(left.notes ?? []), ...(right.notes ?? [])],
  });
}

/** Splits a header such as `Te [eV]` into name and unit. `map[1,2]`, without a space, is a field element, not a unit. */
export function splitUnit(header: string): { readonly name: string; readonly unit?: string } {
  const text = header.trim();
  const match = /^(.*\S)\s*\[([^[\]]*)\]$/.exec(text);
  if (match?.[1] === undefined || match[2] === undefined || splitElement(text) !== undefined) return { name: text };
  const unit = match[2].trim();
  return unit === "" ? { name: match[1] } : { name: match[1], unit };
}

/** Splits an element's name such as `map[1,2]` into the field's name and the index; undefined for any other name. */
export function splitElement(column: string): { readonly name: string; readonly index: readonly number[] } | undefined {
  const match = /^(.*\S)\[(\d+(?:,\d+)*)\]$/.exec(column);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  return { name: match[1], index: match[2].split(",").map(Number) };
}

/** Names of a field's elements, row-major: `[]` gives `name` itself, `[2,3]` gives `name[0,0]` to `name[1,2]`. */
export function elementNames(name: string, shape: readonly number[]): string[] {
  if (shape.length === 0) return [name];
  let indices: string[] = [""];
  for (const extent of shape) {
    indices = indices.flatMap((head) =>
      Array.from({ length: extent }, (_, i) => (head === "" ? String(i) : `${head},${i}`)),
    );
  }
  return indices.map((index) => `${name}[${index}]`);
}
