/**
 * Parquet, with any of its compressions. A list column of one length is a field; shape, unit and coordinates come from
 * the Arrow schema that pyarrow (and we) keep in the file's metadata.
 */
import { RecordBatchReader } from "apache-arrow";
import { parquetMetadata, parquetScan } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { DataError, FileError } from "../../errors.ts";
import { collectBytes } from "../files.ts";
import { makeTable, type Column, type FieldMeta } from "../table.ts";
import { columnsOf, type ValueMeta } from "../values.ts";
import { isRowIndex, metaFrom } from "./arrow.ts";
import type { Reader } from "./reader.ts";

const MAGIC = Buffer.from("PAR1");

export const parquet: Reader = {
  title: "Parquet",
  extensions: [".parquet", ".pq"],
  matches: (head) => MAGIC.equals(head.subarray(0, MAGIC.length)),
  async read(source) {
    const bytes = await collectBytes(source);
    const { names, rows, values, metas } = await readColumns(source.name, bytes);
    if (rows === 0 || names.length === 0) {
      throw new DataError(
        "DATA_EMPTY",
        `${source.name}: holds no runs. A table needs at least one column and one row.`,
      );
    }
    const columns: Column[] = [];
    const fields: FieldMeta[] = [];
    const notes: string[] = [];
    names.forEach((name, i) => {
      if (isRowIndex(name)) {
        notes.push(`${source.name}: column "${name}" is a row index and is left out.`);
        return;
      }
      const made = columnsOf(source.name, name, values[i] ?? [], metas.get(name) ?? {});
      if (made === undefined) {
        notes.push(`${source.name}: column "${name}" holds neither numbers nor words and is left out.`);
        return;
      }
      columns.push(...made.columns);
      if (made.field !== undefined) fields.push(made.field);
    });
    return makeTable(source.name, columns, {
      ...(fields.length > 0 ? { fields } : {}),
      ...(notes.length > 0 ? { notes } : {}),
    });
  },
};

interface RawColumns {
  readonly names: readonly string[];
  readonly rows: number;
  readonly values: readonly ArrayLike<unknown>[];
  readonly metas: ReadonlyMap<string, ValueMeta>;
}

async function readColumns(name: string, bytes: Uint8Array): Promise<RawColumns> {
  try {
    const file = bytes.slice().buffer;
    const metadata = parquetMetadata(file);
    const [root] = metadata.schema;
    const names: string[] = [];
    for (let at = 1; at < metadata.schema.length; at = afterElement(metadata.schema, at))
      names.push(metadata.schema[at]?.name ?? "");
    if (root === undefined || names.length === 0) return { names: [], rows: 0, values: [], metas: new Map() };
    const scan = await parquetScan({ file, metadata, compressors });
    const values: ArrayLike<unknown>[] = [];
    for (const column of names) {
      const parts: ArrayLike<unknown>[] = [];
      for (const range of scan.ranges) parts.push(await scan.readColumn({ column, ...range }));
      values.push(parts.length === 1 ? (parts[0] ?? []) : parts.flatMap((part) => Array.from(part)));
    }
    const arrowSchema = metadata.key_value_metadata?.find((entry) => entry.key === "ARROW:schema")?.value;
    return {
      names,
      rows: Number(metadata.num_rows),
      values,
      metas: arrowSchema === undefined ? new Map() : arrowMetas(arrowSchema),
    };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new FileError("FILE_DAMAGED", `${name}: is not a whole Parquet file (${why}). Write or copy it again.`, {
      cause,
    });
  }
}

/** Index of the schema element after the one at `at` and all its children (the list is depth-first). */
function afterElement(schema: readonly { readonly num_children?: number }[], at: number): number {
  let next = at + 1;
  for (let child = 0; child < (schema[at]?.num_children ?? 0); child++) next = afterElement(schema, next);
  return next;
}

function arrowMetas(base64: string): ReadonlyMap<string, ValueMeta> {
  const reader = RecordBatchReader.from(Buffer.from(base64, "base64")).open();
  return new Map(reader.schema.fields.map((field) => [field.name, metaFrom(field.metadata)]));
}
