import { describe, expect, it } from "vitest";
import { travelTimes } from "../../cases/seistomo/eikonal.ts";
import { RECEIVERS, sectionAt, seistomo, SOURCES } from "../../cases/seistomo/index.ts";
import { type Grid, makeGrid, sectionGrid, velocity } from "../../cases/seistomo/velocity.ts";
import { makeRng } from "../../src/rng.ts";

/** Largest error of the times along the surface from a source at `x` km, against `exact(distance)`. */
function surfaceError(grid: Grid, x: number, exact: (distance: number) => number): number {
  const source = Math.round(x / grid.h);
  const t = travelTimes(grid, source, 0);
  let worst = 0;
  for (let i = 0; i < grid.nx; i++) {
    worst = Math.max(worst, Math.abs(t[i]! - exact(Math.abs(i - source) * grid.h)));
  }
  return worst;
}

/** Depth of the node in the middle of its cell; the first and the last are half cells. */
const nodeDepth = (above: number, below: number): number => (above === 0 ? 0 : below === 30 ? 30 : (above + below) / 2);
const randomInputs = (seed: number): Float64Array => {
  const rng = makeRng(seed);
  return Float64Array.from({ length: 13 }, () => rng.uniform());
};
const timesOf = (u: Float64Array): Float64Array => {
  const run = seistomo.simulate(u);
  if (run.status === "failed") throw new Error(run.reason);
  return run.outputs["times"]!;
};

describe("travelTimes()", () => {
  it("is exact in a homogeneous section: distance over velocity", () => {
    const grid = makeGrid(0.25, () => 1 / 5);
    const t = travelTimes(grid, 40, 0);
    let worst = 0;
    for (let k = 0; k < grid.nz; k++) {
      for (let i = 0; i < grid.nx; i++) {
        worst = Math.max(worst, Math.abs(t[k * grid.nx + i]! - (Math.hypot(i - 40, k) * 0.25) / 5));
      }
    }
    expect(worst).toBeLessThan(1e-9);
  });

  it("follows the diving rays of a constant gradient, with an error that halves with h", () => {
    // t = arccosh(1 + g^2 X^2 / (2 v0^2)) / g for v = v0 + g z. Source at 30 km: 0.047, 0.023, 0.012 s for h = 1, 0.5,
    // 0.25 km. The specification has 0.057, 0.029, 0.014 without a distance; at the section's corner, X up to 100 km,
    // ours are 0.090, 0.046, 0.023.
    const v0 = 4;
    const g = 0.15;
    const errors = [1, 0.5, 0.25].map((h) => {
      const grid = makeGrid(h, (_, above, below) => 1 / (v0 + g * nodeDepth(above, below)));
      return surfaceError(grid, 30, (x) => Math.acosh(1 + (g * g * x * x) / (2 * v0 * v0)) / g);
    });
    expect(errors[2]!).toBeLessThan(0.014);
    expect(errors[1]! / errors[0]!).toBeCloseTo(0.5, 1);
    expect(errors[2]! / errors[1]!).toBeCloseTo(0.5, 1);
  });

  it("finds the head wave of two layers", () => {
    const thickness = 7;
    const critical = Math.asin(4 / 7);
    const grid = makeGrid(0.25, (_, above, below) => {
      const upper = Math.min(1, Math.max(0, (thickness - above) / (below - above)));
      return upper / 4 + (1 - upper) / 7;
    });
    const error = surfaceError(grid, 0, (x) => {
      const headWave = x / 7 + (2 * thickness * Math.cos(critical)) / 4;
      return x >= 2 * thickness * Math.tan(critical) ? Math.min(x / 4, headWave) : x / 4;
    });
    expect(error).toBeLessThan(0.05);
  });

  it("gives nearly the same time from A to B as from B to A", () => {
    const grid = sectionGrid(sectionAt(randomInputs(4)), 0.25);
    for (const [a, b] of [
      [11, 31],
      [20, 95],
      [2, 70],
    ] as const) {
      const there = travelTimes(grid, 4 * a, 0)[4 * b]!;
      const back = travelTimes(grid, 4 * b, 0)[4 * a]!;
      expect(Math.abs(there - back)).toBeLessThan(0.01);
    }
  });
});

describe("seistomo", () => {
  it("arrives no later anywhere when a velocity rises or the mantle comes nearer", () => {
    const u = randomInputs(8).map((value) => 0.8 * value);
    const before = timesOf(u);
    for (const i of [1, 2, 6, 10]) {
      const faster = timesOf(u.map((value, j) => (j === i ? value + 0.2 : value)));
      const latest = faster.reduce((most, t, j) => Math.max(most, t - before[j]!), -Infinity);
      expect(latest).toBeLessThanOrEqual(1e-9);
      expect(faster.some((t, j) => t < before[j]! - 0.005)).toBe(true);
    }
  });

  it("takes crust velocities at their nodes and a mantle 8 km/s fast under the Moho", () => {
    const section = sectionAt(new Float64Array(13).fill(0.5));
    expect(velocity(section, 0, 1)).toBeCloseTo(2.65, 12);
    expect(velocity(section, 50, 2.25)).toBeCloseTo(4.5, 12);
    expect(velocity(section, 100, 2.25 + 0.4 * 13.75)).toBeCloseTo(6.1, 12);
    expect(velocity(section, 25, 16 - 1e-9)).toBeCloseTo(7, 6);
    expect(velocity(section, 25, 26)).toBeCloseTo(8.1, 12);
  });

  it("reduces the times by 6.5 km/s", () => {
    const run = seistomo.simulate(randomInputs(1));
    if (run.status === "failed") throw new Error(run.reason);
    const { times, reduced } = run.outputs;
    expect(reduced![3 * 50 + 7]).toBeCloseTo(times![3 * 50 + 7]! - Math.abs(RECEIVERS[7]! - SOURCES[3]!) / 6.5, 12);
  });

  it("follows the sediment's thickness without jumps at rows of nodes", () => {
    // Rows are 0.25 km apart: values at the nodes would jump by up to 0.25 km (1/1.8 - 1/4.5 s/km) = 0.08 s here.
    const u = randomInputs(2);
    const steps = [0.26, 0.265, 0.27, 0.275, 0.28, 0.285, 0.29, 0.295, 0.3].map((share) => {
      const grid = sectionGrid(sectionAt(u.map((value, j) => (j === 0 ? share : value))), 0.25);
      return travelTimes(grid, 200, 0)[4 * 41]!;
    });
    const rises = steps.slice(1).map((t, i) => t - steps[i]!);
    expect(Math.max(...rises)).toBeLessThan((3 * (steps.at(-1)! - steps[0]!)) / rises.length);
    expect(Math.min(...rises)).toBeGreaterThan(0);
  });

  it("converges: half the spacing changes no time by 0.5 % of their range", () => {
    // One source of the five, at 30 km, to spare time; the times of a run span some 15 s.
    for (const seed of [11, 12, 13, 14, 15]) {
      const section = sectionAt(randomInputs(seed));
      const coarse = travelTimes(sectionGrid(section, 0.25), 120, 0);
      const fine = travelTimes(sectionGrid(section, 0.125), 240, 0);
      const changes = RECEIVERS.map((x) => Math.abs(coarse[4 * x]! - fine[8 * x]!));
      expect(Math.max(...changes)).toBeGreaterThan(0);
      expect(Math.max(...changes)).toBeLessThan(0.005 * 15);
    }
  });
});
