import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { foldParts, holdOut, kFolds, secondFolds } from "../../src/data/split.ts";
import { makeRng } from "../../src/rng.ts";
import { failure } from "./support.ts";

const groups = fc
  .array(fc.integer({ min: 0, max: 12 }), { minLength: 12, maxLength: 60 })
  .filter((g) => new Set(g).size >= 6);
const seed = fc.integer({ min: 0, max: 2 ** 32 - 1 });

describe("folds", () => {
  test("cover every row once and keep repeats together", () => {
    fc.assert(
      fc.property(groups, fc.integer({ min: 2, max: 6 }), seed, (ids, k, s) => {
        const repeats = Int32Array.from(ids);
        const folds = kFolds({ repeats }, k, makeRng(s));
        expect(new Set(folds).size).toBe(k);
        const foldOf = new Map<number, number>();
        repeats.forEach((id, row) => {
          expect(foldOf.get(id) ?? folds[row]).toBe(folds[row]);
          foldOf.set(id, folds[row] ?? -1);
        });
      }),
    );
  });

  test("differ in size by one row at most where nothing repeats", () => {
    fc.assert(
      fc.property(fc.integer({ min: 6, max: 100 }), fc.integer({ min: 2, max: 6 }), seed, (n, k, s) => {
        const folds = kFolds({ repeats: Int32Array.from({ length: n }, (_, i) => i) }, k, makeRng(s));
        const sizes = Array.from({ length: k }, (_, fold) => folds.filter((f) => f === fold).length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test("differ in size by no more than the largest group of repeats", () => {
    fc.assert(
      fc.property(groups, fc.integer({ min: 2, max: 6 }), seed, (ids, k, s) => {
        const folds = kFolds({ repeats: Int32Array.from(ids) }, k, makeRng(s));
        const sizes = Array.from({ length: k }, (_, fold) => folds.filter((f) => f === fold).length);
        const largest = Math.max(...ids.map((id) => ids.filter((other) => other === id).length));
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(largest);
      }),
    );
  });

  test("fill up around large groups of repeats", () => {
    const repeats = Int32Array.of(1, 2, 3, 0, 0, 0, 0, 0, 0, 4, 5, 6);
    for (let s = 0; s < 20; s++) {
      expect(kFolds({ repeats }, 2, makeRng(s)).filter((fold) => fold === 0)).toHaveLength(6);
    }
  });

  test("depend on the seed and on nothing else", () => {
    const repeats = Int32Array.from({ length: 40 }, (_, i) => i);
    expect(kFolds({ repeats }, 5, makeRng(7))).toEqual(kFolds({ repeats }, 5, makeRng(7)));
    expect(kFolds({ repeats }, 5, makeRng(7))).not.toEqual(kFolds({ repeats }, 5, makeRng(8)));
  });

  test("part into training and test rows", () => {
    const { train, test } = foldParts(Int32Array.of(0, 1, 0, 2), 0);
    expect(Array.from(train)).toEqual([1, 3]);
    expect(Array.from(test)).toEqual([0, 2]);
  });

  test("cannot be more than the different rows", async () => {
    const error = await failure(() => kFolds({ repeats: Int32Array.of(0, 0, 1) }, 3, makeRng(1)));
    expect(error.code).toBe("OPTION_FOLDS");
    expect(error.message).toBe(
      "2 runs with different inputs cannot be split into 3 parts. Use fewer parts, or more runs.",
    );
    expect((await failure(() => kFolds({ repeats: Int32Array.of(0, 1) }, 1, makeRng(1)))).message).toBe(
      "1 folds: must be a whole number from 2, such as 5.",
    );
  });
});

describe("a hold-out", () => {
  test("parts the rows near the fraction, repeats together, both sides in order", () => {
    fc.assert(
      fc.property(groups, fc.double({ min: 0.05, max: 0.95, noNaN: true }), seed, (ids, fraction, s) => {
        const { train, test } = holdOut({ repeats: Int32Array.from(ids) }, fraction, makeRng(s));
        expect([...train, ...test].sort((a, b) => a - b)).toEqual(ids.map((_, i) => i));
        expect(Array.from(test)).toEqual(Array.from(test).sort((a, b) => a - b));
        expect(Math.min(train.length, test.length)).toBeGreaterThan(0);
        const held = new Set(Array.from(test, (row) => ids[row]));
        expect(Array.from(train).some((row) => held.has(ids[row]))).toBe(false);
      }),
    );
  });

  test("is exact where nothing repeats", () => {
    const repeats = Int32Array.from({ length: 50 }, (_, i) => i);
    expect(holdOut({ repeats }, 0.2, makeRng(3)).test).toHaveLength(10);
    expect(holdOut({ repeats }, 0.001, makeRng(3)).test).toHaveLength(1);
    expect(holdOut({ repeats }, 0.999, makeRng(3)).train).toHaveLength(1);
  });

  test("needs a fraction between 0 and 1, and two different rows", async () => {
    const repeats = Int32Array.of(0, 0);
    expect((await failure(() => holdOut({ repeats }, 1, makeRng(1)))).message).toBe(
      "hold-out fraction 1: must lie between 0 and 1, such as 0.2.",
    );
    expect((await failure(() => holdOut({ repeats }, 0.5, makeRng(1)))).message).toBe(
      "1 run with different inputs cannot be split into 2 parts. Use fewer parts, or more runs.",
    );
  });
});

describe("secondFolds()", () => {
  test("gives one group in so many of each fold the next fold as well, repeats together", () => {
    const repeats = Int32Array.from({ length: 200 }, (_, row) => row >> 1);
    const folds = kFolds({ repeats }, 5, makeRng(1));
    const second = secondFolds({ repeats }, folds, 5, 4, makeRng(2));
    for (let row = 0; row < 200; row++) {
      expect(second[row]).toBe(second[row ^ 1]);
      expect([-1, (folds[row]! + 1) % 5]).toContain(second[row]);
    }
    // 20 groups a fold, 5 of them twice out.
    for (let fold = 0; fold < 5; fold++) expect(second.filter((other) => other === fold)).toHaveLength(10);
    expect(secondFolds({ repeats }, folds, 5, 4, makeRng(2))).toEqual(second);
  });

  test("leaves alone folds that are not held out", () => {
    const repeats = Int32Array.from({ length: 80 }, (_, row) => row);
    const folds = kFolds({ repeats }, 8, makeRng(1));
    const second = secondFolds({ repeats }, folds, 4, 5, makeRng(2));
    second.forEach((other, row) => {
      expect(other === -1 || (folds[row]! < 4 && other === (folds[row]! + 1) % 4)).toBe(true);
    });
    expect(second.filter((other) => other >= 0)).toHaveLength(8);
  });

  test("gives none in folds of fewer", () => {
    const repeats = Int32Array.from({ length: 12 }, (_, row) => row);
    const folds = kFolds({ repeats }, 4, makeRng(1));
    expect(secondFolds({ repeats }, folds, 4, 4, makeRng(2)).every((fold) => fold === -1)).toBe(true);
  });
});
