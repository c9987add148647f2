import { describe, expect, it } from "vitest";
import {
  designs,
  latinHypercube,
  plainSobol,
  randomLatinHypercube,
  sobol,
  SOBOL_DIMENSIONS,
} from "../../src/data/index.ts";
import { makeRng } from "../../src/rng.ts";

const column = (x: Float64Array, d: number, j: number): number[] => [...x].filter((_, i) => i % d === j);

describe("plainSobol()", () => {
  it("starts with the published points", () => {
    // Joe & Kuo's own sobol.cc with new-joe-kuo-6.21201, as in the notes of their web page; scipy.stats.qmc agrees.
    expect([...plainSobol(8, 3)]).toEqual([
      0, 0, 0, 0.5, 0.5, 0.5, 0.75, 0.25, 0.25, 0.25, 0.75, 0.75, 0.375, 0.375, 0.625, 0.875, 0.875, 0.125, 0.625,
      0.125, 0.875, 0.125, 0.625, 0.375,
    ]);
  });

  it("agrees with another program far from the origin and in high dimensions", () => {
    // scipy 1.17.1: qmc.Sobol(100, scramble=False).random(256), times 2^32, columns 1, 10, 31, 63, 99.
    const golden: Record<number, number[]> = {
      100: [1107296256, 1979711488, 1778384896, 2785017856, 3791650816],
      200: [1660944384, 4278190080, 385875968, 1526726656, 2432696320],
      255: [4278190080, 587202560, 721420288, 1459617792, 1962934272],
    };
    const x = plainSobol(256, 100);
    for (const [row, values] of Object.entries(golden)) {
      expect([1, 10, 31, 63, 99].map((j) => x[Number(row) * 100 + j]! * 2 ** 32)).toEqual(values);
    }
  });
});

describe("sobol()", () => {
  it("puts one of the first 2^m points in every slice of width 2^-m, in all dimensions", () => {
    const x = sobol(256, SOBOL_DIMENSIONS, makeRng(3));
    for (let j = 0; j < SOBOL_DIMENSIONS; j++) {
      const slices = column(x, SOBOL_DIMENSIONS, j).map((value) => Math.floor(value * 256));
      expect(new Set(slices).size).toBe(256);
    }
  });

  it("keeps the first two inputs a (0, m, 2)-net: one point in every dyadic box of volume 2^-m", () => {
    const x = sobol(64, 2, makeRng(11));
    for (let k = 0; k <= 6; k++) {
      const boxes = new Set<number>();
      for (let i = 0; i < 64; i++) {
        boxes.add(Math.floor(x[2 * i]! * 2 ** k) * 2 ** (6 - k) + Math.floor(x[2 * i + 1]! * 2 ** (6 - k)));
      }
      expect(boxes.size).toBe(64);
    }
  });

  it("integrates a smooth function far better than independent points", () => {
    const error = (x: Float64Array): number => {
      let sum = 0;
      for (let i = 0; i < 1024; i++) {
        let product = 1;
        for (let j = 0; j < 5; j++) product *= 1 + (x[i * 5 + j]! - 0.5);
        sum += product;
      }
      return Math.abs(sum / 1024 - 1);
    };
    const errors = (make: (typeof designs)["sobol"]): number =>
      [1, 2, 3, 4, 5, 6].reduce((sum, seed) => sum + error(make(1024, 5, makeRng(seed))), 0) / 6;
    expect(errors(sobol)).toBeLessThan(errors(designs.uniform) / 20);
  });

  it("is uniform over seeds: the scrambled first point has no favourite place", () => {
    const firsts = Array.from({ length: 400 }, (_, seed) => sobol(1, 3, makeRng(seed)));
    for (let j = 0; j < 3; j++) {
      const mean = firsts.reduce((sum, x) => sum + x[j]!, 0) / firsts.length;
      expect(Math.abs(mean - 0.5)).toBeLessThan(4 * Math.sqrt(1 / 12 / 400));
    }
  });
});

describe("latinHypercube()", () => {
  it("takes one value in each of n slices of every input", () => {
    const x = latinHypercube(50, 6, makeRng(1));
    for (let j = 0; j < 6; j++) {
      const slices = column(x, 6, j).map((value) => Math.floor(value * 50));
      expect(new Set(slices).size).toBe(50);
    }
  });

  it("keeps its nearest points much farther apart than a random one does", () => {
    const nearest = (x: Float64Array, n: number, d: number): number => {
      let least = Infinity;
      for (let a = 0; a < n; a++) {
        for (let b = 0; b < a; b++) {
          let squared = 0;
          for (let j = 0; j < d; j++) squared += (x[a * d + j]! - x[b * d + j]!) ** 2;
          least = Math.min(least, Math.sqrt(squared));
        }
      }
      return least;
    };
    for (const seed of [1, 2, 3]) {
      const spread = nearest(latinHypercube(39, 3, makeRng(seed)), 39, 3);
      const random = nearest(randomLatinHypercube(39, 3, makeRng(seed)), 39, 3);
      expect(spread).toBeGreaterThan(2 * random);
      expect(spread).toBeGreaterThan(0.2);
    }
  });
});

describe("every design", () => {
  for (const [name, design] of Object.entries(designs)) {
    it(`${name} gives n × d points in [0, 1), the same for the same seed and others for another`, () => {
      const x = design(20, 4, makeRng(7));
      expect(x).toHaveLength(80);
      expect(x.every((value) => value >= 0 && value < 1)).toBe(true);
      expect(design(20, 4, makeRng(7))).toEqual(x);
      expect(design(20, 4, makeRng(8))).not.toEqual(x);
    });

    it(`${name} refuses no points, parts of points and no inputs`, () => {
      expect(() => design(0, 2, makeRng(0))).toThrow("design of 0 points: must be a whole number from 1.");
      expect(() => design(2.5, 2, makeRng(0))).toThrow("design of 2.5 points");
      expect(() => design(2, 0, makeRng(0))).toThrow("design in 0 inputs");
    });
  }

  it("sobol says how many inputs it can do", () => {
    expect(() => sobol(4, 101, makeRng(0))).toThrow(
      "there are direction numbers for 100. Use a Latin hypercube (lhs).",
    );
  });
});
