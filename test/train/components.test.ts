/** Components of fields against matrices whose components are known. */
import { describe, expect, it } from "vitest";
import { getEngine } from "../../src/engine/index.ts";
import { makeRng } from "../../src/rng.ts";
import { fieldComponents } from "../../src/train/components.ts";

const engine = getEngine("onnxruntime");
const [rows, size] = [90, 120];
const find = (targets: Float32Array) => fieldComponents(engine, targets, rows, makeRng(2));

/** Orthonormal cosines (DCT-II). */
const cosine = (k: number, j: number, length: number): number =>
  Math.sqrt((k === 0 ? 1 : 2) / length) * Math.cos((Math.PI * k * (j + 0.5)) / length);

/** A matrix with given singular values; its directions are cosines 3, 4, .. of the outputs. */
function matrixOf(values: readonly number[]): Float32Array {
  return Float32Array.from({ length: rows * size }, (_, i) => {
    const [row, j] = [Math.floor(i / size), i % size];
    return values.reduce((sum, s, k) => sum + s * cosine(k, row, rows) * cosine(k + 3, j, size), 0);
  });
}

describe("fieldComponents()", () => {
  const values = [40, 12, 5, 1.5, 0.5];
  it("finds the directions, their sizes and every run's coefficients", async () => {
    const targets = matrixOf(values);
    const { components, coefficients } = (await find(targets))!;
    const { count, basis, scales } = components;
    expect(count).toBe(5);
    values.forEach((s, k) => {
      expect(scales[k]! * Math.sqrt(rows)).toBeCloseTo(s, 2);
      const along = Array.from({ length: size }, (_, j) => basis[k * size + j]! * cosine(k + 3, j, size));
      expect(Math.abs(along.reduce((a, c) => a + c, 0))).toBeGreaterThan(0.999);
    });
    for (let a = 0; a < count; a++)
      for (let c = 0; c <= a; c++) {
        const dot = Array.from({ length: size }, (_, j) => basis[a * size + j]! * basis[c * size + j]!);
        expect(dot.reduce((p, q) => p + q, 0)).toBeCloseTo(a === c ? 1 : 0, 5);
      }
    for (let i = 0; i < rows * size; i += 37) {
      const [row, j] = [Math.floor(i / size), i % size];
      let made = 0;
      for (let k = 0; k < count; k++) made += coefficients[row * count + k]! * basis[k * size + j]!;
      expect(made).toBeCloseTo(targets[i]!, 4);
    }
  });

  it("is the same for the same seed", async () => {
    const [one, other] = [await find(matrixOf(values)), await find(matrixOf(values))];
    expect(one).toEqual(other);
  });

  it("leaves short fields alone, those that are no sum of half as many, and those that are nothing", async () => {
    const rng = makeRng(3);
    expect(await fieldComponents(engine, matrixOf([1]).slice(0, 30 * 50), 30, rng)).toBeUndefined();
    expect(await find(Float32Array.from({ length: rows * size }, () => rng.normal()))).toBeUndefined();
    expect(await find(new Float32Array(rows * size))).toBeUndefined();
  });

  it("takes no more than there are runs", async () => {
    const few = Float32Array.from({ length: 12 * 400 }, () => makeRng(4).normal());
    const rng = makeRng(5);
    few.forEach((_, i) => (few[i] = rng.normal()));
    expect((await fieldComponents(engine, few, 12, makeRng(6)))!.components.count).toBe(12);
  });
});
