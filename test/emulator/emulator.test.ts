import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Emulator,
  EMULATOR_VERSION,
  emulatorBytes,
  emulatorGraph,
  type EmulatorInfo,
  headSize,
  loadEmulator,
  METADATA_KEY,
  openEmulator,
  planHeads,
} from "../../src/emulator/index.ts";
import { getEngine } from "../../src/engine/index.ts";
import { FileError, ShapeError } from "../../src/errors.ts";
import { writeOnnx } from "../../src/graph/index.ts";
import { calibrationOf, columns, expected, partsOf, schema, someRows } from "./support.ts";

const info: EmulatorInfo = {
  format: "condense-emulator",
  version: EMULATOR_VERSION,
  schema,
  level: 0.9,
  calibration: schema.fields.map((_, i) => calibrationOf(planHeads(schema).places[i]!.size, true)),
  data: { hash: "0", total: 200, used: 200, notes: [] },
  fit: {
    seed: 1,
    effort: "quick",
    engine: "onnxruntime",
    ensemble: "trained",
    loss: "mse",
    folds: 4,
    trend: "linear",
    weightDecay: 1e-3,
    stage: 0,
    outcome: "complete",
  },
  search: {
    strategy: "dense",
    source: "",
    steps: 1,
    outcome: "budget",
    spentMacs: 1,
    architecturesTried: 1,
    slots: 1,
    entropyBits: null,
    best: "",
  },
  members: [],
  scores: [],
  latency: [],
  versions: {},
};

const graph = emulatorGraph(partsOf());
const bytes = emulatorBytes(graph, info);

describe("planHeads()", () => {
  it("lets scalars share one head and gives each field with a shape a decoder", () => {
    const { inputs, heads, places } = planHeads(schema);
    // Four numbers and three levels; the constant input is no column.
    expect(inputs).toBe(7);
    expect(heads).toEqual([
      { kind: "vector", name: "scalars", size: 2 },
      { kind: "decoder", name: "field1", channels: 1, spatial: [6] },
      { kind: "decoder", name: "field2", channels: 2, spatial: [5] },
    ]);
    expect(heads.map(headSize)).toEqual([2, 6, 10]);
    expect(places).toEqual([
      { head: 0, start: 0, size: 1 },
      { head: 1, start: 0, size: 6 },
      { head: 0, start: 1, size: 1 },
      { head: 2, start: 0, size: 10 },
    ]);
  });

  it("needs no head for scalars where there is none", () => {
    const [, signal] = schema.fields;
    expect(planHeads({ ...schema, fields: [signal!] })).toMatchObject({
      heads: [{ kind: "decoder" }],
      places: [{ head: 0, start: 0, size: 6 }],
    });
  });
});

describe("an emulator", () => {
  let emulator: Emulator;
  beforeAll(async () => {
    emulator = await loadEmulator(bytes, getEngine("onnxruntime"));
  });
  afterAll(async () => {
    await emulator.dispose();
  });
  const x = someRows(5, 160);

  it.each([undefined, 0.5, 0.7, 0.99])("predicts every field, with intervals at the level %s", async (level) => {
    const wanted = expected(x, { level: level ?? 0.9 });
    const predictions = await emulator.predict(x, level);
    expect(predictions.map(({ field }) => field)).toEqual(schema.fields.map(({ name }) => name));
    for (const { field, ...statistics } of predictions)
      for (const [name, values] of Object.entries(statistics)) {
        const answer = wanted[`${field}_${name}`]!;
        const scale = Math.max(...answer.map(Math.abs));
        expect(values).toHaveLength(answer.length);
        values.forEach((value, i) => {
          expect(Math.abs(value - answer[i]!) / scale, `${field}_${name}`).toBeLessThan(1e-5);
        });
      }
  });

  it("hands out arrays that outlive the next prediction", async () => {
    const [first] = await emulator.predict(x);
    const kept = first!.mean.slice();
    await emulator.predict(someRows(5, 161));
    expect(first!.mean).toEqual(kept);
  });

  it("predicts many rows as it predicts some of them", async () => {
    const many = someRows(2500, 162);
    const whole = await emulator.predict(many);
    for (const at of [0, 2047, 2048, 2499]) {
      const some = await emulator.predict(many.slice(at * columns, (at + 1) * columns));
      whole.forEach(({ mean, upper }, f) => {
        const size = mean.length / 2500;
        const scale = Math.max(...mean.map(Math.abs));
        for (const [all, one] of [
          [mean, some[f]!.mean],
          [upper, some[f]!.upper],
        ] as const)
          one.forEach((value, j) => {
            expect(Math.abs(all[at * size + j]! - value) / scale).toBeLessThan(1e-5);
          });
      });
    }
  });

  it("answers each of several questions at once", async () => {
    const other = someRows(5, 163);
    const alone = [await emulator.predict(x), await emulator.predict(other)];
    expect(await Promise.all([emulator.predict(x), emulator.predict(other)])).toEqual(alone);
    expect(alone[0]![0]!.mean).not.toEqual(alone[1]![0]!.mean);
  });

  it("predicts nothing at no rows", async () => {
    const predictions = await emulator.predict(new Float64Array(0));
    expect(predictions.map(({ mean, upper }) => [mean.length, upper.length])).toEqual(schema.fields.map(() => [0, 0]));
  });

  it("refuses anything but whole rows", async () => {
    await expect(emulator.predict(new Float64Array(columns + 1))).rejects.toThrow(ShapeError);
    await expect(emulator.predict(new Float64Array(columns + 1))).rejects.toThrow(
      `x holds ${columns + 1} numbers, not a multiple of the emulator's ${columns} inputs.`,
    );
  });
});

describe("loadEmulator()", () => {
  it("says which result a graph lacks", async () => {
    const without = { ...graph, outputs: graph.outputs.filter(({ name }) => name !== "flux_std") };
    const loading = loadEmulator(emulatorBytes(without, info), getEngine("onnxruntime"), { source: "e.onnx" });
    await expect(loading).rejects.toThrow(FileError);
    await expect(loading).rejects.toThrow('e.onnx: its graph has no result "flux_std"');
  });
});

describe("openEmulator()", () => {
  it("gives back what was written", () => {
    expect(openEmulator(bytes, "e.onnx").info).toEqual(info);
  });

  const file = (metadata: Record<string, string>): Uint8Array => writeOnnx(graph, { metadata });
  const json = (value: unknown): Uint8Array => file({ [METADATA_KEY]: JSON.stringify(value) });

  it.each([
    ["FILE_FOREIGN", "an ONNX model, but not a Condense emulator", file({})],
    ["FILE_DAMAGED", "its metadata is not valid JSON", file({ [METADATA_KEY]: "{" })],
    ["FILE_DAMAGED", "its metadata is incomplete", json([])],
    ["FILE_DAMAGED", "its metadata is incomplete", json({ ...info, format: "other" })],
    ["FILE_DAMAGED", 'its metadata lacks "schema"', json({ ...info, schema: undefined })],
    ["FILE_NEWER", "made by a newer Condense (format 99", json({ ...info, version: 99 })],
  ])("says %s: %s", (code, message, damaged) => {
    let error: unknown;
    try {
      openEmulator(damaged, "e.onnx");
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(FileError);
    expect(error).toMatchObject({ code, message: expect.stringContaining(`e.onnx: ${message}`) as string });
  });
});
