import { describe, expect, test } from "vitest";
import { parseGrouping, selectColumns, splitNames, type RunTables, type Selection } from "../../src/data/select.ts";
import { makeTable, numberColumn } from "../../src/data/table.ts";
import { failure, tableOf } from "./support.ts";

/** Names of inputs and, per field, name, shape and columns. */
function chosen(tables: RunTables, selection?: Selection): { inputs: string[]; fields: string[] } {
  const { inputs, fields } = selectColumns(tables, selection);
  return {
    inputs: inputs.map(({ draft }) => draft.name),
    fields: fields.map(
      ({ draft, columns }) =>
        `${draft.name}:${draft.shape.join("x")}:${columns.map((column) => column.name).join(" ")}`,
    ),
  };
}

const one = tableOf({ a: [1, 2], b2: [3, 4], b10: [5, 6], y: [7, 8], z: [9, 10] });

describe("columns of one table", () => {
  test.each<[string, Selection, string[], string[]]>([
    ["inputs, and the rest is output", { inputs: ["a"] }, ["a"], ["b2::b2", "b10::b10", "y::y", "z::z"]],
    ["outputs, and the rest is input", { outputs: ["y", "z"] }, ["a", "b2", "b10"], ["y::y", "z::z"]],
    ["both, and the rest is left out", { inputs: ["b*"], outputs: ["z"] }, ["b2", "b10"], ["z::z"]],
    ["globs, which take no inputs", { inputs: ["a", "b?"], outputs: ["*"] }, ["a", "b2"], ["b10::b10", "y::y", "z::z"]],
    ["an order of their own", { inputs: ["b10", "a"], outputs: ["z", "y"] }, ["b10", "a"], ["z::z", "y::y"]],
    ["a grouping", { inputs: ["a"], fields: ["b=b*:2"] }, ["a"], ["b:2:b2 b10", "y::y", "z::z"]],
    ["a grouping and outputs", { outputs: ["b", "y"], fields: ["b=b*:2"] }, ["a", "z"], ["b:2:b2 b10", "y::y"]],
  ])("are chosen by %s", (_, selection, inputs, fields) => {
    expect(chosen(one, selection)).toEqual({ inputs, fields });
  });

  test("are chosen by a schema, beside options that are about something else", () => {
    const options = { effort: "quick", schema: { inputs: [{ name: "b2" }], fields: [{ name: "z" }] } };
    expect(chosen(one, options)).toEqual({ inputs: ["b2"], fields: ["z::z"] });
  });

  test("need to be told apart", async () => {
    const error = await failure(() => selectColumns(one));
    expect(error.code).toBe("OPTION_COLUMNS");
    expect(error.message).toBe(
      "runs.csv: which columns are inputs? Pass --inputs or --outputs with names or globs (columns: a, b2, b10, y, z).",
    );
  });

  test("group themselves where they are called name[i]", () => {
    const table = tableOf({
      a: [1],
      "m[0,1]": [1],
      "m[0,0]": [2],
      t: [1],
      "m[1,0]": [3],
      "m[1,1]": [4],
      "s[1]": [5],
      "s[2]": [6],
    });
    expect(chosen(table, { inputs: ["a"] }).fields).toEqual([
      "m:2x2:m[0,0] m[0,1] m[1,0] m[1,1]",
      "t::t",
      "s:2:s[1] s[2]",
    ]);
    expect(chosen(table, { inputs: ["a", "t"], outputs: ["m"] }).fields).toEqual(["m:2x2:m[0,0] m[0,1] m[1,0] m[1,1]"]);
    const part = selectColumns(table, { inputs: ["a", "t"], outputs: ["m[0,1]"] });
    expect(part.fields.map(({ draft }) => draft.name)).toEqual(["m[0,1]"]);
  });

  test("that are called name[i] and leave holes are scalars, and a note says so", () => {
    const { fields, notes } = selectColumns(tableOf({ a: [1], "m[0]": [1], "m[2]": [2] }), { inputs: ["a"] });
    expect(fields.map(({ draft }) => draft.name)).toEqual(["m[0]", "m[2]"]);
    expect(notes).toEqual(["runs.csv: the columns m[...] do not fill a shape and are taken as 2 scalars."]);
  });

  test("of words are left out of the rest, and a note says so", () => {
    const { fields, notes } = selectColumns(tableOf({ a: [1], y: [2], label: ["x"] }), { inputs: ["a"] });
    expect(fields.map(({ draft }) => draft.name)).toEqual(["y"]);
    expect(notes).toEqual(['runs.csv: column "label" holds words and is left out of the outputs.']);
  });
});

test("columns of two tables are all inputs of the one and all outputs of the other", () => {
  const tables = { inputs: tableOf({ a: [1], b: [2] }), outputs: tableOf({ y: [3], z: [4] }) };
  expect(chosen(tables)).toEqual({ inputs: ["a", "b"], fields: ["y::y", "z::z"] });
  expect(chosen(tables, { inputs: ["b"], outputs: ["y"] })).toEqual({ inputs: ["b"], fields: ["y::y"] });
});

describe("coordinates", () => {
  const names = ["P_k-1.5", "P_k0", "P_k2e1"];
  const tables = {
    inputs: tableOf({ a: [1] }),
    outputs: tableOf(Object.fromEntries(names.map((name) => [name, [1]]))),
  };

  test("are read from the names where the star stands for numbers", () => {
    const [field] = selectColumns(tables, { fields: ["P=P_k*:3"] }).fields;
    expect(field?.draft.coordinates).toEqual([{ values: [-1.5, 0, 20] }]);
    expect(field?.draft.columns).toEqual(names);
  });

  test("are read for the globs of a schema too", () => {
    const schema = { inputs: [{ name: "a" }], fields: [{ name: "P", columns: ["P_k*"] }] };
    const [field] = selectColumns(tables, { schema }).fields;
    expect(field?.draft).toEqual({ name: "P", shape: [3], coordinates: [{ values: [-1.5, 0, 20] }], columns: names });
  });

  test("are not made of plain counting", () => {
    const outputs = tableOf({ t1: [1], t2: [1], t3: [1] });
    const [field] = selectColumns({ inputs: tables.inputs, outputs }, { fields: ["t=t*:3"] }).fields;
    expect(field?.draft.coordinates).toBeUndefined();
  });
});

test("units and coordinates that a file keeps go with the field", () => {
  const outputs = makeTable(
    "o",
    ["m[0]", "m[1]"].map((name) => numberColumn(name, [1], "K")),
    {
      fields: [{ name: "m", shape: [2], unit: "K", coordinates: [{ name: "r", values: [0, 1.5] }] }],
    },
  );
  const [field] = selectColumns({ inputs: tableOf({ a: [1] }), outputs }).fields;
  expect(field?.draft).toEqual({ name: "m", shape: [2], unit: "K", coordinates: [{ name: "r", values: [0, 1.5] }] });
});

describe("a grouping is", () => {
  test.each([
    ["map=c*:22x38", { name: "map", patterns: ["c*"], shape: [22, 38], channels: false }],
    ["s=t[0],a*:3", { name: "s", patterns: ["t[0]", "a*"], shape: [3], channels: false }],
    ["both=c*:2@100", { name: "both", patterns: ["c*"], shape: [2, 100], channels: true }],
    ["rgb=c*:3@4x5", { name: "rgb", patterns: ["c*"], shape: [3, 4, 5], channels: true }],
    ["rgb=c*:3x4x5", { name: "rgb", patterns: ["c*"], shape: [3, 4, 5], channels: false }],
  ])("%s", (text, grouping) => {
    expect(parseGrouping(text)).toEqual(grouping);
  });

  test.each(["map", "map=c*", "map=c*:", "map=c*:2x", "map=c*:0x3", "=c*:3", "m=c*:1x2x3x4", "m=c*:1@2x3x4"])(
    "not %s",
    async (text) => {
      const error = await failure(() => parseGrouping(text));
      expect(error.code).toBe("OPTION_FIELD");
      expect(error.message).toBe(
        `--field ${text}: not understood. Write name=glob:shape, such as map=c*:22x38, spectrum=k*:49 or signals=t*:2@100 (2 channels).`,
      );
    },
  );
});

test("lists of names split at commas outside brackets", () => {
  expect(splitNames("a, b*,map[0,1],Te [eV]")).toEqual(["a", "b*", "map[0,1]", "Te [eV]"]);
});

describe("columns that cannot be chosen are an error:", () => {
  const two = { inputs: tableOf({ a: [1, 2] }, "in.csv"), outputs: tableOf({ y1: [1, 2], y2: [3, 4] }, "out.csv") };
  test.each<[string, RunTables, Selection, string, string]>([
    [
      "a name",
      one,
      { inputs: ["q"], outputs: ["y"] },
      "DATA_COLUMN",
      'runs.csv: no column "q" (found: a, b2, b10, y, z).',
    ],
    [
      "a glob",
      one,
      { inputs: ["q*"] },
      "DATA_COLUMN",
      'runs.csv: no column matches "q*" (found: a, b2, b10, y, z). Correct the pattern.',
    ],
    [
      "an input that is an output",
      one,
      { inputs: ["a"], outputs: ["a"] },
      "DATA_NAME_TWICE",
      'runs.csv: "a" is named twice, as two outputs or as an input and an output.',
    ],
    [
      "no outputs left",
      one,
      { inputs: ["*"] },
      "OPTION_COLUMNS",
      "runs.csv: no column is left to be an output. Name fewer inputs.",
    ],
    [
      "no inputs left",
      one,
      { outputs: ["*"] },
      "OPTION_COLUMNS",
      "runs.csv: no column is left to be an input. Name fewer outputs.",
    ],
    [
      "a shape that does not fit",
      two,
      { fields: ["y=y*:3"] },
      "SHAPE_FIELD",
      'out.csv: field "y" of shape 3 needs 3 columns, "y*" matches 2 (y1 to y2). Correct the shape or the pattern.',
    ],
    [
      "a column in two fields",
      two,
      { fields: ["y=y*:2", "z=y2:1"] },
      "OPTION_FIELD",
      '--field z: column "y2" is in a field already. Narrow its pattern.',
    ],
    [
      "words for an output",
      tableOf({ a: [1], w: ["he", "ar"].slice(1) }),
      { outputs: ["w"] },
      "DATA_TEXT_OUTPUT",
      'runs.csv: output "w" holds words ("ar"). Outputs are numbers; leave it out of --outputs, or make it an input.',
    ],
    [
      "tables of unequal length",
      { inputs: tableOf({ a: [1, 2, 3] }, "in.csv"), outputs: two.outputs },
      {},
      "DATA_ROWS",
      "in.csv has 3 rows, out.csv has 2. The two are paired by row, so both need one row per run.",
    ],
    [
      "a schema and a list",
      two,
      { inputs: ["a"], schema: { inputs: [{ name: "a" }], fields: [{ name: "y1" }] } },
      "OPTION_SCHEMA",
      "--schema says which columns are inputs and outputs, so --inputs, --outputs and --field do not go with it.",
    ],
    [
      "a schema's field that is not there",
      two,
      { schema: { inputs: [{ name: "a" }], fields: [{ name: "y3" }] } },
      "DATA_COLUMN",
      'out.csv: no column "y3" (found: y1, y2). Did you mean "y1"?',
    ],
    [
      "a schema's shape that does not fit",
      two,
      { schema: { inputs: [{ name: "a" }], fields: [{ name: "y", columns: ["y*"], shape: [2, 2] }] } },
      "SHAPE_FIELD",
      'out.csv: field "y" of shape 2x2 needs 4 columns, "y*" matches 2 (y1 to y2).',
    ],
    [
      "a schema's field without its elements",
      two,
      { schema: { inputs: [{ name: "a" }], fields: [{ name: "map", shape: [2, 2] }] } },
      "DATA_COLUMN",
      'out.csv: no column "map[0,0]" (found: y1, y2).',
    ],
    ["an empty table", tableOf({ a: [], b: [] }), { inputs: ["a"] }, "DATA_EMPTY", "runs.csv: holds no runs."],
  ])("%s", async (_, tables, selection, code, message) => {
    const error = await failure(() => selectColumns(tables, selection));
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
  });
});
