/** The fits and intervals that calibrations stand on. */
import { describe, expect, it } from "vitest";
import { conformalFactors, factorsFor } from "../../src/hardware/conformal.ts";
import { kendall, quantile, scorePredictions, spearman } from "../../src/hardware/metrics.ts";
import { nonNegativeLeastSquares, ridgeRegression } from "../../src/hardware/nnls.ts";
import { makeRng } from "../../src/rng.ts";

describe("scores of predictions", () => {
  it("are those worked out by hand", () => {
    const s = scorePredictions([9, 22, 30, 60], [10, 20, 30, 40]);
    expect(s.mape).toBeCloseTo((0.1 + 0.1 + 0 + 0.5) / 4, 12);
    expect(s.within5).toBe(0.25);
    expect(s.within20).toBe(0.75);
    expect(s.bias).toBeCloseTo((-0.1 + 0.1 + 0 + 0.5) / 4, 12);
    expect(s.rmspe).toBeCloseTo(Math.sqrt((0.01 + 0.01 + 0.25) / 4), 12);
    expect(s.smape).toBeCloseTo((2 / 19 + 4 / 42 + 0 + 40 / 100) / 4, 12);
    expect(s.r2).toBeCloseTo(1 - (1 + 4 + 0 + 400) / 500, 12);
    expect([s.spearman, s.kendall]).toEqual([1, 1]);
  });

  it("share ranks between ties, as scipy does", () => {
    // scipy.stats.spearmanr([1,2,2,3],[1,3,2,4]) = 0.9486832980505138, kendalltau = 0.9128709291752769
    expect(spearman([1, 2, 2, 3], [1, 3, 2, 4])).toBeCloseTo(0.9486832980505138, 12);
    expect(kendall([1, 2, 2, 3], [1, 3, 2, 4])).toBeCloseTo(0.9128709291752769, 12);
  });

  it("interpolate quantiles", () => {
    expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
    expect(quantile([5], 0.9)).toBe(5);
  });
});

describe("non-negative least squares", () => {
  it("finds coefficients that are not negative, exactly where there is no noise", () => {
    const rng = makeRng(1);
    const rows = Array.from({ length: 60 }, () => [1, 1e6 * rng.uniform(), 1e3 * rng.uniform(), rng.uniform()]);
    const b = [2e-6, 3e-12, 0, 5e-6];
    const y = rows.map((row) => row.reduce((sum, x, j) => sum + x * b[j]!, 0));
    const found = nonNegativeLeastSquares(rows, y);
    found.forEach((value, j) => expect(Math.abs(value - b[j]!)).toBeLessThan(1e-6 * Math.max(b[j]!, 1e-12) + 1e-16));
  });

  it("beats every other non-negative choice nearby, under noise", () => {
    const rng = makeRng(2);
    const rows = Array.from({ length: 40 }, () => [1, rng.uniform(), rng.uniform()]);
    const y = rows.map((row) => 1 + row[1]! - 0.5 * row[2]! + 0.1 * rng.normal());
    const weights = y.map(() => 1);
    const found = nonNegativeLeastSquares(rows, y, weights);
    const loss = (b: readonly number[]): number =>
      rows.reduce((sum, row, i) => sum + (row.reduce((s, x, j) => s + x * b[j]!, 0) - y[i]!) ** 2, 0);
    for (const value of found) expect(value).toBeGreaterThanOrEqual(0);
    expect(found[2]).toBe(0);
    for (let i = 0; i < 200; i++)
      expect(loss(found)).toBeLessThanOrEqual(loss(found.map((v) => Math.max(0, v + 0.05 * rng.normal()))) + 1e-9);
  });
});

describe("ridge regression", () => {
  it("goes to the prior as the ridge grows", () => {
    const rows = [
      [1, 0],
      [0, 1],
      [1, 1],
    ];
    const strong = ridgeRegression(rows, [5, 7, 12], { ridge: 1e9, prior: [1, 1] });
    strong.forEach((v) => expect(v).toBeCloseTo(1, 6));
    const weak = ridgeRegression(rows, [5, 7, 12]);
    expect(weak[0]).toBeCloseTo(5, 6);
  });
});

describe("conformal factors", () => {
  it("cover unseen networks about as often as they say (C2)", () => {
    const rng = makeRng(4);
    let inside = 0;
    const trials = 4000;
    for (let i = 0; i < trials; i++) {
      const residuals = Array.from({ length: 60 }, () => 0.1 * rng.normal());
      const { lo, hi } = conformalFactors(residuals);
      const next = Math.exp(0.1 * rng.normal());
      if (next >= lo && next <= hi) inside++;
    }
    expect(inside / trials).toBeGreaterThan(0.89);
    expect(inside / trials).toBeLessThan(0.97);
  });

  it("are those of the prediction's own tercile where there are enough", () => {
    const predicted = Array.from({ length: 120 }, (_, i) => i);
    const logResidual = predicted.map((p, i) => (p < 40 ? 0.5 : 0.01) * (i % 2 === 0 ? 1 : -1));
    const residuals = { predicted, logResidual, batch: predicted.map(() => 1) };
    expect(factorsFor(residuals, 10, 1).hi).toBeCloseTo(Math.exp(0.5), 12);
    expect(factorsFor(residuals, 100, 1).hi).toBeCloseTo(Math.exp(0.01), 12);
  });

  it("are those of the nearest batch where there are enough", () => {
    const batch = Array.from({ length: 240 }, (_, i) => (i < 100 ? 1 : i < 200 ? 64 : 512));
    const logResidual = batch.map((rows, i) => (rows === 1 ? 0.01 : rows === 64 ? 0.1 : 0.5) * (i % 2 === 0 ? 1 : -1));
    const residuals = { predicted: batch.map(() => 1), logResidual, batch };
    expect(factorsFor(residuals, 1, 2).hi).toBeCloseTo(Math.exp(0.01), 12);
    expect(factorsFor(residuals, 1, 30).lo).toBeCloseTo(Math.exp(-0.1), 12);
    // Forty are too few to stand alone.
    expect(factorsFor(residuals, 1, 1000).hi).toBeCloseTo(Math.exp(0.5), 12);
    expect(factorsFor(residuals, 1, 1000).lo).toBeCloseTo(Math.exp(-0.5), 12);
    expect(factorsFor({ ...residuals, logResidual: batch.map(() => 0.2) }, 1, 1000).lo).toBeCloseTo(Math.exp(0.2), 12);
  });
});
