/**
 * The schema: what goes into an emulator and what comes out, with units, kinds, ranges and shapes. It is plain data
 * that survives JSON; the emulator file carries it. `schema-file.ts` reads it from JSON, `select.ts` and `infer.ts`
 * make it from tables.
 */
import type { OutputScale } from "./output-scale.ts";
import type { Coordinate } from "./table.ts";

/** Whether an input is learned as it is or as its logarithm. */
export type Scale = "linear" | "log";

/** What all inputs have. */
interface InputBase {
  readonly name: string;
  readonly unit?: string;
  /** Smallest and largest value that the emulator is made for; 0 and the number of levels less 1 for a categorical one. */
  readonly range: readonly [number, number];
  readonly scale: Scale;
  /** The one value that this input had in every run (a categorical one: the index of its level). It is no column of x. */
  readonly constant?: number;
}

/** A number, whole or not. */
export interface NumberInput extends InputBase {
  readonly kind: "real" | "integer";
  /** Curvature of the axis that it is learned on, from its range: see `warp.ts`. Positive: small values are told apart more finely.
   * 0: straight. Default: what a fit finds best. */
  readonly warp?: number;
}

/** A choice among words. In x it is the index of its level: 0, 1, ... as a number. */
export interface CategoricalInput extends InputBase {
  readonly kind: "categorical";
  readonly levels: readonly string[];
}

export type InputSpec = NumberInput | CategoricalInput;

/** One output quantity. */
export interface FieldSpec {
  readonly name: string;
  readonly unit?: string;
  /** `[]` scalar, `[L]` signal, `[H,W]` image, `[C,L]` with `channels`, `[C,H,W]`. */
  readonly shape: readonly number[];
  /** True where the first axis counts channels: always so for `[C,H,W]`, never for scalars and `[L]`. Default false. */
  readonly channels?: boolean;
  /** One entry per axis of `shape`; null where the axis has none. */
  readonly coordinates?: readonly (Coordinate | null)[];
  readonly scale: OutputScale;
  /** True where the user said the scale: a fit keeps it. */
  readonly scaleStated?: true;
  /** Columns that hold the elements, row-major. Default: `name` for a scalar, `name[i]`, `name[i,j]`, ... else. */
  readonly columns?: readonly string[];
}

/** The version of this format. */
export const SCHEMA_VERSION = 1;

/** Inputs in the order of the columns of x (those without `constant`), fields in the order of the outputs. */
export interface Schema {
  readonly version: typeof SCHEMA_VERSION;
  readonly inputs: readonly InputSpec[];
  readonly fields: readonly FieldSpec[];
}

/** The inputs that are columns of x, in order: all but the constant ones. */
export function varyingInputs(schema: Pick<Schema, "inputs">): readonly InputSpec[] {
  return schema.inputs.filter((input) => input.constant === undefined);
}

/** Number of columns after categorical inputs are spread to one column per level: the width a network sees. */
export function encodedWidth(schema: Pick<Schema, "inputs">): number {
  return varyingInputs(schema).reduce(
    (sum, input) => sum + (input.kind === "categorical" ? input.levels.length : 1),
    0,
  );
}

/** Number of elements of a shape; 1 for a scalar. */
export function shapeSize(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** Number of elements of a field. */
export function fieldSize(field: Pick<FieldSpec, "shape">): number {
  return shapeSize(field.shape);
}

/** A field seen as channels × positions: `spatial` is `[]`, `[L]` or `[H,W]`. */
export interface FieldLayout {
  readonly channels: number;
  readonly spatial: readonly number[];
  /** Elements per channel. */
  readonly positions: number;
}

/** How a field's shape splits into channels and positions. */
export function fieldLayout(field: Pick<FieldSpec, "shape" | "channels">): FieldLayout {
  const split = field.shape.length === 3 || (field.channels === true && field.shape.length === 2);
  const spatial = split ? field.shape.slice(1) : field.shape;
  return { channels: split ? (field.shape[0] ?? 1) : 1, spatial, positions: shapeSize(spatial) };
}
