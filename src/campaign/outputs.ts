/** What one run gave: named quantities with shapes, from tables, arrays and plain values, and whether runs agree on them. */
import { DataError } from "../errors.ts";
import { elementNames, fieldValues, globPattern, listNames, partsOf, type Table, tableFrom } from "../data/index.ts";
import type { OutputLayout } from "./table.ts";

/** One output of one run. */
export interface RunOutput extends OutputLayout {
  /** Row-major. */
  readonly values: Float64Array;
  /** What stands where a number should, if it is no number: a fault, unless the output is not wanted. */
  readonly word?: string;
}

/**
 * Outputs from what a program returns: numbers, lists and nested lists by name, a list of such rows, or one of these
 * without a name, which is called y.
 * @throws DataError if a list has another shape in each row
 */
export function outputsOfValue(value: unknown): RunOutput[] {
  if (Array.isArray(value) && value.length > 0 && value.every(isRecord)) return outputsOfTable(tableFrom(value));
  const named = isRecord(value) ? value : { y: value };
  if (Object.keys(named).length === 0) throw fault("it gave no output");
  const [good, bad] = [new Map<string, unknown>(), new Map<string, unknown>()];
  for (const [name, each] of Object.entries(named)) (isNumbers(each) ? good : bad).set(name, each);
  return [
    ...(good.size === 0 ? [] : outputsOfTable(tableFrom([Object.fromEntries(good)]))),
    ...[...bad].map(([name, each]) => notNumber(name, typeof each === "string" ? each : "neither number nor list")),
  ];
}

function notNumber(name: string, word: string): RunOutput {
  return { name, shape: [], values: Float64Array.of(NaN), word: word.slice(0, 40) };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

/** Numbers, nulls, and lists of one shape of these. */
function isNumbers(value: unknown): boolean {
  if (ArrayBuffer.isView(value)) return !(value instanceof DataView);
  if (!Array.isArray(value)) return value === null || ["number", "bigint", "boolean"].includes(typeof value);
  const shapes = new Set(value.map((each) => String(shapeOf(each))));
  return shapes.size === 1 && value.every(isNumbers);
}

function shapeOf(value: unknown): number[] {
  if (ArrayBuffer.isView(value) && "length" in value) return [Number(value.length)];
  return Array.isArray(value) ? [value.length, ...shapeOf(value[0])] : [];
}

/** Outputs from a table: of one row, each cell is a scalar and each field itself; of several, each column is a signal. */
export function outputsOfTable(table: Table): RunOutput[] {
  return partsOf(table).map((part): RunOutput => {
    const rows = table.rows > 1 ? [table.rows] : [];
    if (part.kind === "field") {
      const { unit, coordinates, name } = part.field;
      const shape = [...rows, ...part.field.shape];
      const axes = coordinates === undefined ? undefined : [...rows.map(() => null), ...coordinates];
      return {
        ...{ name, shape, values: fieldValues(part.columns) },
        ...(unit === undefined ? {} : { unit }),
        ...(axes === undefined ? {} : { coordinates: axes }),
      };
    }
    const { name, unit, kind, values } = part.column;
    if (kind === "text") return notNumber(name, values.find((word) => word !== "") ?? "");
    return { name, shape: rows, values, ...(unit === undefined ? {} : { unit }) };
  });
}

/** What to take of the outputs. */
export interface Wanted {
  /** Names or globs. Default: all. */
  readonly outputs?: readonly string[];
  /** Names that are inputs: outputs called so are taken for echoes and left out. */
  readonly inputs: readonly string[];
}

/**
 * The outputs that are wanted, all of them numbers.
 * @throws DataError DATA_OUTPUT if there is none, a wanted one is not there, or a number is missing or infinite
 */
export function checkedOutputs(all: readonly RunOutput[], { outputs, inputs }: Wanted): RunOutput[] {
  const given = all.filter(({ name }) => !inputs.includes(name));
  const patterns = outputs?.map((glob) => ({ glob, pattern: globPattern(glob) }));
  for (const { glob, pattern } of patterns ?? []) {
    if (!given.some(({ name }) => pattern.test(name)))
      throw fault(`it gave no "${glob}" (but ${listNames(given.map(({ name }) => name))})`);
  }
  const wanted = given.filter(({ name }) => patterns?.some(({ pattern }) => pattern.test(name)) ?? true);
  if (wanted.length === 0) throw fault("it gave no output");
  for (const { name, shape, values, word } of wanted) {
    if (word !== undefined) throw fault(`${name} is not a number: ${word} (choose outputs with --outputs)`);
    if (name === "status") throw fault(`an output is called "status", as the column of failures is: rename it`);
    if (shape.length > 3 || values.length === 0) throw fault(`${name} has ${shape.length} axes of ${shape.join("x")}`);
    const at = values.findIndex((value) => !Number.isFinite(value));
    if (at >= 0) throw fault(`${elementNames(name, shape)[at] ?? name} is not a finite number`);
  }
  return wanted;
}

/** Why outputs do not fit a layout, or undefined if they do. @param first number of the run that the layout is of */
export function misfit(
  outputs: readonly OutputLayout[],
  layout: readonly OutputLayout[],
  first: number,
): string | undefined {
  for (const { name, shape } of layout) {
    const found = outputs.find((output) => output.name === name);
    if (found === undefined) return `wrong outputs: no "${name}", as run ${first} gave`;
    if (String(found.shape) !== String(shape))
      return `wrong shape: ${name} is ${showShape(found.shape)}, in run ${first} it is ${showShape(shape)}`;
  }
  const more = outputs.find(({ name }) => !layout.some((each) => each.name === name));
  return more === undefined ? undefined : `wrong outputs: "${more.name}", which run ${first} did not give`;
}

/** A shape in words. */
export function showShape(shape: readonly number[]): string {
  return shape.length === 0 ? "one number" : shape.join("x");
}

function fault(why: string): DataError {
  return new DataError("DATA_OUTPUT", why);
}
