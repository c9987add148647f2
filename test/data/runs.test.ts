import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeInputs, inputKinds } from "../../src/data/encode.ts";
import { buildRuns, dataHash, takeRuns } from "../../src/data/runs.ts";
import type { Selection } from "../../src/data/select.ts";
import { sliceRows, type Table } from "../../src/data/table.ts";
import { failure, tableOf } from "./support.ts";

const table = tableOf({
  a: [1, 2, 3, 4, 5.5, 6],
  gas: ["He", "Ar", "He", "He", "Ar", "He"],
  fixed: [7, 7, 7, 7, 7, 7],
  y: [10, 20, NaN, 40, 50, 60],
  "m[0]": [1, 2, 3, 4, 5, 6],
  "m[1]": [9, 9, 9, 9, 9, 9],
});
const inputs = { inputs: ["a", "gas", "fixed"] };

describe("runs", () => {
  const runs = buildRuns(table, inputs);

  test("hold inputs and outputs row by row, without failed rows and constant inputs", () => {
    expect([runs.n, runs.d]).toEqual([5, 2]);
    expect(Array.from(runs.x)).toEqual([1, 1, 2, 0, 4, 1, 5.5, 0, 6, 1]);
    expect(runs.y.map((block) => Array.from(block))).toEqual([
      [10, 20, 40, 50, 60],
      [1, 9, 2, 9, 4, 9, 5, 9, 6, 9],
    ]);
    expect(Array.from(runs.rowIds)).toEqual([1, 2, 4, 5, 6]);
    expect(Array.from(runs.repeats)).toEqual([0, 1, 2, 3, 4]);
  });

  test("leave out those whose status says that they failed, and status is neither input nor output", () => {
    const marked = tableOf({
      a: [1, 2, 3, 4],
      y: [10, 20, 30, NaN],
      status: ["ok", "wrong shape", "ok", "timed out after 1 s"],
    });
    for (const selection of [{ inputs: ["a"] }, { outputs: ["y"] }, { inputs: ["a"], outputs: ["*"] }]) {
      const { schema, rowIds, report } = buildRuns(marked, selection);
      expect(schema.inputs.map(({ name }) => name)).toEqual(["a"]);
      expect(schema.fields.map(({ name }) => name)).toEqual(["y"]);
      expect(Array.from(rowIds)).toEqual([1, 3]);
      expect(report.notes).toContain(
        "2 rows of 4 left out because the run failed (wrong shape: 1; timed out after 1 s: 1).",
      );
    }
    const gate = tableOf({ a: [1, 2, 3, 4], y: [1, 2, 3, 4], status: ["ok", "off", "ok", "off"] });
    expect(buildRuns(gate, { inputs: ["a", "status"] }).schema.inputs[1]).toMatchObject({ levels: ["off", "ok"] });
    const words = tableOf({ a: [1, 2, 3, 4], y: [1, 2, 3, 4], status: ["on", "off", "on", "off"] });
    expect(buildRuns(words, { outputs: ["y"] }).d).toBe(2);
  });

  test("come with a schema that the data completed", () => {
    expect(runs.schema).toEqual({
      version: 1,
      inputs: [
        { name: "a", kind: "real", range: [1, 6], scale: "linear" },
        { name: "gas", kind: "categorical", levels: ["Ar", "He"], range: [0, 1], scale: "linear" },
        { name: "fixed", kind: "integer", range: [7, 7], scale: "linear", constant: 7 },
      ],
      fields: [
        { name: "y", shape: [], scale: "linear" },
        { name: "m", shape: [2], scale: "linear" },
      ],
    });
  });

  test("come with a report of all that was left out or constant", () => {
    expect(runs.report).toEqual({
      total: 6,
      used: 5,
      leftOut: [{ row: 3, reason: 'output "y" is missing' }],
      constantInputs: ["fixed"],
      constantOutputs: ["m[1]"],
      duplicates: 0,
      replicates: 0,
      notes: [
        '1 row of 6 left out for a missing value (output "y" is missing: 1).',
        'Input "gas" is categorical with 2 levels (Ar, He).',
        'Input "fixed" is 7 in every run and is left out.',
        "The same in every run: output m[1].",
      ],
    });
  });

  test("may be taken in part", () => {
    const part = takeRuns(runs, Int32Array.of(4, 0));
    expect(Array.from(part.x)).toEqual([6, 1, 1, 1]);
    expect(part.y.map((block) => Array.from(block))).toEqual([
      [60, 10],
      [6, 9, 1, 9],
    ]);
    expect(Array.from(part.rowIds)).toEqual([6, 1]);
  });

  test("of the same inputs and outputs are counted once", () => {
    const { n, report } = buildRuns(tableOf({ a: [1, 2, 1, 0, -0], y: [3, 4, 3, 5, 5] }), { inputs: ["a"] });
    expect(n).toBe(3);
    expect(report.duplicates).toBe(2);
    expect(report.leftOut).toEqual([
      { row: 3, reason: "the same as row 1" },
      { row: 5, reason: "the same as row 4" },
    ]);
    expect(report.notes).toContain("2 rows left out as exact copies of others.");
  });

  test("of the same inputs and other outputs are repeats, and then copies stay too", () => {
    const noisy = buildRuns(tableOf({ a: [1, 2, 1, 2, 3], y: [3, 4, 3.5, 4, 5] }), { inputs: ["a"] });
    expect(noisy.n).toBe(5);
    expect(Array.from(noisy.repeats)).toEqual([0, 1, 0, 1, 2]);
    expect(noisy.report).toMatchObject({ duplicates: 0, replicates: 2 });
    expect(noisy.report.notes.join()).toContain("2 rows share their inputs with another row but not their outputs");
  });

  test("take units, kinds, ranges and levels from a schema", () => {
    const schema = {
      inputs: [
        { name: "a", unit: "m", range: [0, 5] as const },
        { name: "gas", levels: ["He", "Ar", "Xe"] },
      ],
      fields: [{ name: "m", unit: "K", scale: "log" as const }],
    };
    const runs = buildRuns(table, { schema });
    expect(runs.schema.inputs).toEqual([
      { name: "a", unit: "m", kind: "real", range: [0, 5], scale: "linear" },
      { name: "gas", kind: "categorical", levels: ["He", "Ar", "Xe"], range: [0, 2], scale: "linear" },
    ]);
    expect(runs.schema.fields).toEqual([{ name: "m", unit: "K", shape: [2], scale: "log", scaleStated: true }]);
    expect(Array.from(runs.x).slice(0, 4)).toEqual([1, 0, 2, 1]);
    expect(runs.report.notes).toContain('2 rows of "a" outside the range that the schema says.');
  });

  test("read again under their own schema are the same, their scales now stated", () => {
    const again = buildRuns(table, { schema: runs.schema });
    const fields = runs.schema.fields.map((field) => ({ ...field, scaleStated: true }));
    expect(again).toEqual({ ...runs, schema: { ...runs.schema, fields } });
    expect(buildRuns(table, { schema: JSON.parse(JSON.stringify(again.schema)) as typeof runs.schema })).toEqual(again);
  });

  test("may have numbers for categories where the schema says so", () => {
    const numbered = tableOf({ a: [1, 2, 3], steel: [304, 316, 304], y: [1, 2, 3] });
    const schema = {
      inputs: [{ name: "a" }, { name: "steel", kind: "categorical" as const }],
      fields: [{ name: "y" }],
    };
    const runs = buildRuns(numbered, { schema });
    expect(runs.schema.inputs[1]).toMatchObject({ levels: ["304", "316"] });
    expect(Array.from(runs.x)).toEqual([1, 0, 2, 1, 3, 0]);
  });
});

describe("scales and kinds", () => {
  const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i / (n - 1));
  const kindAndScale = (values: number[]): string => {
    const [input] = buildRuns(tableOf({ a: values, y: range(values.length) }), { inputs: ["a"] }).schema.inputs;
    return `${input?.kind ?? ""} ${input?.scale ?? ""}`;
  };
  const outputScale = (values: number[]): string =>
    buildRuns(tableOf({ a: range(values.length), y: values }), { inputs: ["a"] }).schema.fields[0]?.scale ?? "";

  test.each([
    ["powers of ten", range(50).map((u) => 10 ** (6 * u)), "real log"],
    ["a uniform draw from near zero", range(500).map((u) => u + 1e-4), "real linear"],
    ["less than a factor 100", range(50).map((u) => 10 ** (1.9 * u)), "real linear"],
    ["zero", [0, ...range(50).map((u) => 10 ** (6 * u))], "real linear"],
    ["counts", Array.from({ length: 30 }, (_, i) => 1 + (i % 9)), "integer linear"],
    ["flags", Array.from({ length: 30 }, (_, i) => i % 2), "integer linear"],
    ["rounded measures", [300, 400, 500, 300, 450], "real linear"],
    ["large whole numbers", range(50).map((u) => Math.round(1.5e7 + 1e6 * u)), "real linear"],
  ])("of an input with %s", (_, values, expected) => {
    expect(kindAndScale(values)).toBe(expected);
  });

  test.each([
    ["powers of ten", range(50).map((u) => 10 ** (6 * u)), "log"],
    ["a straight line from near zero", range(50).map((u) => u + 1e-3), "linear"],
    ["a sign change", range(50).map((u) => 10 ** (6 * u) - 2), "linear"],
    ["a small range", range(50).map((u) => Math.exp(4 * u)), "linear"],
  ])("of an output with %s", (_, values, expected) => {
    expect(outputScale(values)).toBe(expected);
  });
});

test.each([
  // Rosenbrock's function: a valley down to nearly zero, smooth by itself and a well on a logarithm.
  ["a smooth valley", (a: number, b: number) => 100 * (b - a * a) ** 2 + (1 - a) ** 2 + 0.01, "linear"],
  ["an exponential", (a: number, b: number) => Math.exp(3 * a + 2 * b), "log"],
  // Five decades, and nothing of them follows from the inputs.
  ["what no input tells", (a: number, b: number) => 10 ** (5 * ((1e4 * Math.sin(1e5 * a + 3e5 * b)) % 1)), "linear"],
])("the scale of %s of two inputs goes by how smooth it is", (_, simulate, expected) => {
  const points = Array.from(
    { length: 400 },
    (_, i) => [((i * 0.754877) % 1) * 4 - 2, ((i * 0.56984) % 1) * 4 - 1] as const,
  );
  const table = tableOf({
    a: points.map(([a]) => a),
    b: points.map(([, b]) => b),
    y: points.map((p) => simulate(...p)),
  });
  expect(buildRuns(table, { inputs: ["a", "b"] }).schema.fields[0]?.scale).toBe(expected);
});

test("a field with one element that is not positive stays linear", () => {
  const steep = Array.from({ length: 50 }, (_, i) => 10 ** (i / 8));
  const field = { "m[0]": steep, "m[1]": steep, "m[2]": steep.map((v, i) => (i === 3 ? 0 : v)) };
  const a = steep.map((_, i) => i / 49);
  expect(buildRuns(tableOf({ a, ...field }), { inputs: ["a"] }).schema.fields[0]?.scale).toBe("linear");
  expect(buildRuns(tableOf({ a, ...field, "m[2]": steep }), { inputs: ["a"] }).schema.fields[0]?.scale).toBe("log");
});

describe("runs that cannot be used are an error:", () => {
  test.each<[string, Table, Selection, string, string]>([
    [
      "one run",
      tableOf({ a: [1], y: [2] }),
      { inputs: ["a"] },
      "DATA_ONE_RUN",
      "runs.csv: holds one usable run only. An emulator learns from many: 50 or more are advised.",
    ],
    [
      "one complete run",
      tableOf({ a: [1, 2, 3], y: [2, NaN, NaN] }),
      { inputs: ["a"] },
      "DATA_ONE_RUN",
      'runs.csv: holds one usable run only (2 rows left out: output "y" is missing: 2).',
    ],
    [
      "an output without values",
      tableOf({ a: [1, 2], y: [NaN, NaN] }),
      { inputs: ["a"] },
      "DATA_MISSING",
      'runs.csv: output "y" has no value in any of the 2 rows. Leave it out, or check how the file was written.',
    ],
    [
      "no complete row",
      tableOf({ a: [1, NaN], y: [NaN, 2] }),
      { inputs: ["a"] },
      "DATA_MISSING",
      'runs.csv: no row is complete, each of the 2 lacks a value (output "y" is missing: 1; input "a" is missing: 1). Leave the columns with gaps out',
    ],
    [
      "constant outputs",
      tableOf({ a: [1, 2], y: [3, 3], z: [4, 4] }),
      { inputs: ["a"] },
      "DATA_CONSTANT",
      "runs.csv: every output has the same value in all 2 runs (y, z). There is nothing to learn; check the outputs' columns.",
    ],
    [
      "constant inputs",
      tableOf({ a: [1, 1], y: [3, 4] }),
      { inputs: ["a"] },
      "DATA_CONSTANT",
      "runs.csv: every input has the same value in all 2 runs (a). There is nothing to learn from; check the inputs' columns.",
    ],
    [
      "words that label the runs",
      tableOf({ id: Array.from({ length: 30 }, (_, i) => `run${i}`), y: Array.from({ length: 30 }, (_, i) => i) }),
      { inputs: ["id"] },
      "DATA_LEVELS",
      'runs.csv: input "id" has 30 different words in 30 runs, so it labels runs. Leave it out of --inputs, or mend its numbers.',
    ],
    [
      "words for a number",
      tableOf({ a: ["x", "z", "x"], y: [1, 2, 3] }),
      { schema: { inputs: [{ name: "a", kind: "real" }], fields: [{ name: "y" }] } },
      "DATA_CELL",
      'runs.csv: input "a" holds words, the schema says it is real. Correct the column or its kind.',
    ],
    [
      "a level that the schema lacks",
      tableOf({ a: ["x", "z", "x"], y: [1, 2, 3] }),
      { schema: { inputs: [{ name: "a", levels: ["x", "y"] }], fields: [{ name: "y" }] } },
      "DATA_LEVEL",
      'runs.csv: row 2, column "a": "z" is not among the levels of this input (x, y).',
    ],
    [
      "a logarithm of negative numbers",
      tableOf({ a: [-1, 2, 3], y: [1, 2, 3] }),
      { schema: { inputs: [{ name: "a", scale: "log" }], fields: [{ name: "y" }] } },
      "DATA_LOG",
      'runs.csv: input "a" is to be taken as its logarithm, but it goes down to -1. Use scale linear, or shift it.',
    ],
    [
      "a logarithm of negative outputs",
      tableOf({ a: [1, 2, 3], y: [1, 0, 3] }),
      { schema: { inputs: [{ name: "a" }], fields: [{ name: "y", scale: "log" }] } },
      "DATA_LOG",
      'runs.csv: output "y" is to be taken as its logarithm, but it goes down to 0. Use scale linear, or shift it.',
    ],
    [
      "a root of negative outputs",
      tableOf({ a: [1, 2, 3], y: [1, -2, 3] }),
      { schema: { inputs: [{ name: "a" }], fields: [{ name: "y", scale: "sqrt" }] } },
      "DATA_LOG",
      'runs.csv: output "y" is to be taken as its square root, but it goes down to -2. Use scale linear, or shift it.',
    ],
  ])("%s", async (_, runs, selection, code, message) => {
    const error = await failure(() => buildRuns(runs, selection));
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
  });
});

describe("points to predict at", () => {
  const { schema } = buildRuns(table, inputs);

  test("are encoded as the runs were, in any order of columns, without the constants", () => {
    const points = tableOf({ gas: ["Ar", "He"], other: [1, 2], a: [1, 7] }, "points.csv");
    const { x, inDomain, missing } = encodeInputs(schema, points);
    expect(Array.from(x)).toEqual([1, 0, 7, 1]);
    expect(Array.from(inDomain)).toEqual([1, 0]);
    expect(missing).toEqual([]);
  });

  test("that lack a value or have another constant are out of the domain", () => {
    const points = tableOf({ a: [1, NaN, 2], gas: ["Ar", "He", ""], fixed: [8, 7, 7] }, "points.csv");
    const { inDomain, missing } = encodeInputs(schema, points);
    expect(Array.from(inDomain)).toEqual([0, 0, 0]);
    expect(missing).toEqual([2, 3]);
  });

  test("that choose another word than the constant one are out of the domain", () => {
    const fixed = {
      ...schema,
      inputs: schema.inputs.map((input) => (input.name === "gas" ? { ...input, constant: 1 } : input)),
    };
    const { x, inDomain } = encodeInputs(fixed, tableOf({ a: [1, 2], gas: ["Ar", "He"] }, "points.csv"));
    expect(Array.from(x)).toEqual([1, 2]);
    expect(Array.from(inDomain)).toEqual([0, 1]);
  });

  test("are an error if a column or a level is not known", async () => {
    const lacking = await failure(() => encodeInputs(schema, tableOf({ A: [1], gas: ["Ar"] }, "points.csv")));
    expect(lacking.message).toBe('points.csv: no column "a" (found: A, gas). Did you mean "A"?');
    const points = sliceRows(tableOf({ a: [1, 2, 3], gas: ["Ar", "He", "Xe"] }, "points.csv"), 1, 3);
    const level = await failure(() => encodeInputs(schema, points));
    expect(level.code).toBe("DATA_LEVEL");
    expect(level.message).toBe(
      'points.csv: row 3, column "gas": "Xe" is not among the levels of this input (Ar, He). Correct it; an emulator knows the levels it was trained on.',
    );
    const words = await failure(() => encodeInputs(schema, tableOf({ a: ["", "x"], gas: ["Ar", "Ar"] }, "points.csv")));
    expect(words.message).toBe(
      'points.csv: row 2, column "a": "x" is not a number, and this input is one. Mend the column.',
    );
  });

  test("encode to the rows that were learned", () => {
    const runs = buildRuns(table, inputs);
    const { x, inDomain } = encodeInputs(runs.schema, table);
    const used = Array.from(runs.rowIds, (id) => Array.from(x.slice(2 * (id - 1), 2 * id))).flat();
    expect(used).toEqual(Array.from(runs.x));
    expect(inDomain.every((flag) => flag === 1)).toBe(true);
  });

  test("tell the reader which columns are numbers and which are words", () => {
    expect([...inputKinds(schema)]).toEqual([
      ["a", "number"],
      ["gas", "text"],
      ["fixed", "number"],
    ]);
  });
});

describe("the hash of runs", () => {
  const hash = (columns: Parameters<typeof tableOf>[0], source?: string): string =>
    dataHash(buildRuns(tableOf(columns, source), { inputs: ["a"] }));

  test("is the same for the same data, whatever the file's name", () => {
    expect(hash({ a: [1, 2], y: [3, 4] })).toBe(hash({ a: [1, 2], y: [3, 4] }, "other.csv"));
    expect(hash({ a: [1, 2], y: [3, 4] })).toMatch(/^[0-9a-f]{64}$/);
  });

  test("is another one for other numbers, names or rows", () => {
    const hashes = [
      hash({ a: [1, 2], y: [3, 4] }),
      hash({ a: [1, 2], y: [3, 4 + 1e-15 * 4] }),
      hash({ a: [2, 1], y: [4, 3] }),
      hash({ a: [1, 2], z: [3, 4] }),
      hash({ a: [1, 2, 3], y: [3, 4, 5] }),
    ];
    expect(new Set(hashes).size).toBe(hashes.length);
  });
});

test("every row is used or left out with a reason", () => {
  const cell = fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 0, max: 3 }) }, fc.constant(NaN));
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell, cell), { minLength: 8, maxLength: 30 }), (rows) => {
      const columns = tableOf({
        a: [0, 1, ...rows.map((r) => r[0])],
        b: [0, 1, ...rows.map((r) => r[1])],
        y: [0, 1, ...rows.map((r) => r[2])],
      });
      const { n, rowIds, report, repeats, x } = buildRuns(columns, { outputs: ["y"] });
      expect(n + report.leftOut.length).toBe(rows.length + 2);
      expect([...rowIds, ...report.leftOut.map(({ row }) => row)].sort((p, q) => p - q)).toEqual(
        Array.from({ length: rows.length + 2 }, (_, i) => i + 1),
      );
      expect(x.some(Number.isNaN)).toBe(false);
      const keys = Array.from(repeats, (_, i) => `${x[2 * i] ?? ""},${x[2 * i + 1] ?? ""}`);
      expect(new Set(keys).size).toBe(new Set(repeats).size);
    }),
  );
});
