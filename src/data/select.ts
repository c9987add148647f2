/**
 * Which columns are inputs, and which columns make which field: from lists of names and globs, from `--field`
 * options, from a schema, and from what columns are called (`map[0,1]`).
 */
import { DataError, OptionError, ShapeError } from "../errors.ts";
import { fillBox } from "./fields.ts";
import type { FieldDraft, InputDraft, SchemaDraft } from "./schema-file.ts";
import { shapeSize } from "./schema.ts";
import {
  elementNames,
  findColumn,
  listNames,
  missingColumn,
  splitElement,
  splitUnit,
  type Column,
  type Coordinate,
  type NumberColumn,
  type Table,
  type TextColumn,
} from "./table.ts";

/** One table with all columns, or two that are paired by row. */
export type RunTables = Table | { readonly inputs: Table; readonly outputs: Table };

/** What the user says about the columns. */
export interface Selection {
  /** Names or globs (`*`, `?`) of input columns. Default: all of the inputs' table, or all columns that `outputs` leaves. */
  readonly inputs?: readonly string[];
  /** Names or globs of output columns or fields. Default: all of the outputs' table, or all columns that `inputs` leaves. */
  readonly outputs?: readonly string[];
  /** Groupings `name=globs:shape`, such as `map=c*:22x38`, `signal=t*:100` or `both=c*:2@100` (2 channels). */
  readonly fields?: readonly string[];
  /** Says it all; excludes the others. */
  readonly schema?: SchemaDraft;
}

/** An input and its column. */
export interface ChosenInput {
  readonly draft: InputDraft;
  readonly column: Column;
}

/** A field, its shape settled, and its columns in row-major order. */
export interface ChosenField {
  readonly draft: FieldDraft & { readonly shape: readonly number[] };
  readonly columns: readonly NumberColumn[];
}

/** Columns sorted into inputs and fields. */
export interface Chosen {
  /** Name of the table or tables, for messages. */
  readonly source: string;
  readonly rows: number;
  readonly inputs: readonly ChosenInput[];
  readonly fields: readonly ChosenField[];
  /** Per row "ok", or why its run failed, where the table says so. */
  readonly status?: readonly string[];
  readonly notes: readonly string[];
}

/**
 * Sorts the columns of one or two tables into inputs and fields. A column `status` of words, "ok" among them, is neither
 * unless the user names it: campaigns write there which runs failed.
 * @throws DataError for a missing column, words among the outputs or tables of unequal length; ShapeError if a shape
 *   does not fit its columns; OptionError for a malformed or contradictory option
 */
export function selectColumns(tables: RunTables, selection: Selection = {}): Chosen {
  const [left, right] = "inputs" in tables ? [tables.inputs, tables.outputs] : [tables, tables];
  const one = left === right;
  const status = statusOf([left, right], selection);
  const ins = withoutColumn(left, status);
  const outs = one ? ins : withoutColumn(right, status);
  const source = one ? ins.source : `${ins.source}, ${outs.source}`;
  if (ins.rows !== outs.rows) {
    throw new DataError(
      "DATA_ROWS",
      `${ins.source} has ${ins.rows} rows, ${outs.source} has ${outs.rows}. The two are paired by row, so both need one row per run.`,
    );
  }
  if (ins.rows === 0)
    throw new DataError("DATA_EMPTY", `${source}: holds no runs. A table needs at least one row per run.`);
  const notes = [...(ins.notes ?? []), ...(one ? [] : (outs.notes ?? []))];
  const picked =
    selection.schema === undefined ? byNames(ins, outs, one, selection, notes) : bySchema(ins, outs, selection);
  refuseTwice(picked, source);
  return { source, rows: ins.rows, ...picked, ...(status === undefined ? {} : { status: status.values }), notes };
}

function statusOf(tables: readonly Table[], { inputs = [], outputs = [], schema }: Selection): TextColumn | undefined {
  const named = [...inputs, ...outputs, ...[...(schema?.inputs ?? []), ...(schema?.fields ?? [])].map((d) => d.name)];
  if (named.includes("status")) return undefined;
  return tables
    .flatMap((table) => table.columns)
    .filter((column) => column.kind === "text")
    .find((column) => column.name === "status" && column.values.includes("ok"));
}

function withoutColumn(table: Table, column: Column | undefined): Table {
  if (column === undefined || !table.columns.includes(column)) return table;
  return { ...table, columns: table.columns.filter((each) => each !== column) };
}

type Picked = Pick<Chosen, "inputs" | "fields">;

function bySchema(ins: Table, outs: Table, selection: Selection): Picked {
  // Callers pass their other options along, so only those that say the same are looked at.
  const { schema, inputs, outputs, fields } = selection;
  if (schema === undefined) return { inputs: [], fields: [] };
  if ([inputs, outputs, fields].some((names) => names !== undefined)) {
    throw new OptionError(
      "OPTION_SCHEMA",
      "--schema says which columns are inputs and outputs, so --inputs, --outputs and --field do not go with it. Leave one or the other out.",
    );
  }
  return {
    inputs: schema.inputs.map((draft) => ({ draft, column: findColumn(ins, draft.name) })),
    fields: schema.fields.map((draft) => chooseField(outs, draft)),
  };
}

function chooseField(table: Table, draft: FieldDraft): ChosenField {
  if (draft.columns !== undefined) {
    const columns = draft.columns.flatMap((pattern) => expand(table, table.columns, pattern));
    const shape = draft.shape ?? (columns.length === 1 ? [] : [columns.length]);
    if (columns.length !== shapeSize(shape))
      throw wrongCount(table, draft.name, draft.columns.join(","), columns, shape);
    return fieldOf(table, { ...draft, shape }, columns, draft.columns);
  }
  const own = table.columns.find((column) => column.name === splitUnit(draft.name).name);
  if (own !== undefined && shapeSize(draft.shape ?? []) === 1)
    return fieldOf(table, { ...draft, shape: draft.shape ?? [] }, [own]);
  const elements = table.columns.filter((column) => splitElement(column.name)?.name === draft.name);
  const group = elements.length > 0 ? fillBox(elements) : undefined;
  if (group === undefined)
    throw missingColumn(
      table,
      draft.shape?.length ? (elementNames(draft.name, draft.shape)[0] ?? draft.name) : draft.name,
    );
  const shape = draft.shape ?? group.shape;
  if (shapeSize(shape) !== group.columns.length)
    throw wrongCount(table, draft.name, `${draft.name}[...]`, elements, shape);
  return fieldOf(table, { ...draft, shape }, group.columns);
}

function byNames(ins: Table, outs: Table, one: boolean, selection: Selection, notes: string[]): Picked {
  const { inputs: inputNames, outputs: outputNames, fields: groupings = [] } = selection;
  if (one && inputNames === undefined && outputNames === undefined) {
    throw new OptionError(
      "OPTION_COLUMNS",
      `${ins.source}: which columns are inputs? Pass --inputs or --outputs with names or globs (columns: ${listNames(namesOf(ins))}).`,
    );
  }
  const used = new Set<Column>();
  const grouped: ChosenField[] = [];
  for (const { name, patterns, shape, channels } of groupings.map(parseGrouping)) {
    const columns = patterns.flatMap((pattern) => expand(outs, outs.columns, pattern));
    if (columns.length !== shapeSize(shape)) throw wrongCount(outs, name, patterns.join(","), columns, shape);
    const twice = columns.find((column) => used.has(column));
    if (twice !== undefined) {
      throw new OptionError(
        "OPTION_FIELD",
        `--field ${name}: column "${twice.name}" is in a field already. Narrow its pattern.`,
      );
    }
    for (const column of columns) used.add(column);
    grouped.push(fieldOf(outs, { name, shape, ...(channels ? { channels } : {}) }, columns, patterns));
  }
  const named = (table: Table, patterns: readonly string[], pool: readonly Column[]): Column[] => [
    ...new Set(patterns.flatMap((pattern) => expand(table, pool, pattern))),
  ];
  let inputs = inputNames === undefined ? undefined : named(ins, inputNames, ins.columns);
  const pool = outs.columns.filter((column) => !used.has(column));
  let outputs: Column[];
  if (outputNames !== undefined) {
    const plain = (pattern: string): boolean => !/[*?]/.test(pattern);
    const taken = outputNames.filter(
      (pattern) => !(plain(pattern) && grouped.some((field) => field.draft.name === pattern)),
    );
    // With globs an input is no output; one that is named as both is refused further down.
    outputs = taken.flatMap((pattern) => {
      const held = expand(outs, outs.columns, pattern).filter((column) => !used.has(column));
      return plain(pattern) ? held : held.filter((column) => !one || inputs?.includes(column) !== true);
    });
    outputs = [...new Set(outputs)];
    inputs ??= one ? pool.filter((column) => !outputs.includes(column)) : [...ins.columns];
  } else {
    inputs ??= [...ins.columns];
    const taken = inputs;
    outputs = pool.filter((column) => !one || !taken.includes(column));
    for (const column of outputs.filter((c) => c.kind === "text")) {
      notes.push(`${outs.source}: column "${column.name}" holds words and is left out of the outputs.`);
    }
    outputs = outputs.filter((column) => column.kind === "number");
  }
  const fields = [...grouped, ...groupElements(outs, outputs, notes)];
  if (inputs.length === 0) {
    throw new OptionError("OPTION_COLUMNS", `${ins.source}: no column is left to be an input. Name fewer outputs.`);
  }
  if (fields.length === 0) {
    throw new OptionError("OPTION_COLUMNS", `${outs.source}: no column is left to be an output. Name fewer inputs.`);
  }
  return { inputs: inputs.map((column) => ({ draft: { name: column.name }, column })), fields };
}

/** Scalars as they are; columns `name[...]` that fill a box as one field, where its first column stands. */
function groupElements(table: Table, columns: readonly Column[], notes: string[]): ChosenField[] {
  const names = new Set(columns.map((column) => column.name));
  const groups = new Map<string, Column[]>();
  for (const column of columns) {
    const key = splitElement(column.name)?.name ?? column.name;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [column]);
    else group.push(column);
  }
  const fields = new Map<Column, ChosenField>();
  for (const [name, members] of groups) {
    const first = members[0]!;
    const box = names.has(name) ? undefined : fillBox(members);
    if (box !== undefined) {
      fields.set(first, fieldOf(table, { name, shape: box.shape }, box.columns));
      continue;
    }
    const elements = members.filter((column) => column.name !== name);
    if (elements.length > 0)
      notes.push(
        `${table.source}: the columns ${name}[...] do not fill a shape and are taken as ${elements.length} scalars.`,
      );
    for (const column of members) fields.set(column, fieldOf(table, { name: column.name, shape: [] }, [column]));
  }
  return columns.flatMap((column) => fields.get(column) ?? []);
}

/** Adds to a draft what its columns and their table say: unit, coordinates, and where the elements are. */
function fieldOf(
  table: Table,
  draft: FieldDraft & { readonly shape: readonly number[] },
  columns: readonly Column[],
  patterns: readonly string[] = [],
): ChosenField {
  const numbers = columns.map((column): NumberColumn => {
    if (column.kind === "number") return column;
    throw new DataError(
      "DATA_TEXT_OUTPUT",
      `${table.source}: output "${column.name}" holds words ("${column.values.find((word) => word !== "") ?? ""}"). ` +
        `Outputs are numbers; leave it out of --outputs, or make it an input.`,
    );
  });
  const meta = table.fields?.find((field) => field.name === draft.name && String(field.shape) === String(draft.shape));
  const units = new Set(numbers.map((column) => column.unit));
  const unit = draft.unit ?? meta?.unit ?? (units.size === 1 ? numbers[0]?.unit : undefined);
  const [only] = patterns;
  const parsed =
    only !== undefined && patterns.length === 1 && draft.shape.length === 1
      ? coordinateFromNames(only, numbers)
      : undefined;
  const coordinates = draft.coordinates ?? meta?.coordinates ?? (parsed === undefined ? undefined : [parsed]);
  const usual = elementNames(draft.name, draft.shape);
  const columnNames = numbers.map((column) => column.name);
  const { columns: _, ...said } = draft;
  return {
    draft: {
      ...said,
      ...(unit === undefined ? {} : { unit }),
      ...(coordinates === undefined ? {} : { coordinates }),
      ...(usual.every((name, i) => name === columnNames[i]) ? {} : { columns: columnNames }),
    },
    columns: numbers,
  };
}

/** The coordinate that column names carry where the glob's star stands, such as `k0.01`, `k0.02` for `k*`; plain counting is none. */
function coordinateFromNames(pattern: string, columns: readonly Column[]): Coordinate | undefined {
  const glob = globPattern(pattern);
  const parts = columns.map((column) => glob.exec(column.name)?.slice(1).join("") ?? "");
  if (!parts.every((part) => /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(part))) return undefined;
  const values = parts.map(Number);
  const counting = values.every((value, i) => value === i) || values.every((value, i) => value === i + 1);
  return counting || new Set(values).size < values.length ? undefined : { values };
}

interface Grouping {
  readonly name: string;
  readonly patterns: readonly string[];
  readonly shape: readonly number[];
  readonly channels: boolean;
}

/** Parses `name=globs:shape`. @throws OptionError OPTION_FIELD */
export function parseGrouping(text: string): Grouping {
  const match = /^([^=]+)=(.+):(?:(\d+)@)?(\d+(?:x\d+){0,2})$/.exec(text.trim());
  const [, name, globs, channels, extents] = match ?? [];
  const shape = [...(channels === undefined ? [] : [Number(channels)]), ...(extents ?? "").split("x").map(Number)];
  if (name === undefined || globs === undefined || shape.length > 3 || shape.some((extent) => extent < 1)) {
    throw new OptionError(
      "OPTION_FIELD",
      `--field ${text}: not understood. Write name=glob:shape, such as map=c*:22x38, spectrum=k*:49 or signals=t*:2@100 (2 channels).`,
    );
  }
  return { name: name.trim(), patterns: splitNames(globs), shape, channels: channels !== undefined };
}

/** Splits `a,b,map[0,1]` at the commas outside brackets. */
export function splitNames(list: string): string[] {
  return (list.match(/(?:[^,[]|\[[^\]]*\]|\[)+/g) ?? []).map((name) => name.trim()).filter((name) => name !== "");
}

/** Columns that a name or glob means, in the table's order; a field's name means all its elements. @throws DataError if none */
function expand(table: Table, pool: readonly Column[], pattern: string): Column[] {
  const exact = pool.filter((column) => column.name === pattern);
  if (exact.length > 0) return exact;
  const glob = globPattern(pattern);
  const found = pool.filter(
    (column) => glob.test(column.name) || glob.test(splitElement(column.name)?.name ?? column.name),
  );
  if (found.length > 0) return found;
  if (!/[*?]/.test(pattern)) return [findColumn(table, pattern)];
  throw new DataError(
    "DATA_COLUMN",
    `${table.source}: no column matches "${pattern}" (found: ${listNames(namesOf(table))}). Correct the pattern.`,
  );
}

/** A glob as a regular expression that captures what each `*` and `?` stands for. */
export function globPattern(glob: string): RegExp {
  const escaped = glob
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replace(/\*/g, "(.*)")
    .replace(/\?/g, "(.)");
  return new RegExp(`^${escaped}$`);
}

function namesOf(table: Table): string[] {
  return [...new Set(table.columns.map((column) => splitElement(column.name)?.name ?? column.name))];
}

function refuseTwice({ inputs, fields }: Picked, source: string): void {
  const names = new Set(inputs.map(({ draft }) => draft.name));
  for (const { draft } of fields) {
    if (names.has(draft.name)) {
      throw new DataError(
        "DATA_NAME_TWICE",
        `${source}: "${draft.name}" is named twice, as two outputs or as an input and an output. ` +
          `Leave one out of --inputs, --outputs or --field, or rename it.`,
      );
    }
    names.add(draft.name);
  }
}

function wrongCount(
  table: Table,
  name: string,
  pattern: string,
  columns: readonly Column[],
  shape: readonly number[],
): ShapeError {
  const which = columns.length === 0 ? "" : ` (${columns[0]?.name ?? ""} to ${columns.at(-1)?.name ?? ""})`;
  return new ShapeError(
    "SHAPE_FIELD",
    `${table.source}: field "${name}" of shape ${shape.join("x") || "scalar"} needs ${shapeSize(shape)} columns, ` +
      `"${pattern}" matches ${columns.length}${which}. Correct the shape or the pattern.`,
  );
}
