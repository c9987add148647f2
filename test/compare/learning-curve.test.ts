/** Learning curves: nested subsets, and forecasts from errors of known law. */
import { describe, expect, test } from "vitest";
import { type CurveErrors, curveParts, forecast, meanError } from "../../src/compare/learning-curve.ts";
import { describeForecast } from "../../src/compare/describe-curve.ts";
import { holdOut } from "../../src/data/index.ts";
import { makeRng } from "../../src/rng.ts";

const sizes = [50, 100, 200, 320];
const repeats = [4, 3, 2, 1];

/** Errors of outputs that follow a n^-b + c, each times its own factor, with scatter between fits. */
function errorsOf(law: { a: number; b: number; c: number }, scatter: number, outputs = 3, seed = 1): CurveErrors[] {
  const rng = makeRng(seed);
  return sizes.flatMap((runs, s) =>
    Array.from({ length: repeats[s]! }, (_, repeat) => {
      const shift = scatter * rng.normal();
      const errors = Array.from(
        { length: outputs },
        (_unused, k) => (k + 1) * (law.a * runs ** -law.b + law.c) * Math.exp(shift),
      );
      return { runs, repeat, errors };
    }),
  );
}

describe("curveParts()", () => {
  const runs = { repeats: Int32Array.from({ length: 200 }, (_, i) => Math.floor(i / 2)) };
  const split = holdOut(runs, 0.2, makeRng(1));
  const parts = curveParts(runs, split, makeRng(2));

  test("draws n/8 four times, n/4 three, n/2 two and 0.8 n once, always tried on the same runs", () => {
    const counts = parts.map(({ train, repeat }) => `${train.length} ${repeat}`);
    expect(counts).toEqual(["25 0", "50 0", "100 0", "160 0", "25 1", "50 1", "100 1", "25 2", "50 2", "25 3"]);
    for (const { test: held, train } of parts) {
      expect(held).toEqual(split.test);
      expect(train.filter((row) => held.includes(row))).toHaveLength(0);
    }
  });

  test("nests the subsets of one repeat, and draws others for the next", () => {
    const [small, middle, , all] = parts;
    expect(small!.train.every((row) => middle!.train.includes(row))).toBe(true);
    expect(middle!.train.every((row) => all!.train.includes(row))).toBe(true);
    expect([...parts[4]!.train]).not.toEqual([...small!.train]);
  });

  test("keeps rows with equal inputs together, save where a subset ends", () => {
    const pairs = new Set([...parts[1]!.train].map((row) => runs.repeats[row]));
    expect(pairs.size).toBe(25);
  });

  test("has no fits where three sizes of ten runs cannot be had", () => {
    const few = { repeats: Int32Array.from({ length: 30 }, (_, i) => i) };
    expect(curveParts(few, holdOut(few, 0.2, makeRng(1)), makeRng(2))).toEqual([]);
  });
});

describe("forecast()", () => {
  test("of exact power laws: half the error at 2^(1/b) times the runs, with no doubt", () => {
    for (const b of [0.5, 1, 2]) {
      const found = forecast(errorsOf({ a: 5, b, c: 0 }, 0), 400, makeRng(1));
      const wanted = 400 * 2 ** (1 / b);
      for (const runs of Object.values(found.runsForHalf)) expect(runs! / wanted).toBeCloseTo(1, 2);
      expect(found.never).toBe(0);
      expect(found.exponent.value).toBeCloseTo(b, 2);
    }
  });

  test("says never where the floor is above half the error", () => {
    // At 400 runs: 20 / 400 + 0.1 = 0.15, half of which is below the floor of 0.1.
    const found = forecast(errorsOf({ a: 20, b: 1, c: 0.1 }, 0), 400, makeRng(1));
    expect(found.runsForHalf).toEqual({ value: null, low: null, high: null });
    expect(found.never).toBe(1);
    expect(found.law.c / meanError([0.1, 0.2, 0.3])).toBeCloseTo(1, 2);
    expect(describeForecast(found, 400)).toMatch(
      /^More runs will not halve the error: it levels off at 0\.18, 67 % of/,
    );
  });

  test("with a floor far below needs more runs than without", () => {
    // 40 / 400 + 0.02 = 0.12; 0.06 is reached at 40 / 0.04 = 1000 runs.
    const found = forecast(errorsOf({ a: 40, b: 1, c: 0.02 }, 0), 400, makeRng(1));
    expect(found.runsForHalf.value! / 1000).toBeCloseTo(1, 1);
    expect(describeForecast(found, 400)).toMatch(/^About 600 more runs for half the error/);
  });

  test("of scattered errors has an interval that holds the truth in most worlds", () => {
    let held = 0;
    const worlds = 6;
    for (let seed = 0; seed < worlds; seed++) {
      const { exponent } = forecast(errorsOf({ a: 5, b: 0.8, c: 0 }, 0.1, 3, seed), 400, makeRng(seed));
      if (exponent.low <= 0.8 && exponent.high >= 0.8) held++;
    }
    // An 80 % interval: under 3 of 6 has a chance of 2 %.
    expect(held).toBeGreaterThanOrEqual(3);
  });

  test("of errors that do not fall says so", () => {
    expect(describeForecast(forecast(errorsOf({ a: 0, b: 1, c: 0.5 }, 0), 400, makeRng(1)), 400)).toMatch(
      /^More runs will not halve the error/,
    );
  });
});
