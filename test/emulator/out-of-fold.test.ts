import { describe, expect, it } from "vitest";
import { calibrateField } from "../../src/emulator/calibration.ts";
import { type MemberPredictions, outOfFold } from "../../src/emulator/out-of-fold.ts";
import { makeRng, type Rng } from "../../src/rng.ts";

const members = 8;
const rows = 4000;
const place = { head: 0, start: 0, size: 1 };

/** Errors of all members at one point, of a size that differs from point to point; in part they miss alike. */
function errors(rng: Rng, size: number): Float64Array {
  const shared = rng.normal();
  return Float64Array.from({ length: members }, () => size * (0.5 * shared + rng.normal()));
}

/** Members that know the runs they were trained on nearly by heart. @param second one run in so many has a second fold */
function world(second: number): { readonly target: Float32Array; readonly members: MemberPredictions[] } {
  const rng = makeRng(3);
  const isUnseen = (m: number, row: number): boolean =>
    row % members === m || (row % second === 0 && (row + 1) % members === m);
  const misses = Array.from({ length: rows }, (_, row) =>
    errors(rng, sizeAt(rng)).map((miss, m) => (isUnseen(m, row) ? miss : 0.1 * miss)),
  );
  const target = Float32Array.from(misses, () => rng.normal());
  return {
    target,
    members: Array.from({ length: members }, (_, m) => ({
      heads: [Float64Array.from(misses, (each, row) => target[row]! + each[m]!)],
      unseen: (row) => isUnseen(m, row),
    })),
  };
}

const sizeAt = (rng: Rng): number => Math.exp(0.5 * rng.normal());

function spreadOf(values: Float64Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / members;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (members - 1));
}

describe("outOfFold()", () => {
  it("estimates from pairs what the spread would be, had no member seen the run", () => {
    const { target, members: all } = world(7);
    const held = outOfFold(target, rows, place, all);
    expect(held.rows).toBe(rows);
    const rng = makeRng(4);
    const fresh = Float64Array.from({ length: 4000 }, () => spreadOf(errors(rng, sizeAt(rng))));
    const mean = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean(held.spread) / mean(fresh)).toBeGreaterThan(0.85);
    expect(mean(held.spread) / mean(fresh)).toBeLessThan(1.15);
  });

  it.each([
    [0.5, 0.05],
    [0.8, 0.04],
    [0.95, 0.025],
  ])("lets a calibration hold %f of new points", (level, tolerance) => {
    const { target, members: all } = world(7);
    const held = outOfFold(target, rows, place, all);
    const { quantiles, spreadFactor, floor } = calibrateField({ ...held, size: 1, members, noise: [0] });
    const { factor } = quantiles.find((quantile) => quantile.level === level)!;
    const rng = makeRng(5);
    let inside = 0;
    for (let i = 0; i < 10_000; i++) {
      const each = errors(rng, sizeAt(rng));
      const miss = Math.abs(each.reduce((sum, value) => sum + value, 0) / members);
      if (miss <= factor * Math.hypot(spreadFactor[0]! * spreadOf(each), floor[0]!)) inside++;
    }
    expect(Math.abs(inside / 10_000 - level)).toBeLessThan(tolerance);
  });

  it("takes the spread of all where too few runs are unseen by two", () => {
    const { target, members: all } = world(1000);
    const { spread } = outOfFold(target, rows, place, all);
    const first = Float64Array.from(all, ({ heads }) => heads[0]![0]!);
    expect(spread[0]).toBeCloseTo(spreadOf(first), 12);
  });

  it("lets every run judge the mean of all where it is known what each would predict of its own runs", () => {
    const rng = makeRng(6);
    const isUnseen = (m: number, row: number): boolean => row % members === m;
    const misses = Array.from({ length: rows }, () => errors(rng, sizeAt(rng)));
    const target = Float32Array.from(misses, () => rng.normal());
    // What is known is a fifth too good.
    const of = (m: number, share: (row: number) => number): Float64Array =>
      Float64Array.from(misses, (each, row) => target[row]! + share(row) * each[m]!);
    const all = Array.from({ length: members }, (_, m) => ({
      heads: [of(m, (row) => (isUnseen(m, row) ? 1 : 0))],
      leftOut: [of(m, () => 0.8)],
      // Elsewhere members differ as they do at runs that none had seen.
      fresh: [of(m, () => 1)],
      unseen: (row: number) => isUnseen(m, row),
    }));
    const held = outOfFold(target, rows, place, all);
    const meanOf = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(held.averaged).toBe(members);
    const missed = meanOf(held.mean.map((value, i) => (value - target[i]!) ** 2));
    const truly = misses.reduce((sum, each) => sum + meanOf(each) ** 2, 0) / rows;
    expect(missed / truly).toBeGreaterThan(0.9);
    expect(missed / truly).toBeLessThan(1.1);
    const spread = meanOf(held.spread) / (misses.reduce((sum, each) => sum + spreadOf(each), 0) / rows);
    expect(spread).toBeGreaterThan(0.95);
    expect(spread).toBeLessThan(1.05);
    // Where they differ by less elsewhere, that is what counts.
    const apart = outOfFold(
      target,
      rows,
      place,
      all.map((member, m) => ({ ...member, fresh: [of(m, () => 0.5)] })),
    );
    expect(meanOf(apart.spread) / meanOf(held.spread)).toBeGreaterThan(0.47);
    expect(meanOf(apart.spread) / meanOf(held.spread)).toBeLessThan(0.53);
    expect(apart.mean).toEqual(held.mean);
    // 1 of 1.25 parts of a squared error is a member's own.
    expect(held.ownShare).toBeCloseTo(0.8, 1);
    expect(calibrateField({ ...held, size: 1, members, noise: [0] }).shrink).toBe(1);
    // Of two members what eight leave is reckoned from what two do.
    const two = outOfFold(target, rows, place, all.slice(0, 2));
    expect(calibrateField({ ...two, size: 1, members, noise: [0] }).shrink).toBeCloseTo(Math.sqrt(0.3 / 0.6), 1);
  });
});
