/** What the tests of this room share: a folder that goes away, CSV from text, and errors as values. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect } from "vitest";
import { CondenseError } from "../../src/errors.ts";
import { readTable, type ReadTableOptions } from "../../src/data/readers/index.ts";
import { makeTable, numberColumn, textColumn, type Table } from "../../src/data/table.ts";

/** A new folder, removed after the file's tests. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "condense-data-"));
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function* once(bytes: Uint8Array | string): AsyncGenerator<Uint8Array | string> {
  yield await Promise.resolve(bytes);
}

/** The table that a text or bytes are read as. */
export function parse(content: Uint8Array | string, options: ReadTableOptions = {}): Promise<Table> {
  return readTable(once(content), options);
}

/** The columns of a table as plain lists by name. */
export function plain(table: Table): Record<string, (number | string)[]> {
  return Object.fromEntries(table.columns.map((column) => [column.name, Array.from<number | string>(column.values)]));
}

/** A table in memory; columns of numbers or words by name. */
export function tableOf(columns: Record<string, readonly number[] | readonly string[]>, source = "runs.csv"): Table {
  return makeTable(
    source,
    Object.entries(columns).map(([name, values]) =>
      values.every((value) => typeof value === "string") ? textColumn(name, values) : numberColumn(name, values),
    ),
  );
}

/** The error that an action ends with; fails if it ends well. */
export async function failure(action: () => unknown): Promise<CondenseError> {
  try {
    await action();
  } catch (error) {
    if (error instanceof CondenseError) return error;
    throw error;
  }
  return expect.fail("no error was thrown");
}
