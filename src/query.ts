/**
 * The verbs on a finished emulator: `query` predicts, `inspect` tells what is in the file, `validate` scores it on new
 * runs. Edge file: it reads emulator files.
 */
import { readFile } from "node:fs/promises";
import {
  edgeRows,
  edgeRule,
  type FieldJudgement,
  judge,
  type Judgement,
  type Scores,
  takePredictions,
  takeValues,
} from "./analysis/index.ts";
import {
  type Column,
  elementNames,
  encodeInputs,
  type FieldSpec,
  fieldSize,
  findColumn,
  inputKinds,
  listNames,
  makeTable,
  nearestName,
  readBatches,
  type Runs,
  type RunsLike,
  type Schema,
  sliceRows,
  type Table,
  tableFrom,
  type TableLike,
  toRunTables,
  toTable,
  varyingInputs,
} from "./data/index.ts";
import {
  answer,
  type AnswerOptions,
  checkAnswerOptions,
  type Emulator,
  type EmulatorInfo,
  loadEmulator as compileEmulator,
  newTally,
  openEmulator,
  tallyWarnings,
} from "./emulator/index.ts";
import { type CompileOptions, type EngineName, getEngine } from "./engine/index.ts";
import { DataError, FileError, OptionError } from "./errors.ts";

/** An emulator: loaded already, or the path or the bytes of its file. */
export type EmulatorLike = Emulator | string | Uint8Array;

export interface LoadOptions extends CompileOptions {
  /** What runs the networks. Default `onnxruntime`. */
  readonly engine?: EngineName;
  /** Outputs to predict; the work for the others is not done. Default: all. */
  readonly fields?: readonly string[];
}

async function bytesOf(source: string | Uint8Array): Promise<{ readonly bytes: Uint8Array; readonly name: string }> {
  if (typeof source !== "string") return { bytes: source, name: "emulator" };
  try {
    return { bytes: await readFile(source), name: source };
  } catch (cause) {
    switch ((cause as { readonly code?: string }).code) {
      case "ENOENT":
      case "ENOTDIR":
        throw new FileError(
          "FILE_MISSING",
          `${source}: no such file. Make it with condense fit, or check the path (it is looked up from ${process.cwd()}).`,
          { cause },
        );
      case "EISDIR":
        throw new FileError("FILE_READ", `${source}: is a folder. Name an emulator file in it.`, { cause });
      default:
        throw new FileError("FILE_READ", `${source}: cannot be read (${String(cause)}). Check the file.`, { cause });
    }
  }
}

/**
 * Loads an emulator for many queries. Dispose it when done.
 * @param source path or bytes of its file
 * @throws FileError if it is missing, damaged, from a newer version or no emulator; OptionError for an unknown engine
 */
export async function loadEmulator(source: string | Uint8Array, options: LoadOptions = {}): Promise<Emulator> {
  const engine = getEngine(options.engine ?? "onnxruntime");
  const { bytes, name } = await bytesOf(source);
  return compileEmulator(bytes, engine, { ...options, source: name });
}

function isLoaded(source: EmulatorLike): source is Emulator {
  return typeof source === "object" && "predict" in source;
}

/** Runs `use` with a loaded emulator, disposing of it only if it was loaded here. */
async function withEmulator<Result>(
  source: EmulatorLike,
  options: LoadOptions,
  use: (emulator: Emulator) => Promise<Result>,
): Promise<Result> {
  if (isLoaded(source)) return use(source);
  const emulator = await loadEmulator(source, options);
  try {
    return await use(emulator);
  } finally {
    await emulator.dispose();
  }
}

/** What a file says about itself, without running it; `describeEmulator` puts it in words. @throws FileError */
export async function inspect(source: string | Uint8Array): Promise<EmulatorInfo> {
  const { bytes, name } = await bytesOf(source);
  return openEmulator(bytes, name).info;
}

export interface QueryOptions extends LoadOptions, AnswerOptions {
  /** Receives each warning as a sentence, once all rows are done. Default: they are dropped. */
  readonly onWarning?: (message: string) => void;
  /** Rows that are predicted at once. Default 4096. */
  readonly batchRows?: number;
}

/** Where to predict: a table in any form, or one point by name. */
export type Points = TableLike | { readonly at: Readonly<Record<string, number | string>> };

/**
 * Predicts at every row of `points`.
 * @param points path, `Table`, Arrow table, data frame, columns by name, rows by name, or `{ at: { a: 1, b: 2 } }`
 * @returns a table of the inputs, then per field element `<field>_mean`, `_std`, `_noise`, `_lower`, `_upper`, then
 *   `in_domain` (1 inside the range of the training runs, else 0); NaN where an input is missing
 * @throws FileError for an emulator or a path that cannot be read; OptionError; DataError for missing columns, words
 *   among numbers, unknown levels, or rows out of range with `outOfRange: "error"`
 */
export async function query(source: EmulatorLike, points: Points, options: QueryOptions = {}): Promise<Table> {
  const parts: Table[] = [];
  for await (const part of queryStream(source, points, options)) parts.push(part);
  return joinRows(parts);
}

/**
 * Predicts batch by batch: a file or stream of any length in constant memory.
 * @param from as for {@link query}, or bytes such as `process.stdin`
 * @returns tables as {@link query} gives them, of at most `batchRows` rows   @throws like {@link query}
 */
export async function* queryStream(
  source: EmulatorLike,
  from: Points | AsyncIterable<Uint8Array | string>,
  options: QueryOptions = {},
): AsyncGenerator<Table> {
  const { batchRows = 4096, onWarning } = options;
  checkAnswerOptions(options);
  if (!Number.isInteger(batchRows) || batchRows < 1)
    throw new OptionError("OPTION_BATCH_ROWS", `${batchRows} rows at once: must be a whole number from 1.`);
  const emulator = isLoaded(source) ? source : await loadEmulator(source, options);
  const tally = newTally();
  let name = "";
  try {
    for await (const batch of batchesOf(emulator.schema, from, batchRows)) {
      name = batch.source;
      for (const note of batch.notes ?? []) onWarning?.(note);
      yield await answer(emulator, batch, options, tally);
    }
  } finally {
    if (!isLoaded(source)) await emulator.dispose();
    for (const warning of tallyWarnings(name, tally, options.outOfRange)) onWarning?.(warning);
  }
}

async function* batchesOf(
  schema: Schema,
  from: Points | AsyncIterable<Uint8Array | string>,
  rows: number,
): AsyncGenerator<Table> {
  const kinds = inputKinds(schema);
  if (typeof from === "string" || isStream(from)) {
    yield* readBatches(from, rows, { kinds });
    return;
  }
  const table = isPoint(from) ? pointTable(schema, from.at) : await toTable(from, { kinds });
  for (let at = 0; at < table.rows; at += rows) yield sliceRows(table, at, at + rows);
}

function isStream(from: object): from is AsyncIterable<Uint8Array | string> {
  return Symbol.asyncIterator in from;
}

/** `{ at: { ... } }` and nothing else: a column called `at` is a list, an array's or a data frame's `at` a function. */
function isPoint(points: object): points is { readonly at: Readonly<Record<string, number | string>> } {
  if (!("at" in points) || Object.keys(points).length !== 1) return false;
  const { at } = points;
  return typeof at === "object" && at !== null && !("length" in at);
}

/** @throws OptionError for a name that is no input, or an input that is not named */
function pointTable(schema: Schema, at: Readonly<Record<string, number | string>>): Table {
  const names = schema.inputs.map((input) => input.name);
  for (const name of Object.keys(at)) {
    if (names.includes(name)) continue;
    const near = nearestName(name, names);
    throw new OptionError(
      "OPTION_AT",
      `no input "${name}" to set (the emulator's inputs: ${listNames(names)}). ${near === undefined ? "Use one of these" : `Did you mean "${near}"?`}`,
    );
  }
  const lacking = varyingInputs(schema).find((input) => !(input.name in at));
  if (lacking !== undefined)
    throw new OptionError(
      "OPTION_AT",
      `the point does not say "${lacking.name}". Give every input a value: ${listNames(varyingInputs(schema).map((input) => input.name))}.`,
    );
  const said = schema.inputs.filter((input) => input.name in at);
  // A level stays the word it is, `007` too; all else that reads as a number is one.
  const kinds = inputKinds(schema);
  const cell = ({ name }: { readonly name: string }): number | string | undefined => {
    const value = at[name];
    if (kinds.get(name) === "text") return String(value);
    return value === undefined || value === "" || Number.isNaN(Number(value)) ? value : Number(value);
  };
  return tableFrom([Object.fromEntries(said.map((input) => [input.name, cell(input)]))], "the point");
}

function joinRows(parts: readonly Table[]): Table {
  const [first, ...rest] = parts;
  if (first === undefined) throw new DataError("DATA_EMPTY", "no points to predict at. Give at least one row.");
  if (rest.length === 0) return first;
  const rows = parts.reduce((sum, part) => sum + part.rows, 0);
  const columns = first.columns.map((column, c): Column => {
    if (column.kind === "text")
      return { ...column, values: parts.flatMap((part) => (part.columns[c]?.values ?? []) as readonly string[]) };
    const values = new Float64Array(rows);
    let at = 0;
    for (const part of parts) {
      values.set((part.columns[c]?.values ?? []) as Float64Array, at);
      at += part.rows;
    }
    return { ...column, values };
  });
  return makeTable(first.source, columns, first.fields === undefined ? {} : { fields: first.fields });
}

export interface ValidateOptions extends LoadOptions {
  /** Gate: fail when the coverage of a field is below this. */
  readonly minCoverage?: number;
  /** Gate: fail when the FVU of a field is above this, or cannot be told. */
  readonly maxFvu?: number;
}

export interface Validation {
  /** Runs that were compared, and runs that were left out because a value is missing. */
  readonly rows: number;
  readonly leftOut: number;
  /** Nominal level of the coverage. */
  readonly level: number;
  readonly fields: readonly FieldJudgement[];
  readonly overall: Judgement["overall"];
  /** The same of the runs in the outer part of the domain, and in words which they are; null where there are none. */
  readonly edge: (Judgement & { readonly rule: string }) | null;
  /** What the gates did not let pass, as sentences; empty where they did. */
  readonly failures: readonly string[];
}

/**
 * Scores an emulator on runs it has not seen, given as for `fit`.
 * @throws FileError for paths that cannot be read; DataError if a column is missing or no run is complete
 */
export async function validate(
  source: EmulatorLike,
  runs: RunsLike,
  options: ValidateOptions = {},
): Promise<Validation> {
  return withEmulator(source, options, async (emulator) => {
    const { schema } = emulator;
    const tables = await toRunTables(runs, { kinds: inputKinds(schema) });
    const [inputs, outputs] = "inputs" in tables ? [tables.inputs, tables.outputs] : [tables, tables];
    if (inputs.rows !== outputs.rows)
      throw new DataError(
        "DATA_ROWS",
        `${inputs.source} has ${inputs.rows} rows, ${outputs.source} has ${outputs.rows}. The two are paired by row, so both need one row per run.`,
      );
    const { x, n, missing } = encodeInputs(schema, inputs);
    const y = schema.fields.map((field) => fieldTruth(outputs, field));
    return validateRuns(
      emulator,
      complete({ x, y, n }, new Set(missing.map((row) => row - 1)), inputs.source),
      options,
    );
  });
}

/** Scores an emulator on runs that are built already, such as those that `holdOut` kept apart. */
export async function validateRuns(
  source: EmulatorLike,
  runs: Pick<Runs, "n" | "x" | "y"> & { readonly leftOut?: number },
  options: ValidateOptions = {},
): Promise<Validation> {
  return withEmulator(source, options, async (emulator) => {
    const { schema, info } = emulator;
    const predictions = await emulator.predict(runs.x);
    schema.fields.forEach((field, f) => {
      if (runs.y[f]?.length !== runs.n * fieldSize(field))
        throw new DataError("DATA_FIELD", `the runs do not have the field "${field.name}" of the emulator.`);
    });
    const outer = edgeRows(schema, runs.x, runs.n);
    const sizes = schema.fields.map(fieldSize);
    const atEdge = (): Judgement =>
      judge(
        info,
        predictions.map((prediction, f) => takePredictions(prediction, outer, sizes[f] ?? 1)),
        runs.y.map((truth, f) => takeValues(truth, outer, sizes[f] ?? 1)),
        outer.length,
      );
    const { fields, overall } = judge(info, predictions, runs.y, runs.n);
    return {
      rows: runs.n,
      leftOut: runs.leftOut ?? 0,
      level: info.level,
      fields,
      overall,
      edge: outer.length === 0 ? null : { rule: edgeRule, ...atEdge() },
      failures: fields.flatMap((field) => gateFailures(field, options)),
    };
  });
}

function gateFailures(scores: Scores, { minCoverage, maxFvu }: ValidateOptions): string[] {
  const failures: string[] = [];
  if (minCoverage !== undefined && !(scores.coverage >= minCoverage))
    failures.push(`${scores.field}: coverage ${scores.coverage.toFixed(4)} is below ${minCoverage}`);
  if (maxFvu !== undefined && Number.isNaN(scores.fvu))
    failures.push(`${scores.field}: FVU cannot be told, the runs do not vary in it`);
  if (maxFvu !== undefined && scores.fvu > maxFvu)
    failures.push(`${scores.field}: FVU ${scores.fvu.toPrecision(3)} is above ${maxFvu}`);
  return failures;
}

/** The rows in which nothing is missing. @param bad rows to leave out in any case */
function complete(
  { x, y, n }: Pick<Runs, "n" | "x" | "y">,
  bad: ReadonlySet<number>,
  source: string,
): Pick<Runs, "n" | "x" | "y"> & { readonly leftOut: number } {
  const rows = Array.from({ length: n }, (_, i) => i).filter(
    (i) =>
      !bad.has(i) &&
      y.every((truth) => {
        const size = truth.length / n;
        return !truth.subarray(i * size, (i + 1) * size).some(Number.isNaN);
      }),
  );
  if (rows.length === 0)
    throw new DataError(
      "DATA_MISSING",
      `${source}: no complete run among the ${n}, so there is nothing to compare. Check how the file was written.`,
    );
  const take = (values: Float64Array): Float64Array => {
    const width = values.length / n;
    const out = new Float64Array(rows.length * width);
    rows.forEach((row, i) => {
      out.set(values.subarray(row * width, (row + 1) * width), i * width);
    });
    return out;
  };
  return { x: take(x), y: y.map(take), n: rows.length, leftOut: n - rows.length };
}

/** The elements of a field in a table, rows x size. @throws DataError for a missing column, or one of words */
function fieldTruth(table: Table, field: FieldSpec): Float64Array {
  const names = field.columns ?? elementNames(field.name, field.shape);
  const values = new Float64Array(table.rows * names.length);
  names.forEach((name, j) => {
    const column = findColumn(table, name);
    if (column.kind === "text") {
      const row = column.values.findIndex((word) => word !== "");
      throw new DataError(
        "DATA_CELL",
        `${table.source}: row ${row + 1}, column "${name}": "${column.values[row] ?? ""}" is not a number, and this output is one. Mend the column.`,
      );
    }
    column.values.forEach((value, i) => {
      values[i * names.length + j] = value;
    });
  });
  return values;
}
