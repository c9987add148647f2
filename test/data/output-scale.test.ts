/** Scales of outputs: there and back, and moments against Monte Carlo's limit, the trapezoidal rule. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  fromLearned,
  middleOf,
  type OutputScale,
  outputScales,
  powerOf,
  slopeAt,
  toLearned,
  unlearnedMoments,
} from "../../src/data/index.ts";

const positive = fc.double({ min: 1e-6, max: 1e6, noNaN: true });

test.each(outputScales)("%s: there and back", (scale) => {
  fc.assert(
    fc.property(positive, (value) => {
      expect(fromLearned(scale, toLearned(scale, value)) / value).toBeCloseTo(1, 9);
    }),
  );
});

test.each(outputScales)("%s: the slope is that of a small step", (scale) => {
  fc.assert(
    fc.property(positive, (value) => {
      const z = toLearned(scale, value);
      const step = 1e-5 * Math.max(1e-3, Math.abs(z));
      const rise = (fromLearned(scale, z + step) - fromLearned(scale, z - step)) / (2 * step);
      expect(slopeAt(scale, value) / rise).toBeCloseTo(1, 4);
    }),
  );
});

test("a root below 0 counts as 0", () => {
  expect(fromLearned("sqrt", -3)).toBe(0);
  expect(fromLearned("fourth-root", -3)).toBe(0);
  expect(unlearnedMoments("sqrt", -3, 0)).toEqual({ mean: 0, std: 0 });
});

describe("moments of what is learned as normal", () => {
  const density = (t: number): number => Math.exp((-t * t) / 2) / Math.sqrt(2 * Math.PI);
  test.each([
    ["linear", 1.5, 0.7],
    ["sqrt", 1.5, 0.7],
    ["sqrt", 0, 0.4],
    ["fourth-root", 2, 0.3],
    ["fourth-root", 0.5, 1],
    ["log", 0.3, 0.5],
  ] as const)("%s, mean %d, standard deviation %d", (scale, mean, std) => {
    const power = powerOf(scale);
    const raw = (z: number): number => (power === undefined ? Math.exp(z) : z ** power);
    let [first, second] = [0, 0];
    const step = 1 / 256;
    for (let t = -12; t <= 12; t += step) {
      const y = raw(mean + std * t);
      first += step * density(t) * y;
      second += step * density(t) * y * y;
    }
    const found = unlearnedMoments(scale, mean, std);
    expect(found.mean / first).toBeCloseTo(1, 8);
    expect(found.std / Math.sqrt(second - first * first)).toBeCloseTo(1, 8);
  });
});

describe("the middle and half width of an interval", () => {
  /** What an emulator says where the learned quantity is normal. */
  const said = (scale: OutputScale, mean: number, std: number, factor: number) => ({
    lower: fromLearned(scale, mean - factor * std),
    upper: fromLearned(scale, mean + factor * std),
    ...unlearnedMoments(scale, mean, std),
  });
  test.each([
    ["linear", -1, 2],
    ["log", -1, 2],
    ["sqrt", 3, 1],
    ["sqrt", 0.6, 0.5],
    ["sqrt", 0.01, 0.5],
    ["fourth-root", 3, 1],
    ["fourth-root", 0.6, 0.5],
    ["fourth-root", 0.01, 0.5],
  ] as const)("%s, middle %d, standard deviation %d: as it was before it was cut", (scale, mean, std) => {
    const [middle, half] = middleOf(scale, said(scale, mean, std, 1.7), 1.7);
    expect(middle).toBeCloseTo(mean, 4);
    expect(half).toBeCloseTo(1.7 * std, 4);
  });

  test("hold 0 where the middle lies below it", () => {
    for (const scale of ["sqrt", "fourth-root"] as const) {
      const [middle, half] = middleOf(scale, said(scale, -0.2, 0.5, 1.7), 1.7);
      expect(middle).toBeCloseTo(-0.2, 4);
      expect(half).toBeCloseTo(0.85, 4);
    }
  });

  test("of nothing at all is nothing", () => {
    expect(middleOf("sqrt", { lower: 0, upper: 0, mean: 0, std: 0 }, 2)).toEqual([0, 0]);
  });
});
