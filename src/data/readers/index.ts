/**
 * The readers, and the one door to them: a format is told from the first bytes, then from the file's name. Compressed
 * files (gzip) are unpacked on the way, whatever is in them.
 */
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { FileError } from "../../errors.ts";
import { bytesFrom, openBytes, type ByteSource } from "../files.ts";
import { sliceRows, type Table } from "../table.ts";
import { arrow } from "./arrow.ts";
import { csv } from "./csv.ts";
import { npy } from "./npy.ts";
import { parquet } from "./parquet.ts";
import type { Reader, ReadOptions } from "./reader.ts";

export { readNpyArrays } from "./npy.ts";
export type { Reader, ReadOptions } from "./reader.ts";

/** One row per format. The first that recognises a file's first bytes reads it, text last. */
export const readers = { arrow, parquet, npy, csv } as const satisfies Record<string, Reader>;

/** Name of a format that Condense reads. */
export type ReaderName = keyof typeof readers;

/** Bytes that a format is told from. */
const HEAD_LENGTH = 1 << 16;

/** Choices of those who read a table. */
export interface ReadTableOptions extends ReadOptions {
  /** The format. Default: told from the bytes, then from the name's ending. */
  readonly format?: ReaderName;
}

/**
 * Reads a table from a file, or from a stream such as `process.stdin`.
 * @throws FileError FILE_MISSING, FILE_READ, FILE_FORMAT, FILE_DAMAGED; DataError if the content makes no table
 */
export async function readTable(
  from: string | AsyncIterable<Uint8Array | string>,
  options: ReadTableOptions = {},
): Promise<Table> {
  const { reader, source } = await open(from, options);
  return reader.read(source, options);
}

/** Reads a table at most `rows` rows at a time: text and Arrow in constant memory, other formats whole and then sliced. Throws like {@link readTable}. */
export async function* readBatches(
  from: string | AsyncIterable<Uint8Array | string>,
  rows: number,
  options: ReadTableOptions = {},
): AsyncGenerator<Table> {
  const { reader, source } = await open(from, options);
  if (reader.batches !== undefined) {
    yield* reader.batches(source, rows, options);
    return;
  }
  const table = await reader.read(source, options);
  for (let at = 0; at < table.rows; at += rows) yield sliceRows(table, at, at + rows);
}

async function open(
  from: string | AsyncIterable<Uint8Array | string>,
  options: ReadTableOptions,
): Promise<{ readonly reader: Reader; readonly source: ByteSource }> {
  const raw = await peek(typeof from === "string" ? await openBytes(from) : bytesFrom(from), HEAD_LENGTH);
  const { head, source } =
    raw.head[0] === 0x1f && raw.head[1] === 0x8b ? await peek(gunzip(raw.source), HEAD_LENGTH) : raw;
  return { reader: options.format === undefined ? chooseReader(source.name, head) : readers[options.format], source };
}

/** The reader for a file by its first bytes, or else by its name. @throws FileError FILE_FORMAT */
export function chooseReader(name: string, head: Uint8Array): Reader {
  const foreign = FOREIGN.find(({ magic }) => magic.every((byte, i) => head[i] === byte));
  const all: readonly Reader[] = Object.values(readers);
  const bare = name.toLowerCase().replace(/\.gz$/, "");
  const byContent = all.find((reader) => reader.matches(head));
  const found =
    byContent ?? (foreign === undefined ? all.find((r) => r.extensions.some((end) => bare.endsWith(end))) : undefined);
  if (found !== undefined) return found;
  const titles = all.map((reader) => reader.title).join(", ");
  const what =
    foreign === undefined ? "is not a format that Condense reads" : `is ${foreign.what}, which Condense does not read`;
  throw new FileError("FILE_FORMAT", `${name}: ${what} (${titles}). Save it as one of these.`);
}

/** Formats that are met often and not read, to name them. */
const FOREIGN: readonly { readonly magic: readonly number[]; readonly what: string }[] = [
  { magic: [0x89, 0x48, 0x44, 0x46], what: "HDF5" },
  { magic: [0x43, 0x44, 0x46], what: "NetCDF" },
  { magic: [0x50, 0x4b, 0x03, 0x04], what: "a zip archive or an Excel workbook" },
  { magic: [0xd0, 0xcf, 0x11, 0xe0], what: "an old Excel workbook" },
];

async function peek(
  source: ByteSource,
  length: number,
): Promise<{ readonly head: Uint8Array; readonly source: ByteSource }> {
  const chunks = source.chunks[Symbol.asyncIterator]();
  const taken: Uint8Array[] = [];
  let size = 0;
  while (size < length) {
    const next = await chunks.next();
    if (next.done === true) break;
    taken.push(next.value);
    size += next.value.length;
  }
  async function* again(): AsyncGenerator<Uint8Array> {
    try {
      yield* taken;
      for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
    } finally {
      await chunks.return?.();
    }
  }
  return { head: Buffer.concat(taken), source: { name: source.name, chunks: again() } };
}

function gunzip(source: ByteSource): ByteSource {
  async function* unpacked(): AsyncGenerator<Uint8Array> {
    const input = Readable.from(source.chunks);
    const output = createGunzip();
    input.on("error", (cause) => output.destroy(cause));
    try {
      for await (const chunk of input.pipe(output)) yield chunk as Uint8Array;
    } catch (cause) {
      if (cause instanceof FileError) throw cause;
      throw new FileError(
        "FILE_DAMAGED",
        `${source.name}: the gzip data are damaged or cut off. Copy the file again.`,
        { cause },
      );
    } finally {
      input.destroy();
      output.destroy();
    }
  }
  return { name: source.name, chunks: unpacked() };
}
