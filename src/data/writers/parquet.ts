/**
 * Parquet, Snappy-compressed, one row group per table. The columns of a field are one list column; shape, unit and
 * coordinates are in the Arrow schema in the file's metadata, where pyarrow finds them too. A missing number is NaN, a
 * missing word null.
 */
import { RecordBatchStreamWriter, type Schema } from "apache-arrow";
import type { SchemaElement } from "hyparquet";
import { ByteWriter, ParquetWriter, type ColumnSource } from "hyparquet-writer";
import { arrowSchema } from "../arrow-schema.ts";
import type { Part } from "../fields.ts";
import { sameColumns, type Writer } from "./writer.ts";

export const parquet: Writer = {
  title: "Parquet",
  extensions: [".parquet"],
  encoder() {
    const bytes = new ByteWriter();
    const check = sameColumns();
    let file: ParquetWriter | undefined;
    const drain = (): Uint8Array => {
      const ready = bytes.getBytes().slice();
      bytes.index = 0; // `offset`, the position in the file, goes on
      return ready;
    };
    return {
      async add(table) {
        check(table);
        const { schema, parts } = arrowSchema(table);
        file ??= new ParquetWriter({
          writer: bytes,
          schema: [{ name: "root", num_children: parts.length }, ...parts.flatMap(elementsOf)],
          kvMetadata: [{ key: "ARROW:schema", value: encodeSchema(schema) }],
          createdBy: "condense",
          statistics: false,
        });
        if (table.rows > 0) await file.write({ columnData: parts.map(sourceOf), rowGroupSize: table.rows });
        return drain();
      },
      async end() {
        await file?.finish();
        return drain();
      },
    };
  },
};

function elementsOf(part: Part): SchemaElement[] {
  if (part.kind === "field") {
    return [
      { name: part.field.name, repetition_type: "REQUIRED", converted_type: "LIST", num_children: 1 },
      { name: "list", repetition_type: "REPEATED", num_children: 1 },
      { name: "element", type: "DOUBLE", repetition_type: "REQUIRED" },
    ];
  }
  const { name, kind } = part.column;
  return kind === "number"
    ? [{ name, type: "DOUBLE", repetition_type: "REQUIRED" }]
    : [{ name, type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "OPTIONAL" }];
}

function sourceOf(part: Part): ColumnSource {
  if (part.kind === "field") {
    const { columns, field } = part;
    const rows = columns[0]?.values.length ?? 0;
    return {
      name: field.name,
      data: Array.from({ length: rows }, (_, i) => columns.map((column) => column.values[i])),
    };
  }
  const { column } = part;
  return {
    name: column.name,
    data: column.kind === "number" ? column.values : column.values.map((word) => (word === "" ? null : word)),
  };
}

/** The Arrow schema as pyarrow keeps it in Parquet: an IPC schema message in base64. */
function encodeSchema(schema: Schema): string {
  const writer = new RecordBatchStreamWriter({ autoDestroy: false });
  writer.reset(undefined, schema);
  return Buffer.from(writer.finish().toUint8Array(true)).toString("base64");
}
