/**
 * The schema as JSON: what a user writes for `--schema`, and what an emulator file carries. A user's file may leave
 * out whatever the data tell; a field's `columns` may hold globs. Faults are named by their path in the document.
 */
import { DataError } from "../errors.ts";
import { outputScales } from "./output-scale.ts";
import { SCHEMA_VERSION, shapeSize, type FieldSpec, type InputSpec, type Scale, type Schema } from "./schema.ts";
import type { Coordinate } from "./table.ts";

/** An input of which only the name must be said. */
export interface InputDraft {
  readonly name: string;
  readonly unit?: string;
  readonly kind?: InputSpec["kind"];
  readonly levels?: readonly string[];
  readonly range?: readonly [number, number];
  readonly scale?: Scale;
  readonly warp?: number;
}

/** Curvature beyond which an axis is a step: e^12 to 1 between its ends' slopes. */
const MOST_CURVATURE = 12;

/** A field of which only the name must be said; `columns` may hold globs. */
export type FieldDraft = Pick<FieldSpec, "name"> & Partial<FieldSpec>;

/** A schema that the data complete. Every {@link Schema} is one too; its constants are looked for in the data anew. */
export interface SchemaDraft {
  readonly inputs: readonly InputDraft[];
  readonly fields: readonly FieldDraft[];
}

/**
 * Parses a schema in which only names are required.
 * @param where for messages: the path of the file
 * @throws DataError DATA_SCHEMA that names the place in the document
 */
export function parseSchemaDraft(json: string, where: string): SchemaDraft {
  return draftFrom(parseJson(json, where), where);
}

/** Takes a complete schema from a parsed JSON value, as an emulator file carries it. @throws DataError DATA_SCHEMA */
export function readSchema(value: unknown, where: string): Schema {
  const draft = draftFrom(value, where);
  if (asObject(value, where, "").version === undefined) throw fault(where, "version", "is missing");
  const inputs = draft.inputs.map((input, i): InputSpec => {
    const at = `inputs[${i}]`;
    const { name, unit, kind, range, scale, warp, levels, constant } = input as InputDraft & {
      readonly constant?: number;
    };
    if (kind === undefined) throw fault(where, `${at}.kind`, "is missing");
    if (range === undefined) throw fault(where, `${at}.range`, "is missing");
    if (scale === undefined) throw fault(where, `${at}.scale`, "is missing");
    const base = {
      name,
      ...(unit === undefined ? {} : { unit }),
      range,
      scale,
      ...(constant === undefined ? {} : { constant }),
    };
    if (kind !== "categorical") return { ...base, kind, ...(warp === undefined ? {} : { warp }) };
    if (levels === undefined) throw fault(where, `${at}.levels`, "is missing");
    return { ...base, kind, levels };
  });
  const fields = draft.fields.map((field, i): FieldSpec => {
    const { shape, scale, ...rest } = field;
    if (shape === undefined) throw fault(where, `fields[${i}].shape`, "is missing");
    if (scale === undefined) throw fault(where, `fields[${i}].scale`, "is missing");
    return { ...rest, shape, scale };
  });
  return { version: SCHEMA_VERSION, inputs, fields };
}

function parseJson(json: string, where: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new DataError("DATA_SCHEMA", `${where}: is not JSON (${why}). Mend it there.`, { cause });
  }
}

function draftFrom(value: unknown, where: string): SchemaDraft {
  const root = asObject(value, where, "");
  onlyKeys(root, ["version", "inputs", "fields"], where, "");
  if (root.version !== undefined && root.version !== SCHEMA_VERSION) {
    throw fault(
      where,
      "version",
      `is ${show(root.version)}, this Condense knows version ${SCHEMA_VERSION}`,
      "Install a newer Condense, or write the schema anew",
    );
  }
  const inputs = asList(root.inputs, where, "inputs").map((item, i) => inputFrom(item, where, `inputs[${i}]`));
  const fields = asList(root.fields, where, "fields").map((item, i) => fieldFrom(item, where, `fields[${i}]`));
  if (inputs.length === 0) throw fault(where, "inputs", "is empty");
  if (fields.length === 0) throw fault(where, "fields", "is empty");
  const seen = new Set<string>();
  for (const { name } of [...inputs, ...fields]) {
    if (seen.has(name)) throw fault(where, "", `names "${name}" twice`, "Give every input and field a name of its own");
    seen.add(name);
  }
  return { inputs, fields };
}

function inputFrom(item: unknown, where: string, at: string): InputDraft & { readonly constant?: number } {
  if (typeof item === "string" && item !== "") return { name: item };
  const o = asObject(item, where, at);
  onlyKeys(o, ["name", "unit", "kind", "levels", "range", "scale", "warp", "constant"], where, at);
  const kind = optional(o.kind, (v) => oneOf(v, ["real", "integer", "categorical"] as const, where, `${at}.kind`));
  const levels = optional(o.levels, (v) =>
    asList(v, where, `${at}.levels`).map((l, i) => asText(l, where, `${at}.levels[${i}]`)),
  );
  if (levels !== undefined) {
    if (kind !== undefined && kind !== "categorical")
      throw fault(where, `${at}.levels`, `does not go with kind "${kind}"`);
    if (levels.length === 0) throw fault(where, `${at}.levels`, "is empty");
    if (new Set(levels).size < levels.length) throw fault(where, `${at}.levels`, "holds a level twice");
  }
  const range = optional(o.range, (v) => rangeFrom(v, where, `${at}.range`));
  const scale = optional(o.scale, (v) => oneOf(v, ["linear", "log"] as const, where, `${at}.scale`));
  const warp = optional(o.warp, (v) => asNumber(v, where, `${at}.warp`));
  if (warp !== undefined && !(Math.abs(warp) <= MOST_CURVATURE))
    throw fault(where, `${at}.warp`, `is ${warp}, but must lie between -${MOST_CURVATURE} and ${MOST_CURVATURE}`);
  if (warp !== undefined && (levels !== undefined || kind === "categorical"))
    throw fault(where, `${at}.warp`, "does not go with categories, which have no axis");
  const constant = optional(o.constant, (v) => asNumber(v, where, `${at}.constant`));
  if (scale === "log" && range !== undefined && range[0] <= 0) {
    throw fault(
      where,
      `${at}.scale`,
      'is "log", but the range is not all positive',
      "Use a positive range, or scale linear",
    );
  }
  return {
    name: asText(o.name, where, `${at}.name`),
    ...optional(o.unit, (v) => ({ unit: asText(v, where, `${at}.unit`) })),
    ...(kind !== undefined ? { kind } : levels !== undefined ? { kind: "categorical" as const } : {}),
    ...(levels === undefined ? {} : { levels }),
    ...(range === undefined ? {} : { range }),
    ...(scale === undefined ? {} : { scale }),
    ...(warp === undefined ? {} : { warp }),
    ...(constant === undefined ? {} : { constant }),
  };
}

function fieldFrom(item: unknown, where: string, at: string): FieldDraft {
  if (typeof item === "string" && item !== "") return { name: item };
  const o = asObject(item, where, at);
  onlyKeys(o, ["name", "unit", "shape", "channels", "coordinates", "scale", "scaleStated", "columns"], where, at);
  const shape = optional(o.shape, (v) => shapeFrom(v, where, `${at}.shape`));
  const channels = optional(o.channels, (v) => asFlag(v, where, `${at}.channels`));
  if (channels === true && shape !== undefined && shape.length < 2) {
    throw fault(
      where,
      `${at}.channels`,
      "is true, but the shape has fewer than two axes",
      "Write the shape as [C, L] or [C, H, W]",
    );
  }
  const columns = optional(o.columns, (v) =>
    (typeof v === "string" ? [v] : asList(v, where, `${at}.columns`)).map((c, i) =>
      asText(c, where, `${at}.columns[${i}]`),
    ),
  );
  const coordinates = optional(o.coordinates, (v) => {
    if (shape === undefined) throw fault(where, `${at}.coordinates`, "needs a shape beside it");
    return coordinatesFrom(v, shape, where, `${at}.coordinates`);
  });
  return {
    name: asText(o.name, where, `${at}.name`),
    ...optional(o.unit, (v) => ({ unit: asText(v, where, `${at}.unit`) })),
    ...(shape === undefined ? {} : { shape }),
    ...(channels === undefined ? {} : { channels }),
    ...(coordinates === undefined ? {} : { coordinates }),
    ...optional(o.scale, (v) => ({ scale: oneOf(v, outputScales, where, `${at}.scale`) })),
    ...optional(o.scaleStated, (v) => (asFlag(v, where, `${at}.scaleStated`) ? { scaleStated: true as const } : {})),
    ...(columns === undefined ? {} : { columns }),
  };
}

function shapeFrom(value: unknown, where: string, at: string): number[] {
  const shape = asList(value, where, at).map((v, i) => {
    const extent = asNumber(v, where, `${at}[${i}]`);
    if (!Number.isInteger(extent) || extent < 1)
      throw fault(where, `${at}[${i}]`, `is ${extent}, not a whole number above 0`);
    return extent;
  });
  if (shape.length > 3)
    throw fault(where, at, `has ${shape.length} axes, at most 3 are known: [], [L], [H,W], [C,H,W]`);
  if (shapeSize(shape) > 1e8) throw fault(where, at, "is too large");
  return shape;
}

function rangeFrom(value: unknown, where: string, at: string): readonly [number, number] {
  const ends = asList(value, where, at).map((v, i) => asNumber(v, where, `${at}[${i}]`));
  const [low, high] = ends;
  if (ends.length !== 2 || low === undefined || high === undefined || low > high) {
    throw fault(where, at, `is ${show(value)}, not [smallest, largest]`);
  }
  return [low, high];
}

function coordinatesFrom(value: unknown, shape: readonly number[], where: string, at: string): (Coordinate | null)[] {
  const axes = asList(value, where, at);
  if (axes.length !== shape.length) {
    throw fault(
      where,
      at,
      `has ${axes.length} entries, the shape has ${shape.length} axes`,
      "Give one per axis, null where there is none",
    );
  }
  return axes.map((item, axis) => {
    if (item === null) return null;
    const place = `${at}[${axis}]`;
    const o = asObject(item, where, place);
    onlyKeys(o, ["name", "unit", "values"], where, place);
    const values = asList(o.values, where, `${place}.values`).map((v, i) =>
      asNumber(v, where, `${place}.values[${i}]`),
    );
    if (values.length !== shape[axis]) {
      throw fault(where, `${place}.values`, `has ${values.length} values, the axis has ${shape[axis]} elements`);
    }
    return {
      ...optional(o.name, (v) => ({ name: asText(v, where, `${place}.name`) })),
      ...optional(o.unit, (v) => ({ unit: asText(v, where, `${place}.unit`) })),
      values,
    };
  });
}

function optional<T>(value: unknown, read: (value: unknown) => T): T | undefined {
  return value === undefined ? undefined : read(value);
}

function asObject(value: unknown, where: string, at: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Readonly<Record<string, unknown>>;
  throw fault(where, at, `is ${show(value)}, not an object`);
}

function asList(value: unknown, where: string, at: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw fault(where, at, value === undefined ? "is missing" : `is ${show(value)}, not a list`);
}

function asText(value: unknown, where: string, at: string): string {
  if (typeof value === "string" && value !== "") return value;
  throw fault(where, at, value === undefined ? "is missing" : `is ${show(value)}, not a text`);
}

function asNumber(value: unknown, where: string, at: string): number {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw fault(where, at, value === undefined ? "is missing" : `is ${show(value)}, not a number`);
}

function asFlag(value: unknown, where: string, at: string): boolean {
  if (typeof value === "boolean") return value;
  throw fault(where, at, `is ${show(value)}, not true or false`);
}

function oneOf<T extends string>(value: unknown, known: readonly T[], where: string, at: string): T {
  const found = known.find((word) => word === value);
  if (found === undefined) throw fault(where, at, `is ${show(value)}, not one of ${known.join(", ")}`);
  return found;
}

function onlyKeys(o: Readonly<Record<string, unknown>>, known: readonly string[], where: string, at: string): void {
  const strange = Object.keys(o).find((key) => !known.includes(key));
  if (strange !== undefined) {
    throw fault(where, at === "" ? strange : `${at}.${strange}`, "is not known", `Known here: ${known.join(", ")}`);
  }
}

function fault(where: string, at: string, what: string, mend = "Mend it in the schema"): DataError {
  return new DataError("DATA_SCHEMA", `${where}: ${at === "" ? "the schema" : at} ${what}. ${mend}.`);
}

function show(value: unknown): string {
  const text = JSON.stringify(value) as string | undefined;
  return text === undefined ? String(value) : text.length > 40 ? `${text.slice(0, 37)}...` : text;
}
