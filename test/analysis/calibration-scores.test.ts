/** PIT tests, coverage by level and the edge, against tables, closed forms and simulated truths. */
import { describe, expect, test } from "vitest";
import {
  chiSquareTail,
  coverageOf,
  edgeRows,
  logGamma,
  pitTest,
  pitValues,
  upperGamma,
  wholeCoverage,
  wilson,
} from "../../src/analysis/index.ts";
import type { FieldPrediction } from "../../src/emulator/index.ts";
import { makeRng } from "../../src/rng.ts";

function predicted(mean: Float64Array, std: number, half: number, noise = 0): FieldPrediction {
  const all = (value: number): Float64Array => new Float64Array(mean.length).fill(value);
  const [lower, upper] = [mean.map((value) => value - half), mean.map((value) => value + half)];
  return { field: "y", mean, std: all(std), noise: all(noise), lower, upper };
}

describe("the chi-square tail", () => {
  // Critical values of Abramowitz & Stegun, table 26.8.
  test.each([
    [3.84146, 1, 0.05],
    [16.919, 9, 0.05],
    [21.666, 9, 0.01],
    [3.32511, 9, 0.95],
    [27.877, 9, 0.001],
  ])("of %d with %d degrees of freedom is the table's %d", (value, freedom, p) => {
    expect(Math.abs(chiSquareTail(value, freedom) - p)).toBeLessThan(2e-5 * Math.max(p, 0.05));
  });

  test("with two degrees of freedom is exp(-x / 2), on both sides of the switch of methods", () => {
    for (const x of [0, 0.1, 3, 3.99, 4.01, 30, 300]) expect(chiSquareTail(x, 2)).toBeCloseTo(Math.exp(-x / 2), 13);
  });

  test("rests on gamma functions of known values", () => {
    expect(logGamma(0.5)).toBeCloseTo(Math.log(Math.sqrt(Math.PI)), 13);
    expect(logGamma(11)).toBeCloseTo(Math.log(3_628_800), 11); // 10!
    // Q(3, x) = exp(-x) (1 + x + x^2 / 2)
    for (const x of [0.5, 3.9, 4.1, 20]) expect(upperGamma(3, x)).toBeCloseTo(Math.exp(-x) * (1 + x + (x * x) / 2), 13);
  });
});

describe("PIT values", () => {
  test("are where the truth falls in the Gaussian of emulator and noise together", () => {
    // std 3 and noise 4 make 5: the truth is one standard deviation above. Abramowitz & Stegun, table 26.1.
    const [value] = pitValues(predicted(Float64Array.of(10), 3, 1, 4), Float64Array.of(15), "linear");
    expect(value).toBeCloseTo(0.8413447461, 9);
  });

  test("of a field learned as its logarithm are those of the log-normal with the stated moments", () => {
    // exp(z), z ~ N(1, 0.5^2): mean exp(1 + 0.125), variance over squared mean exp(0.25) - 1; its median exp(1).
    const mean = Math.exp(1.125);
    const std = mean * Math.sqrt(Math.expm1(0.25));
    const truth = Float64Array.of(Math.E, Math.exp(1.5));
    const values = pitValues(predicted(new Float64Array(2).fill(mean), std, 1), truth, "log");
    expect(values[0]).toBeCloseTo(0.5, 12);
    expect(values[1]).toBeCloseTo(0.8413447461, 9);
  });

  test("without any spread say on which side the truth is", () => {
    const values = pitValues(predicted(Float64Array.of(1, 1, 1), 0, 0), Float64Array.of(0, 1, 2), "linear");
    expect([...values]).toEqual([0, 0.5, 1]);
  });
});

describe("the PIT test", () => {
  test("by hand: twenty values, four bins", () => {
    // Counts 8 4 4 4 of 5 expected: (9 + 1 + 1 + 1) / 5.
    const values = Float64Array.from(
      [8, 4, 4, 4].flatMap((count, bin) => new Array<number>(count).fill((bin + 0.5) / 4)),
    );
    const found = pitTest([values], 20);
    expect(found.counts).toEqual([8, 4, 4, 4]);
    expect(found).toMatchObject({ freedom: 3, rows: 20 });
    expect(found.chiSquare).toBeCloseTo(2.4, 12);
    expect(found.p).toBeCloseTo(chiSquareTail(2.4, 3), 12);
    expect(found.shares.reduce((a, c) => a + c, 0)).toBeCloseTo(1, 12);
  });

  /** Share of 400 worlds in which p is below 0.05: fields of 20 elements that err as one, stated std over true one. */
  function rejected(stated: number, n = 100): number {
    let low = 0;
    for (let world = 0; world < 400; world++) {
      const rng = makeRng(world).fork(`pit ${stated}`);
      const size = 20;
      const truth = Float64Array.from({ length: n }, () => rng.normal()).reduce(
        (all, shared, i) => {
          for (let j = 0; j < size; j++) all[i * size + j] = 0.9 * shared + Math.sqrt(0.19) * rng.normal();
          return all;
        },
        new Float64Array(n * size),
      );
      const values = pitValues(predicted(new Float64Array(n * size), stated, 1), truth, "linear");
      if (pitTest([values], n).p < 0.05) low++;
    }
    return low / 400;
  }

  test("rejects true distributions as often as it says, though the elements of a run err together", () => {
    // Binomial error of 400 worlds: 0.011.
    expect(Math.abs(rejected(1) - 0.05)).toBeLessThan(0.035);
  });

  test("rejects distributions that are half as wide, or twice", () => {
    expect(rejected(0.5)).toBeGreaterThan(0.9);
    expect(rejected(2)).toBeGreaterThan(0.9);
  });

  test("has no p for fewer than ten runs, and counts values of 0 and 1", () => {
    expect(pitTest([Float64Array.of(0, 1, 0.5)], 3).p).toBeNaN();
    expect(pitTest([Float64Array.of(0, 1, 0.5)], 3).counts).toEqual([1, 2]);
  });
});

describe("coverage", () => {
  // Newcombe 1998, Statistics in Medicine 17, table I, method 3.
  test.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])("of %d in %d has Wilson's interval %d to %d", (inside, n, low, high) => {
    const found = wilson(inside / n, n);
    expect(found.low).toBeCloseTo(low, 4);
    expect(found.high).toBeCloseTo(high, 4);
  });

  test("counts numbers, and whole fields, of which every number has to be inside", () => {
    // Two runs of three elements: the first wholly inside ± 1, of the second two elements.
    const truth = Float64Array.of(0.5, -1, 0, 0, 2, 0.9);
    const prediction = predicted(new Float64Array(6), 1, 1);
    expect(coverageOf([prediction], [truth], 2, 0.9)).toMatchObject({
      level: 0.9,
      coverage: 5 / 6,
      ...wilson(5 / 6, 2),
    });
    expect(wholeCoverage(prediction, truth, 2, 0.9)).toMatchObject({ coverage: 0.5, ...wilson(0.5, 2) });
  });
});

describe("edgeRows()", () => {
  const inputs = [
    { kind: "real", name: "a", range: [0, 10], scale: "linear" },
    { kind: "real", name: "fixed", range: [1, 1], scale: "linear", constant: 1 },
    { kind: "categorical", name: "c", range: [0, 1], scale: "linear", levels: ["u", "v"] },
    { kind: "real", name: "b", range: [1, 10_000], scale: "log" },
  ] as const;

  test("picks the fifth farthest from the centre of the box, logarithms for what is on that scale", () => {
    // Distances squared in half ranges: 0, 0.64 + 0, 1 + 0.25, 0 + 1, 0.04 + 0.
    const x = Float64Array.from(
      [
        [5, 0, 100],
        [9, 1, 100],
        [0, 0, 1000],
        [5, 1, 1],
        [6, 0, 100],
      ].flat(),
    );
    expect([...edgeRows({ inputs }, x, 5)]).toEqual([2]);
    expect([...edgeRows({ inputs }, Float64Array.from([...x, ...x]), 10)]).toEqual([2, 7]);
  });

  test("has no edge where no input is a number", () => {
    expect([...edgeRows({ inputs: [inputs[2]] }, Float64Array.of(0, 1, 1), 3)]).toEqual([]);
  });
});
