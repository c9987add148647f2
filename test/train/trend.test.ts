import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { makeRng } from "../../src/rng.ts";
import { fitTrend, noTrend, withoutTrend } from "../../src/train/index.ts";
import { symmetricEigen } from "../../src/train/trend.ts";

/** Solves a x = b by elimination with pivoting. */
function solve(a: readonly (readonly number[])[], b: readonly number[]): number[] {
  const n = b.length;
  const rows = a.map((row, i) => [...row, b[i]!]);
  for (let c = 0; c < n; c++) {
    let pivot = c;
    for (let r = c; r < n; r++) if (Math.abs(rows[r]![c]!) > Math.abs(rows[pivot]![c]!)) pivot = r;
    [rows[c], rows[pivot]] = [rows[pivot]!, rows[c]!];
    for (let r = 0; r < n; r++) {
      if (r === c) continue;
      const factor = rows[r]![c]! / rows[c]![c]!;
      for (let k = c; k <= n; k++) rows[r]![k]! -= factor * rows[c]![k]!;
    }
  }
  return rows.map((row, i) => row[n]! / row[i]!);
}

interface Table {
  readonly x: Float32Array;
  readonly z: Float32Array;
  readonly inputs: number;
  readonly size: number;
  readonly rows: number;
}

function table(rows: number, inputs: number, size: number, noise: number, seed: number): Table {
  const rng = makeRng(seed);
  const x = Float32Array.from({ length: rows * inputs }, () => rng.normal() + 0.3);
  const slopes = Array.from({ length: inputs * size }, () => rng.normal());
  const z = new Float32Array(rows * size);
  for (let i = 0; i < rows; i++)
    for (let k = 0; k < size; k++) {
      let value = 0.7 * (k + 1) + noise * rng.normal();
      for (let j = 0; j < inputs; j++) value += slopes[j * size + k]! * x[i * inputs + j]!;
      z[i * size + k] = value;
    }
  return { x, z, inputs, size, rows };
}

/** Ridge regression with a free intercept: minimises sum of squares + penalty |w|^2 over `rows`. */
function ridge({ x, z, inputs, size }: Table, rows: readonly number[], k: number, penalty: number): number[] {
  const n = inputs + 1;
  const gram = Array.from({ length: n }, () => new Array<number>(n).fill(0));
  const right = new Array<number>(n).fill(0);
  for (const i of rows) {
    const row = [...x.subarray(i * inputs, (i + 1) * inputs), 1];
    row.forEach((a, p) => {
      right[p]! += a * z[i * size + k]!;
      row.forEach((c, q) => {
        gram[p]![q]! += a * c;
      });
    });
  }
  for (let j = 0; j < inputs; j++) gram[j]![j]! += penalty;
  return solve(gram, right);
}

describe("symmetricEigen()", () => {
  it("takes any symmetric matrix apart into orthogonal vectors and values", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 }), fc.integer(), (n, seed) => {
        const rng = makeRng(seed);
        const matrix = new Float64Array(n * n);
        for (let i = 0; i < n; i++)
          for (let j = 0; j <= i; j++) matrix[i * n + j] = matrix[j * n + i] = rng.normal() * 10 ** (i - j);
        const scale = Math.max(...matrix.map(Math.abs));
        const { values, vectors } = symmetricEigen(matrix, n);
        for (let i = 0; i < n; i++)
          for (let j = 0; j < n; j++) {
            let product = 0;
            let back = 0;
            for (let e = 0; e < n; e++) {
              product += vectors[e * n + i]! * vectors[e * n + j]!;
              back += values[e]! * vectors[i * n + e]! * vectors[j * n + e]!;
            }
            expect(Math.abs(product - Number(i === j))).toBeLessThan(1e-12);
            expect(Math.abs(back - matrix[i * n + j]!) / scale).toBeLessThan(1e-12);
          }
      }),
    );
  });
});

describe("fitTrend()", () => {
  it("finds slopes and offset of a linear table", () => {
    const { x, z, inputs } = table(30, 3, 2, 0, 150);
    const rest = withoutTrend(
      fitTrend(
        x,
        z,
        inputs,
        Int32Array.from({ length: 30 }, (_, i) => i),
      ),
      x,
      z,
      inputs,
    );
    // What is left is rounding and the least ridge, in units of at least 1e-3.
    for (const value of rest) expect(Math.abs(value)).toBeLessThan(0.02);
  });

  it("is the ridge regression that leaves the least error on runs left out one by one", () => {
    for (const noise of [0.1, 1, 10]) {
      const data = table(14, 4, 2, noise, 151);
      const rows = Array.from({ length: data.rows }, (_, i) => i);
      const trend = fitTrend(data.x, data.z, data.inputs, rows);
      const candidates = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1, 10].map((constant) => {
        const penalty = constant * data.rows;
        const scale = Array.from({ length: data.size }, (_, k) => {
          const squares = rows.map((left) => {
            const w = ridge(
              data,
              rows.filter((row) => row !== left),
              k,
              penalty,
            );
            let predicted = w[data.inputs]!;
            for (let j = 0; j < data.inputs; j++) predicted += w[j]! * data.x[left * data.inputs + j]!;
            return (data.z[left * data.size + k]! - predicted) ** 2;
          });
          return Math.sqrt(squares.reduce((a, c) => a + c, 0) / data.rows);
        });
        return { penalty, scale, score: scale.reduce((sum, value) => sum + Math.log(value), 0) };
      });
      const best = candidates.reduce((a, c) => (c.score < a.score ? c : a));
      best.scale.forEach((value, k) => {
        expect(trend.scale[k]! / value).toBeCloseTo(1, 6);
        const w = ridge(data, rows, k, best.penalty);
        for (let j = 0; j < data.inputs; j++) expect(trend.weights[j * data.size + k]).toBeCloseTo(w[j]!, 6);
        expect(trend.bias[k]).toBeCloseTo(w[data.inputs]!, 6);
      });
    }
  });

  it("looks at the given rows alone", () => {
    const { x, z, inputs } = table(20, 2, 1, 0.5, 152);
    const rows = [0, 2, 4, 6, 8, 10, 12];
    const spoilt = z.map((value, i) => (rows.includes(i) ? value : Number.NaN));
    expect(fitTrend(x, spoilt, inputs, rows)).toEqual(fitTrend(x, z, inputs, rows));
  });

  it("bears inputs that repeat each other, and fewer runs than inputs", () => {
    const { x, z } = table(5, 8, 1, 0.1, 153);
    for (let i = 0; i < 5; i++) x[i * 8 + 1] = x[i * 8]!;
    const trend = fitTrend(x, z, 8, [0, 1, 2, 3, 4]);
    for (const value of [...trend.weights, ...trend.bias, ...trend.scale]) expect(Number.isFinite(value)).toBe(true);
  });
});

describe("withoutTrend()", () => {
  it("undoes z = rest * scale + x weights + bias", () => {
    const { x, z, inputs, size } = table(6, 2, 3, 1, 154);
    const trend = fitTrend(x, z, inputs, [0, 1, 2, 3, 4, 5]);
    const rest = withoutTrend(trend, x, z, inputs);
    for (let i = 0; i < 6; i++)
      for (let k = 0; k < size; k++) {
        let value = rest[i * size + k]! * trend.scale[k]! + trend.bias[k]!;
        for (let j = 0; j < inputs; j++) value += x[i * inputs + j]! * trend.weights[j * size + k]!;
        expect(value).toBeCloseTo(z[i * size + k]!, 5);
      }
  });

  it("changes nothing without a trend", () => {
    const { x, z, inputs, size } = table(6, 2, 3, 1, 155);
    expect(withoutTrend(noTrend(inputs, size), x, z, inputs)).toEqual(z);
  });
});
