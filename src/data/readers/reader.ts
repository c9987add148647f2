/** What a reader of one file format is. */
import type { ByteSource } from "../files.ts";
import type { Column, Table } from "../table.ts";

/** Choices of those who read. */
export interface ReadOptions {
  /** Kinds of columns that are known beforehand, by name. Default: each is told from its cells. */
  readonly kinds?: ReadonlyMap<string, Column["kind"]>;
}

/** One file format. */
export interface Reader {
  /** Name in full, for messages. */
  readonly title: string;
  /** Endings of file names, with the dot, lower case. */
  readonly extensions: readonly string[];
  /** True if the first bytes of a file (64 KiB, or all of it) are surely of this format. */
  matches(head: Uint8Array): boolean;
  /** Reads all. @throws FileError if the bytes are damaged, DataError if they make no table */
  read(source: ByteSource, options: ReadOptions): Promise<Table>;
  /** Reads at most `rows` rows at a time, none of the batches empty; a format without it is read whole and sliced. */
  batches?(source: ByteSource, rows: number, options: ReadOptions): AsyncIterable<Table>;
}
