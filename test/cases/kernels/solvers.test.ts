import { expect, test } from "vitest";
import {
  bilinearAt,
  bisect,
  brent,
  dormandPrince,
  gaussHermite,
  gaussLegendre,
  gaussianConvolveInto,
  linearAt,
  makeRk4,
  monotoneCubic,
  SIGMA_PER_FWHM,
  solveBanded,
  solveDense,
  solveTridiagonal,
} from "../../../cases/kernels/index.ts";
import { makeRng } from "../../../src/rng.ts";

const moment = ({ nodes, weights }: { nodes: Float64Array; weights: Float64Array }, power: number): number =>
  nodes.reduce((sum, x, i) => sum + weights[i]! * x ** power, 0);

test.each([1, 2, 5, 16, 96, 200])("gaussLegendre(%i) is exact to degree 2n - 1", (n) => {
  const rule = gaussLegendre(n);
  for (const power of [0, 1, Math.min(2, 2 * n - 2), 2 * n - 2]) {
    expect(moment(rule, power)).toBeCloseTo(power % 2 ? 0 : 2 / (power + 1), 12);
  }
  expect([...rule.nodes]).toEqual([...rule.nodes].sort((a, b) => a - b));
  expect(moment(gaussLegendre(n, 1, 4), 0)).toBeCloseTo(3, 12);
});

test("gaussLegendre(5) has the published nodes and weights", () => {
  const { nodes, weights } = gaussLegendre(5); // Abramowitz & Stegun, table 25.4
  expect(nodes[4]).toBeCloseTo(0.906179845938664, 14);
  expect(weights[4]).toBeCloseTo(0.236926885056189, 14);
  expect(weights[2]).toBeCloseTo(0.568888888888889, 14);
});

test.each([1, 3, 7, 20])("gaussHermite(%i) has the moments of exp(-x²)", (n) => {
  const rule = gaussHermite(n);
  expect(moment(rule, 0)).toBeCloseTo(Math.sqrt(Math.PI), 12);
  expect(moment(rule, 1)).toBeCloseTo(0, 12);
  expect(n === 1 ? Math.sqrt(Math.PI) / 2 : moment(rule, 2)).toBeCloseTo(Math.sqrt(Math.PI) / 2, 12);
});

test("gaussHermite(7) has the published nodes and weights", () => {
  const { nodes, weights } = gaussHermite(7); // Abramowitz & Stegun, table 25.10
  expect(nodes[6]).toBeCloseTo(2.651961356835233, 13);
  expect(weights[6]! / 9.71781245099519e-4).toBeCloseTo(1, 11);
});

test("solveTridiagonal(), solveBanded() and solveDense() solve the same system, also in place", () => {
  const rng = makeRng(3);
  const n = 12;
  const draw = (): Float64Array => Float64Array.from({ length: n }, () => rng.normal());
  const [lower, upper, rhs] = [draw(), draw(), draw()];
  const diagonal = Float64Array.from({ length: n }, () => 5 + rng.uniform());
  const full = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    full[i * n + i] = diagonal[i]!;
    if (i > 0) full[i * n + i - 1] = lower[i]!;
    if (i < n - 1) full[i * n + i + 1] = upper[i]!;
  }
  const x = new Float64Array(n);
  solveTridiagonal(lower, diagonal, upper, rhs, x, new Float64Array(n));
  const banded = rhs.slice();
  solveBanded(full.slice(), banded, 1, 1);
  const dense = rhs.slice();
  expect(solveDense(full, dense)).toBe(true);
  for (let i = 0; i < n; i++) {
    expect(x[i]).toBeCloseTo(dense[i]!, 13);
    expect(banded[i]).toBeCloseTo(dense[i]!, 13);
  }
  solveTridiagonal(lower, diagonal, upper, rhs, rhs, new Float64Array(n));
  expect([...rhs]).toEqual([...x]);
});

test("solveDense() pivots, inverts a random system and reports a singular one", () => {
  const needsPivot = Float64Array.from([0, 1, 2, 0]);
  const b = Float64Array.from([3, 4]);
  expect(solveDense(needsPivot, b)).toBe(true);
  expect([...b]).toEqual([2, 3]);
  const rng = makeRng(8);
  const a = Float64Array.from({ length: 27 * 27 }, () => rng.normal());
  const wanted = Float64Array.from({ length: 27 }, () => rng.normal());
  const product = Float64Array.from(wanted, (_, i) => wanted.reduce((sum, x, j) => sum + a[i * 27 + j]! * x, 0));
  solveDense(a.slice(), product);
  for (let i = 0; i < 27; i++) expect(product[i]).toBeCloseTo(wanted[i]!, 11);
  expect(solveDense(new Float64Array(4), new Float64Array(2))).toBe(false);
});

test("bisect() and brent() find roots, in any order of signs, and say NaN without a bracket", () => {
  const f = (x: number): number => x ** 3 - 2 * x - 5; // Wallis' root
  expect(bisect(f, 2, 3)).toBeCloseTo(2.0945514815423265, 14);
  expect(brent(f, 2, 3)).toBeCloseTo(2.0945514815423265, 13);
  expect(brent((x) => Math.cos(x), 0, 3)).toBeCloseTo(Math.PI / 2, 13);
  expect(brent((x) => -Math.exp(x) + 1e-6, -50, 5)).toBeCloseTo(Math.log(1e-6), 11);
  expect(bisect((x) => x, 0, 1)).toBe(0);
  expect(bisect((x) => x * x + 1, -1, 1)).toBeNaN();
  expect(brent((x) => x * x + 1, -1, 1)).toBeNaN();
});

test("brent() needs far fewer evaluations than bisection", () => {
  let count = 0;
  brent((x) => (count++, Math.tanh(x - 0.3) + 0.01 * (x - 0.3)), -4, 5);
  expect(count).toBeLessThan(20);
});

const oscillator = (_t: number, y: Float64Array, out: Float64Array): void => {
  out[0] = y[1]!;
  out[1] = -y[0]!;
};

test("makeRk4() converges at fourth order", () => {
  const errorWith = (steps: number): number => {
    const y = Float64Array.from([1, 0]);
    const advance = makeRk4(oscillator, 2);
    for (let i = 0; i < steps; i++) advance((i * 2) / steps, y, 2 / steps);
    return Math.abs(y[0]! - Math.cos(2));
  };
  expect(errorWith(40)).toBeLessThan(1e-6);
  expect(Math.log2(errorWith(40) / errorWith(80))).toBeCloseTo(4, 1);
});

test("dormandPrince() meets its tolerance, forwards and backwards, and reports too few steps", () => {
  const y = Float64Array.from([1, 0]);
  expect(dormandPrince(oscillator, 0, 10, y, { relative: 1e-10, absolute: 1e-12 })).toBe(true);
  expect(y[0]).toBeCloseTo(Math.cos(10), 8);
  expect(dormandPrince(oscillator, 10, 0, y, { relative: 1e-10, absolute: 1e-12 })).toBe(true);
  expect(y[0]).toBeCloseTo(1, 8);
  expect(dormandPrince(oscillator, 0, 100, y, { maxSteps: 5 })).toBe(false);
});

test("linearAt() and monotoneCubic() pass through their points, stay within them and clamp outside", () => {
  const xs = Float64Array.from([0, 1, 2, 4, 5]);
  const ys = Float64Array.from([0, 0, 1, 1, 3]);
  const cubic = monotoneCubic(xs, ys);
  for (let i = 0; i < 5; i++) {
    expect(cubic(xs[i]!)).toBeCloseTo(ys[i]!, 14);
    expect(linearAt(xs, ys, xs[i]!)).toBeCloseTo(ys[i]!, 14);
  }
  expect(linearAt(xs, ys, 4.5)).toBeCloseTo(2, 14);
  expect([cubic(-1), cubic(9), linearAt(xs, ys, -1), linearAt(xs, ys, 9)]).toEqual([0, 3, 0, 3]);
  let last = cubic(0);
  for (let x = 0; x <= 5; x += 0.01) {
    const next = cubic(x);
    expect(next).toBeGreaterThanOrEqual(last - 1e-15);
    last = next;
  }
  const line = monotoneCubic(Float64Array.from([0, 1, 3]), Float64Array.from([1, 3, 7]));
  expect(line(0.3)).toBeCloseTo(1.6, 14);
  expect(line(2.2)).toBeCloseTo(5.4, 14);
});

test("bilinearAt() reproduces a bilinear function and clamps at the edges", () => {
  const grid = Float64Array.from(
    { length: 12 },
    (_, i) => 1 + 2 * Math.floor(i / 4) + 3 * (i % 4) + (i % 4) * Math.floor(i / 4),
  );
  expect(bilinearAt(grid, 3, 4, 1.25, 2.5)).toBeCloseTo(1 + 2.5 + 7.5 + 2.5 * 1.25, 13);
  expect(bilinearAt(grid, 3, 4, 2, 3)).toBeCloseTo(grid[11]!, 14);
  expect(bilinearAt(grid, 3, 4, -1, 99)).toBeCloseTo(grid[3]!, 14);
});

test("gaussianConvolveInto() keeps the area, adds widths in quadrature and has the right FWHM", () => {
  const step = 0.05;
  const positions = Float64Array.from({ length: 801 }, (_, i) => -20 + i * step);
  const narrow = positions.map((x) => (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) * step);
  const out = new Float64Array(801);
  gaussianConvolveInto(out, positions, positions, narrow, Math.sqrt(3));
  expect(out.reduce((sum, y) => sum + y * step, 0)).toBeCloseTo(1, 9);
  expect(out[400]).toBeCloseTo(1 / (2 * Math.sqrt(2 * Math.PI)), 12);
  const spike = new Float64Array(2);
  gaussianConvolveInto(spike, [0, 0.5], Float64Array.from([0]), Float64Array.from([1]), SIGMA_PER_FWHM);
  expect(spike[1]! / spike[0]!).toBeCloseTo(0.5, 14);
});
