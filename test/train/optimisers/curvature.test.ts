/** The compact representation against the two-loop recursion (Nocedal & Wright 2006, algorithm 7.4), and the engine's products. */
import { describe, expect, it } from "vitest";
import { getEngine } from "../../../src/engine/index.ts";
import { makeRng } from "../../../src/rng.ts";
import { curvature, type Place, plainProducts } from "../../../src/train/optimisers/curvature.ts";
import { engineProducts } from "../../../src/train/pair-products.ts";

interface Pair {
  readonly s: Float32Array;
  readonly y: Float32Array;
}

/** Steps on a convex quadratic of random curvatures, so that s'y > 0. */
function drawPairs(
  count: number,
  size: number,
  seed: number,
): { readonly pairs: Pair[]; readonly gradient: Float32Array } {
  const rng = makeRng(seed);
  const normals = (): Float32Array => Float32Array.from({ length: size }, () => rng.normal());
  const stiffness = Float32Array.from({ length: size }, () => 10 ** (2 * rng.uniform() - 1));
  const pairs = Array.from({ length: count }, () => {
    const s = normals();
    return { s, y: s.map((value, i) => stiffness[i]! * value) };
  });
  return { pairs, gradient: normals() };
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((sum, v, i) => sum + v * b[i]!, 0);

/** -H g by the two loops in float64, pairs oldest first. */
function twoLoops(pairs: readonly Pair[], gradient: Float32Array): Float64Array {
  let q = Float64Array.from(gradient);
  const alphas = [...pairs].reverse().map(({ s, y }) => {
    const alpha = dot(s, q) / dot(s, y);
    q = q.map((value, i) => value - alpha * y[i]!);
    return alpha;
  });
  const last = pairs.at(-1);
  if (last !== undefined) q = q.map((value) => (value * dot(last.s, last.y)) / dot(last.y, last.y));
  pairs.forEach(({ s, y }, k) => {
    const beta = dot(y, q) / dot(s, y);
    q = q.map((value, i) => value + (alphas[pairs.length - 1 - k]! - beta) * s[i]!);
  });
  return q.map((value) => -value);
}

function expectClose(found: Float32Array, wanted: Float64Array, tolerance: number): void {
  const size = Math.sqrt(dot(wanted, wanted));
  expect(size).toBeGreaterThan(0);
  expect(
    Math.sqrt(
      dot(
        found.map((v, i) => v - wanted[i]!),
        found.map((v, i) => v - wanted[i]!),
      ),
    ) / size,
  ).toBeLessThan(tolerance);
}

/** A move by `s` in which the gradient changes by `y`. */
function moveOf(s: Float32Array, y: Float32Array): [Place, Place] {
  const zero = new Float32Array(s.length);
  return [
    { point: zero, gradient: zero },
    { point: s, gradient: y },
  ];
}

describe("curvature()", () => {
  it.each([0, 1, 3, 5, 12])("gives the direction of the two loops over the last 5 of %d pairs", async (count) => {
    const { pairs, gradient } = drawPairs(count, 40, count + 1);
    const known = curvature(5, 40, plainProducts(5, 40));
    for (const { s, y } of pairs) expect(await known.add(...moveOf(s, y))).toBe(true);
    const out = new Float32Array(40);
    await known.directionInto(out, gradient);
    expect(known.pairs).toBe(Math.min(5, count));
    expectClose(out, twoLoops(pairs.slice(-5), gradient), 1e-5);
  });

  it("keeps no pair along which the gradient does not rise, and forgets all when told", async () => {
    const { pairs, gradient } = drawPairs(2, 10, 4);
    const known = curvature(5, 10, plainProducts(5, 10));
    const [first, second] = pairs as [Pair, Pair];
    await known.add(...moveOf(first.s, first.y));
    expect(
      await known.add(
        ...moveOf(
          second.s,
          second.y.map((v) => -v),
        ),
      ),
    ).toBe(false);
    const out = new Float32Array(10);
    await known.directionInto(out, gradient);
    expectClose(out, twoLoops([first], gradient), 1e-5);
    known.clear();
    expect(known.pairs).toBe(0);
    await known.directionInto(out, gradient);
    expect(out).toEqual(gradient.map((v) => -v));
  });

  it.each(["onnxruntime", "tfjs"] as const)("gives the same by the products of %s", async (name) => {
    const [memory, size] = [4, 1000];
    const { pairs, gradient } = drawPairs(7, size, 9);
    const products = await engineProducts(getEngine(name), memory, size);
    const known = curvature(memory, size, products);
    for (const { s, y } of pairs) await known.add(...moveOf(s, y));
    const out = new Float32Array(size);
    await known.directionInto(out, gradient);
    await products.dispose();
    expectClose(out, twoLoops(pairs.slice(-memory), gradient), 1e-4);
  });
});
