import { describe, expect, it } from "vitest";
import { CHANNELS, brightness, PIXELS, REFERENCE } from "../../cases/jag/images.ts";
import { MEAN_INVERSE_T, profileNodes } from "../../cases/jag/hot-spot.ts";
import {
  ALL_PHYSICS,
  DEFAULT_RESOLUTION,
  type Drive,
  implode,
  type Implosion,
  type Resolution,
} from "../../cases/jag/implosion.ts";
import { jag, simulateJag } from "../../cases/jag/index.ts";
import { runAt } from "../../cases/jag/inputs.ts";
import { reactivity } from "../../cases/jag/reactivity.ts";
import { peakOf, SCALARS, scalarsOf } from "../../cases/jag/scalars.ts";
import { jagScalars } from "../../cases/jag-scalars/index.ts";
import { makeRng } from "../../src/rng.ts";

const ROUND: Drive = { v: 340e3, p0: 1.5e13, a10: 0, a20: 0, a22: 0 };
/** As the reference values were made: bremsstrahlung's mean from 16 Gauss nodes, 2.780 in place of 3.066. */
const NODES: Resolution = { ...DEFAULT_RESOLUTION, edge: "nodes" };

function imploded(drive: Drive, physics = ALL_PHYSICS, resolution?: Resolution): Implosion {
  const run = implode(drive, physics, resolution);
  if (typeof run === "string") throw new Error(run);
  return run;
}

function named(run: Implosion): Record<string, number> {
  const values = scalarsOf(run);
  return Object.fromEntries(SCALARS.map(({ name }, i) => [name, values[i]!]));
}

const within = (value: number, golden: number, share: number): void => {
  expect(Math.abs(value / golden - 1)).toBeLessThan(share);
};

describe("reactivity()", () => {
  it("agrees with Bosch & Hale's formula at five temperatures", () => {
    // cm^3/s, the published fit worked out by an independent program.
    const golden: readonly (readonly [number, number])[] = [
      [1, 6.857e-21],
      [2, 2.977e-19],
      [5, 1.366e-17],
      [10, 1.136e-16],
      [20, 4.33e-16],
    ];
    for (const [t, value] of golden) within(reactivity(t) * 1e6, value, 1e-3);
  });
});

describe("the temperature profile", () => {
  it("has a mean of Tc / T of 1.8917, which Gauss nodes approach", () => {
    within(MEAN_INVERSE_T, 1.8917, 1e-4);
    const { shape, weight } = profileNodes(4000);
    within(
      weight.reduce((sum, w, i) => sum + w / shape[i]!, 0),
      MEAN_INVERSE_T,
      1e-4,
    );
    within(
      weight.reduce((sum, w, i) => sum + w * shape[i]! ** -1.5, 0),
      profileNodes(16).inverseT15,
      2e-3,
    );
  });
});

describe("implode()", () => {
  it("compresses adiabatically without fusion, radiation and conduction", () => {
    const nothing = { fusion: false, alphas: false, radiation: false, conduction: false };
    const run = imploded({ ...ROUND, v: 370e3 }, nothing);
    const invariant = run.pressure.map((p, i) => p * run.radius[i]! ** 5);
    for (const value of invariant) within(value, invariant[0]!, 1e-8);
    // All kinetic energy turns into p V^(5/3) work: X^2 = 1 + M v^2 / (3 p0 V0).
    const volume = ((4 * Math.PI) / 3) * 150e-6 ** 3;
    const x = Math.sqrt(1 + (0.1e-6 * 370e3 ** 2) / (3 * 1.5e13 * volume));
    const most = peakOf(run.time, run.pressure).value;
    within(most, 1.5e13 * x ** 5, 1e-4);
    within(most, 360.98e14, 1e-4);
    const least = -peakOf(
      run.time,
      run.radius.map((r) => -r),
    ).value;
    within(least, 31.609e-6, 1e-4);
  });

  it("keeps kinetic plus internal minus alpha plus radiated energy", () => {
    for (const drive of [ROUND, { ...ROUND, v: 330e3, p0: 2.25e13, a10: 0.03, a20: -0.02, a22: 0.03 }]) {
      const run = imploded(drive);
      const energy = run.kinetic.map((k, i) => k + run.internal[i]! - run.alphas[i]! + run.radiated[i]!);
      for (const value of energy) within(value, energy[0]!, 1e-6);
    }
  });

  it("gives the reference yield, bang time, pressure and radius with bremsstrahlung by 16 nodes", () => {
    const { logYield, bangTime, logPeakPressure, minRadius } = named(imploded(ROUND, ALL_PHYSICS, NODES));
    within(10 ** logYield!, 1.46e16, 0.03);
    within(bangTime!, 435, 0.01);
    within(10 ** logPeakPressure!, 301e14, 0.01);
    within(minRadius!, 30.7, 0.01);
    const cold = named(imploded(ROUND, { ...ALL_PHYSICS, alphas: false }, NODES));
    within(10 ** cold.logYield!, 4.2e15, 0.03);
    const slow = named(imploded({ ...ROUND, v: 300e3 }, ALL_PHYSICS, NODES));
    within(10 ** slow.logYield!, 3e15, 0.03);
  });

  it("loses 10 % more to radiation by the exact mean, so it burns less than those references", () => {
    // No outside source: our own numbers with the closed form, so that a change is seen.
    const { logYield, bangTime, logPeakPressure, minRadius } = named(imploded(ROUND));
    within(10 ** logYield!, 1.073e16, 0.005);
    within(bangTime!, 429.8, 0.005);
    within(10 ** logPeakPressure!, 281.9e14, 0.005);
    within(minRadius!, 30.06, 0.005);
  });

  it("says when the shell is pierced", () => {
    expect(implode({ ...ROUND, v: 360e3, a10: 0.05, a20: 0.05, a22: 0.05 })).toMatch(/^pierced: .* at \d+ ps$/);
  });
});

describe("symmetry", () => {
  const bent: Drive = { ...ROUND, v: 320e3, a10: 0.03, a20: 0.02, a22: -0.02 };

  it("leaves the scalars alone and mirrors the images when a10 changes sign", () => {
    const up = imploded(bent);
    const down = imploded({ ...bent, a10: -0.03 });
    const [a, b] = [scalarsOf(up), scalarsOf(down)];
    a.forEach((value, i) => expect(b[i]).toBeCloseTo(value, 8));
    const [above, below] = [brightness(up), brightness(down)];
    let worst = 0;
    let apart = 0;
    for (let row = 0; row < PIXELS; row++) {
      for (let column = 0; column < PIXELS; column++) {
        const here = above[row * PIXELS + column]!;
        worst = Math.max(worst, Math.abs(here - below[(PIXELS - 1 - row) * PIXELS + column]!));
        apart = Math.max(apart, Math.abs(here - below[row * PIXELS + column]!));
      }
    }
    const most = above.reduce((x, y) => Math.max(x, y), 0);
    expect(worst).toBeLessThan(1e-8 * most);
    expect(apart).toBeGreaterThan(0.1 * most);
  });

  it("gives round images without modes", () => {
    const image = brightness(imploded(ROUND)).subarray(0, PIXELS * PIXELS);
    const most = image.reduce((x, y) => Math.max(x, y), 0);
    let worst = 0;
    for (let i = 0; i < PIXELS; i++) {
      for (let k = 0; k < PIXELS; k++)
        worst = Math.max(worst, Math.abs(image[i * PIXELS + k]! - image[k * PIXELS + i]!));
    }
    expect(worst).toBeLessThan(1e-8 * most);
    const at = (x: number, z: number): number => image[(31.5 + z) * PIXELS + 31.5 + x]!;
    // Pixels at equal radii off the diagonal: 3.5^2 + 0.5^2 = 2.5^2 + 2.5^2 and so on, to most of the edge at 16 pixels.
    const pairs = [
      [3.5, 0.5, 2.5, 2.5],
      [5.5, 1.5, 4.5, 3.5],
      [8.5, 0.5, 6.5, 5.5],
      [13.5, 0.5, 10.5, 8.5],
    ] as const;
    for (const [x, z, x2, z2] of pairs) expect(Math.abs(at(x, z) - at(x2, z2))).toBeLessThan(0.01 * most);
  });
});

describe("jag", () => {
  const nominal = new Float64Array(5).fill(0.5);

  it("takes 1e-4 of the nominal run's brightest pixel as each channel's reference", () => {
    const run = runAt(nominal);
    if (typeof run === "string") throw new Error(run);
    const images = brightness(run);
    CHANNELS.forEach((_, c) => {
      const most = images.subarray(c * PIXELS ** 2, (c + 1) * PIXELS ** 2).reduce((x, y) => Math.max(x, y), 0);
      within(REFERENCE[c]!, most * 1e-4, 1e-6);
    });
  });

  it("gives the same scalars as jag-scalars", () => {
    const u = Float64Array.of(0.3, 0.6, 0.4, 0.7, 0.2);
    const [all, scalars] = [jag.simulate(u), jagScalars.simulate(u)];
    if (all.status === "failed" || scalars.status === "failed") throw new Error("pierced");
    const { images, ...rest } = all.outputs;
    expect(images).toHaveLength(4 * 64 * 64);
    expect(Object.keys(rest)).toEqual(SCALARS.map(({ name }) => name));
    expect(rest).toEqual(scalars.outputs);
  });

  it("converges: half the step and twice the nodes change little", () => {
    const fine: Resolution = { thetas: 32, phis: 64, tracers: 129, step: 0.5, profile: 32, edge: "closed form" };
    // Ranges of the scalars over 60 random runs, in the order of SCALARS.
    const range = [72, 56, 80, 97, 0.83, 1.7, 2.7, 0.7, 78, 17, 0.3, 0.6, 0.32, 1.3, 0.063];
    const rng = makeRng(5);
    let done = 0;
    while (done < 5) {
      const u = Float64Array.from({ length: 5 }, () => rng.uniform());
      const coarse = simulateJag(u);
      const better = simulateJag(u, 128, fine);
      if (coarse.status === "failed" || better.status === "failed") continue;
      done++;
      SCALARS.forEach(({ name }, i) => {
        const change = coarse.outputs[name]![0]! - better.outputs[name]![0]!;
        expect(Math.abs(change)).toBeLessThan(0.005 * range[i]!);
      });
      // Images span 0..4.4: root mean square below 0.5 % of that, the worst pixel (at the edge) below 1.5 %.
      let squared = 0;
      let worst = 0;
      const [a, b] = [coarse.outputs["images"]!, better.outputs["images"]!];
      a.forEach((value, i) => {
        squared += (value - b[i]!) ** 2;
        worst = Math.max(worst, Math.abs(value - b[i]!));
      });
      expect(Math.sqrt(squared / a.length)).toBeLessThan(0.005 * 4.4);
      expect(worst).toBeLessThan(0.015 * 4.4);
    }
  });
});
