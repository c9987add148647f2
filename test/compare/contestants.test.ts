/** Every contestant keeps the contract; baselines do what their formulas say. */
import { describe, expect, test } from "vitest";
import { elementFvu } from "../../src/analysis/index.ts";
import type { Predictor } from "../../src/compare/contestant.ts";
import { type ContestantName, contestantNames, contestants } from "../../src/compare/contestants/index.ts";
import { buildRuns, type Runs, tableFrom } from "../../src/data/index.ts";
import { train } from "../../src/fit.ts";
import type { FitOptions } from "../../src/fit/options.ts";
import { normalQuantile } from "../../src/normal.ts";
import { makeRng } from "../../src/rng.ts";
import { smoothRows, tinySpace } from "../cli/support.ts";

const options: FitOptions = {
  members: 2,
  effort: "quick",
  process: true,
  space: { ...tinySpace, channels: 4, stageNodes: 1 },
};

/** Fits one contestant by itself. */
async function fitted(name: ContestantName, runs: Runs): Promise<Predictor> {
  const found = await contestants[name].fit({
    runs,
    options,
    entered: [name],
    trained: () => train(runs, options),
  });
  if (found.kind === "absent") throw new Error(found.reason);
  return found.predictor;
}

const runsOf = (rows: readonly Record<string, number>[], inputs: readonly string[]): Runs =>
  buildRuns(tableFrom([...rows]), { inputs });

describe("every contestant", () => {
  const rows = smoothRows(16).map(({ a, b, y }) => ({ a, b, y, "line[0]": a, "line[1]": b, "line[2]": a - b }));
  const runs = runsOf(rows, ["a", "b"]);

  test.each(contestantNames)(
    "%s predicts scalars and fields, the mean inside intervals that grow with the level",
    async (name) => {
      const predictor = await fitted(name, runs);
      const [half, most] = [await predictor.predict(runs.x, 0.5), await predictor.predict(runs.x, 0.95)];
      await predictor.dispose();
      expect(most.map(({ field, mean }) => [field, mean.length])).toEqual([
        ["y", 16],
        ["line", 48],
      ]);
      most.forEach(({ mean, std, noise, lower, upper }, f) => {
        expect([...mean, ...std, ...noise].every(Number.isFinite)).toBe(true);
        mean.forEach((value, i) => {
          const inner = half[f]!;
          expect(lower[i]!).toBeLessThan(inner.lower[i]!);
          expect(inner.lower[i]!).toBeLessThan(value);
          expect(inner.upper[i]!).toBeGreaterThan(value);
          expect(upper[i]!).toBeGreaterThan(inner.upper[i]!);
        });
      });
    },
  );

  test("has the name it is listed under, and says where it comes from", () => {
    for (const name of contestantNames) {
      expect(contestants[name].name).toBe(name);
      expect(contestants[name].source).not.toBe("");
    }
  });
});

test("the null model states mean and standard deviation of the runs", async () => {
  const values = [1, 2, 3, 10];
  const predictor = await fitted(
    "null",
    runsOf(
      values.map((y, a) => ({ a, y })),
      ["a"],
    ),
  );
  const [found] = await predictor.predict(Float64Array.of(7), 0.9);
  expect(found!.mean[0]).toBeCloseTo(4, 12);
  expect(found!.std[0]).toBeCloseTo(Math.sqrt((9 + 4 + 1 + 36) / 4), 12);
  // Abramowitz & Stegun, table 26.5: the 0.95 quantile.
  expect((found!.upper[0]! - 4) / found!.std[0]!).toBeCloseTo(1.6448536, 6);
});

test("the null model of a quantity learned as its logarithm states log-normal moments", async () => {
  const logs = [0, 1, 2, 3];
  const runs = buildRuns(tableFrom(logs.map((z, a) => ({ a, y: Math.exp(z) }))), {
    schema: { inputs: [{ name: "a" }], fields: [{ name: "y", scale: "log" }] },
  });
  expect(runs.schema.fields[0]!.scale).toBe("log");
  const [found] = await (await fitted("null", runs)).predict(Float64Array.of(1), 0.95);
  // z ~ N(1.5, 1.25). Johnson, Kotz & Balakrishnan 1994, ch. 14.
  expect(found!.mean[0]).toBeCloseTo(Math.exp(1.5 + 1.25 / 2), 9);
  expect(found!.std[0]! / found!.mean[0]!).toBeCloseTo(Math.sqrt(Math.expm1(1.25)), 9);
  expect(found!.upper[0]).toBeCloseTo(Math.exp(1.5 + 1.959964 * Math.sqrt(1.25)), 4);
});

describe("quadratic ridge", () => {
  const draw = (n: number, noise: number, seed: number) => {
    const rng = makeRng(seed);
    return Array.from({ length: n }, () => {
      const [a, b] = [rng.uniform(), rng.uniform()];
      return { a, b, y: 3 * a * b - 2 * a * a + b + noise * rng.normal() };
    });
  };

  test("finds a quadratic function", async () => {
    const test = draw(50, 0, 2);
    const predictor = await fitted("quadratic", runsOf(draw(30, 0, 1), ["a", "b"]));
    const [found] = await predictor.predict(Float64Array.from(test.flatMap(({ a, b }) => [a, b])), 0.9);
    expect(
      elementFvu(
        Float64Array.from(test, ({ y }) => y),
        found!.mean,
        1,
      )[0],
    ).toBeLessThan(1e-6);
  });

  test("states the size of the errors it makes", async () => {
    const test = draw(2000, 0.1, 4);
    const predictor = await fitted("quadratic", runsOf(draw(100, 0.1, 3), ["a", "b"]));
    const [found] = await predictor.predict(Float64Array.from(test.flatMap(({ a, b }) => [a, b])), 0.9);
    const squares = test.reduce((sum, { y }, i) => sum + (y - found!.mean[i]!) ** 2, 0) / test.length;
    expect(found!.std[0]! / Math.sqrt(squares)).toBeCloseTo(1, 0.7);
  });
});

test("the plain Gaussian process interpolates a smooth function and is surer near the runs", async () => {
  const rows = smoothRows(40).map(({ a, b, y }) => ({ a, b, y }));
  const predictor = await fitted("gaussian-process", runsOf(rows, ["a", "b"]));
  const fresh = smoothRows(100, 5);
  const [found] = await predictor.predict(Float64Array.from(fresh.flatMap(({ a, b }) => [a, b])), 0.95);
  expect(
    elementFvu(
      Float64Array.from(fresh, ({ y }) => y),
      found!.mean,
      1,
    )[0],
  ).toBeLessThan(1e-4);
  const [at] = await predictor.predict(Float64Array.of(rows[0]!.a, rows[0]!.b, 3, 9), 0.95);
  expect(at!.std[0]!).toBeLessThan(0.1 * at!.std[1]!);
  expect((at!.upper[0]! - at!.mean[0]!) / at!.std[0]!).toBeCloseTo(1.959964, 5);
  await predictor.dispose();
});

test("normalQuantile() has the values of the tables", () => {
  // Abramowitz & Stegun, table 26.5, and symmetry.
  expect(normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 11);
  expect(normalQuantile(0.995)).toBeCloseTo(2.575829303548901, 11);
  expect(normalQuantile(0.5)).toBeCloseTo(0, 11);
  expect(normalQuantile(0.05)).toBeCloseTo(-1.6448536269514722, 11);
  expect(normalQuantile(1e-6)).toBeCloseTo(-4.753424308822899, 8);
});
