/**
 * What the data say about their columns: whether an input counts or measures or names, its range, and whether a
 * quantity spans so many powers of ten that its logarithm is the better thing to learn.
 */
import { DataError } from "../errors.ts";
import { type OutputScale, wordsOfScale } from "./output-scale.ts";
import { SCHEMA_VERSION, type FieldSpec, type InputSpec, type Scale, type Schema } from "./schema.ts";
import type { Chosen, ChosenField, ChosenInput } from "./select.ts";
import type { NumberColumn, TextColumn } from "./table.ts";

/** Largest value over smallest above which a positive quantity may be taken as its logarithm. */
export const LOG_RATIO = 100;

/** By how much the logarithm of an output must be less skewed than the output itself to be learned instead. */
export const LOG_SKEWNESS_GAIN = 0.5;

/** A column of words with more levels than this, most of them met once, labels the runs and is no input. */
const MOST_LEVELS = 20;

/**
 * Completes the schema of chosen columns from the rows that count; what the user said stands.
 * @param rows indices of the rows that count, at least one   @throws DataError if a column of words labels the runs, or a logarithm is asked of numbers that are not positive
 */
export function completeSchema(chosen: Chosen, rows: Int32Array): Schema {
  let found: Int32Array | undefined;
  // Few outputs ever ask.
  const near = (): Int32Array =>
    (found ??= nearest(
      chosen.inputs.map(({ column }) => column),
      rows.subarray(0, MOST_COMPARED),
    ));
  return {
    version: SCHEMA_VERSION,
    inputs: chosen.inputs.map((input) => completeInput(chosen.source, input, rows)),
    fields: chosen.fields.map((field) => completeField(chosen.source, field, rows, near)),
  };
}

function completeInput(source: string, { draft, column }: ChosenInput, rows: Int32Array): InputSpec {
  const unit = draft.unit ?? column.unit;
  const base = { name: draft.name, ...(unit === undefined ? {} : { unit }) };
  if (column.kind === "text" || draft.kind === "categorical") {
    if (column.kind === "text" && draft.kind !== undefined && draft.kind !== "categorical") {
      throw new DataError(
        "DATA_CELL",
        `${source}: input "${draft.name}" holds words, the schema says it is ${draft.kind}. Correct the column or its kind.`,
      );
    }
    const found = levelsOf(column, rows);
    if (draft.levels === undefined && found.length > MOST_LEVELS && found.length > rows.length / 2) {
      throw new DataError(
        "DATA_LEVELS",
        `${source}: input "${draft.name}" has ${found.length} different words in ${rows.length} runs, so it labels runs. ` +
          `Leave it out of --inputs, or mend its numbers.`,
      );
    }
    const levels = draft.levels ?? found;
    const only = found.length === 1 ? levels.indexOf(found[0] ?? "") : -1;
    const range = [0, levels.length - 1] as const;
    return { ...base, kind: "categorical", range, scale: "linear", levels, ...(only < 0 ? {} : { constant: only }) };
  }
  const values = gather(column, rows);
  const [low, high] = extent(values);
  const kind = draft.kind ?? (countsWhole(values) ? "integer" : "real");
  const range = low === high ? ([low, high] as const) : (draft.range ?? ([low, high] as const));
  const scale: Scale = draft.scale ?? (range[0] > 0 ? inputScale(values) : "linear");
  if (scale === "log" && low <= 0) throw notPositive(source, `input "${draft.name}"`, low);
  const { warp } = draft;
  const axis = { range, scale, ...(warp === undefined ? {} : { warp }) };
  return { ...base, kind, ...axis, ...(low === high ? { constant: low } : {}) };
}

/**
 * Log if all values are positive, the largest is over 100 times the smallest, and the logarithm is no more skewed
 * than the value. Departs from the spec by the last condition: draws that are uniform from 0 up reach any ratio.
 */
function inputScale(values: Float64Array): Scale {
  const [low, high] = extent(values);
  if (!(low > 0 && high / low > LOG_RATIO)) return "linear";
  return Math.abs(skewness(values.map(Math.log))) <= Math.abs(skewness(values)) ? "log" : "linear";
}

function completeField(
  source: string,
  { draft, columns }: ChosenField,
  rows: Int32Array,
  near: () => Int32Array,
): FieldSpec {
  const { name, shape, scale, ...rest } = draft;
  const elements = columns.map((column) => gather(column, rows));
  if (scale === undefined) return { name, shape, ...rest, scale: outputScale(elements, near) };
  if (scale !== "linear") {
    const low = Math.min(...elements.map((values) => extent(values)[0]));
    if (low < 0 || (low === 0 && scale === "log")) throw notPositive(source, `output "${name}"`, low, scale);
  }
  return { name, shape, ...rest, scale, scaleStated: true };
}

function notPositive(source: string, what: string, low: number, scale: OutputScale = "log"): DataError {
  return new DataError(
    "DATA_LOG",
    `${source}: ${what} is to be taken as its ${wordsOfScale(scale)}, but it goes down to ${low}. Use scale linear, or shift it.`,
  );
}

/** Words of a column in use, sorted; a number column gives its numbers as words, by size. */
function levelsOf(column: NumberColumn | TextColumn, rows: Int32Array): string[] {
  if (column.kind === "text") return [...new Set(Array.from(rows, (row) => column.values[row] ?? ""))].sort();
  return [...new Set(gather(column, rows))].sort((a, b) => a - b).map(String);
}

function gather(column: NumberColumn, rows: Int32Array): Float64Array {
  const values = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) values[i] = column.values[rows[i]!]!;
  return values;
}

/** Smallest and largest value. */
export function extent(values: ArrayLike<number>): readonly [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

/** Whole numbers that count lie closer than this; wider spread ones are measures that were rounded. */
const WIDEST_COUNT = 100;

/** True for whole numbers of which most between the smallest and the largest occur, as with counts and flags. */
function countsWhole(values: Float64Array): boolean {
  const [low, high] = extent(values);
  return high - low <= WIDEST_COUNT && values.every(Number.isInteger) && 2 * new Set(values).size >= high - low + 1;
}

/**
 * Log where the data ask for it: all values positive and, in more than half of the elements that vary, a largest value
 * over 100 times the smallest, a logarithm that is clearly less skewed than the value, and one that is not rougher over the
 * inputs: near a minimum of almost zero a smooth output has a logarithm with a well that no emulator follows.
 * @param elements one list of values per element of the field   @param near the nearest run of each of the first runs
 */
function outputScale(elements: readonly Float64Array[], near: () => Int32Array): Scale {
  let varying = 0;
  let asking = 0;
  for (const values of elements) {
    const [low, high] = extent(values);
    if (low <= 0) return "linear";
    if (low === high) continue;
    varying++;
    if (high / low <= LOG_RATIO) continue;
    const logs = values.map(Math.log);
    const gain = Math.abs(skewness(values)) - Math.abs(skewness(logs));
    if (gain > LOG_SKEWNESS_GAIN && tells(roughness(logs, near()), roughness(values, near()), near().length)) asking++;
  }
  return asking > varying / 2 ? "log" : "linear";
}

/** So many runs tell how rough an output is. */
const MOST_COMPARED = 500;
/** A logarithm rougher than the value by more than this factor is not taken; nor one of which neighbours tell next to nothing,
 * where there are enough runs to say so: what cannot be predicted has wide intervals on a logarithm, and absurd ones off it. */
const ROUGHER = 1.2;
const UNTOLD = 0.8;
const FEWEST_TO_TELL = 100;

/** Whether the logarithm is the better thing to learn, by how rough it and the value are over so many runs. */
function tells(log: number, value: number, runs: number): boolean {
  return log <= ROUGHER * value && (runs < FEWEST_TO_TELL || log < UNTOLD);
}

/** For each of some runs the one of them with the nearest inputs, in units of their ranges; words are one apart. */
function nearest(columns: readonly (NumberColumn | TextColumn)[], rows: Int32Array): Int32Array {
  const scaled = columns.map((column) => {
    if (column.kind === "text") {
      const words = Array.from(rows, (row) => column.values[row] ?? "");
      return (i: number, j: number) => Number(words[i] !== words[j]);
    }
    const values = gather(column, rows);
    const [low, high] = extent(values);
    const range = high > low ? high - low : 1;
    return (i: number, j: number) => (values[i]! - values[j]!) / range;
  });
  return rows.map((_, i) => {
    let [best, least] = [i, Infinity];
    for (let j = 0; j < rows.length; j++) {
      if (j === i) continue;
      const distance = scaled.reduce((sum, apart) => sum + apart(i, j) ** 2, 0);
      if (distance < least) [best, least] = [j, distance];
    }
    return best;
  });
}

/** Mean squared difference of neighbours over twice the variance: 1 where neighbours tell nothing of each other. */
function roughness(values: Float64Array, near: Int32Array): number {
  const n = near.length;
  let mean = 0;
  for (let i = 0; i < n; i++) mean += values[i]! / n;
  let [apart, spread] = [0, 0];
  for (let i = 0; i < n; i++) {
    apart += (values[i]! - values[near[i]!]!) ** 2;
    spread += (values[i]! - mean) ** 2;
  }
  return spread > 0 ? apart / (2 * spread) : 0;
}

/** Third standardised moment; 0 for equal values. */
function skewness(values: Float64Array): number {
  let mean = 0;
  for (const value of values) mean += value / values.length;
  let second = 0;
  let third = 0;
  for (const value of values) {
    const d = value - mean;
    second += d * d;
    third += d * d * d;
  }
  return second === 0 ? 0 : third / values.length / (second / values.length) ** 1.5;
}
