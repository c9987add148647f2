/** Power laws with a floor, from exact curves, noisy ones and ones with an outlier. */
import { describe, expect, test } from "vitest";
import { fitPowerLaw, powerLawAt, runsFor } from "../../src/analysis/index.ts";
import { makeRng } from "../../src/rng.ts";

const sizes = [50, 100, 200, 320];
const curve = (a: number, b: number, c: number, at: readonly number[] = sizes) =>
  at.map((runs) => ({ runs, error: a * runs ** -b + c }));

describe("fitPowerLaw()", () => {
  test.each([
    [2, 0.5, 0],
    [30, 1.3, 0],
    [1e4, 3, 0],
    [2, 0.7, 0.05],
    [40, 1.5, 0.01],
  ])("finds a = %d, b = %d, c = %d in exact errors", (a, b, c) => {
    const found = fitPowerLaw(curve(a, b, c));
    expect(found.b).toBeCloseTo(b, 3);
    expect(found.c).toBeCloseTo(c, 4);
    expect(found.a / a).toBeCloseTo(1, 2);
  });

  test("of errors that do not fall is flat", () => {
    const found = fitPowerLaw(curve(0, 1, 0.3));
    expect(powerLawAt(found, 1e6)).toBeCloseTo(0.3, 9);
  });

  test("of two numbers of runs is the line through them in logarithms, without a floor", () => {
    const found = fitPowerLaw([
      { runs: 10, error: 1 },
      { runs: 40, error: 0.25 },
    ]);
    expect(found.b).toBeCloseTo(1, 3);
    expect(found.c).toBe(0);
    expect(found.a).toBeCloseTo(10, 1);
  });

  test("is not moved much by one fit in twelve that went wrong", () => {
    const rng = makeRng(4);
    const points = [...curve(2, 0.8, 0), ...curve(2, 0.8, 0), ...curve(2, 0.8, 0)].map(({ runs, error }) => ({
      runs,
      error: error * Math.exp(0.03 * rng.normal()),
    }));
    const spoiled = points.map((point, i) => (i === 3 ? { ...point, error: 8 * point.error } : point));
    expect(Math.abs(fitPowerLaw(points).b - 0.8)).toBeLessThan(0.1);
    expect(Math.abs(fitPowerLaw(spoiled).b - 0.8)).toBeLessThan(0.15);
  });
});

describe("runsFor()", () => {
  test("inverts the law", () => {
    const law = { a: 3, b: 0.75, c: 0.02 };
    expect(powerLawAt(law, runsFor(law, 0.05))).toBeCloseTo(0.05, 12);
    // Without a floor half the error takes 2^(1/b) times the runs.
    expect(runsFor({ a: 3, b: 0.5, c: 0 }, powerLawAt({ a: 3, b: 0.5, c: 0 }, 100) / 2)).toBeCloseTo(400, 9);
  });

  test("is infinite at the floor, and where errors do not fall", () => {
    expect(runsFor({ a: 3, b: 1, c: 0.02 }, 0.02)).toBe(Infinity);
    expect(runsFor({ a: 3, b: 0, c: 0 }, 0.02)).toBe(Infinity);
  });
});
