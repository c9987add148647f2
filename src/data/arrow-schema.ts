/** A table's columns as Arrow fields: number, word, or fixed-size list with shape, unit and coordinates as metadata. */
import { Field, FixedSizeList, Float64, Schema, Utf8 } from "apache-arrow";
import { partsOf, type Part } from "./fields.ts";
import { shapeSize } from "./schema.ts";
import type { Table } from "./table.ts";

/** The Arrow field of a column or field. */
export function arrowField(part: Part): Field {
  if (part.kind === "column") {
    const { name, unit, kind } = part.column;
    const metadata = new Map(unit === undefined ? [] : [["unit", unit]]);
    return kind === "number"
      ? new Field(name, new Float64(), false, metadata)
      : new Field(name, new Utf8(), true, metadata);
  }
  const { name, unit, shape, coordinates } = part.field;
  const metadata = new Map([["shape", JSON.stringify(shape)]]);
  if (unit !== undefined) metadata.set("unit", unit);
  if (coordinates !== undefined) metadata.set("coordinates", JSON.stringify(coordinates));
  return new Field(name, new FixedSizeList(shapeSize(shape), new Field("item", new Float64(), false)), false, metadata);
}

/** The Arrow schema of a table, and what each of its fields is made from. */
export function arrowSchema(table: Table): { readonly schema: Schema; readonly parts: readonly Part[] } {
  const parts = partsOf(table);
  return { schema: new Schema(parts.map(arrowField)), parts };
}
