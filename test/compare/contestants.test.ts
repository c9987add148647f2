/** Every contestant keeps the contract; baselines do what their formulas say. */
import { describe, expect, test } from "vitest";
import { elementFvu } from "../../src/analysis/index.ts";
import type { Predictor } from "../../src/compare/contestant.ts";
import { type ContestantName, contestantNames, contestants } from "../../src/compare/contestants/index.ts";
import { buildRuns, type Runs, tableFrom } from "../../src/data/index.ts";
import { train } from "../../src/fit.ts";
import type { Trained } from "../../src/fit/assemble.ts";
import type { FitOptions } from "../../src/fit/options.ts";
import { normalQuantile } from "../../src/normal.ts";
import { makeRng } from "../../src/rng.ts";
import { smoothRows, tinySpace } from "../cli/support.ts";

const options: FitOptions = { members: 2, effort: "quick", process: true, space: tinySpace };

/** Fits one contestant. @param trained the emulator's training, where it is done already */
async function fitted(name: ContestantName, runs: Runs, trained?: Promise<Trained>): Promise<Predictor> {
  const found = await contestants[name].fit({
    runs,
    options,
    entered: ["emulator", name],
    trained: () => trained ?? train(runs, options),
  });
  if (found.kind === "absent") throw new Error(found.reason);
  return found.predictor;
}

const runsOf = (rows: readonly Record<string, number>[], inputs: readonly string[]): Runs =>
  buildRuns(tableFrom([...rows]), { inputs });

describe("every contestant", () => {
  const scalars = smoothRows(16).map(({ a, b, y, z }) => ({ a, b, y, z }));
  const withField = scalars.map((row) => ({ ...row, "line[0]": row.a, "line[1]": row.b, "line[2]": row.a - row.b }));
  const ofEmulator = ["emulator", "networks", "processes"];
  let trained: Promise<Trained> | undefined;

  test.each(contestantNames)("%s: means inside intervals that grow with the level", async (name) => {
    // Networks for fields take long to train, and test/fitted-emulator.test.ts has them.
    const isPart = ofEmulator.includes(name);
    const runs = runsOf(isPart ? scalars : withField, ["a", "b"]);
    if (isPart) trained ??= train(runs, options);
    const predictor = await fitted(name, runs, trained);
    const [half, most] = [await predictor.predict(runs.x, 0.5), await predictor.predict(runs.x, 0.95)];
    await predictor.dispose();
    expect(most.map(({ field, mean }) => [field, mean.length])).toEqual([
      ["y", 16],
      ["z", 16],
      ...(isPart ? [] : [["line", 48]]),
    ]);
    most.forEach(({ mean, std, noise, lower, upper }, f) => {
      expect([...mean, ...std, ...noise].every(Number.isFinite)).toBe(true);
      const inner = half[f]!;
      mean.forEach((value, i) => {
        const bounds = [lower[i]!, inner.lower[i]!, value, inner.upper[i]!, upper[i]!];
        expect(bounds).toEqual([...bounds].sort((a, b) => a - b));
        expect(upper[i]!).toBeGreaterThan(lower[i]!);
      });
    });
  });

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
    // Of 100 residuals the root mean square is good to 7 %.
    expect(Math.abs(found!.std[0]! / Math.sqrt(squares) - 1)).toBeLessThan(0.2);
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
