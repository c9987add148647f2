/**
 * Arrow IPC file format (Feather version 2), one record batch per table. The columns of a field are one fixed-size
 * list with shape, unit and coordinates in its metadata. A missing number is NaN, a missing word null.
 */
import {
  makeData,
  RecordBatch,
  RecordBatchFileWriter,
  Struct,
  vectorFromArray,
  Float64,
  Utf8,
  type Data,
  type Field,
  type FixedSizeList,
  type Schema,
} from "apache-arrow";
import { arrowField, arrowSchema } from "../arrow-schema.ts";
import { fieldValues, type Part } from "../fields.ts";
import { sameColumns, type Writer } from "./writer.ts";

export const arrow: Writer = {
  title: "Arrow",
  extensions: [".arrow", ".feather"],
  encoder() {
    const file = new RecordBatchFileWriter();
    const bytes = file[Symbol.asyncIterator]();
    const check = sameColumns();
    let schema: Schema | undefined;
    let pending: ReturnType<typeof bytes.next> | undefined;
    /** The bytes that the library has ready; the promise of more is kept for the next call. */
    const drain = async (): Promise<Uint8Array> => {
      const parts: Uint8Array[] = [];
      for (;;) {
        pending ??= bytes.next();
        const next = await Promise.race([
          pending,
          new Promise<undefined>((resolve) => setImmediate(resolve, undefined)),
        ]);
        if (next === undefined || next.done === true) break;
        pending = undefined;
        parts.push(next.value);
      }
      return Buffer.concat(parts);
    };
    return {
      async add(table) {
        check(table);
        const made = arrowSchema(table);
        schema ??= made.schema;
        const children = made.parts.map((part) => dataOf(part, arrowField(part)));
        const struct = makeData({ type: new Struct(schema.fields), length: table.rows, nullCount: 0, children });
        file.write(new RecordBatch(schema, struct));
        return drain();
      },
      end() {
        file.close();
        return drain();
      },
    };
  },
};

function dataOf(part: Part, field: Field): Data {
  if (part.kind === "field") {
    const flat = fieldValues(part.columns);
    const child = makeData({ type: new Float64(), length: flat.length, nullCount: 0, data: flat });
    const rows = part.columns[0]?.values.length ?? 0;
    return makeData({ type: field.type as FixedSizeList, length: rows, nullCount: 0, child });
  }
  const { column } = part;
  if (column.kind === "number")
    return makeData({ type: new Float64(), length: column.values.length, nullCount: 0, data: column.values });
  const [data] = vectorFromArray(
    column.values.map((word) => (word === "" ? null : word)),
    new Utf8(),
  ).data;
  return data as Data;
}
