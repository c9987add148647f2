import { afterAll, describe, expect, it } from "vitest";
import { makeAlgebra } from "../../src/process/index.ts";
import { makeRng } from "../../src/rng.ts";

const algebra = makeAlgebra();
afterAll(() => algebra.dispose());

/** Correlations of points on a line plus a nugget, lower triangle alone; and a right-hand side. */
function system(n: number, nugget: number): { readonly a: Float64Array; readonly b: Float64Array } {
  const rng = makeRng(n);
  const x = Float64Array.from({ length: n }, () => rng.uniform());
  const a = new Float64Array(n * n).fill(Number.NaN);
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) a[i * n + j] = Math.exp(-3 * Math.abs(x[i]! - x[j]!)) + (i === j ? nugget : 0);
  return { a, b: x.map((v) => Math.sin(9 * v)) };
}

/** Largest part of a x - b. */
function worstResidual(a: Float64Array, x: Float64Array, b: Float64Array): number {
  const n = b.length;
  return Math.max(
    ...b.map((value, i) => {
      let sum = -value;
      for (let j = 0; j < n; j++) sum += a[Math.max(i, j) * n + Math.min(i, j)]! * x[j]!;
      return Math.abs(sum);
    }),
  );
}

describe("makeAlgebra()", () => {
  it.each([1, 47, 160, 161, 320, 431])("solves with a matrix of %d rows", async (n) => {
    const { a, b } = system(n, 0.1);
    const x = await algebra.solve(a, n, b);
    expect(worstResidual(a, x!, b)).toBeLessThan(1e-12);
  });

  it("solves with no matrix that is not positive definite, in the first block or the last", async () => {
    for (const at of [0, 399]) {
      const { a, b } = system(400, 0.1);
      a[at * 400 + at] = -1;
      expect(await algebra.solve(a, 400, b)).toBeUndefined();
    }
  });
});
