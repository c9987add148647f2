import { describe, expect, it } from "vitest";
import { makeAlgebra } from "../../src/process/cholesky.ts";
import { contestantsOf } from "../../src/process/contest.ts";
import { optimism } from "../../src/process/optimism.ts";
import type { Problem } from "../../src/process/posterior.ts";
import { makeRng } from "../../src/rng.ts";

/** Friedman's function (1991) of five standardised inputs at n uniform points. */
function friedman(n: number): Problem {
  const rng = makeRng(4);
  const d = 5;
  const u = Float64Array.from({ length: n * d }, () => rng.uniform());
  const y = Float64Array.from({ length: n }, (_, i) => {
    const [a = 0, b = 0, c = 0, e = 0, f = 0] = u.subarray(i * d, i * d + d);
    return (10 * Math.sin(Math.PI * a * b) + 20 * (c - 0.5) ** 2 + 10 * e + 5 * f - 14.4) / 5;
  });
  const x = u.map((v) => (v - 0.5) * Math.sqrt(12));
  return { x, y, h: new Float64Array(n).fill(1), n, d, q: 1, ranges: new Float64Array(d).fill(Math.sqrt(12)) };
}

const options = { families: [{ name: "matern52", anova: true }], budget: { starts: 2 } } as const;

describe("optimism()", () => {
  it("sees that parameters chosen with few runs flatter them, the same for the same seed", async () => {
    const problem = friedman(40);
    const algebra = makeAlgebra();
    const contestants = await contestantsOf(problem, algebra, options, makeRng(1));
    const factor = await optimism(problem, contestants, [1], false, algebra, makeRng(2));
    expect(factor).toBeGreaterThan(1.05);
    expect(factor).toBeLessThanOrEqual(3);
    expect(await optimism(problem, contestants, [1], false, algebra, makeRng(2))).toBe(factor);
    // A contestant without weight has no say.
    const twice = [...contestants, ...contestants];
    expect(await optimism(problem, twice, [1, 0], false, algebra, makeRng(2))).toBe(factor);
    // Two that are the same are one, however they are weighted.
    expect(await optimism(problem, twice, [0.5, 0.5], true, algebra, makeRng(2))).toBeCloseTo(factor, 6);
    await algebra.dispose();
  });

  it("is 1 where runs are many, or too few to be split", async () => {
    const algebra = makeAlgebra();
    expect(await optimism(friedman(301), [], [], false, algebra, makeRng(2))).toBe(1);
    expect(await optimism(friedman(9), [], [], false, algebra, makeRng(2))).toBe(1);
    await algebra.dispose();
  });
});
