/**
 * Tables of text: CSV (RFC 4180), TSV, and columns parted by semicolons, bars or blanks, with a header row. The
 * delimiter is told from the first lines; a byte-order mark, CRLF and UTF-16 are taken as they come; `Te [eV]` in the
 * header is name and unit. Rows are read in constant memory.
 *
 * An unnamed first column is a row index (pandas writes one) and is left out; a `#` before the header (numpy writes
 * one) is dropped, and so are `#` lines above it.
 */
import { parse, CsvError, type Options } from "csv-parse";
import { DataError, FileError } from "../../errors.ts";
import { columnBuilder, parseCell } from "../cells.ts";
import type { ByteSource } from "../files.ts";
import { makeTable, splitUnit, type Column, type Table } from "../table.ts";
import type { Reader, ReadOptions } from "./reader.ts";

/** Characters that the delimiter is told from. */
const SNIFF_LENGTH = 1 << 16;

export const csv: Reader = {
  title: "CSV",
  extensions: [".csv", ".tsv", ".txt", ".dat"],
  matches: (head) => (head[0] === 0xff && head[1] === 0xfe) || !head.subarray(0, 4096).includes(0),
  async read(source, options) {
    for await (const table of readBatches(source, Infinity, options)) return table;
    throw emptyTable(source.name);
  },
  batches: readBatches,
};

async function* readBatches(source: ByteSource, rows: number, options: ReadOptions): AsyncGenerator<Table> {
  const { head, rest } = await peek(decode(source), SNIFF_LENGTH);
  const start = header(source.name, head);
  const parser = parse(start.options);
  const text = chain(start.text, rest);
  const feeding = feed(parser, start.blanks ? squeezeBlanks(text) : text);
  let width = 0;
  let columns: (ReturnType<typeof columnBuilder> | undefined)[] = [];
  let held = 0;
  let given = 0;
  const take = (): Table => {
    const filled = columns.flatMap((column) => (column === undefined ? [] : [column.take()]));
    const table = makeTable(source.name, filled, {
      rowsBefore: given,
      ...(given === 0 && start.notes.length > 0 ? { notes: start.notes } : {}),
    });
    given += held;
    held = 0;
    return table;
  };
  try {
    for await (const record of parser as AsyncIterable<string[]>) {
      if (width === 0) {
        width = record.length;
        columns = openColumns(source.name, record, start.notes, options);
        continue;
      }
      const row = given + held + 1;
      if (record.length !== width) throw raggedRow(source.name, row, record.length, width);
      for (let j = 0; j < width; j++) columns[j]?.push(record[j] ?? "");
      held++;
      if (held === rows) yield take();
    }
    await feeding;
  } catch (cause) {
    throw cause instanceof CsvError ? broken(source.name, cause) : cause;
  } finally {
    parser.destroy();
    await feeding.catch(() => undefined);
  }
  if (held > 0) yield take();
  if (given === 0) throw emptyTable(source.name);
}

/** Text of a source, with byte-order marks taken off. */
async function* decode(source: ByteSource): AsyncGenerator<string> {
  let decoder: TextDecoder | undefined;
  for await (const chunk of source.chunks) {
    if (chunk.length === 0) continue;
    decoder ??= new TextDecoder(
      chunk[0] === 0xff && chunk[1] === 0xfe
        ? "utf-16le"
        : chunk[0] === 0xfe && chunk[1] === 0xff
          ? "utf-16be"
          : "utf-8",
    );
    yield decoder.decode(chunk, { stream: true });
  }
  if (decoder !== undefined) yield decoder.decode();
}

async function peek(
  text: AsyncGenerator<string>,
  length: number,
): Promise<{ head: string; rest: AsyncIterable<string> }> {
  let head = "";
  while (head.length < length) {
    const next = await text.next();
    if (next.done === true) break;
    head += next.value;
  }
  return { head, rest: text };
}

async function feed(parser: ReturnType<typeof parse>, text: AsyncIterable<string>): Promise<void> {
  const push = async (piece: string): Promise<void> => {
    if (piece === "" || parser.destroyed || parser.write(piece)) return;
    await new Promise<void>((resolve) => {
      const go = (): void => {
        parser.off("drain", go).off("close", go).off("error", go);
        resolve();
      };
      parser.on("drain", go).on("close", go).on("error", go);
    });
  };
  try {
    for await (const piece of text) {
      if (parser.destroyed) return;
      await push(piece);
    }
    if (!parser.destroyed) parser.end();
  } catch (cause) {
    parser.destroy(cause instanceof Error ? cause : new Error(String(cause)));
  }
}

async function* chain(head: string, rest: AsyncIterable<string>): AsyncGenerator<string> {
  yield head;
  yield* rest;
}

interface Start {
  /** The sniffed text from the header on. */
  readonly text: string;
  /** True where runs of blanks part the cells. */
  readonly blanks: boolean;
  readonly options: Options;
  readonly notes: string[];
}

/** Finds header and delimiter in the first characters of a text. @throws DataError if the text is empty or has no header */
function header(name: string, head: string): Start {
  const notes: string[] = [];
  let text = head.replace(/^(?:[ \t]*\r?\n)+/, "");
  if (text === "") throw emptyTable(name);
  const comment = /^#[^\n]*(?:\n|$)/;
  let named: string | undefined;
  let skipped = 0;
  for (let line = comment.exec(text); line !== null; line = comment.exec(text)) {
    named = line[0];
    skipped++;
    text = text.slice(line[0].length);
  }
  if (text === "") throw emptyTable(name);
  const delimiter = sniffDelimiter(text);
  const first = (text.split(/\r?\n/, 1)[0] ?? "").trim();
  if (named !== undefined && allNumbers(first, delimiter)) {
    text = named.replace(/^#+[ \t]*/, "") + text;
    skipped--;
  }
  if (skipped > 0)
    notes.push(`${name}: ${skipped} comment ${skipped === 1 ? "line" : "lines"} above the header left out.`);
  const blanks = delimiter === " ";
  return {
    text: delimiter === "," ? quoteElements(text) : text,
    blanks,
    notes,
    options: {
      delimiter,
      record_delimiter: ["\r\n", "\n", "\r"],
      relax_column_count: true,
      relax_quotes: false,
      skip_empty_lines: true,
      skip_records_with_empty_values: false,
      trim: true,
    },
  };
}

function allNumbers(line: string, delimiter: string): boolean {
  const cells = line.split(delimiter === " " ? /\s+/ : delimiter);
  return (
    cells.some((cell) => cell.trim() !== "") &&
    cells.every((cell) => parseCell(cell.replace(/^\s*"|"\s*$/g, "")) !== undefined)
  );
}

/** The delimiter that parts the first lines into equally many cells, the most if several do; blanks only if no other does. */
function sniffDelimiter(text: string): string {
  const lines = text.split(/\r\n|\n|\r/).slice(0, 50);
  if (lines.length > 2) lines.pop(); // it may be cut
  const filled = lines.map((line) => line.trim()).filter((line) => line !== "");
  let best: string | undefined;
  let bestScore = 0;
  for (const delimiter of [",", "\t", ";", "|", " "]) {
    if (delimiter === " " && best !== undefined) break;
    const counts = filled.map((line) => cellsIn(line, delimiter));
    const cells = counts[0] ?? 1;
    const same = counts.filter((count) => count === cells).length / counts.length;
    if (cells < 2 || same <= 0.5) continue;
    const score = Math.floor(same * 100) * 1e6 + cells;
    if (score > bestScore) [best, bestScore] = [delimiter, score];
  }
  return best ?? ",";
}

function cellsIn(line: string, delimiter: string): number {
  const bare = line.replace(/"[^"]*"/g, "q").replace(/\s*\[[^\]]*\]/g, "u");
  return delimiter === " " ? bare.split(/\s+/).length : bare.split(delimiter).length;
}

/** Puts quotes around unquoted names such as `map[0,1]` in the first line, whose comma parts no cells. */
function quoteElements(text: string): string {
  const end = /\r|\n/.exec(text)?.index ?? text.length;
  const line = text.slice(0, end).replace(/(^|,)([^,"[\]]+\[\d+(?:,\d+)+\])(?=\s*(?:,|$))/g, '$1"$2"');
  return line + text.slice(end);
}

/** Runs of blanks as one and none at a line's ends, whole lines at a time. */
async function* squeezeBlanks(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  const squeeze = (lines: string): string => lines.replace(/[ \t]+/g, " ").replace(/^ | $/gm, "");
  let held = "";
  for await (const chunk of chunks) {
    held += chunk;
    const end = held.lastIndexOf("\n") + 1;
    if (end === 0) continue;
    yield squeeze(held.slice(0, end));
    held = held.slice(end);
  }
  if (held !== "") yield squeeze(held);
}

function openColumns(
  name: string,
  cells: readonly string[],
  notes: string[],
  options: ReadOptions,
): (ReturnType<typeof columnBuilder> | undefined)[] {
  if (cells.every((cell) => parseCell(cell) !== undefined)) {
    throw new DataError(
      "DATA_HEADER",
      `${name}: the first row holds numbers (${cells.slice(0, 4).join(", ")}${cells.length > 4 ? ", ..." : ""}), not the names of the columns. ` +
        `Add a header row above it, such as ${cells
          .slice(0, 3)
          .map((_, i) => `x${i + 1}`)
          .join(",")}${cells.length > 3 ? ",..." : ""}.`,
    );
  }
  const seen = new Set<string>();
  return cells.map((cell, j) => {
    const { name: column, unit } = splitUnit(cell);
    if (column === "" && j === 0 && cells.length > 1) {
      notes.push(`${name}: the unnamed first column is taken for a row index and left out.`);
      return undefined;
    }
    if (column === "") {
      throw new DataError(
        "DATA_HEADER",
        `${name}: column ${j + 1} has no name in the header. Name it, or remove the column.`,
      );
    }
    if (seen.has(column)) {
      throw new DataError(
        "DATA_HEADER",
        `${name}: two columns are named "${column}". Give every column a name of its own.`,
      );
    }
    seen.add(column);
    return columnBuilder(name, column, unit, options.kinds?.get(column) satisfies Column["kind"] | undefined);
  });
}

function emptyTable(name: string): DataError {
  return new DataError(
    "DATA_EMPTY",
    `${name}: holds no runs. A table needs a header row and at least one row below it.`,
  );
}

function raggedRow(name: string, row: number, cells: number, width: number): DataError {
  const comma = cells > width ? " A decimal comma or an unquoted comma in a word makes cells too many." : "";
  return new DataError(
    "DATA_ROW_LENGTH",
    `${name}: row ${row} has ${cells} ${cells === 1 ? "cell" : "cells"}, the header has ${width}. Mend the row.${comma}`,
  );
}

function broken(name: string, cause: CsvError): Error {
  const line = typeof cause["lines"] === "number" ? ` line ${String(cause["lines"])}` : "";
  const quoted = cause.code.includes("QUOTE")
    ? " A quote is not closed, or stands inside a word that is not quoted."
    : "";
  return new FileError(
    "FILE_DAMAGED",
    `${name}:${line} is not well-formed CSV.${quoted} Mend the line (${cause.code}).`,
    { cause },
  );
}
