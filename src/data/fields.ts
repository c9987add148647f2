/** Columns `name[i]`, `name[i,j]` seen as the field they are elements of. */
import { elementNames, splitElement, type Column, type FieldMeta, type NumberColumn, type Table } from "./table.ts";

/** A shape and the columns that fill it, row-major. */
export interface Box {
  readonly shape: readonly number[];
  /** Index that the columns are counted from. */
  readonly origin: 0 | 1;
  readonly columns: readonly Column[];
}

/** The shape that element columns fill, counted from 0 or from 1, and the columns in order; undefined if they leave holes. */
export function fillBox(columns: readonly Column[]): Box | undefined {
  const indices = columns.map((column) => splitElement(column.name)?.index ?? []);
  const rank = indices[0]?.length ?? 0;
  if (rank === 0 || rank > 3 || indices.some((index) => index.length !== rank)) return undefined;
  const axes = Array.from({ length: rank }, (_, a) => new Set(indices.map((index) => index[a] ?? 0)));
  const origin = axes.every((seen) => !seen.has(0) && seen.has(1)) ? 1 : 0;
  const shape = axes.map((seen) => [...seen].reduce((most, i) => Math.max(most, i), 0) - origin + 1);
  if (shape.reduce((product, extent) => product * extent, 1) !== columns.length) return undefined;
  const places = new Array<Column | undefined>(columns.length).fill(undefined);
  columns.forEach((column, i) => {
    places[(indices[i] ?? []).reduce((sum, value, a) => sum * (shape[a] ?? 1) + value - origin, 0)] = column;
  });
  const filled = places.filter((column) => column !== undefined);
  return filled.length === columns.length ? { shape, origin, columns: filled } : undefined;
}

/** A column on its own, or the columns of a field. */
export type Part =
  | { readonly kind: "column"; readonly column: Column }
  | { readonly kind: "field"; readonly field: FieldMeta; readonly columns: readonly NumberColumn[] };

/** A table's columns in order, those that fill a field (counted from 0) together; `fields` of the table add what is known of it. */
export function partsOf(table: Table): readonly Part[] {
  const groups = new Map<string, Column[]>();
  for (const column of table.columns) {
    const name = splitElement(column.name)?.name;
    if (name === undefined || column.kind === "text") continue;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [column]);
    else group.push(column);
  }
  const names = new Set(table.columns.map((column) => column.name));
  const fields = new Map<Column, Part>();
  const inFields = new Set<Column>();
  for (const [name, members] of groups) {
    const box = names.has(name) ? undefined : fillBox(members);
    const [first] = members;
    if (box?.origin !== 0 || first === undefined) continue;
    const columns = box.columns.filter((column) => column.kind === "number");
    const known = table.fields?.find((field) => field.name === name && String(field.shape) === String(box.shape));
    const unit = known?.unit ?? first.unit;
    const field = { ...(unit === undefined ? {} : { unit }), ...known, name, shape: box.shape };
    fields.set(first, { kind: "field", field, columns });
    for (const column of members) inFields.add(column);
  }
  return table.columns.flatMap((column): Part[] => {
    const field = fields.get(column);
    if (field !== undefined) return [field];
    return inFields.has(column) ? [] : [{ kind: "column", column }];
  });
}

/** The columns of a field from its values, one list of `size` numbers after the other; the unit is the field's. */
export function fieldColumns(field: FieldMeta, values: Float64Array): NumberColumn[] {
  const names = elementNames(field.name, field.shape);
  const rows = names.length === 0 ? 0 : values.length / names.length;
  return names.map((name, j) => {
    const column = new Float64Array(rows);
    for (let i = 0; i < rows; i++) {
      const value = values[i * names.length + j]!;
      column[i] = Number.isFinite(value) ? value : NaN;
    }
    return { kind: "number", name, ...(field.unit === undefined ? {} : { unit: field.unit }), values: column };
  });
}

/** The values of a field's columns, one row's after the other: n × size. */
export function fieldValues(columns: readonly NumberColumn[]): Float64Array {
  const size = columns.length;
  const rows = columns[0]?.values.length ?? 0;
  const flat = new Float64Array(size * rows);
  columns.forEach(({ values }, j) => {
    for (let i = 0; i < rows; i++) flat[i * size + j] = values[i]!;
  });
  return flat;
}
