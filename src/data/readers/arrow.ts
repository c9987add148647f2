/**
 * Arrow IPC, file and stream, as it is or with LZ4 or ZSTD (Feather version 2). A fixed-size list is a field; its
 * shape, unit and coordinates (JSON) are metadata of the Arrow field, and the shape of `arrow.fixed_shape_tensor` is
 * understood too. A stream is read batch by batch.
 */
import {
  compressionRegistry,
  CompressionType,
  DataType,
  Precision,
  RecordBatchReader,
  Table as ArrowTable,
  tableFromIPC,
  Type,
  type Field,
} from "apache-arrow";
import { decompressZstd } from "hyparquet-compressors";
import { DataError, FileError } from "../../errors.ts";
import { collectBytes, type ByteSource } from "../files.ts";
import { decompressLz4Frame } from "../lz4.ts";
import {
  makeTable,
  sliceRows,
  type Column,
  type Coordinate,
  type FieldMeta,
  type Table,
  type TableExtras,
} from "../table.ts";
import { columnsOf, type ValueMeta } from "../values.ts";
import type { Reader } from "./reader.ts";

compressionRegistry.set(CompressionType.LZ4_FRAME, { decode: decompressLz4Frame });
compressionRegistry.set(CompressionType.ZSTD, { decode: (data) => decompressZstd(data).slice() });

const FILE_MAGIC = Buffer.from("ARROW1");

export const arrow: Reader = {
  title: "Arrow",
  extensions: [".arrow", ".arrows", ".feather", ".ipc"],
  matches: (head) =>
    FILE_MAGIC.equals(head.subarray(0, FILE_MAGIC.length)) ||
    (head.length > 8 && [0, 1, 2, 3].every((i) => head[i] === 0xff)),
  async read(source) {
    const bytes = await collectBytes(source);
    const content = await guarded(source.name, () => tableFromIPC(bytes));
    return refuseEmpty(fromArrow(source.name, content));
  },
  batches: readBatches,
};

async function* readBatches(source: ByteSource, rows: number): AsyncGenerator<Table> {
  const batches = await guarded(source.name, async () => (await RecordBatchReader.from(source.chunks)).open());
  const iterator = batches[Symbol.asyncIterator]();
  let before = 0;
  for (;;) {
    const next = await guarded(source.name, () => iterator.next());
    if (next.done === true) break;
    const table = fromArrow(source.name, new ArrowTable(next.value), { rowsBefore: before });
    for (let at = 0; at < table.rows; at += rows) yield sliceRows(table, at, at + rows);
    before += table.rows;
  }
  if (before === 0) throw emptyTable(source.name);
}

async function guarded<T>(name: string, step: () => T | Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (cause) {
    if (cause instanceof FileError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new FileError("FILE_DAMAGED", `${name}: is not a whole Arrow file (${why}). Write or copy it again.`, {
      cause,
    });
  }
}

/** The part of an Arrow table that is needed, so that tables of another copy of the library serve too. */
export interface ArrowLike {
  readonly numRows: number;
  readonly schema: { readonly fields: readonly Field[] };
  getChildAt(
    index: number,
  ): { readonly nullCount: number; toArray(): ArrayLike<unknown>; [Symbol.iterator](): Iterator<unknown> } | null;
}

/** A table from an Arrow table in memory. Columns that are neither numbers, words nor lists are left out with a note. */
export function fromArrow(source: string, content: ArrowLike, extras: TableExtras = {}): Table {
  const columns: Column[] = [];
  const fields: FieldMeta[] = [];
  const notes = [...(extras.notes ?? [])];
  content.schema.fields.forEach((field, i) => {
    const vector = content.getChildAt(i);
    if (isRowIndex(field.name)) {
      notes.push(`${source}: column "${field.name}" is a row index and is left out.`);
      return;
    }
    const type = field.type as DataType;
    const plain = DataType.isFloat(type) && type.precision === Precision.DOUBLE && vector?.nullCount === 0;
    const values = vector === null ? [] : plain ? vector.toArray() : Array.from(vector);
    const made = isReadable(type) ? columnsOf(source, field.name, values, metaFrom(field.metadata)) : undefined;
    if (made === undefined) {
      notes.push(
        `${source}: column "${field.name}" (${describeType(type)}) holds neither numbers nor words and is left out.`,
      );
      return;
    }
    columns.push(...made.columns);
    if (made.field !== undefined) fields.push(made.field);
  });
  const table = makeTable(source, columns, {
    ...extras,
    ...(fields.length > 0 ? { fields } : {}),
    ...(notes.length > 0 ? { notes } : {}),
  });
  return { ...table, rows: content.numRows };
}

function describeType(type: DataType): string {
  return Type[type.typeId] ?? "of an unknown type";
}

/** True for the columns in which pandas keeps its row index. */
export function isRowIndex(name: string): boolean {
  return /^__index_level_\d+__$/.test(name);
}

function isReadable(type: DataType): boolean {
  if (DataType.isDictionary(type)) return isReadable(type.dictionary as DataType);
  if (DataType.isFixedSizeList(type) || DataType.isList(type)) {
    return type.children.every((child) => isReadable(child.type as DataType));
  }
  return (
    DataType.isFloat(type) ||
    DataType.isInt(type) ||
    DataType.isBool(type) ||
    DataType.isUtf8(type) ||
    DataType.isLargeUtf8(type) ||
    DataType.isNull(type)
  );
}

/** What the metadata of an Arrow field say: `unit`, `shape` and `coordinates`, the latter two as JSON. What does not parse is no metadata of ours. */
export function metaFrom(metadata: ReadonlyMap<string, string>): ValueMeta {
  const unit = metadata.get("unit") ?? metadata.get("units");
  const tensor = parsed(metadata.get("ARROW:extension:metadata"));
  const inTensor = typeof tensor === "object" && tensor !== null && "shape" in tensor ? tensor.shape : undefined;
  const shape = parsed(metadata.get("shape")) ?? inTensor;
  const coordinates = parsed(metadata.get("coordinates"));
  return {
    ...(unit === undefined ? {} : { unit }),
    ...(isNumbers(shape) ? { shape } : {}),
    ...(Array.isArray(coordinates) && coordinates.every(isCoordinate) ? { coordinates } : {}),
  };
}

function parsed(json: string | undefined): unknown {
  if (json === undefined) return undefined;
  try {
    return JSON.parse(json) as unknown;
  } catch {
    return undefined; // another program's metadata under the same key
  }
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => typeof item === "number");
}

function isCoordinate(value: unknown): value is Coordinate | null {
  return value === null || (typeof value === "object" && "values" in value && isNumbers(value.values));
}

function refuseEmpty(table: Table): Table {
  if (table.rows === 0 || table.columns.length === 0) throw emptyTable(table.source);
  return table;
}

function emptyTable(name: string): DataError {
  return new DataError("DATA_EMPTY", `${name}: holds no runs. A table needs at least one column and one row.`);
}
