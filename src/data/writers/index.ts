/** The writers, and the one door to them: the format is told from the file's name, and a file is written whole or not at all. */
import { OptionError } from "../../errors.ts";
import { openWhole } from "../files.ts";
import type { Table } from "../table.ts";
import { arrow } from "./arrow.ts";
import { csv } from "./csv.ts";
import { parquet } from "./parquet.ts";
import type { Writer } from "./writer.ts";

export type { TableEncoder, Writer } from "./writer.ts";

/** One row per format. */
export const writers = { csv, arrow, parquet } as const satisfies Record<string, Writer>;

/** Name of a format that Condense writes. */
export type WriterName = keyof typeof writers;

/** Choices of those who write a table. */
export interface WriteTableOptions {
  /** The format. Default: told from the name's ending. */
  readonly format?: WriterName;
}

/** The format of a file by its name. @throws OptionError OPTION_FORMAT for an ending that is not known */
export function writerFor(path: string): WriterName {
  const lower = path.toLowerCase();
  const names = Object.keys(writers) as WriterName[];
  const found = names.find((name) => writers[name].extensions.some((end) => lower.endsWith(end)));
  if (found !== undefined) return found;
  const endings = names.flatMap((name) => writers[name].extensions).join(", ");
  throw new OptionError(
    "OPTION_FORMAT",
    `${path}: its ending does not say which format to write. Use one of ${endings}.`,
  );
}

/** Writes a table to a file, whole or not at all. @throws FileError FILE_WRITE, OptionError OPTION_FORMAT */
export async function writeTable(path: string, table: Table, options: WriteTableOptions = {}): Promise<void> {
  const file = await openTable(path, options);
  await file.add(table);
  await file.close();
}

/** A file that grows by tables of the same columns, in constant memory. It appears under its name on `close` only. */
export interface TableFile {
  /** Appends rows. @throws FileError FILE_WRITE */
  add(table: Table): Promise<void>;
  /** Puts the file in place. @throws FileError FILE_WRITE */
  close(): Promise<void>;
  /** Gives up: nothing of it stays. Harmless after `close`. */
  discard(): Promise<void>;
}

/** Starts a file of tables. @throws FileError FILE_WRITE, OptionError OPTION_FORMAT */
export async function openTable(path: string, options: WriteTableOptions = {}): Promise<TableFile> {
  const encoder = writers[options.format ?? writerFor(path)].encoder();
  const file = await openWhole(path);
  const guarded = async (step: () => Promise<void>): Promise<void> => {
    try {
      await step();
    } catch (cause) {
      await file.discard();
      throw cause;
    }
  };
  return {
    add: (table) => guarded(async () => file.write(await encoder.add(table))),
    close: () =>
      guarded(async () => {
        await file.write(await encoder.end());
        await file.close();
      }),
    discard: () => file.discard(),
  };
}

/** A table as the bytes of a file. */
export async function encodeTable(table: Table, format: WriterName): Promise<Uint8Array> {
  const encoder = writers[format].encoder();
  return Buffer.concat([await encoder.add(table), await encoder.end()]);
}
