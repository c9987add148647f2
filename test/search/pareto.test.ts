/** Dominance and hypervolume against closed forms, and by the laws of the definitions. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dominates, hypervolume, nonDominated } from "../../src/search/index.ts";

const costs = (size: number) =>
  fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: size, maxLength: size });
const sets = (size: number) => fc.array(costs(size), { minLength: 1, maxLength: 8 });

describe("the non-dominated points", () => {
  it("are those that no other beats; equal ones stay, what is not a number goes", () => {
    const points = [
      [1, 4],
      [2, 2],
      [4, 1],
      [3, 3],
      [2, 2],
      [2, 5],
      [Number.NaN, 0],
    ];
    expect(nonDominated(points)).toEqual([true, true, true, false, true, false, false]);
  });

  it("dominate every other point, and never one another", () => {
    fc.assert(
      fc.property(sets(3), (points) => {
        const kept = nonDominated(points);
        const front = points.filter((_, i) => kept[i]);
        expect(front.length).toBeGreaterThan(0);
        points.forEach((point, i) => {
          expect(front.some((other) => dominates(other, point))).toBe(!kept[i]);
        });
      }),
    );
  });
});

describe("the hypervolume", () => {
  it("is the area below a staircase", () => {
    // 3 x 1 + 2 x 2 + 1 x 1, drawn on squared paper.
    const front = [
      [1, 3],
      [2, 1],
      [3, 0],
    ];
    expect(hypervolume(front, [4, 4])).toBe(3 * 1 + 2 * 2 + 1 * 1);
    expect(hypervolume([...front, [3, 3], [9, -1]], [4, 4])).toBe(8);
  });

  it("is that of one box, and of two boxes less what they share, in three costs", () => {
    const reference = [1, 1, 1];
    expect(hypervolume([[0.5, 0.25, 0]], reference)).toBeCloseTo(0.5 * 0.75, 12);
    const both = [
      [0.5, 0.25, 0],
      [0.25, 0.5, 0.5],
    ];
    expect(hypervolume(both, reference)).toBeCloseTo(0.5 * 0.75 + 0.75 * 0.5 * 0.5 - 0.5 * 0.5 * 0.5, 12);
  });

  it("of n points on the line x + y = 1 is (1 + 1/n) / 2 below (1, 1) with their ends at the axes", () => {
    // Points (i/n, 1 - (i+1)/n), i = 0..n-1: steps of width 1/n and heights (i + 1)/n: sum = (n + 1) / (2 n).
    for (const n of [1, 2, 7, 50]) {
      const points = Array.from({ length: n }, (_, i) => [i / n, 1 - (i + 1) / n]);
      expect(hypervolume(points, [1, 1])).toBeCloseTo((n + 1) / (2 * n), 12);
    }
  });

  it("is nothing without a point below the reference", () => {
    expect(hypervolume([], [1, 1])).toBe(0);
    expect(hypervolume([[1, 0]], [1, 1])).toBe(0);
  });

  it("does not depend on order or on dominated points, and never falls with one more point", () => {
    fc.assert(
      fc.property(sets(3), costs(3), (points, one) => {
        const reference = [1, 1, 1];
        const volume = hypervolume(points, reference);
        expect(hypervolume(points.toReversed(), reference)).toBeCloseTo(volume, 12);
        const kept = nonDominated(points);
        expect(
          hypervolume(
            points.filter((_, i) => kept[i]),
            reference,
          ),
        ).toBeCloseTo(volume, 12);
        expect(hypervolume([...points, one], reference)).toBeGreaterThanOrEqual(volume - 1e-12);
      }),
    );
  });
});
