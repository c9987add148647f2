import { describe, expect, it } from "vitest";
import { autocorrelationTime, convergence, type LogDensity, sample, rHat } from "../../../src/analysis/index.ts";
import { makeRng } from "../../../src/rng.ts";

const rng = makeRng(5);
const spread = (n: number, d: number): Float64Array => Float64Array.from({ length: n * d }, () => 2 * rng.normal());

/** A density that is the same for all ensembles, from one of a single point. */
function each(d: number, at: (x: Float64Array) => number): LogDensity {
  return (points, ensemble) =>
    Promise.resolve(Float64Array.from(ensemble, (_, i) => at(points.subarray(i * d, (i + 1) * d))));
}

function momentsOf(points: Float64Array, d: number) {
  const n = points.length / d;
  const mean = new Float64Array(d);
  const covariance = Array.from({ length: d }, () => new Float64Array(d));
  for (let i = 0; i < n; i++) for (let j = 0; j < d; j++) mean[j]! += points[i * d + j]! / n;
  for (let i = 0; i < n; i++)
    for (let j = 0; j < d; j++)
      for (let k = 0; k < d; k++)
        covariance[j]![k]! += ((points[i * d + j]! - mean[j]!) * (points[i * d + k]! - mean[k]!)) / n;
  return { mean, covariance };
}

describe("sample()", () => {
  // Precision [[4, 3], [3, 4]] is covariance [[4, -3], [-3, 4]] / 7.
  const gaussian = each(2, (x) => {
    const [a, b] = [x[0]! - 1, x[1]! + 2];
    return -0.5 * (4 * a * a + 6 * a * b + 4 * b * b);
  });

  it("draws a correlated Gaussian with its mean and covariance", async () => {
    const [chain] = await sample(gaussian, {
      d: 2,
      walkers: 40,
      start: spread(40, 2),
      steps: 3000,
      burn: 300,
      rng: makeRng(1),
    });
    const { mean, covariance } = momentsOf(chain!.points, 2);
    // 120 000 draws over a correlation time of some 30: standard errors of 0.012 in the mean.
    expect(mean[0]).toBeCloseTo(1, 1.2);
    expect(mean[1]).toBeCloseTo(-2, 1.2);
    expect(covariance[0]![0]).toBeCloseTo(4 / 7, 1.2);
    expect(covariance[0]![1]).toBeCloseTo(-3 / 7, 1.2);
    const found = convergence(chain!);
    expect(found.acceptance).toBeGreaterThan(0.5);
    expect(found.rHat).toBeLessThan(1.05);
    expect(found.effectiveDraws).toBeGreaterThan(2000);
  });

  it("does not see how the axes are stretched: the same steps in other units", async () => {
    const stretched = each(2, (x) => {
      const [a, b] = [1e6 * x[0]! - 1, 1e-3 * x[1]! + 2];
      return -0.5 * (4 * a * a + 6 * a * b + 4 * b * b);
    });
    const start = spread(12, 2);
    const options = { d: 2, walkers: 12, steps: 30, burn: 0 };
    const [plain] = await sample(gaussian, { ...options, start, rng: makeRng(1) });
    const [other] = await sample(stretched, {
      ...options,
      start: start.map((value, i) => value * (i % 2 === 0 ? 1e-6 : 1e3)),
      rng: makeRng(1),
    });
    other!.points.forEach((value, i) => expect(value * (i % 2 === 0 ? 1e6 : 1e-3)).toBeCloseTo(plain!.points[i]!, 6));
  });

  it("draws a banana with its moments", async () => {
    // y - x^2 ~ N(0, 1/4), x ~ N(0, 1): E y = 1, var y = 2 + 1/4.
    const banana = each(2, (x) => -0.5 * x[0]! ** 2 - 2 * (x[1]! - x[0]! ** 2) ** 2);
    const [chain] = await sample(banana, {
      d: 2,
      walkers: 60,
      start: spread(60, 2),
      steps: 5000,
      burn: 500,
      rng: makeRng(2),
    });
    const { mean, covariance } = momentsOf(chain!.points, 2);
    expect(Math.abs(mean[0]!)).toBeLessThan(0.06);
    expect(Math.abs(mean[1]! - 1)).toBeLessThan(0.1);
    // Its fourth moment is large: a standard error of about 0.15 with these draws.
    expect(Math.abs(covariance[1]![1]! - 2.25)).toBeLessThan(0.45);
  });

  it("leaps between peaks, and gives each its share", async () => {
    // Weights 0.3 and 0.7, forty widths apart; all walkers but four start at the lighter one.
    const density = each(2, (x) => {
      const peak = (at: number): number => Math.exp(-0.5 * ((x[0]! - at) ** 2 + (x[1]! - at) ** 2));
      return Math.log(0.3 * peak(-14) + 0.7 * peak(14) + 1e-300);
    });
    const walkers = 60;
    const [chain] = await sample(density, {
      d: 2,
      walkers,
      start: spread(walkers, 2).map((value, i) => value / 2 + (i < 8 ? 14 : -14)),
      steps: 4000,
      burn: 1000,
      rng: makeRng(11),
    });
    const right = chain!.points.filter((value, i) => i % 2 === 0 && value > 0).length / (walkers * 4000);
    expect(Math.abs(right - 0.7)).toBeLessThan(0.06);
  });

  it("keeps ensembles apart, and asks for all of them at once", async () => {
    const rows: number[] = [];
    const density: LogDensity = (points, ensemble) => {
      rows.push(ensemble.length);
      return Promise.resolve(Float64Array.from(ensemble, (e, i) => -0.5 * (points[i]! - 10 * e) ** 2));
    };
    const walkers = 10;
    const chains = await sample(density, {
      d: 1,
      walkers,
      start: Float64Array.from({ length: 3 * walkers }, (_, i) => 10 * Math.floor(i / walkers) + rng.normal()),
      steps: 400,
      burn: 50,
      rng: makeRng(3),
    });
    chains.forEach(({ points }, e) => {
      expect(Math.abs(momentsOf(points, 1).mean[0]! - 10 * e)).toBeLessThan(0.25);
    });
    expect(rows[0]).toBe(30);
    expect(new Set(rows.slice(1))).toEqual(new Set([15]));
  });

  it("ends where it is told to, and gives the same bytes for the same seed", async () => {
    const options = { d: 2, walkers: 6, start: spread(6, 2), steps: 50, burn: 5 };
    let asked = 0;
    const [short] = await sample(gaussian, { ...options, rng: makeRng(4), shouldStop: () => ++asked > 25 });
    expect(short!.steps).toBe(20);
    const [long] = await sample(gaussian, { ...options, rng: makeRng(4) });
    expect(long!.points.subarray(0, short!.points.length)).toEqual(short!.points);
  });

  it("refuses too few walkers, and a start without density", async () => {
    const options = { d: 2, steps: 5, burn: 0, rng: makeRng(1) };
    await expect(sample(gaussian, { ...options, walkers: 4, start: spread(4, 2) })).rejects.toThrow(
      "4 walkers in 2 dimensions: must be even and more than 4",
    );
    const positive = each(2, (x) => (x[0]! > 0 ? 0 : Number.NEGATIVE_INFINITY));
    await expect(sample(positive, { ...options, walkers: 6, start: new Float64Array(12).fill(-1) })).rejects.toThrow(
      "walker 1 starts where the density is 0",
    );
  });
});

describe("autocorrelationTime()", () => {
  it("is (1 + r) / (1 - r) for an autoregressive series", () => {
    const draws = makeRng(9);
    const series = Array.from({ length: 20 }, () => {
      let x = 0;
      return Float64Array.from({ length: 4000 }, () => (x = 0.8 * x + draws.normal()));
    });
    expect(autocorrelationTime(series)).toBeGreaterThan(8);
    expect(autocorrelationTime(series)).toBeLessThan(10);
    expect(autocorrelationTime([new Float64Array(7)])).toBe(7);
  });
});

describe("rHat()", () => {
  it("is 1 for samples of one density, and large for samples that stay apart", () => {
    const draws = makeRng(10);
    const part = (shift: number): Float64Array => Float64Array.from({ length: 500 }, () => draws.normal() + shift);
    expect(rHat([part(0), part(0)])).toBeLessThan(1.01);
    // Means 5 apart: between-variance 12.5 over within 1.
    expect(rHat([part(0), part(5)])).toBeCloseTo(Math.sqrt(1 + 12.5), 0);
    expect(rHat([new Float64Array(5), new Float64Array(5)])).toBe(1);
  });

  it("of a chain sees walkers that have not arrived", async () => {
    const density = each(1, (x) => -0.5 * x[0]! ** 2);
    const start = spread(12, 1).map((value) => 30 + 0.01 * value);
    const [early] = await sample(density, { d: 1, walkers: 12, start, steps: 60, burn: 0, rng: makeRng(1) });
    const [late] = await sample(density, { d: 1, walkers: 12, start, steps: 600, burn: 300, rng: makeRng(1) });
    expect(convergence(early!).rHat).toBeGreaterThan(1.3);
    expect(convergence(late!).rHat).toBeLessThan(1.1);
  });
});
