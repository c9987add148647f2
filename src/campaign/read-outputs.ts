/**
 * Outputs from what a simulator wrote: a file, or its standard output. Arrow, Parquet, NPY and NPZ are told from their
 * first bytes; a text is JSON, `name = value` lines, or CSV. Edge file: it touches the disk.
 */
import { readFile } from "node:fs/promises";
import { CondenseError, DataError } from "../errors.ts";
import { bytesFrom, chooseReader, parseCell, readers, readNpyArrays, readTable } from "../data/index.ts";
import { outputsOfTable, outputsOfValue, type RunOutput } from "./outputs.ts";

/**
 * Reads the outputs in a file.
 * @param name what to call the file in messages   @throws CondenseError if it is missing or not understood
 */
export async function readOutputs(path: string, name: string): Promise<RunOutput[]> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch {
    throw new DataError("DATA_OUTPUT", `${name} is missing`);
  }
  if (bytes.length === 0) throw new DataError("DATA_OUTPUT", `${name} is empty`);
  const packed = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const reader = packed ? undefined : chooseReader(path, bytes);
  try {
    if (reader === readers.npy) return readNpyArrays(path, bytes).map(fromArray);
    if (reader !== readers.csv) return outputsOfTable(await readTable(path));
    return await parseOutputs(bytes.toString(), name, /\.(csv|tsv)$/i.test(path));
  } catch (error) {
    // The path is that of a folder that will be gone.
    if (error instanceof CondenseError) throw new DataError("DATA_OUTPUT", error.message.replaceAll(path, name));
    throw error;
  }
}

function fromArray({ name, array }: ReturnType<typeof readNpyArrays>[number]): RunOutput {
  if (!(array.values instanceof Float64Array))
    throw new DataError("DATA_OUTPUT", `${name} does not hold plain numbers`);
  const alone = array.shape.length === 1 && array.shape[0] === 1;
  return { name, shape: alone ? [] : array.shape, values: array.values };
}

/**
 * Outputs in a text: JSON (the whole, or its last line), else `name = value` lines among whatever else is printed, where
 * the last of a name counts, else CSV with a header.
 * @param table true for what is surely CSV   @throws CondenseError if it is none of these
 */
export async function parseOutputs(text: string, name: string, table = false): Promise<RunOutput[]> {
  if (text.trim() === "") throw new DataError("DATA_OUTPUT", `${name} is empty`);
  const named = table ? undefined : (fromJson(text) ?? fromLines(text));
  if (named !== undefined) return outputsOfValue(named.value);
  async function* chunks(): AsyncGenerator<string> {
    yield text;
  }
  try {
    return outputsOfTable(await readers.csv.read(bytesFrom(chunks(), name), {}));
  } catch (error) {
    if (table || !(error instanceof CondenseError)) throw error;
    const [line = ""] = text.trim().split("\n");
    throw new DataError(
      "DATA_OUTPUT",
      `${name} is neither JSON, nor name = value lines, nor CSV: it begins "${line.trim().slice(0, 40)}"`,
    );
  }
}

function fromJson(text: string): { readonly value: unknown } | undefined {
  const whole = text.trim();
  const last = whole.slice(whole.lastIndexOf("\n") + 1).trim();
  for (const candidate of last.startsWith("{") || last.startsWith("[") ? [whole, last] : [whole]) {
    // Python writes NaN and Infinity, which JSON does not know.
    const strict = candidate.replace(
      /("(?:[^"\\]|\\.)*")|-?\b(?:NaN|Infinity)\b/g,
      (_, word?: string) => word ?? "null",
    );
    try {
      return { value: JSON.parse(strict) as unknown };
    } catch {
      continue;
    }
  }
  return undefined;
}

/** A name, perhaps an element (`y[0]`) and a unit (`y [eV]`), and what stands behind the equals sign. */
const LINE = /^\s*([\p{L}_][\p{L}\p{N}_.-]*(?:\[\d+(?:,\d+)*\])?(?:\s*\[[^\]]*\])?)\s*=\s*(\S.*?)\s*;?\s*$/u;

function fromLines(text: string): { readonly value: unknown } | undefined {
  const value: Record<string, unknown> = {};
  for (const line of text.split(/\r?\n/)) {
    const [, name, words] = LINE.exec(line) ?? [];
    if (name === undefined || words === undefined) continue;
    const cells = words
      .replace(/^[[(](.*)[\])]$/, "$1")
      .trim()
      .split(/\s*,\s*|\s+/);
    const numbers = cells.map(parseCell);
    if (numbers.some((number) => number === undefined)) continue;
    value[name] = numbers.length === 1 ? numbers[0] : numbers;
  }
  return Object.keys(value).length === 0 ? undefined : { value };
}
