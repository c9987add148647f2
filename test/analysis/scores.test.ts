/** Scores against closed forms and numbers worked out by hand. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { elementFvu, median, overallScores, scoreField, type Scores, spearman } from "../../src/analysis/index.ts";
import type { FieldPrediction } from "../../src/emulator/index.ts";
import { gaussianCrps, normalDensity, normalDistribution } from "../../src/normal.ts";
import { makeRng } from "../../src/rng.ts";

/** A prediction whose interval is mean ± half. */
function predicted(mean: readonly number[], std: number, half: number, noise = 0): FieldPrediction {
  const all = (value: number): Float64Array => new Float64Array(mean.length).fill(value);
  return {
    field: "y",
    mean: Float64Array.from(mean),
    std: all(std),
    noise: all(noise),
    lower: Float64Array.from(mean, (value) => value - half),
    upper: Float64Array.from(mean, (value) => value + half),
  };
}

describe("the normal distribution", () => {
  // Abramowitz & Stegun, table 26.1.
  test.each([
    [0, 0.5],
    [0.5, 0.6914624613],
    [1, 0.8413447461],
    [1.96, 0.9750021049],
    [3, 0.9986501019684],
    [-1, 0.1586552539],
    [-2.5, 0.0062096653],
  ])("has the table's value at %d", (z, p) => {
    expect(Math.abs(normalDistribution(z) - p)).toBeLessThan(1e-10); // the digits of the table
  });

  test("has the table's density", () => {
    // Abramowitz & Stegun, table 26.1.
    expect(normalDensity(0)).toBeCloseTo(0.3989422804014327, 14);
    expect(normalDensity(1)).toBeCloseTo(0.2419707245191434, 14);
    expect(normalDensity(-2)).toBeCloseTo(0.0539909665131881, 14);
  });
});

describe("gaussianCrps()", () => {
  test("at no error is std (sqrt 2 - 1) / sqrt pi", () => {
    // Gneiting & Raftery 2007, eq. 21 at z = 0: 2 phi(0) - 1/sqrt(pi).
    expect(gaussianCrps(0, 2.5)).toBeCloseTo((2.5 * (Math.SQRT2 - 1)) / Math.sqrt(Math.PI), 12);
  });

  test("is the integral of the squared difference of the distributions", () => {
    // Definition of CRPS, by the midpoint rule on 40 000 cells over ±20 std.
    const [error, std] = [0.7, 1.3];
    const cells = 40_000;
    const step = (40 * std) / cells;
    let sum = 0;
    for (let i = 0; i < cells; i++) {
      const x = -20 * std + (i + 0.5) * step;
      sum += (normalDistribution(x / std) - (x >= -error ? 1 : 0)) ** 2 * step;
    }
    expect(gaussianCrps(error, std)).toBeCloseTo(sum, 3);
  });

  test("is the absolute error where there is no spread, and nearly so where it is far off", () => {
    expect(gaussianCrps(-3, 0)).toBe(3);
    expect(gaussianCrps(1000, 1)).toBeCloseTo(1000 - 1 / Math.sqrt(Math.PI), 6);
  });

  test("does not know the sign of the error, and grows with it", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 50, noNaN: true }),
        fc.double({ min: 0.01, max: 50, noNaN: true }),
        (e, s) => {
          expect(gaussianCrps(-e, s)).toBeCloseTo(gaussianCrps(e, s), 10);
          expect(gaussianCrps(e + 0.1, s)).toBeGreaterThan(gaussianCrps(e, s) - 1e-9);
        },
      ),
    );
  });
});

describe("spearman()", () => {
  test("is 1 for any rising relation and -1 for any falling one", () => {
    const x = Float64Array.from([0.1, 5, 2, 9, -3]);
    expect(spearman(x, x.map(Math.exp))).toBeCloseTo(1, 12);
    expect(
      spearman(
        x,
        x.map((value) => -(value ** 3)),
      ),
    ).toBeCloseTo(-1, 12);
  });

  test("of known ranks without ties is 1 - 6 sum d^2 / (n (n^2 - 1))", () => {
    // Ranks 1..5 against 2 1 4 3 5: sum d^2 = 4, so 1 - 24 / 120.
    const found = spearman(Float64Array.from([10, 20, 30, 40, 50]), Float64Array.from([2, 1, 4, 3, 5]));
    expect(found).toBeCloseTo(0.8, 12);
  });

  test("gives ties their average rank", () => {
    // Ranks 1 2.5 2.5 4 against 1 2 3 4: cov = 4.5, variances 4.5 and 5.
    const found = spearman(Float64Array.from([1, 2, 2, 3]), Float64Array.from([1, 2, 3, 4]));
    expect(found).toBeCloseTo(4.5 / Math.sqrt(4.5 * 5), 12);
  });

  test("is 0 where one side does not vary", () => {
    expect(spearman(Float64Array.from([1, 1, 1]), Float64Array.from([1, 2, 3]))).toBe(0);
  });
});

test("median() takes the middle, or the mean of the two in the middle", () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([9, 1, 5, 6])).toBe(5.5);
});

describe("elementFvu()", () => {
  test("of the mean predictor is 1, of the truth 0", () => {
    const truth = Float64Array.from([1, 2, 3, 6]);
    expect(elementFvu(truth, new Float64Array(4).fill(3), 1)).toEqual([1]);
    expect(elementFvu(truth, truth, 1)).toEqual([0]);
  });

  test("is per element, and leaves out those that do not vary", () => {
    // Two runs of three elements: the first is off by 1 each way, the second constant, the third at its mean.
    const truth = Float64Array.from([0, 7, 1, 4, 7, 3]);
    const mean = Float64Array.from([1, 7, 2, 3, 7, 2]);
    expect(elementFvu(truth, mean, 3)).toEqual([2 / 8, 1]);
  });
});

test("elementFvu() takes equal numbers for constant, whatever their mean rounds to", () => {
  const n = 29;
  expect(elementFvu(new Float64Array(n).fill(0.1), new Float64Array(n).fill(0.2), 1)).toEqual([]);
});

describe("scoreField()", () => {
  test("by hand: truths 0 2 5, means 1 2 3, interval ± 1.5 at 0.9", () => {
    const scores = scoreField(predicted([1, 2, 3], 3, 1.5, 4), Float64Array.from([0, 2, 5]), 1, 0.9);
    expect(scores.count).toBe(3);
    expect(scores.rmse).toBeCloseTo(Math.sqrt(5 / 3), 12);
    expect(scores.mae).toBeCloseTo(1, 12);
    expect(scores.bias).toBeCloseTo(-1 / 3, 12);
    expect(scores.fvu).toBeCloseTo(5 / (38 / 3), 12); // mean 7/3, squares about it 49/9 + 1/9 + 64/9
    expect(scores.coverage).toBeCloseTo(2 / 3, 12);
    expect(scores.coverageError).toBeCloseTo(Math.sqrt(0.09 / 3), 12);
    expect(scores.intervalScore).toBeCloseTo(3 + (20 * 0.5) / 3, 10); // width 3, and 2 / 0.1 for each unit outside
    // Spread of a run is that of emulator and simulator: sqrt(3^2 + 4^2) = 5.
    expect(scores.crps).toBeCloseTo((gaussianCrps(1, 5) + gaussianCrps(0, 5) + gaussianCrps(-2, 5)) / 3, 12);
    expect(scores.nll).toBeCloseTo(5 / 3 / 50 + Math.log(5) + Math.log(2 * Math.PI) / 2, 12);
    expect(scores.spearman).toBe(0); // all stds are the same
  });

  test("covers the nominal share of Gaussian truths, and its CRPS is std / sqrt pi", () => {
    const rng = makeRng(5);
    const n = 20_000;
    const truth = Float64Array.from({ length: n }, () => 2 * rng.normal());
    const scores = scoreField(predicted(new Array<number>(n).fill(0), 2, 2 * 1.959964), truth, 1, 0.95);
    expect(Math.abs(scores.coverage - 0.95)).toBeLessThan(4 * scores.coverageError);
    expect(scores.crps).toBeCloseTo(2 / Math.sqrt(Math.PI), 1); // Gneiting & Raftery 2007, the expected CRPS of the truth's own law
    expect(scores.fvu).toBeCloseTo(1, 2);
  });

  test("takes the FVU of a field as the median of its elements, and its error over runs, not numbers", () => {
    const scores = scoreField(predicted([1, 7, 2, 3, 7, 2], 1, 1), Float64Array.from([0, 7, 1, 4, 7, 3]), 3, 0.5);
    expect(scores.fvu).toBe((2 / 8 + 1) / 2);
    expect(scores.coverageError).toBeCloseTo(Math.sqrt(0.25 / 2), 12);
  });

  test("has no FVU and no R2 where nothing varies", () => {
    const scores = scoreField(predicted([1, 1], 1, 1), Float64Array.from([2, 2]), 1, 0.9);
    expect(scores.fvu).toBeNaN();
    expect(scores.r2).toBeNaN();
  });

  test("R2 weighs the elements that vary by their variance", () => {
    // Elements 1 and 3 of the runs above: squared errors 2 and 2, squared deviations 8 and 2; the second is constant.
    const scores = scoreField(predicted([1, 8, 2, 3, 8, 2], 1, 1), Float64Array.from([0, 7, 1, 4, 7, 3]), 3, 0.5);
    expect(scores.r2).toBeCloseTo(1 - 4 / 10, 12);
  });

  test("of one element R2 is 1 - FVU", () => {
    const scores = scoreField(predicted([1, 2, 3], 3, 1.5), Float64Array.from([0, 2, 5]), 1, 0.9);
    expect(scores.r2).toBeCloseTo(1 - scores.fvu, 12);
  });

  test("numbers that are stated without any spread have no likelihood, and do not spoil that of the others", () => {
    const prediction = { ...predicted([1, 1], 1, 1), std: Float64Array.of(0, 2) };
    // The second alone: error 1, std 2.
    const nll = 1 / 8 + Math.log(2) + Math.log(2 * Math.PI) / 2;
    expect(scoreField(prediction, Float64Array.of(1, 2), 1, 0.9).nll).toBeCloseTo(nll, 12);
    expect(scoreField(predicted([1], 0, 0), Float64Array.of(1), 1, 0.9).nll).toBeNaN();
  });
});

test("overallScores() takes medians of what has no unit, and the coverage of all numbers", () => {
  const one = (count: number, fvu: number, coverage: number): Scores => ({
    ...scoreField(predicted([1, 2], 1, 1), Float64Array.of(1, 2), 1, 0.9),
    count,
    fvu,
    r2: 1 - fvu,
    coverage,
    spearman: fvu / 10,
  });
  const all = overallScores([one(10, 0.2, 0.5), one(30, 0.4, 1), one(10, Number.NaN, 1), one(10, 0.1, 1)]);
  expect(all.fvu).toBe(0.2); // of 0.1, 0.2, 0.4
  expect(all.r2).toBeCloseTo(0.8, 12);
  expect(all.coverage).toBeCloseTo(55 / 60, 12);
  expect(all.coverageError).toBeCloseTo(Math.sqrt(0.09 / 2), 12);
});

test("median() of nothing is no number", () => {
  expect(median([])).toBeNaN();
});
