/**
 * How the fields of a schema become heads of a network: all scalar fields share one vector head, each signal or image has
 * a decoder of its own.
 */
import { encodedWidth, fieldLayout, fieldSize, type Schema } from "../data/index.ts";

/** A head to ask the super-architecture for; the shape that `space` understands. */
export type FieldHead =
  | { readonly kind: "vector"; readonly name: string; readonly size: number }
  | { readonly kind: "decoder"; readonly name: string; readonly channels: number; readonly spatial: readonly number[] };

/** Where a field is found among the heads' outputs. */
export interface FieldPlace {
  readonly head: number;
  /** First element within one row of the head, and number of elements. */
  readonly start: number;
  readonly size: number;
}

export interface HeadPlan {
  /** Width of the scaled inputs: categorical inputs take a column per level. */
  readonly inputs: number;
  readonly heads: readonly FieldHead[];
  /** One place per field of the schema. */
  readonly places: readonly FieldPlace[];
}

/** Plans the heads of a schema. */
export function planHeads(schema: Schema): HeadPlan {
  const scalars = schema.fields.filter((field) => field.shape.length === 0).length;
  const heads: FieldHead[] = scalars > 0 ? [{ kind: "vector", name: "scalars", size: scalars }] : [];
  let scalar = 0;
  const places = schema.fields.map((field): FieldPlace => {
    if (field.shape.length === 0) return { head: 0, start: scalar++, size: 1 };
    const { channels, spatial } = fieldLayout(field);
    heads.push({ kind: "decoder", name: `field${heads.length}`, channels, spatial });
    return { head: heads.length - 1, start: 0, size: fieldSize(field) };
  });
  return { inputs: encodedWidth(schema), heads, places };
}

/** Number of outputs of a head in one row. */
export function headSize(head: FieldHead): number {
  return head.kind === "vector" ? head.size : head.channels * head.spatial.reduce((a, c) => a * c, 1);
}
