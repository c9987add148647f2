/** The emulator of a real fit in use: its intervals, its scores, and its file's own numbers in plain ONNX Runtime. */
import { createRequire } from "node:module";
import * as ort from "onnxruntime-node";
import { beforeAll, describe, expect, test } from "vitest";
import { fit, query, type Table, validate } from "../src/index.ts";
import { smoothRows, tinySpace } from "./cli/support.ts";
import { chromiumPath, NO_BROWSER, runInBrowser } from "./support/browser.ts";

/** Two scalars and a field of three. */
const runs = (rows: number, seed: number) =>
  smoothRows(rows, seed).map((row) => ({ ...row, "line[0]": row.a, "line[1]": row.b, "line[2]": row.a - row.b }));
const points = smoothRows(40, 3).map(({ a, b }) => ({ a: 0.2 + 0.6 * a, b: 1.3 + 0.6 * (b - 1) }));

let bytes: Uint8Array;
beforeAll(async () => {
  ({ bytes } = await fit(runs(60, 1), {
    inputs: ["a", "b"],
    members: 2,
    effort: "quick",
    space: { ...tinySpace, channels: 8, stageNodes: 1 },
  }));
});

function column(table: Table, name: string): number[] {
  const found = table.columns.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no column ${name} in ${table.columns.map((each) => each.name).join(", ")}`);
  return Array.from(found.values, Number);
}

test("a lower level's interval lies inside a higher one's, the mean inside all", async () => {
  const levels = [0.5, 0.9, 0.95];
  const tables = await Promise.all(levels.map((interval) => query(bytes, points, { interval })));
  for (const element of ["y_#", "z_#", "line_#[1]"])
    tables.forEach((table, l) => {
      const of = (from: Table, statistic: string): number[] => column(from, element.replace("#", statistic));
      const outer = tables[l + 1];
      points.forEach((_, i) => {
        const where = `${element} at ${levels[l]}, row ${i + 1}`;
        const [low, mean, high] = [of(table, "lower")[i]!, of(table, "mean")[i]!, of(table, "upper")[i]!];
        expect(low, where).toBeLessThan(mean);
        expect(high, where).toBeGreaterThan(mean);
        if (outer === undefined) return;
        expect(of(outer, "lower")[i], where).toBeLessThan(low);
        expect(of(outer, "upper")[i], where).toBeGreaterThan(high);
      });
    });
  expect(column(tables[2]!, "y_lower")).toEqual(column(await query(bytes, points), "y_lower"));
});

test("validate() takes runs as fit does, and leaves incomplete ones out", async () => {
  const rows = runs(25, 8);
  const whole = await validate(bytes, rows, { minCoverage: 0, maxFvu: 1 });
  expect(whole).toMatchObject({ rows: 25, level: 0.95, failures: [] });
  expect(whole.fields.map(({ field, count }) => [field, count])).toEqual([
    ["y", 25],
    ["z", 25],
    ["line", 75],
  ]);
  const holes = rows.map((row, i) => (i === 3 ? { ...row, a: Number.NaN } : i === 5 ? { ...row, y: Number.NaN } : row));
  const inputs = holes.map(({ a, b }) => ({ a, b }));
  const outputs = holes.map(({ a: _, b: __, ...rest }) => rest);
  const kept = rows.filter((_, i) => i !== 3 && i !== 5);
  expect(await validate(bytes, { inputs, outputs })).toEqual({ ...(await validate(bytes, kept)), leftOut: 2 });
});

describe("the file without Condense", () => {
  const feed = points.flatMap(({ a, b }) => [a, b]);
  const dims = [points.length, 2];

  /**
   * Every number of every output within 1e-5 of what query() says, relative to the field's largest number: a spread is a
   * difference of the members' float32 answers, so it carries their rounding however small it is itself.
   */
  async function expectSame(results: Readonly<Record<string, { readonly data: ArrayLike<unknown> }>>): Promise<void> {
    const table = await query(bytes, points);
    for (const field of ["y", "z", "line"]) {
      const elements = field === "line" ? ["[0]", "[1]", "[2]"] : [""];
      const expected = (statistic: string): number[] => {
        const columns = elements.map((element) => column(table, `${field}_${statistic}${element}`));
        return points.flatMap((_, i) => columns.map((values) => values[i]!));
      };
      const tolerance = 1e-5 * Math.max(...expected("mean").map(Math.abs));
      for (const statistic of ["mean", "std", "noise", "lower", "upper"]) {
        const name = `${field}_${statistic}`;
        const found = Array.from(results[name]?.data ?? [], Number);
        const wanted = expected(statistic);
        expect(found).toHaveLength(wanted.length);
        const worst = Math.max(...found.map((value, i) => Math.abs(value - wanted[i]!)));
        expect(worst, name).toBeLessThanOrEqual(tolerance);
      }
    }
  }

  test("gives its numbers in onnxruntime-node", async () => {
    const session = await ort.InferenceSession.create(bytes);
    expect(session.inputNames).toEqual(["x"]);
    await expectSame(await session.run({ x: new ort.Tensor("float64", Float64Array.from(feed), dims) }));
    await session.release();
  });

  test("gives its numbers in onnxruntime-web's WebAssembly", async () => {
    const web = createRequire(import.meta.url)("onnxruntime-web") as typeof ort;
    web.env.wasm.numThreads = 1;
    const session = await web.InferenceSession.create(bytes, { executionProviders: ["wasm"] });
    await expectSame(await session.run({ x: new web.Tensor("float64", Float64Array.from(feed), dims) }));
    await session.release();
  });

  test.skipIf(chromiumPath() === undefined)(`gives its numbers in a browser (${NO_BROWSER})`, async () => {
    await expectSame(await runInBrowser(bytes, { x: { type: "float64", dims, data: feed } }));
  });
});
