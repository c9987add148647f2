import { describe, expect, it } from "vitest";
import { correlatedLogDensity, errorModes, independentErrors } from "../../../src/analysis/index.ts";
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
    for (const value of modes) expect(Math.abs(sign * value - Math.sqrt(0.8))).toBeLessThan(0.09);
    for (const value of rest) expect(Math.abs(value - 0.2)).toBeLessThan(0.06);
  });

  it("grows errors to those that were found, and shrinks none below those that are stated", () => {
    const found = [0.3, 2].map((scale) => {
      const rng = makeRng(5);
      const errors = Float64Array.from({ length: 400 * 6 }, () => scale * rng.normal());
      const { rank, modes, rest } = errorModes(errors, 6, makeRng(6), 2);
      return Array.from(rest, (own, j) =>
        modes.subarray(j * rank, (j + 1) * rank).reduce((sum, value) => sum + value * value, own),
      );
    });
    for (const variance of found[0]!) expect(variance).toBeCloseTo(1, 10);
    // 2² = 4, less what the limit of four deviations takes (3 %), and 7 % of a sample of 400.
    for (const variance of found[1]!) expect(Math.abs(variance - 3.9)).toBeLessThan(0.8);
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
    const errors = { rank: 1, modes: Float64Array.of(0.6, 0.8), rest: Float64Array.of(0.64, 0.36) };
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
