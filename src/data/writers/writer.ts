/** What a writer of one file format is. */
import { InternalError } from "../../errors.ts";
import type { Table } from "../table.ts";

/** Turns tables of the same columns, one after the other, into the bytes of one file. Holds no more than it must. */
export interface TableEncoder {
  /** Takes the next rows; the bytes that can be written now. */
  add(table: Table): Promise<Uint8Array>;
  /** The bytes that close the file. */
  end(): Promise<Uint8Array>;
}

/** One file format. */
export interface Writer {
  /** Name in full, for messages. */
  readonly title: string;
  /** Endings of file names, with the dot, lower case; the first is the usual one. */
  readonly extensions: readonly string[];
  encoder(): TableEncoder;
}

/** A check that all tables it is given have the columns of the first. */
export function sameColumns(): (table: Table) => void {
  let first: string | undefined;
  return (table) => {
    const columns = table.columns.map((column) => `${column.kind} ${column.name}`).join();
    first ??= columns;
    if (columns !== first) throw new InternalError("the batches of one file differ in their columns");
  };
}
