import { describe, expect, it } from "vitest";
import {
  centralInterval,
  coverageCurve,
  drawsOf,
  infer,
  type ForwardModel,
  type Measurement,
  physicalDraws,
  type PriorInput,
  rankOf,
  rankWithin,
  shortestInterval,
  temperedStart,
} from "../../../src/analysis/index.ts";
import { makeRng } from "../../../src/rng.ts";

/** y = A x for x in a box, 6 elements of 2 inputs. */
const A = [1, 0.5, 0.2, 1, -1, 0.3, 0.4, -0.7, 1, 1, 0, 2];
const linear: ForwardModel = (x) => {
  const n = x.length / 2;
  const mean = Float64Array.from({ length: n * 6 }, (_, k) => {
    const [i, j] = [Math.floor(k / 6), k % 6];
    return A[2 * j]! * x[2 * i]! + A[2 * j + 1]! * x[2 * i + 1]!;
  });
  return Promise.resolve([{ mean }]);
};
const prior: readonly PriorInput[] = [
  { name: "a", unit: "m", low: -10, high: 10, scale: "linear" },
  { name: "b", unit: "s", low: -10, high: 10, scale: "linear" },
];
const measurement = (values: Float64Array, noise = 0.3): Measurement => ({
  field: "y",
  values,
  noise: () => new Float64Array(6).fill(noise),
});

describe("infer()", () => {
  it("gives the Gaussian posterior of a linear simulator: (A'A)^-1 A'y and noise^2 (A'A)^-1", async () => {
    const values = Float64Array.of(1.2, 0.9, -0.4, -0.3, 2.1, 1.8);
    const [posterior] = await infer({
      prior,
      model: linear,
      measured: [[measurement(values)]],
      rng: makeRng(1),
      steps: 1500,
    });
    let [aa, ab, bb, ay, by] = [0, 0, 0, 0, 0];
    values.forEach((y, j) => {
      const [p, q] = [A[2 * j]!, A[2 * j + 1]!];
      aa += p * p;
      ab += p * q;
      bb += q * q;
      ay += p * y;
      by += q * y;
    });
    const det = aa * bb - ab * ab;
    const expected = [
      { mean: (bb * ay - ab * by) / det, std: 0.3 * Math.sqrt(bb / det) },
      { mean: (aa * by - ab * ay) / det, std: 0.3 * Math.sqrt(aa / det) },
    ];
    expected.forEach(({ mean, std }, j) => {
      const draws = physicalDraws(posterior!, j);
      const got = draws.reduce((sum, value) => sum + value, 0) / draws.length;
      const spread = Math.sqrt(draws.reduce((sum, value) => sum + (value - got) ** 2, 0) / draws.length);
      expect(Math.abs(got - mean)).toBeLessThan(0.1 * std);
      expect(Math.abs(spread / std - 1)).toBeLessThan(0.08);
    });
    expect(posterior!.convergence.rHat).toBeLessThan(1.05);
  });

  it("adds the emulator's variance to the noise", async () => {
    const values = new Float64Array(6);
    const unsure: ForwardModel = async (x) => {
      const [{ mean }] = (await linear(x)) as [{ mean: Float64Array }];
      return [{ mean, std: new Float64Array(mean.length).fill(0.4) }];
    };
    const width = async (model: ForwardModel, noise: number): Promise<number> => {
      const measured = [[measurement(values, noise)]];
      const [posterior] = await infer({ prior, model, measured, rng: makeRng(2), steps: 800 });
      const [low, high] = centralInterval(drawsOf(posterior!, 0), 0.68);
      return high - low;
    };
    // sqrt(0.3^2 + 0.4^2) = 0.5
    expect((await width(unsure, 0.3)) / (await width(linear, 0.5))).toBeCloseTo(1, 1);
    expect((await width(unsure, 0.3)) / (await width(linear, 0.3))).toBeCloseTo(5 / 3, 0.8);
  });

  it("is not drawn to where an emulator states small errors, when those of a run happen to be small", async () => {
    // One element of thirty tells of the input; none errs. With the covariance of each point, ln |S| alone would move the
    // posterior by 29 * 4 * 0.05² = 0.3, six of its standard deviations.
    const size = 30;
    const model: ForwardModel = (x) => {
      const mean = Float64Array.from({ length: x.length * size }, (_, k) => (k % size === 0 ? x[k / size]! : 0));
      const std = mean.map((_, k) => 0.05 * Math.exp(-4 * (x[Math.floor(k / size)]! - 0.5)));
      return Promise.resolve([{ mean, std }]);
    };
    const one: Measurement = {
      field: "y",
      values: Float64Array.from({ length: size }, (_, k) => (k === 0 ? 0.5 : 0)),
      noise: () => new Float64Array(size).fill(0.01),
    };
    const box: readonly PriorInput[] = [{ name: "x", unit: "", low: 0, high: 1, scale: "linear" }];
    const start = Float64Array.from({ length: 32 }, (_, i) => 0.4 + (0.2 * i) / 31);
    const options = { prior: box, model, measured: [[one]], rng: makeRng(11), walkers: 32, steps: 200, start };
    const [posterior] = await infer(options);
    const draws = drawsOf(posterior!, 0);
    expect(draws.reduce((sum, value) => sum + value, 0) / draws.length).toBeCloseTo(0.5, 1);
    const [low, high] = centralInterval(draws, 0.68);
    expect((high - low) / 2).toBeGreaterThan(0.04);
    expect((high - low) / 2).toBeLessThan(0.07);
  });

  it("is calibrated: ranks of truths from the prior are even, and intervals hold what they say", async () => {
    const truths = 150;
    const draw = makeRng(3);
    const narrow = prior.map((input) => ({ ...input, low: -1, high: 1 }));
    const u = Float64Array.from({ length: truths * 2 }, () => draw.uniform());
    const measured: Measurement[][] = [];
    for (let t = 0; t < truths; t++) {
      const [{ mean }] = (await linear(u.slice(2 * t, 2 * t + 2).map((value) => 2 * value - 1))) as [
        { mean: Float64Array },
      ];
      measured.push([
        measurement(
          mean.map((value) => value + 0.8 * draw.normal()),
          0.8,
        ),
      ]);
    }
    const posteriors = await infer({
      prior: narrow,
      model: linear,
      measured,
      rng: makeRng(4),
      walkers: 16,
      steps: 150,
      burn: 40,
    });
    const ranks = posteriors.flatMap((posterior, t) => [0, 1].map((j) => rankOf(drawsOf(posterior, j), u[2 * t + j]!)));
    const within = (level: number): number => ranks.filter((rank) => rankWithin(rank, level)).length / ranks.length;
    // 300 ranks: binomial standard errors of 2.7 % and 1.3 %.
    expect(Math.abs(within(0.68) - 0.68)).toBeLessThan(0.08);
    expect(Math.abs(within(0.95) - 0.95)).toBeLessThan(0.04);
    // Kolmogorov's distance stays below 1.63 / sqrt(n) in 99 of 100 cases; below that with neighbours correlated.
    const sorted = ranks.toSorted((a, b) => a - b);
    const distance = Math.max(...sorted.map((rank, i) => Math.abs(rank - (i + 0.5) / sorted.length)));
    expect(distance).toBeLessThan(1.63 / Math.sqrt(truths));
  });

  it("looks at no element with infinite noise, and asks nothing outside the box", async () => {
    const values = Float64Array.of(1, 1, NaN, NaN, NaN, NaN);
    const asked: number[] = [];
    const model: ForwardModel = (x) => {
      asked.push(...x);
      return linear(x);
    };
    const half: Measurement = {
      field: "y",
      values,
      noise: () => Float64Array.of(0.1, 0.1, Infinity, Infinity, Infinity, Infinity),
    };
    const [posterior] = await infer({ prior, model, measured: [[half]], rng: makeRng(5), steps: 300 });
    // 1 = a + b/2 = a/5 + b
    const draws = physicalDraws(posterior!, 0);
    expect(draws.reduce((sum, value) => sum + value, 0) / draws.length).toBeCloseTo(1 / 1.8, 1);
    expect(Math.max(...asked.map(Math.abs))).toBeLessThanOrEqual(10);
  });
});

describe("temperedStart()", () => {
  it("finds both of two narrow peaks far apart, about half of the walkers each", async () => {
    const peak = (x: number, at: number): number => Math.exp(-0.5 * ((x - at) / 0.004) ** 2);
    const start = await temperedStart(
      (points, ensemble) =>
        Promise.resolve(
          Float64Array.from(ensemble, (_, i) => {
            const [x, y] = [points[2 * i]!, points[2 * i + 1]!];
            if (x < 0 || x > 1 || y < 0 || y > 1) return Number.NEGATIVE_INFINITY;
            return Math.log(peak(x, 0.2) + peak(x, 0.9) + 1e-300) - 0.5 * ((y - 0.5) / 0.01) ** 2;
          }),
        ),
      { d: 2, walkers: 40, ensembles: 4, rng: makeRng(6) },
    );
    const left = Array.from({ length: 160 }, (_, i) => start[2 * i]!).filter((x) => Math.abs(x - 0.2) < 0.02).length;
    const right = Array.from({ length: 160 }, (_, i) => start[2 * i]!).filter((x) => Math.abs(x - 0.9) < 0.02).length;
    expect(left + right).toBe(160);
    expect(left).toBeGreaterThan(40);
    expect(right).toBeGreaterThan(40);
  });
});

describe("intervals", () => {
  it("cut a normal at its quantiles, and an exponential at its dense end", () => {
    const rng = makeRng(7);
    const normal = Float64Array.from({ length: 40_000 }, () => rng.normal());
    const [low, high] = centralInterval(normal, 0.95);
    expect(low).toBeCloseTo(-1.96, 1);
    expect(high).toBeCloseTo(1.96, 1);
    const decay = normal.map(() => -Math.log(1 - rng.uniform()));
    const [near, far] = shortestInterval(decay, 0.68);
    expect(near).toBeLessThan(0.02);
    expect(far).toBeCloseTo(-Math.log(0.32), 1);
    expect(centralInterval(decay, 0.68)[0]).toBeCloseTo(-Math.log(0.84), 1);
    expect(rankOf(Float64Array.of(1, 2, 3, 4), 3)).toBe(0.625);
  });
});

describe("coverageCurve()", () => {
  it("is the share of truths inside the intervals of each level", () => {
    // z of 1.6449 at 90 % and 0.6745 at 50 %: half-widths of a unit normal.
    const quantiles = [
      { level: 0.5, factor: 0.6745 },
      { level: 0.9, factor: 1.6449 },
    ];
    const rng = makeRng(8);
    const n = 20_000;
    const mean = Float64Array.from({ length: n }, () => rng.normal());
    const truth = mean.map((value) => value + rng.normal());
    const zero = new Float64Array(n);
    const prediction = {
      field: "y",
      mean,
      std: zero,
      noise: zero,
      lower: mean.map((value) => value - 1.6449),
      upper: mean.map((value) => value + 1.6449),
    };
    const [half, most] = coverageCurve(prediction, truth, { quantiles }, 0.9, "linear", [0.5, 0.9]);
    expect(half).toBeCloseTo(0.5, 1.5);
    expect(most).toBeCloseTo(0.9, 1.5);
    const exp = (values: Float64Array): Float64Array => values.map(Math.exp);
    const log = { ...prediction, mean: exp(mean), lower: exp(prediction.lower), upper: exp(prediction.upper) };
    expect(coverageCurve(log, exp(truth), { quantiles }, 0.9, "log", [0.5, 0.9])).toEqual([half, most]);
  });
});
