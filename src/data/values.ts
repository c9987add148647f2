/**
 * From lists of any values, as Arrow, Parquet, data frames and plain objects give them, to columns: numbers (of any
 * width, big, boolean), words, or lists of numbers of one length, which become the elements of a field.
 */
import { DataError } from "../errors.ts";
import { fieldColumns } from "./fields.ts";
import { numberColumn, splitUnit, textColumn, type Column, type Coordinate, type FieldMeta } from "./table.ts";

/** What a source says about a column besides its values. */
export interface ValueMeta {
  readonly unit?: string;
  readonly shape?: readonly number[];
  readonly coordinates?: readonly (Coordinate | null)[];
}

/** A column, or the columns of a field. */
export interface MadeColumns {
  readonly columns: readonly Column[];
  readonly field?: FieldMeta;
}

/**
 * Makes the columns of one list of values; undefined if they are neither numbers, words nor lists of numbers (dates,
 * records). null, undefined, NaN and infinities are missing.
 * @throws DataError for words among numbers, or lists of unequal length, with row and column
 */
export function columnsOf(
  source: string,
  header: string,
  values: ArrayLike<unknown>,
  meta: ValueMeta = {},
): MadeColumns | undefined {
  const split = splitUnit(header);
  const unit = meta.unit ?? split.unit;
  const kind = kindOf(source, header, values);
  switch (kind) {
    case "number": {
      const numbers =
        values instanceof Float64Array
          ? values
          : Float64Array.from({ length: values.length }, (_, i) => toNumber(values[i]));
      return { columns: [numberColumn(split.name, numbers, unit)] };
    }
    case "text": {
      const words = Array.from({ length: values.length }, (_, i) => {
        const value = values[i];
        return typeof value === "string" ? value : "";
      });
      return { columns: [textColumn(split.name, words, unit)] };
    }
    case "list":
      return fieldFrom(source, split.name, values, { ...meta, ...(unit === undefined ? {} : { unit }) });
    case "other":
      return undefined;
  }
}

type Kind = "number" | "text" | "list" | "other";

function kindOf(source: string, header: string, values: ArrayLike<unknown>): Kind {
  if (ArrayBuffer.isView(values)) return "number";
  let found: Kind | undefined;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value === null || value === undefined || (typeof value === "number" && Number.isNaN(value))) continue;
    const kind =
      typeof value === "string" ? "text" : isScalar(value) ? "number" : asList(value) !== undefined ? "list" : "other";
    found ??= kind;
    if (kind !== found) {
      throw new DataError(
        "DATA_CELL",
        `${source}: row ${i + 1}, column "${header}": ${shown(value)} is ${KINDS[kind]}, those above are ${KINDS_MANY[found]}. ` +
          `Make the column all numbers or all words.`,
      );
    }
  }
  return found ?? "number";
}

const KINDS: Readonly<Record<Kind, string>> = {
  number: "a number",
  text: "a word",
  list: "a list",
  other: "neither a number nor a word",
};
const KINDS_MANY: Readonly<Record<Kind, string>> = {
  number: "numbers",
  text: "words",
  list: "lists",
  other: "neither numbers nor words",
};

function shown(value: unknown): string {
  if (typeof value === "string") return `"${value.slice(0, 40)}"`;
  return isScalar(value) ? String(value) : "the value";
}

function isScalar(value: unknown): value is number | bigint | boolean {
  return typeof value === "number" || typeof value === "bigint" || typeof value === "boolean";
}

function toNumber(value: unknown): number {
  return isScalar(value) ? Number(value) : NaN;
}

/** A value as a list, or undefined: arrays, typed arrays, and vectors of Arrow (which iterate their values). */
function asList(value: unknown): ArrayLike<unknown> | undefined {
  if (Array.isArray(value)) return value as readonly unknown[];
  if (typeof value !== "object" || value === null || value instanceof Date || value instanceof DataView)
    return undefined;
  if (ArrayBuffer.isView(value)) return value as unknown as ArrayLike<unknown>;
  return "length" in value && Symbol.iterator in value ? Array.from(value as Iterable<unknown>) : undefined;
}

function fieldFrom(source: string, name: string, values: ArrayLike<unknown>, meta: ValueMeta): MadeColumns {
  let nested: number[] | undefined;
  for (let i = 0; i < values.length && nested === undefined; i++) {
    if (values[i] !== null && values[i] !== undefined) nested = shapeOf(values[i]);
  }
  const size = (nested ?? []).reduce((product, extent) => product * extent, 1);
  const said = meta.shape?.reduce((product, extent) => product * extent, 1);
  const shape = meta.shape !== undefined && said === size ? meta.shape : (nested ?? []);
  if (shape.length > 3 || size === 0) {
    throw new DataError(
      "DATA_FIELD",
      `${source}: column "${name}" holds lists of shape ${shape.join("x")}. A field has 1 to 3 axes of at least one element.`,
    );
  }
  const flat = new Float64Array(values.length * size).fill(NaN);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value === null || value === undefined) continue;
    const end = flatten(value, flat, i * size, (i + 1) * size);
    if (end !== (i + 1) * size) {
      throw new DataError(
        "DATA_FIELD",
        `${source}: row ${i + 1}, column "${name}": the list has ${end > (i + 1) * size ? "more" : "fewer"} than ${size} elements, ` +
          `as the first row has. A field has one shape in all rows.`,
      );
    }
  }
  const field: FieldMeta = {
    name,
    shape,
    ...(meta.unit === undefined ? {} : { unit: meta.unit }),
    ...(meta.coordinates === undefined ? {} : { coordinates: meta.coordinates }),
  };
  return { columns: fieldColumns(field, flat), field };
}

function shapeOf(value: unknown): number[] {
  const list = asList(value);
  return list === undefined ? [] : [list.length, ...shapeOf(list[0])];
}

/** Writes the numbers of nested lists to `out` from `at` on, none beyond `end`; returns where it would have ended. */
function flatten(value: unknown, out: Float64Array, at: number, end: number): number {
  const list = asList(value);
  if (list === undefined) {
    if (at < end) out[at] = toNumber(value);
    return at + 1;
  }
  let next = at;
  for (let i = 0; i < list.length; i++) next = flatten(list[i], out, next, end);
  return next;
}
