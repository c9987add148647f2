import { describe, expect, test } from "vitest";
import { parseSchemaDraft, readSchema } from "../../src/data/schema-file.ts";
import { encodedWidth, fieldLayout, fieldSize, varyingInputs, type Schema } from "../../src/data/schema.ts";
import { failure } from "./support.ts";

const schema: Schema = {
  version: 1,
  inputs: [
    { name: "Te", unit: "eV", kind: "real", range: [1, 500], scale: "log" },
    { name: "gas", kind: "categorical", levels: ["Ar", "He", "Ne"], range: [0, 2], scale: "linear" },
    { name: "shots", kind: "integer", range: [4, 4], scale: "linear", constant: 4 },
  ],
  fields: [
    { name: "y", unit: "W", shape: [], scale: "linear" },
    {
      name: "v",
      shape: [2, 3],
      channels: true,
      scale: "log",
      coordinates: [null, { name: "t", unit: "s", values: [0, 1, 5] }],
      columns: ["a", "b", "c", "d", "e", "f"],
    },
  ],
};

describe("a schema", () => {
  test("survives JSON", () => {
    expect(readSchema(JSON.parse(JSON.stringify(schema)), "emulator")).toEqual(schema);
  });

  test("knows its widths", () => {
    expect(varyingInputs(schema).map((input) => input.name)).toEqual(["Te", "gas"]);
    expect(encodedWidth(schema)).toBe(4);
    expect(schema.fields.map(fieldSize)).toEqual([1, 6]);
  });

  test.each([
    [{ shape: [] }, { channels: 1, spatial: [], positions: 1 }],
    [{ shape: [7] }, { channels: 1, spatial: [7], positions: 7 }],
    [{ shape: [2, 3] }, { channels: 1, spatial: [2, 3], positions: 6 }],
    [
      { shape: [2, 3], channels: true },
      { channels: 2, spatial: [3], positions: 3 },
    ],
    [{ shape: [4, 2, 3] }, { channels: 4, spatial: [2, 3], positions: 6 }],
  ])("lays out %j", (field, layout) => {
    expect(fieldLayout(field)).toEqual(layout);
  });

  test("of a user may say names only", () => {
    expect(
      parseSchemaDraft(
        '{"inputs": ["a", {"name": "g", "levels": ["x"]}], "fields": ["y", {"name": "m", "columns": "c*"}]}',
        "s",
      ),
    ).toEqual({
      inputs: [{ name: "a" }, { name: "g", kind: "categorical", levels: ["x"] }],
      fields: [{ name: "y" }, { name: "m", columns: ["c*"] }],
    });
  });
});

describe("a schema that is wrong names the place:", () => {
  const base = { inputs: ["a"], fields: ["y"] };
  test.each<[string, unknown, string]>([
    ["a list", [], "schema.json: the schema is [], not an object. Mend it in the schema."],
    [
      "an unknown key",
      { ...base, outputs: [] },
      "schema.json: outputs is not known. Known here: version, inputs, fields.",
    ],
    ["no inputs", { fields: ["y"] }, "schema.json: inputs is missing. Mend it in the schema."],
    ["no fields", { inputs: ["a"], fields: [] }, "schema.json: fields is empty. Mend it in the schema."],
    [
      "a newer version",
      { ...base, version: 2 },
      "schema.json: version is 2, this Condense knows version 1. Install a newer Condense, or write the schema anew.",
    ],
    ["a number for a name", { ...base, inputs: [{ name: 3 }] }, "schema.json: inputs[0].name is 3, not a text."],
    ["no name", { ...base, inputs: ["b", {}] }, "schema.json: inputs[1].name is missing."],
    [
      "a key of an input",
      { ...base, inputs: [{ name: "a", units: "m" }] },
      "schema.json: inputs[0].units is not known. Known here: name, unit, kind,",
    ],
    [
      "a kind",
      { ...base, inputs: [{ name: "a", kind: "float" }] },
      'schema.json: inputs[0].kind is "float", not one of real, integer, categorical.',
    ],
    [
      "a range",
      { ...base, inputs: [{ name: "a", range: [2, 1] }] },
      "schema.json: inputs[0].range is [2,1], not [smallest, largest].",
    ],
    [
      "a range of words",
      { ...base, inputs: [{ name: "a", range: ["x", 1] }] },
      'schema.json: inputs[0].range[0] is "x", not a number.',
    ],
    [
      "an unknown scale",
      { ...base, fields: [{ name: "y", scale: "cube" }] },
      'schema.json: fields[0].scale is "cube", not one of linear, sqrt, fourth-root, log',
    ],
    [
      "a logarithm below zero",
      { ...base, inputs: [{ name: "a", range: [-1, 1], scale: "log" }] },
      'schema.json: inputs[0].scale is "log", but the range is not all positive. Use a positive range, or scale linear.',
    ],
    [
      "levels of a number",
      { ...base, inputs: [{ name: "a", kind: "real", levels: ["x"] }] },
      'schema.json: inputs[0].levels does not go with kind "real".',
    ],
    [
      "a level twice",
      { ...base, inputs: [{ name: "a", levels: ["x", "x"] }] },
      "schema.json: inputs[0].levels holds a level twice.",
    ],
    [
      "a shape",
      { ...base, fields: [{ name: "y", shape: [2.5] }] },
      "schema.json: fields[0].shape[0] is 2.5, not a whole number above 0.",
    ],
    [
      "too many axes",
      { ...base, fields: [{ name: "y", shape: [1, 2, 3, 4] }] },
      "schema.json: fields[0].shape has 4 axes, at most 3 are known",
    ],
    [
      "channels of a signal",
      { ...base, fields: [{ name: "y", shape: [3], channels: true }] },
      "schema.json: fields[0].channels is true, but the shape has fewer than two axes.",
    ],
    [
      "coordinates per axis",
      { ...base, fields: [{ name: "y", shape: [2, 2], coordinates: [{ values: [1, 2] }] }] },
      "schema.json: fields[0].coordinates has 1 entries, the shape has 2 axes. Give one per axis, null where there is none.",
    ],
    [
      "coordinates of another length",
      { ...base, fields: [{ name: "y", shape: [2], coordinates: [{ values: [1] }] }] },
      "schema.json: fields[0].coordinates[0].values has 1 values, the axis has 2 elements.",
    ],
    [
      "a name twice",
      { inputs: ["a"], fields: ["a"] },
      'schema.json: the schema names "a" twice. Give every input and field a name of its own.',
    ],
  ])("%s", async (_, value, message) => {
    const error = await failure(() => parseSchemaDraft(JSON.stringify(value), "schema.json"));
    expect(error.code).toBe("DATA_SCHEMA");
    expect(error.message).toContain(message);
  });

  test("what is not JSON", async () => {
    const error = await failure(() => parseSchemaDraft("{inputs: 1}", "schema.json"));
    expect(error.message).toMatch(/^schema\.json: is not JSON \(.+\)\. Mend it there\.$/);
  });

  test.each([
    [{ ...schema, version: undefined }, "version is missing"],
    [{ ...schema, inputs: [{ name: "a" }] }, "inputs[0].kind is missing"],
    [{ ...schema, inputs: [{ name: "a", kind: "real", scale: "log" }] }, "inputs[0].range is missing"],
    [{ ...schema, fields: [{ name: "y", shape: [] }] }, "fields[0].scale is missing"],
  ])("what an emulator's schema must have", async (value, message) => {
    const error = await failure(() => readSchema(JSON.parse(JSON.stringify(value)), "e.onnx"));
    expect(error.message).toContain(`e.onnx: ${message}`);
  });
});
