import { expect, test } from "vitest";
import { warpPlace, warpSensitivity } from "../../src/data/index.ts";
import { type AxisRuns, findWarps, StoppedError } from "../../src/process/index.ts";
import { makeRng } from "../../src/rng.ts";

const family = { place: warpPlace, sensitivity: warpSensitivity };

/** Runs of a function of two places from 0 to 1. */
function runsOf(f: (a: number, b: number) => readonly number[], n = 60): AxisRuns {
  const rng = makeRng(3);
  const u = Float64Array.from({ length: 2 * n }, () => rng.uniform());
  const rows = Array.from({ length: n }, (_, i) => f(u[2 * i]!, u[2 * i + 1]!));
  const m = rows[0]!.length;
  const means = Array.from({ length: m }, (_, j) => rows.reduce((sum, row) => sum + row[j]!, 0) / n);
  const stds = means.map((mean, j) => Math.sqrt(rows.reduce((sum, row) => sum + (row[j]! - mean) ** 2, 0) / n));
  const y = Float64Array.from(rows.flatMap((row) => row.map((v, j) => (v - means[j]!) / stds[j]!)));
  return { u, y, n, d: 2, m, free: [true, true] };
}
/** log(1 + 200 a): straight on an axis of curvature log 201 = 5.3. */
const steep = (a: number): number => Math.log(1 + 200 * a);

test("finds the axis on which a function is smooth, and which end is steep", async () => {
  const { curvatures, ratio } = await findWarps(
    runsOf((a, b) => [Math.sin(2 * steep(a)) + b]),
    family,
    makeRng(1),
  );
  expect(ratio).toBeLessThan(0.3);
  expect(curvatures[0]).toBeGreaterThan(3);
  expect(curvatures[0]).toBeLessThan(8);
  expect(Math.abs(curvatures[1]!)).toBeLessThan(2);
  const mirrored = await findWarps(
    runsOf((a, b) => [Math.sin(2 * steep(1 - a)) + b]),
    family,
    makeRng(1),
  );
  expect(mirrored.curvatures[0]).toBeLessThan(-3);
});

test("several outputs share their axes", async () => {
  const { curvatures } = await findWarps(
    runsOf((a, b) => [Math.sin(2 * steep(a)) + b, Math.cos(2 * steep(a)) * b]),
    family,
    makeRng(1),
  );
  expect(curvatures[0]).toBeGreaterThan(3);
});

test("leaves axes straight where that is as good, and those that are not free", async () => {
  const straight = await findWarps(
    runsOf((a, b) => [Math.sin(3 * a) + b * b]),
    family,
    makeRng(1),
  );
  const noise = makeRng(8);
  const drowned = await findWarps(
    runsOf(() => [noise.normal()]),
    family,
    makeRng(1),
  );
  expect(straight.ratio).toBeGreaterThan(0.5);
  expect(drowned.curvatures).toEqual([0, 0]);
  const held = await findWarps(
    { ...runsOf((a, b) => [Math.sin(2 * steep(a)) + b]), free: [false, true] },
    family,
    makeRng(1),
  );
  expect(held.curvatures[0]).toBe(0);
});

test("ends when it is told to", async () => {
  const runs = runsOf((a, b) => [steep(a) + b]);
  await expect(findWarps(runs, family, makeRng(1), () => true)).rejects.toThrow(StoppedError);
});
