import { describe, expect, it } from "vitest";
import { calibrate } from "../../src/process/calibrate.ts";
import { fitProcess, predictProcess, type ProcessOptions } from "../../src/process/index.ts";
import { gaussianCrps } from "../../src/normal.ts";
import { stackWeights } from "../../src/process/stack.ts";
import { makeRng } from "../../src/rng.ts";

const quick: ProcessOptions = {
  families: [
    { name: "matern52", anova: true },
    { name: "gaussian", anova: true },
  ],
  budget: { starts: 2, scout: 10, evaluations: 25 },
  more: 10,
};

/** Points in [-1.7, 1.7]² (standardised uniform) and a smooth function of them. */
function runsOf(n: number, seed: number): { x: Float64Array; y: Float64Array } {
  const rng = makeRng(seed);
  const x = Float64Array.from({ length: 2 * n }, () => 3.4 * (rng.uniform() - 0.5));
  const y = Float64Array.from({ length: n }, (_, i) => Math.sin(2 * x[2 * i]!) + 0.5 * x[2 * i + 1]! ** 2 - 0.5);
  return { x, y };
}

function meanSquare(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce((sum, v, i) => sum + (v - b[i]!) ** 2, 0) / a.length;
}

describe("fitProcess()", () => {
  const { x, y } = runsOf(60, 1);
  const fresh = runsOf(200, 2);

  it("learns a smooth function, goes through its runs, and gives the same bytes again", async () => {
    const fit = await fitProcess(x, y, { n: 60, d: 2, m: 1 }, quick);
    const again = await fitProcess(x, y, { n: 60, d: 2, m: 1 }, quick);
    expect(again).toEqual(fit);
    const { mean, variance } = await predictProcess(fit, fresh.x);
    expect(meanSquare(mean, fresh.y)).toBeLessThan(1e-3);
    const z = Array.from(mean, (v, i) => Math.abs(v - fresh.y[i]!) / Math.sqrt(variance[i]!));
    expect(z.filter((v) => v < 1.645).length / z.length).toBeGreaterThan(0.75);
    expect(meanSquare((await predictProcess(fit, x)).mean, y)).toBeLessThan(1e-8);
    expect(fit.noise[0]).toBe(0);
    expect(meanSquare(fit.looMean, y)).toBeLessThan(0.01);
  });

  it("fits several outputs, each by itself", async () => {
    const two = Float64Array.from({ length: 120 }, (_, i) => (i % 2 === 0 ? y[i / 2]! : -3 * y[(i - 1) / 2]!));
    const fit = await fitProcess(x, two, { n: 60, d: 2, m: 2 }, quick);
    const { mean } = await predictProcess(fit, fresh.x);
    const wanted = Array.from({ length: 400 }, (_, i) => (i % 2 === 0 ? 1 : -3) * fresh.y[Math.floor(i / 2)]!);
    expect(meanSquare(mean, wanted)).toBeLessThan(1e-2);
  });

  it("fits many outputs by their principal components", async () => {
    const m = 30;
    const field = (points: Float64Array, values: Float64Array): Float64Array =>
      Float64Array.from({ length: values.length * m }, (_, k) => {
        const [i, t] = [Math.floor(k / m), (k % m) / m];
        return 2 + values[i]! * Math.sin(3 * t) + Math.cos(points[2 * i]!) * t * t;
      });
    const truth = field(fresh.x, fresh.y);
    const fit = await fitProcess(x, field(x, y), { n: 60, d: 2, m }, quick);
    expect(fit.outputs.length).toBe(2);
    const { mean, variance } = await predictProcess(fit, fresh.x);
    expect(meanSquare(mean, truth)).toBeLessThan(1e-3);
    expect(meanSquare(fit.looMean, field(x, y))).toBeLessThan(1e-2);
    expect(mean.length).toBe(200 * m);
    const inside = Array.from(mean, (v, i) => Math.abs(v - truth[i]!) < 1.645 * Math.sqrt(variance[i]!));
    expect(inside.filter(Boolean).length / inside.length).toBeGreaterThan(0.75);
  });

  it("estimates noise, and leaves it out of the spread of the mean", async () => {
    const runs = runsOf(120, 3);
    const rng = makeRng(4);
    const noisy = runs.y.map((v) => v + 0.3 * rng.normal());
    const fit = await fitProcess(runs.x, noisy, { n: 120, d: 2, m: 1 }, quick);
    expect(Math.sqrt(fit.noise[0]!)).toBeGreaterThan(0.2);
    expect(Math.sqrt(fit.noise[0]!)).toBeLessThan(0.4);
    const { mean, variance } = await predictProcess(fit, fresh.x);
    expect(meanSquare(mean, fresh.y)).toBeLessThan(0.03);
    expect(variance.reduce((a, b) => a + b, 0) / 200).toBeLessThan(0.03);
  });

  it("states as much uncertainty of a run held out as of a new point, however the noise fell", async () => {
    const runs = runsOf(120, 3);
    for (const seed of [11, 12, 13, 14]) {
      const rng = makeRng(seed);
      const noisy = runs.y.map((v) => v + 0.3 * rng.normal());
      const fit = await fitProcess(runs.x, noisy, { n: 120, d: 2, m: 1 }, quick);
      const { variance } = await predictProcess(fit, fresh.x);
      const latent = fit.looVariance.map((v) => v - fit.noise[0]!);
      expect(Math.min(...latent)).toBeGreaterThan(0.8 * Math.min(...variance));
    }
  });

  it("sees no noise in a step, whose values repeat", async () => {
    const runs = runsOf(80, 5);
    const step = Float64Array.from(runs.y, (v) => (v > 0 ? 1 : -1));
    const fit = await fitProcess(runs.x, step, { n: 80, d: 2, m: 1 }, quick);
    expect(fit.noise[0]).toBe(0);
  });

  it("keeps to a limit that many runs sit at", async () => {
    const runs = runsOf(80, 5);
    const cut = Float64Array.from(runs.y, (v) => Math.min(v, 0.3));
    const fit = await fitProcess(runs.x, cut, { n: 80, d: 2, m: 1 }, quick);
    const { mean } = await predictProcess(fit, fresh.x);
    expect(Math.max(...mean)).toBe(0.3);
    expect(fit.outputs[0]!.limits).toEqual({ lower: undefined, upper: 0.3 });
    expect(mean.filter((v) => v === 0.3).length).toBeGreaterThan(10);
  });

  it("takes a sample of many runs for the modes, the variance and the mean", async () => {
    const many = runsOf(150, 6);
    const fit = await fitProcess(
      many.x,
      many.y,
      { n: 150, d: 2, m: 1 },
      { ...quick, sample: 60, anchors: 50, most: 120 },
    );
    expect([fit.n, fit.r]).toEqual([120, 50]);
    const [output] = fit.outputs;
    expect(output!.components[0]!.inverseFactor.length).toBe(2500);
    // Held-out numbers come back in the order of the runs, those left out included.
    expect(fit.looMean.length).toBe(150);
    expect(meanSquare(fit.looMean, many.y)).toBeLessThan(1e-3);
    expect(meanSquare((await predictProcess(fit, fresh.x)).mean, fresh.y)).toBeLessThan(1e-4);
    expect(Math.min(...fit.looVariance)).toBeGreaterThan(0);
  });
});

describe("calibrate()", () => {
  it("widens where held-out runs near by miss", () => {
    const n = 200;
    const rng = makeRng(7);
    const at = Array.from({ length: n }, (_, i) => i / n);
    const errors = Float64Array.from(at, (t) => rng.normal() * (t < 0.5 ? 1 : 0.1));
    const near = Float64Array.from({ length: n * n }, (_, k) =>
      Math.exp(-20 * Math.abs(at[Math.floor(k / n)]! - at[k % n]!)),
    );
    const { spread, factors } = calibrate(errors, new Float64Array(n).fill(0.5), near, n);
    expect(spread.power).toBeGreaterThan(0);
    expect(Math.sqrt(0.5 * factors[50]!)).toBeGreaterThan(0.6);
    expect(Math.sqrt(0.5 * factors[150]!)).toBeLessThan(0.2);
  });

  it("takes one factor where misses are alike", () => {
    const rng = makeRng(8);
    const errors = Float64Array.from({ length: 300 }, () => 2 * rng.normal());
    const near = Float64Array.from({ length: 90000 }, () => rng.uniform());
    const { spread } = calibrate(errors, new Float64Array(300).fill(1), near, 300);
    expect(spread.power).toBe(0);
    expect(Math.sqrt(spread.size)).toBeCloseTo(2, 0);
  });
});

describe("stackWeights()", () => {
  it("gives all weight to the contestant that is right, and shares it between two that err apart", async () => {
    const rng = makeRng(9);
    const y = Float64Array.from({ length: 200 }, () => rng.normal());
    const off = (by: number): Float64Array => y.map((v) => v + by * rng.normal());
    const held = (mean: Float64Array, std: number): { mean: Float64Array; variance: Float64Array } => ({
      mean,
      variance: new Float64Array(200).fill(std * std),
    });
    const [good] = await stackWeights([held(off(0.1), 0.1), held(off(1), 1)], y);
    expect(good).toBeGreaterThan(0.9);
    const [half] = await stackWeights([held(off(0.5), 0.5), held(off(0.5), 0.5)], y);
    expect(half).toBeGreaterThan(0.3);
    expect(half).toBeLessThan(0.7);
  });
});

describe("gaussianCrps()", () => {
  it("agrees with closed forms", () => {
    // At the centre: std (sqrt 2 - 1) / sqrt pi; far away: |error| - std / sqrt pi.
    expect(gaussianCrps(0, 2)).toBeCloseTo((2 * (Math.SQRT2 - 1)) / Math.sqrt(Math.PI), 6);
    expect(gaussianCrps(-50, 1)).toBeCloseTo(50 - 1 / Math.sqrt(Math.PI), 6);
  });
});
