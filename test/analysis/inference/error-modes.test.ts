import { describe, expect, it } from "vitest";
import { correlatedLogDensity, errorModes, independentErrors, mixedLogDensity } from "../../../src/analysis/index.ts";
import { makeRng } from "../../../src/rng.ts";

describe("errorModes()", () => {
  it("finds what errors have in common, and leaves the rest", () => {
    // Errors: one smooth pattern with variance 0.8 an element, and 0.2 of its own each.
    const rng = makeRng(1);
    const [n, size] = [400, 30];
    const errors = new Float64Array(n * size);
    for (let i = 0; i < n; i++) {
      const common = rng.normal();
      for (let j = 0; j < size; j++) errors[i * size + j] = Math.sqrt(0.8) * common + Math.sqrt(0.2) * rng.normal();
    }
    const { rank, modes, rest } = errorModes(errors, size, makeRng(2), 1);
    expect(rank).toBe(1);
    const sign = Math.sign(modes[0]!);
    for (const value of modes) expect(sign * value).toBeCloseTo(Math.sqrt(0.8), 1);
    for (const value of rest) expect(Math.abs(value - 0.2)).toBeLessThan(0.06);
  });

  it("takes one bad run, and numbers that are none, for no pattern", () => {
    const rng = makeRng(3);
    const errors = Float64Array.from({ length: 200 * 10 }, () => rng.normal());
    errors.fill(1e6, 0, 10);
    errors[55] = NaN;
    const { rest } = errorModes(errors, 10, makeRng(4), 1);
    expect(Math.min(...rest)).toBeGreaterThan(0.5);
  });
});

describe("correlatedLogDensity()", () => {
  it("is the normal of noise² + std (mode mode' + rest) std", () => {
    // Two elements: noise 0.5 and 1, std 2 and 1, mode (0.6, 0.8), rest (0.64, 0.36): covariance
    // [[0.25 + 4, 0.96], [0.96, 2]], whose determinant is 7.5784.
    const errors = {
      ...independentErrors,
      rank: 1,
      modes: Float64Array.of(0.6, 0.8),
      rest: Float64Array.of(0.64, 0.36),
    };
    const [noise, std] = [Float64Array.of(0.5, 1), Float64Array.of(2, 1)];
    const [a, b] = [1.5, -0.7];
    const found = correlatedLogDensity(Float64Array.of(a, b), noise, std, Int32Array.of(0, 1), errors);
    const quadratic = (2 * a * a - 2 * 0.96 * a * b + 4.25 * b * b) / 7.5784;
    expect(found).toBeCloseTo(-0.5 * (quadratic + Math.log(7.5784)), 10);
    // The second element alone.
    const one = correlatedLogDensity(Float64Array.of(b), noise.slice(1), std.slice(1), Int32Array.of(1), errors);
    expect(one).toBeCloseTo(-0.5 * ((b * b) / 2 + Math.log(2)), 10);
  });

  it("is independent errors where there are no modes", () => {
    const found = correlatedLogDensity(
      Float64Array.of(1),
      Float64Array.of(3),
      Float64Array.of(4),
      Int32Array.of(0),
      independentErrors,
    );
    expect(found).toBeCloseTo(-0.5 * (1 / 25 + Math.log(25)), 12);
  });
});

describe("mixedLogDensity()", () => {
  it("is the mean over the scales of normals whose spread the scale multiplies", () => {
    const errors = { ...independentErrors, scales: Float64Array.of(1, 3) };
    const one = (value: number): Float64Array => Float64Array.of(value);
    const found = mixedLogDensity(one(2), one(0.5), one(1), Int32Array.of(0), errors);
    const normal = (variance: number): number => Math.exp(-2 / variance) / Math.sqrt(variance);
    expect(found).toBeCloseTo(Math.log((normal(0.25 + 1) + normal(0.25 + 9)) / 2), 12);
  });

  it("knows from fresh runs whether some err more as a whole than others", () => {
    const size = 40;
    const drawn = (scale: (run: number) => number): Float64Array => {
      const rng = makeRng(6);
      return Float64Array.from({ length: 300 * size }, (_, i) => scale(Math.floor(i / size)) * rng.normal());
    };
    const alike = errorModes(
      drawn(() => 1),
      size,
      makeRng(7),
      2,
    ).scales;
    expect(alike[0]).toBeGreaterThan(0.8);
    expect(alike.at(-1)).toBeLessThan(1.2);
    const apart = errorModes(
      drawn((run) => (run % 3 === 0 ? 2 : 0.2)),
      size,
      makeRng(7),
      2,
    ).scales;
    expect(apart.at(-1)! / apart[0]!).toBeGreaterThan(5);
  });
});
