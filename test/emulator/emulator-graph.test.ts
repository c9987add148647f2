import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { emulatorGraph, quantileFactor } from "../../src/emulator/index.ts";
import { getEngine } from "../../src/engine/index.ts";
import { readOnnx, writeOnnx } from "../../src/graph/index.ts";
import { chromiumPath, NO_BROWSER, runInBrowser } from "../support/browser.ts";
import { interpret } from "../support/interpret.ts";
import {
  columns,
  componentMembers,
  expected,
  inputScaler,
  members,
  partsOf,
  schema,
  someRows,
  trends,
  type Variant,
} from "./support.ts";

const rows = 7;
const x = someRows(rows, 120);

/** Largest difference of an output over its own largest value, by name. */
function differences(
  actual: Readonly<Record<string, ArrayLike<number>>>,
  wanted: Readonly<Record<string, ArrayLike<number>>>,
): Readonly<Record<string, number>> {
  expect(Object.keys(actual).sort()).toEqual(Object.keys(wanted).sort());
  return Object.fromEntries(
    Object.entries(wanted).map(([name, values]) => {
      const got = actual[name]!;
      expect(got.length, name).toBe(values.length);
      let difference = 0;
      let scale = 0;
      for (let i = 0; i < values.length; i++) {
        difference = Math.max(difference, Math.abs(got[i]! - values[i]!));
        scale = Math.max(scale, Math.abs(values[i]!));
      }
      return [name, scale === 0 ? difference : difference / scale];
    }),
  );
}

function expectClose(
  actual: Readonly<Record<string, ArrayLike<number>>>,
  wanted: Readonly<Record<string, ArrayLike<number>>>,
  tolerance: number,
): void {
  for (const [name, difference] of Object.entries(differences(actual, wanted)))
    expect(difference, name).toBeLessThan(tolerance);
}

const variants: Readonly<Record<string, Variant>> = {
  "a noisy simulator": {},
  "a simulator without noise": { noisy: false },
  "one member": { members: members.slice(0, 1) },
  "members that end with coefficients, beside a convolutional one": { members: componentMembers },
  "members that all end with coefficients": { members: componentMembers.filter((_, i) => i !== 1) },
  "a level between two of the table": { level: 0.7 },
  "companions beside the networks": { share: 0.6 },
  "companions alone, without noise": { share: 0, noisy: false },
  "no trend": {
    trends: trends.map(({ weights, bias, scale }) => ({
      weights: weights.map(() => 0),
      bias: bias.map(() => 0),
      scale: scale.map(() => 1),
    })),
  },
  "a trend of which only bias and scale are left": {
    trends: trends.map((trend) => ({ ...trend, weights: trend.weights.map(() => 0) })),
  },
};

it("carries no networks where companions stand alone, and both where any field takes part of them", () => {
  // Networks are all that is float32.
  const carries = (variant: Variant): boolean =>
    emulatorGraph(partsOf(variant)).types.some(({ dtype }) => dtype === "float32");
  expect([carries({ share: 0 }), carries({ share: 0.05 }), carries({})]).toEqual([false, true, true]);
});

describe("emulatorGraph()", () => {
  it.each(Object.entries(variants))("is the data room's scaling around the members: %s", (_, variant) => {
    const graph = emulatorGraph(partsOf(variant));
    // Both in float64, but for the float32 constants of the networks.
    expectClose(interpret(graph, { x }, rows), expected(x, variant), 1e-6);
  });

  // TensorFlow.js has no float64: inputs of 1e20 that differ by 1e14 lose digits.
  it.each([
    ["onnxruntime", 2e-4],
    ["tfjs", 5e-2],
  ] as const)("makes fields of coefficients in %s", async (name, tolerance) => {
    const executable = await getEngine(name).compile(emulatorGraph(partsOf({ members: componentMembers })));
    const answers = (await executable.run({ x }, { rows })) as Record<string, Float64Array>;
    expectClose(answers, expected(x, { members: componentMembers }), tolerance);
    await executable.dispose();
  });

  it("names and shapes its outputs by the schema", () => {
    const graph = emulatorGraph(partsOf());
    const shapes = Object.fromEntries(graph.outputs.map(({ name, node }) => [name, graph.types[node]]));
    expect(Object.keys(shapes)).toEqual(
      schema.fields.flatMap(({ name }) =>
        ["mean", "std", "noise", "lower", "upper"].map((statistic) => `${name}_${statistic}`),
      ),
    );
    for (const { name, shape } of schema.fields)
      expect(shapes[`${name}_upper`]).toEqual({ dtype: "float64", shape: ["N", ...shape] });
    expect(graph.nodes.filter(({ op }) => op === "Input")).toEqual([
      { op: "Input", name: "x", type: { dtype: "float64", shape: ["N", columns] } },
    ]);
  });

  it("gives the same whether rows come alone or together", async () => {
    const executable = await getEngine("onnxruntime").compile(emulatorGraph(partsOf()));
    const together = await executable.run({ x }, { rows });
    const kept = Object.fromEntries(
      Object.entries(together).map(([name, data]) => [name, Array.from(data as Float64Array)]),
    );
    for (let i = 0; i < rows; i++) {
      const alone = await executable.run({ x: x.slice(i * columns, (i + 1) * columns) }, { rows: 1 });
      for (const [name, values] of Object.entries(kept)) {
        const size = values.length / rows;
        const part = { [name]: values.slice(i * size, (i + 1) * size) };
        // Matrix products of another height may sum in another order, in float32.
        expectClose({ [name]: alone[name] as Float64Array }, part, 1e-5);
      }
    }
    await executable.dispose();
  });

  it("resolves inputs of 1e20 that differ by 1e11", () => {
    const graph = emulatorGraph(partsOf());
    const one = x.slice(0, columns);
    const other = one.with(0, one[0]! + 1e11);
    const means = [one, other].map((row) => interpret(graph, { x: row }, 1)["energy_mean"]![0]!);
    const expectedMeans = [one, other].map((row) => expected(row)["energy_mean"]![0]!);
    expect(means[0]).not.toBe(means[1]);
    const change = means[1]! - means[0]!;
    expect(change / (expectedMeans[1]! - expectedMeans[0]!)).toBeCloseTo(1, 3);
  });

  it("passes on inputs that are not numbers", () => {
    const graph = emulatorGraph(partsOf());
    expect(inputScaler.columns.map(({ kind }) => kind)).toEqual(["number", "number", "levels", "number", "number"]);
    for (let column = 0; column < columns; column++) {
      const row = x.slice(0, columns).with(column, Number.NaN);
      const answers = interpret(graph, { x: row }, 1);
      for (const name of ["energy_mean", "energy_std", "flux_upper", "signal_lower"])
        expect(answers[name]!.every(Number.isNaN), `${name} without column ${column}`).toBe(true);
    }
  });
});

describe("quantileFactor()", () => {
  const calibration = {
    quantiles: [
      { level: 0.5, factor: 0.7 },
      { level: 0.9, factor: 1.5 },
      { level: 0.99, factor: 3 },
    ],
  };

  it("is the table's factor at its levels, and interpolates between them", () => {
    for (const { level, factor } of calibration.quantiles)
      expect(quantileFactor(calibration, level)).toBeCloseTo(factor, 12);
    expect(quantileFactor(calibration, 0.6)).toBeCloseTo(0.9, 12);
    expect(quantileFactor(calibration, 0.945)).toBeCloseTo(2.25, 12);
  });

  it("falls to 0 with the level below the table, and stays at its end above it", () => {
    expect(quantileFactor(calibration, 0)).toBe(0);
    expect(quantileFactor(calibration, 0.1)).toBeCloseTo(0.14, 12);
    expect(quantileFactor(calibration, 0.999)).toBe(3);
    expect(quantileFactor({ quantiles: [] }, 0.9)).toBe(0);
  });

  it("never falls with the level", () => {
    let last = 0;
    for (let level = 0.01; level < 1; level += 0.01) {
      const factor = quantileFactor(calibration, level);
      expect(factor).toBeGreaterThanOrEqual(last);
      last = factor;
    }
  });
});

describe("the emulator as an ONNX file", () => {
  const graph = emulatorGraph(partsOf());
  const bytes = writeOnnx(graph);
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "condense-emulator-"));
    await writeFile(join(folder, "emulator.onnx"), bytes);
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  it("is the same graph when it is read back", () => {
    const { graph: back } = readOnnx(bytes, "emulator.onnx");
    expectClose(interpret(back, { x }, rows), interpret(graph, { x }, rows), 1e-12);
  });

  it.each(["onnxruntime-node", "onnxruntime-web"])("runs in %s in a process with no Condense", async (runtime) => {
    const script = `
      import * as ort from ${JSON.stringify(import.meta.resolve(runtime))};
      const session = await ort.InferenceSession.create(${JSON.stringify(join(folder, "emulator.onnx"))});
      const x = new ort.Tensor("float64", Float64Array.from(${JSON.stringify([...x])}), [${rows}, ${columns}]);
      const outputs = await session.run({ x });
      const plain = Object.entries(outputs).map(([name, { data, dims, type }]) => [name, { data: [...data], dims, type }]);
      console.log(JSON.stringify(Object.fromEntries(plain)));`;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script], {
      cwd: folder,
      env: { PATH: process.env.PATH },
    });
    const outputs = JSON.parse(stdout) as Record<string, { data: number[]; dims: number[]; type: string }>;
    for (const { name, shape } of schema.fields)
      expect(outputs[`${name}_mean`]).toMatchObject({ type: "float64", dims: [rows, ...shape] });
    const data = Object.fromEntries(Object.entries(outputs).map(([name, output]) => [name, output.data]));
    expectClose(data, expected(x), 1e-5);
  });

  describe.skipIf(chromiumPath() === undefined)(`in Chromium (${NO_BROWSER})`, () => {
    it("runs in onnxruntime-web", async () => {
      const feeds = { x: { type: "float64", dims: [rows, columns], data: [...x] } } as const;
      const outputs = await runInBrowser(bytes, feeds);
      const data = Object.fromEntries(Object.entries(outputs).map(([name, output]) => [name, output.data]));
      expectClose(data, expected(x), 1e-5);
    });
  });
});
