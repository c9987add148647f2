/**
 * Runs ready to learn from: a matrix of inputs, a matrix per field, which rows repeat each other, and a report of all
 * that was left out or taken in a way the user should know. Rows are counted from 1 below the header, as in messages.
 */
import { createHash } from "node:crypto";
import { DataError } from "../errors.ts";
import { completeSchema, extent } from "./infer.ts";
import { encodeColumn, interleave } from "./encode.ts";
import { commonReasons, FAILED, lostHint, notesOn, type RunsReport } from "./runs-report.ts";
import { fieldSize, varyingInputs, type Schema } from "./schema.ts";
import { selectColumns, type Chosen, type RunTables, type Selection } from "./select.ts";
import { listNames, type Column } from "./table.ts";

/** Runs as numbers. Row i of x and of each y are the same run. */
export interface Runs {
  readonly schema: Schema;
  /** Number of runs. */
  readonly n: number;
  /** Number of columns of x: the schema's inputs that are not constant. */
  readonly d: number;
  /** n × d, physical units; a categorical input is the index of its level, one column. */
  readonly x: Float64Array;
  /** Per field of the schema, n × size, physical units, row-major. */
  readonly y: readonly Float64Array[];
  /** Rows with equal inputs share a number; numbers go 0, 1, ... in order of appearance. */
  readonly repeats: Int32Array;
  /** Number of each run's row in the table, from 1. */
  readonly rowIds: Int32Array;
  readonly report: RunsReport;
}

/**
 * Makes runs from a table, or from an inputs' and an outputs' table paired by row. Rows with a missing value, and those
 * whose status says that they failed, are left out and reported, and so are exact copies, unless the simulator turns
 * out to be noisy (equal inputs, other outputs), where a copy is a fair draw. Inputs without variation become constants
 * of the schema.
 * @throws DataError, ShapeError, OptionError as {@link selectColumns}; DataError if no or one run is left, if an
 *   output has no number in any row, or if no input or no output varies
 */
export function buildRuns(tables: RunTables, selection: Selection = {}): Runs {
  const chosen = selectColumns(tables, selection);
  const leftOut: { row: number; reason: string }[] = [];
  const complete = completeRows(chosen, leftOut);
  const { rows, repeats, duplicates, replicates } = withoutCopies(chosen, complete, leftOut);
  if (rows.length === 1) {
    throw new DataError(
      "DATA_ONE_RUN",
      `${chosen.source}: holds one usable run only${lostHint(leftOut)}. An emulator learns from many: 50 or more are advised.`,
    );
  }
  const schema = completeSchema(chosen, rows);
  const varying = varyingInputs(schema);
  const n = rows.length;
  const y = chosen.fields.map(({ columns }) =>
    interleave(
      columns.map((column) => column.values),
      rows,
    ),
  );
  const constantOutputs = chosen.fields.flatMap(({ draft, columns }) => {
    const flat = columns.filter((column) => isConstant(column.values, rows));
    return flat.length === columns.length ? [draft.name] : flat.map((column) => column.name);
  });
  if (schema.fields.every((field) => constantOutputs.includes(field.name))) {
    throw new DataError(
      "DATA_CONSTANT",
      `${chosen.source}: every output has the same value in all ${n} runs (${listNames(constantOutputs, 6)}). ` +
        `There is nothing to learn; check the outputs' columns.`,
    );
  }
  if (varying.length === 0) {
    throw new DataError(
      "DATA_CONSTANT",
      `${chosen.source}: every input has the same value in all ${n} runs (${listNames(
        schema.inputs.map((i) => i.name),
        6,
      )}). ` + `There is nothing to learn from; check the inputs' columns.`,
    );
  }
  const encoded = chosen.inputs.flatMap(({ column }, i) => {
    const input = schema.inputs[i];
    return input === undefined || input.constant !== undefined ? [] : [encodeColumn(chosen.source, input, column, 0)];
  });
  const report = {
    total: chosen.rows,
    used: n,
    leftOut: leftOut.sort((a, b) => a.row - b.row),
    constantInputs: schema.inputs.filter((input) => input.constant !== undefined).map((input) => input.name),
    constantOutputs,
    duplicates,
    replicates,
  };
  return {
    schema,
    n,
    d: varying.length,
    x: interleave(encoded, rows),
    y,
    repeats,
    rowIds: rows.map((row) => row + 1),
    report: { ...report, notes: [...chosen.notes, ...notesOn(report, schema, chosen, rows)] },
  };
}

/** The schema that {@link buildRuns} would give. Throws like it. */
export function inferSchema(tables: RunTables, selection: Selection = {}): Schema {
  return buildRuns(tables, selection).schema;
}

/**
 * SHA-256 (hex) of what the runs hold: names, levels, constants and shapes, and every number of x and y. Neither units
 * nor ranges, notes nor the name of the file count.
 */
export function dataHash(runs: Pick<Runs, "schema" | "x" | "y" | "n">): string {
  const { inputs, fields } = runs.schema;
  const head = {
    n: runs.n,
    inputs: inputs.map((i) => [i.name, i.kind === "categorical" ? i.levels : null, i.constant ?? null]),
    fields: fields.map((f) => [f.name, f.shape]),
  };
  const hash = createHash("sha256").update(JSON.stringify(head));
  for (const block of [runs.x, ...runs.y])
    hash.update(new Uint8Array(block.buffer, block.byteOffset, block.byteLength));
  return hash.digest("hex");
}

/** Rows without a missing value; the others go to `leftOut`. @throws DataError if a column, or every row, lacks values */
function completeRows(chosen: Chosen, leftOut: { row: number; reason: string }[]): Int32Array {
  const all: readonly { readonly what: string; readonly column: Column }[] = [
    ...chosen.inputs.map(({ column }) => ({ what: `input "${column.name}"`, column })),
    ...chosen.fields.flatMap(({ columns }) => columns.map((column) => ({ what: `output "${column.name}"`, column }))),
  ];
  const reasons = Array.from({ length: chosen.rows }, (_, i): string | undefined => {
    const status = chosen.status?.[i] ?? "ok";
    return status === "ok" || status === "" ? undefined : `${FAILED}${status}`;
  });
  for (const { what, column } of all) {
    let lacking = 0;
    for (let i = 0; i < chosen.rows; i++) {
      if (column.kind === "number" ? !Number.isNaN(column.values[i]!) : column.values[i] !== "") continue;
      lacking++;
      reasons[i] ??= `${what} is missing`;
    }
    if (lacking === chosen.rows) {
      throw new DataError(
        "DATA_MISSING",
        `${chosen.source}: ${what} has no value in any of the ${chosen.rows} rows. Leave it out, or check how the file was written.`,
      );
    }
  }
  const rows: number[] = [];
  reasons.forEach((reason, i) => (reason === undefined ? rows.push(i) : leftOut.push({ row: i + 1, reason })));
  if (rows.length === 0) {
    throw new DataError(
      "DATA_MISSING",
      `${chosen.source}: no row is complete, each of the ${chosen.rows} lacks a value (${commonReasons(leftOut)}). ` +
        `Leave the columns with gaps out of --inputs or --outputs.`,
    );
  }
  return Int32Array.from(rows);
}

/** Groups rows of equal inputs, and drops exact copies where equal inputs always gave equal outputs. */
function withoutCopies(
  chosen: Chosen,
  rows: Int32Array,
  leftOut: { row: number; reason: string }[],
): { rows: Int32Array; repeats: Int32Array; duplicates: number; replicates: number } {
  const inputs = chosen.inputs.map(({ column }) => column);
  const outputs = chosen.fields.flatMap(({ columns }) => columns);
  const groups = new Map<string, number[]>();
  const keys = Array.from(rows, (row) => {
    const key = inputs
      .map((column) => (column.kind === "number" ? column.values[row]! : JSON.stringify(column.values[row])))
      .join();
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
    return key;
  });
  const same = (a: number, b: number): boolean => outputs.every((column) => column.values[a] === column.values[b]);
  let replicates = 0;
  const copies = new Map<number, number>();
  for (const [first, ...others] of groups.values()) {
    if (first === undefined || others.length === 0) continue;
    if (others.some((row) => !same(first, row))) replicates += others.length + 1;
    else for (const row of others) copies.set(row, first);
  }
  const noisy = replicates > 0;
  const ids = new Map<string, number>();
  const kept: number[] = [];
  const repeats: number[] = [];
  rows.forEach((row, i) => {
    const original = copies.get(row);
    if (!noisy && original !== undefined) {
      leftOut.push({ row: row + 1, reason: `the same as row ${original + 1}` });
      return;
    }
    const key = keys[i] ?? "";
    const id = ids.get(key) ?? ids.size;
    ids.set(key, id);
    kept.push(row);
    repeats.push(id);
  });
  return {
    rows: Int32Array.from(kept),
    repeats: Int32Array.from(repeats),
    duplicates: noisy ? 0 : copies.size,
    replicates,
  };
}

function isConstant(values: Float64Array, rows: Int32Array): boolean {
  const first = values[rows[0]!]!;
  return rows.every((row) => values[row] === first);
}

/** Smallest and largest value of each varying input over the runs. */
export function inputExtents(runs: Pick<Runs, "n" | "d" | "x">): readonly (readonly [number, number])[] {
  return Array.from({ length: runs.d }, (_, j) =>
    extent(Float64Array.from({ length: runs.n }, (_unused, i) => runs.x[i * runs.d + j]!)),
  );
}

/** The given rows of runs, in the given order; the report stays that of all. */
export function takeRuns(runs: Runs, rows: Int32Array): Runs {
  const pick = (block: Float64Array, width: number): Float64Array => {
    const out = new Float64Array(rows.length * width);
    for (let i = 0; i < rows.length; i++) out.set(block.subarray(rows[i]! * width, (rows[i]! + 1) * width), i * width);
    return out;
  };
  return {
    ...runs,
    n: rows.length,
    x: pick(runs.x, runs.d),
    y: runs.y.map((block, f) => pick(block, fieldSize(runs.schema.fields[f] ?? { shape: [] }))),
    repeats: rows.map((row) => runs.repeats[row]!),
    rowIds: rows.map((row) => runs.rowIds[row]!),
  };
}
