import { describe, expect, it } from "vitest";
import {
  calibratedErrors,
  drawsOf,
  type ErrorModes,
  type ForwardModel,
  infer,
  type KnownRun,
  type Measurement,
  type PriorInput,
  rankOf,
  rankWithin,
} from "../../../src/analysis/index.ts";
import { makeRng, type Rng } from "../../../src/rng.ts";

const unit = (name: string): PriorInput => ({ name, unit: "", low: 0, high: 1, scale: "linear" });

/** An emulator of y_j = 1 + slopes_j x that states `std`; its simulator differs from it by what a test draws. */
const linear =
  (slopes: readonly (readonly number[])[], std: number): ForwardModel =>
  (x) => {
    const d = slopes[0]!.length;
    const mean = Float64Array.from({ length: (x.length / d) * slopes.length }, (_, k) => {
      const i = Math.floor(k / slopes.length);
      return slopes[k % slopes.length]!.reduce((sum, slope, j) => sum + slope * x[i * d + j]!, 1);
    });
    return Promise.resolve([{ mean, std: new Float64Array(mean.length).fill(std) }]);
  };

/** Fresh runs of the simulator: the emulator's mean plus errors. */
async function fresh(
  model: ForwardModel,
  d: number,
  count: number,
  rng: Rng,
  error: () => readonly number[],
  noise: (values: Float64Array) => Float64Array,
): Promise<KnownRun[]> {
  const runs: KnownRun[] = [];
  for (let i = 0; i < count; i++) {
    const u = Float64Array.from({ length: d }, () => rng.uniform());
    const [{ mean }] = (await model(u)) as [{ mean: Float64Array }];
    const errors = error();
    runs.push({ u, fields: [{ field: "y", values: mean.map((value, j) => value + errors[j]!), noise }] });
  }
  return runs;
}

const variances = ({ rank, modes, rest }: ErrorModes): number[] =>
  Array.from(rest, (own, j) =>
    modes.subarray(j * rank, (j + 1) * rank).reduce((sum, value) => sum + value * value, own),
  );

describe("calibratedErrors()", () => {
  // Nine elements that all move as the one input, noise 0.01, stated errors 0.02.
  const nine = linear(
    Array.from({ length: 9 }, () => [1]),
    0.02,
  );
  const noise = (values: Float64Array): Float64Array => new Float64Array(values.length).fill(0.01);

  it("makes errors that are all one in nine elements, but count as independent, sqrt(9) times as large", async () => {
    const rng = makeRng(1);
    const same = (): number[] => new Array<number>(9).fill(0.02 * rng.normal());
    // Rank 0: nothing but the factor can tell. Noise² + (factor 0.02)², over nine, is to be 0.02² + noise² / 9.
    const known = await fresh(nine, 1, 500, rng, same, noise);
    const { rest } = await calibratedErrors([unit("x")], nine, known, makeRng(2), 0);
    for (const variance of rest) expect(Math.abs(Math.sqrt(variance) - 3)).toBeLessThan(0.35);
    // With their mode, they are as large as stated.
    const found = variances(await calibratedErrors([unit("x")], nine, known, makeRng(2)));
    for (const variance of found) expect(Math.abs(Math.sqrt(variance) - 1)).toBeLessThan(0.1);
  });

  it("leaves honest errors alone, and makes none smaller than stated", async () => {
    for (const [scale, most] of [
      [1, 1.1],
      [0.2, 1 + 1e-9],
    ] as const) {
      const rng = makeRng(3);
      const own = (): number[] => Array.from({ length: 9 }, () => scale * 0.02 * rng.normal());
      const known = await fresh(nine, 1, 500, rng, own, noise);
      const found = variances(await calibratedErrors([unit("x")], nine, known, makeRng(4), 2));
      expect(Math.min(...found)).toBeGreaterThanOrEqual(1 - 1e-9);
      expect(Math.sqrt(Math.max(...found))).toBeLessThan(most);
    }
  });

  it("looks at no element with infinite noise", async () => {
    const rng = makeRng(5);
    const half = (values: Float64Array): Float64Array => values.map((_, j) => (j < 4 ? 0.01 : Infinity));
    const error = (): number[] => {
      const common = 0.02 * rng.normal();
      return Array.from({ length: 9 }, (_, j) => (j < 4 ? common : 100 * common));
    };
    const known = await fresh(nine, 1, 200, rng, error, half);
    const { rank, modes, rest } = await calibratedErrors([unit("x")], nine, known, makeRng(6), 1);
    expect(rank).toBe(1);
    for (let j = 0; j < 9; j++) expect(Math.abs(modes[j]!) > 0.5).toBe(j < 4);
    expect(Array.from(rest.subarray(4))).toEqual([1, 1, 1, 1, 1]);
  });

  it("makes posteriors hold the truth as often as they say, where errors that look like other inputs hid in the rest", async () => {
    // Thirty elements of two inputs. The simulator's inputs are off by 0.04: no element errs more than it is stated to.
    const slopes = Array.from({ length: 30 }, (_, j) => [Math.cos(j / 4), Math.sin(j / 4)]);
    const model = linear(slopes, 0.04);
    const rng = makeRng(7);
    const error = (): number[] => {
      const [a, b] = [0.04 * rng.normal(), 0.04 * rng.normal()];
      return slopes.map(([p, q]) => p! * a + q! * b);
    };
    const prior = [unit("a"), unit("b")];
    const known = await fresh(model, 2, 300, rng, error, noise);
    const truths = await fresh(model, 2, 60, rng, error, noise);
    const measured = truths.map(({ fields }): Measurement[] =>
      fields.map((clean) => ({ ...clean, values: clean.values.map((value) => value + 0.01 * rng.normal()) })),
    );
    const coverage = async (errors?: ErrorModes): Promise<(level: number) => number> => {
      const posteriors = await infer({
        ...{ prior, model, measured, rng: makeRng(8), walkers: 10, steps: 60, burn: 20 },
        ...(errors === undefined ? {} : { errors }),
      });
      const ranks = posteriors.flatMap((posterior, t) =>
        [0, 1].map((j) => rankOf(drawsOf(posterior, j), truths[t]!.u[j]!)),
      );
      return (level) => ranks.filter((rank) => rankWithin(rank, level)).length / ranks.length;
    };
    // 120 ranks: binomial standard errors of 4.3 % and 2 %.
    const independent = await coverage();
    expect(independent(0.68)).toBeLessThan(0.4);
    const calibrated = await coverage(await calibratedErrors(prior, model, known, makeRng(9), 0));
    expect(Math.abs(calibrated(0.68) - 0.68)).toBeLessThan(0.13);
    expect(Math.abs(calibrated(0.95) - 0.95)).toBeLessThan(0.06);
  });
});
