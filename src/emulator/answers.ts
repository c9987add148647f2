/**
 * An emulator's answers as tables: inputs are taken from a table by name, checked against the range of the training
 * runs, predicted, and given back beside the statistics of every field.
 */
import {
  type Column,
  elementNames,
  encodeColumn,
  encodeInputs,
  type FieldMeta,
  makeTable,
  numberColumn,
  type Schema,
  type Table,
  varyingInputs,
} from "../data/index.ts";
import { DataError, OptionError } from "../errors.ts";
import type { Emulator, FieldPrediction } from "./emulator.ts";
import { type Band, bandChoices, statistics } from "./emulator-graph.ts";

/** What to do with inputs outside the range of the training runs: predict there and say so, refuse, or move them in. */
export const outOfRangeChoices = ["warn", "error", "clip"] as const;
export type OutOfRange = (typeof outOfRangeChoices)[number];

export interface AnswerOptions {
  /** Level of the intervals, above 0 and below 1. Default: the file's own. */
  readonly interval?: number;
  /** `simultaneous`: lower and upper hold the whole field of a new run at that level, not each number of it. Default
   * `pointwise`. */
  readonly band?: Band;
  /** Default `warn`. */
  readonly outOfRange?: OutOfRange;
  /** Whether the inputs stand before the answers. Default true. */
  readonly inputs?: boolean;
}

/** What was odd about the rows, counted over all tables of one query. */
export interface Tally {
  rows: number;
  missing: number;
  outside: number;
  unanswered: number;
  /** The first odd row of each kind, in words; empty where there is none. */
  firstMissing: string;
  firstOutside: string;
  firstUnanswered: string;
}

/** A tally of nothing yet. */
export function newTally(): Tally {
  return { rows: 0, missing: 0, outside: 0, unanswered: 0, firstMissing: "", firstOutside: "", firstUnanswered: "" };
}

/** @throws OptionError for a level or a choice that is none */
export function checkAnswerOptions({ interval = 0.5, outOfRange = "warn", band = "pointwise" }: AnswerOptions): void {
  if (!(interval > 0 && interval < 1))
    throw new OptionError("OPTION_INTERVAL", `interval ${interval}: must lie between 0 and 1, such as 0.95.`);
  if (!(bandChoices as readonly string[]).includes(band))
    throw new OptionError(
      "OPTION_BAND",
      `unknown kind of interval "${band as string}" (there are: ${bandChoices.join(", ")}).`,
    );
  if (!(outOfRangeChoices as readonly string[]).includes(outOfRange))
    throw new OptionError(
      "OPTION_OUT_OF_RANGE",
      `unknown choice "${outOfRange as string}" for inputs out of range (there are: ${outOfRangeChoices.join(", ")}).`,
    );
}

/**
 * Predicts at every row of one table.
 * @param tally takes up what was odd
 * @returns the inputs, then per field `<field>_mean`, `_std`, `_noise`, `_lower`, `_upper` (per element of a field with a
 *   shape: `<field>_mean[i]`), then `in_domain`: 1 inside the range of the training runs, else 0. NaN where an input is
 *   missing
 * @throws DataError for missing columns, unknown levels, or rows out of range with `outOfRange: "error"`
 */
export async function answer(emulator: Emulator, points: Table, options: AnswerOptions, tally: Tally): Promise<Table> {
  const { schema, info } = emulator;
  const { interval = info.level, outOfRange = "warn", inputs = true, band } = options;
  const before = points.rowsBefore ?? 0;
  const { x, n, missing, inDomain } = encodeInputs(schema, points);
  const lacking = new Set(missing.map((row) => row - before - 1));
  tally.rows += n;
  tally.missing += missing.length;
  if (tally.firstMissing === "" && missing.length > 0) tally.firstMissing = `row ${missing[0]}`;
  guardRange(schema, x, points, outOfRange, tally);
  const predictions = await emulator.predict(x, interval, band);
  const answered = predictions.map((prediction) => blankRows(prediction, n, lacking));
  for (let i = 0; i < n; i++) {
    if (lacking.has(i) || answered.every(({ mean }) => finiteRow(mean, i, n))) continue;
    if (tally.unanswered++ === 0) tally.firstUnanswered = `row ${before + i + 1}`;
  }
  const fields: FieldMeta[] = [];
  const columns: Column[] = inputs ? inputColumns(schema, points) : [];
  schema.fields.forEach((field, f) => {
    const unit = field.unit === undefined ? {} : { unit: field.unit };
    for (const statistic of statistics) {
      const name = `${field.name}_${statistic}`;
      columns.push(...spread(name, field.shape, field.unit, answered[f]![statistic], n));
      const { coordinates } = field;
      if (field.shape.length > 0)
        fields.push({ name, shape: field.shape, ...unit, ...(coordinates === undefined ? {} : { coordinates }) });
    }
  });
  columns.push(numberColumn("in_domain", inDomain));
  return makeTable(points.source, columns, { rowsBefore: before, fields });
}

/** The inputs as the table gives them, in the schema's order and units. */
function inputColumns(schema: Schema, points: Table): Column[] {
  return schema.inputs.flatMap((input) => {
    const column = points.columns.find((each) => each.name === input.name);
    if (column === undefined) return [];
    const unit = column.unit ?? input.unit;
    return [unit === undefined ? column : { ...column, unit }];
  });
}

function finiteRow(values: Float64Array, row: number, rows: number): boolean {
  const size = values.length / rows;
  for (let k = row * size; k < (row + 1) * size; k++) if (!Number.isFinite(values[k]!)) return false;
  return true;
}

/** NaN where a row has no answer. */
function blankRows(prediction: FieldPrediction, rows: number, blank: ReadonlySet<number>): FieldPrediction {
  for (const statistic of statistics) {
    const values = prediction[statistic];
    const size = values.length / rows;
    for (const row of blank) values.fill(Number.NaN, row * size, (row + 1) * size);
  }
  return prediction;
}

/** One column per element of a field. @param values rows x size */
function spread(
  name: string,
  shape: readonly number[],
  unit: string | undefined,
  values: Float64Array,
  rows: number,
): Column[] {
  const names = elementNames(name, shape);
  return names.map((element, j) => {
    const column = new Float64Array(rows);
    for (let i = 0; i < rows; i++) column[i] = values[i * names.length + j]! + 0; // no -0
    return numberColumn(element, column, unit);
  });
}

function short(value: number): number {
  return Number(value.toPrecision(6));
}

/** Counts rows outside the range, and refuses them or moves `x` to it. */
function guardRange(schema: Schema, x: Float64Array, points: Table, outOfRange: OutOfRange, tally: Tally): void {
  const varying = varyingInputs(schema);
  const constants = schema.inputs.flatMap((input) => {
    const column = points.columns.find((each) => each.name === input.name);
    if (input.constant === undefined || column === undefined) return [];
    const values = encodeColumn(points.source, input, column, points.rowsBefore ?? 0);
    return [{ input, constant: input.constant, values, column }];
  });
  for (let i = 0; i < points.rows; i++) {
    let said = false;
    const found = (words: () => string): void => {
      if (said) return;
      said = true;
      const where = `row ${(points.rowsBefore ?? 0) + i + 1}`;
      if (outOfRange === "error")
        throw new DataError(
          "DATA_OUT_OF_RANGE",
          `${points.source}: ${where}, ${words()}: outside what the emulator was trained on. Query inside it, or pass --out-of-range warn or clip.`,
        );
      if (tally.outside++ === 0) tally.firstOutside = `${where}, ${words()}`;
    };
    varying.forEach((input, j) => {
      const at = i * varying.length + j;
      const value = x[at]!;
      const [low, high] = input.range;
      if (Number.isNaN(value) || (value >= low && value <= high)) return;
      const unit = input.unit === undefined ? "" : ` ${input.unit}`;
      found(() => `${input.name} = ${value}, range ${short(low)} to ${short(high)}${unit}`);
      if (outOfRange === "clip") x[at] = Math.min(high, Math.max(low, value));
    });
    for (const { input, constant, values, column } of constants) {
      if (Number.isNaN(values[i]!) || values[i] === constant) continue;
      const only = input.kind === "categorical" ? (input.levels[constant] ?? "") : String(constant);
      found(() => `${input.name} = ${column.values[i] ?? ""}, ${only} in every training run`);
    }
  }
}

/** What a query warns of, as sentences; none where all went well. */
export function tallyWarnings(source: string, tally: Tally, outOfRange: OutOfRange = "warn"): string[] {
  const outside =
    outOfRange === "clip"
      ? "moved to the range of the training runs"
      : "outside the range of the training runs, where the intervals promise nothing";
  const kinds = [
    [tally.missing, "without a value for some input, so without an answer", tally.firstMissing],
    [tally.outside, outside, tally.firstOutside],
    [tally.unanswered, "without a finite answer", tally.firstUnanswered],
  ] as const;
  return kinds.flatMap(([count, what, first]) =>
    count === 0 ? [] : [`${source}: ${count} of ${tally.rows} rows ${what} (first: ${first}).`],
  );
}

/** A cell or, for a field with a shape, nested lists of them. */
export type Cell = number | string | null | readonly Cell[];

/** Rows as objects, for JSON: a field with a shape is one nested list, a number that is none is null. */
export function tableRecords(table: Table): Readonly<Record<string, Cell>>[] {
  const inFields = new Map<
    string,
    { readonly first: boolean; readonly names: readonly string[]; readonly field: FieldMeta }
  >();
  for (const field of table.fields ?? []) {
    const names = elementNames(field.name, field.shape);
    names.forEach((name, k) => inFields.set(name, { first: k === 0, names, field }));
  }
  const columns = new Map(table.columns.map((column) => [column.name, column]));
  const cell = (column: Column | undefined, i: number): Cell => {
    const value = column?.values[i] ?? null;
    return typeof value === "number" && !Number.isFinite(value) ? null : value;
  };
  return Array.from({ length: table.rows }, (_, i) => {
    const record: Record<string, Cell> = {};
    for (const column of table.columns) {
      const part = inFields.get(column.name);
      if (part === undefined) record[column.name] = cell(column, i);
      else if (part.first)
        record[part.field.name] = nest(
          part.names.map((name) => cell(columns.get(name), i)),
          part.field.shape,
        );
    }
    return record;
  });
}

/** A flat row-major list as lists of lists. */
function nest(flat: readonly Cell[], shape: readonly number[]): Cell {
  return shape
    .slice(1)
    .reverse()
    .reduce<readonly Cell[]>(
      (cells, extent) =>
        Array.from({ length: cells.length / extent }, (_, i) => cells.slice(i * extent, (i + 1) * extent)),
      flat,
    );
}
