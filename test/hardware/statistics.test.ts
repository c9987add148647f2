/** The fits and intervals that calibrations stand on. */
import { describe, expect, it } from "vitest";
import { conformalFactors, factorsFor } from "../../src/hardware/conformal.ts";
import { kendall, quantile, scorePredictions, spearman } from "../../src/hardware/metrics.ts";
import { nonNegativeLeastSquares, ridgeRegression, robustNonNegative } from "../../src/hardware/nnls.ts";
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

describe("robust least squares", () => {
  const rows = Array.from({ length: 200 }, (_, i) => [1, (i * 37) % 200]);

  it("is in the middle of times that scatter by factors, where weights by 1 / y come out low", () => {
    const rng = makeRng(5);
    const y = rows.map(([a, x]) => (2 * a! + 0.5 * x!) * Math.exp(0.3 * rng.normal()));
    const level = (b: readonly number[]): number => (b[0]! + 100 * b[1]!) / 52;
    expect(level(nonNegativeLeastSquares(rows, y))).toBeLessThan(0.95);
    expect(Math.abs(level(robustNonNegative(rows, y)) - 1)).toBeLessThan(0.04);
  });

  it("passes by a few that took several times as long", () => {
    const y = rows.map(([a, x], i) => (2 * a! + 0.5 * x!) * (i % 20 === 0 ? 4 : 1));
    const [fixed, slope] = robustNonNegative(rows, y);
    expect(fixed).toBeCloseTo(2, 3);
    expect(slope).toBeCloseTo(0.5, 4);
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
  /** The factor of residuals of +- r, 2 % between processes beside. */
  const wide = (r: number): number => Math.exp(Math.hypot(r, 1.644854 * 0.02));

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

  it("are those of networks whose time goes to the same kinds of kernels, where there are enough", () => {
    const all = Array.from({ length: 120 }, (_, i) => i);
    const ofConvolutions = (i: number): boolean => i % 2 === 0;
    const residuals = {
      shares: {
        rest: all.map(() => 1 / 9),
        conv1d: all.map((i) => (ofConvolutions(i) ? 8 / 9 : 0)),
        gemm: all.map((i) => (ofConvolutions(i) ? 0 : 8 / 9)),
      },
      logResidual: all.map((i) => (ofConvolutions(i) ? 0.5 : 0.01) * (i % 4 < 2 ? 1 : -1)),
      batch: all.map(() => 1),
    };
    // Of any latency: ten times as long is as much alike.
    expect(factorsFor(residuals, { rest: 5, conv1d: 40 }, 1).hi).toBeCloseTo(wide(0.5), 6);
    expect(factorsFor(residuals, { rest: 50, gemm: 400 }, 1).hi).toBeCloseTo(wide(0.01), 6);
  });

  it("are those of the nearest batch where there are enough", () => {
    const batch = Array.from({ length: 240 }, (_, i) => (i < 100 ? 1 : i < 200 ? 64 : 512));
    const logResidual = batch.map((rows, i) => (rows === 1 ? 0.01 : rows === 64 ? 0.1 : 0.5) * (i % 2 === 0 ? 1 : -1));
    const gemm = batch.map((_, i) => (i < 180 ? 0 : 1));
    const residuals = { shares: { gemm, rest: gemm.map((part) => 1 - part) }, logResidual, batch };
    const parts = { gemm: 1 };
    expect(factorsFor(residuals, parts, 2).hi).toBeCloseTo(wide(0.01), 6);
    expect(factorsFor(residuals, parts, 30).lo).toBeCloseTo(1 / wide(0.1), 6);
    // Forty are too few to stand alone: with twenty others whose time goes to products too.
    expect(factorsFor(residuals, parts, 1000).hi).toBeCloseTo(wide(0.5), 6);
    expect(factorsFor(residuals, parts, 1000).lo).toBeCloseTo(1 / wide(0.5), 6);
    expect(factorsFor({ ...residuals, logResidual: batch.map(() => 0.2) }, parts, 1000).lo).toBeCloseTo(
      Math.exp(0.2) / wide(0),
      6,
    );
  });
});
