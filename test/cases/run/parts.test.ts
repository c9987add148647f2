import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cases } from "../../../cases/index.ts";
import { realCases, runDefaults } from "../../../cases/run/defaults.ts";
import { invert, measure, posteriorCoverage, shareLeft, truthOf } from "../../../cases/run/invert.ts";
import { measureSpeed, payback } from "../../../cases/run/speed.ts";
import { stage } from "../../../cases/run/stages.ts";
import { showMs } from "../../../cases/run/summary.ts";
import { folderStore } from "../../../src/index.ts";
import { makeRng } from "../../../src/rng.ts";
import { perfect, toy, toyRuns } from "./toy.ts";

describe("defaults", () => {
  it("are there for each case, and real chains for those with a fast simulator", () => {
    expect(Object.keys(runDefaults)).toEqual(Object.keys(cases));
    expect(realCases).toEqual(["xrts", "ots", "elms"]);
  });
});

describe("invert()", () => {
  const options = (truths: number) => ({ truths, timeMs: Infinity, steps: 40, burn: 20, seed: 1, now: Date.now });

  it("holds truths as often as it says, with a perfect emulator", async () => {
    const truths = 50;
    const found = await invert(toy, perfect, toyRuns(truths), options(truths));
    // Standard errors for 50 problems: 6.6 % and 3.1 %.
    const [most, all] = [posteriorCoverage(found!.solved, 0.68), posteriorCoverage(found!.solved, 0.95)];
    expect(most.error).toBeCloseTo(0.066, 3);
    expect(Math.abs(most.share - 0.68)).toBeLessThan(0.13);
    expect(Math.abs(all.share - 0.95)).toBeLessThan(0.06);
    // The data tell of the slope, over its two decades, and of the offset, which is wide against its noise.
    expect(shareLeft(found!.solved, 0)).toBeLessThan(0.7);
    expect(shareLeft(found!.solved, 1)).toBeLessThan(0.4);
    const { inputs } = found!.solved[0]!;
    expect(inputs[0]!.within95[0]).toBeLessThan(inputs[0]!.within68[0]);
    expect(found!.draws.length % 2).toBe(0);
    expect(found!.walkers).toHaveLength(64 * 2);
  });

  it("makes the same measurement for the same seed, noise-free where nobody looks", () => {
    const runs = toyRuns(3);
    const [first] = measure(toy, runs, 1, makeRng(5));
    const [again] = measure(toy, runs, 1, makeRng(5));
    expect(first!.values).toEqual(again!.values);
    expect(first!.values[7]).toBe(runs.y[0]![15]);
    expect(first!.values[0]).not.toBe(runs.y[0]![8]);
    const u = truthOf(toy, runs, 1);
    const run = toy.simulate(u);
    expect(run.status === "ok" && run.outputs.y![0]).toBeCloseTo(runs.y[0]![8]!, 10);
  });

  it("begins no more when the time is up, and what it solved is the same", async () => {
    const runs = toyRuns(12);
    const all = await invert(toy, perfect, runs, { ...options(12), steps: 4, burn: 0 });
    const some = await invert(toy, perfect, runs, { ...options(12), steps: 4, burn: 0, timeMs: 0 });
    expect([all!.solved.length, some!.solved.length]).toEqual([12, 10]);
    expect(some!.solved).toEqual(all!.solved.slice(0, 10));
  });

  it("ends where it is told to", async () => {
    expect(await invert(toy, perfect, toyRuns(2), { ...options(2), shouldStop: () => true })).toBeUndefined();
  });
});

describe("measureSpeed()", () => {
  it("is the simulator's time over the emulator's, by rows of a call", async () => {
    // A clock that the simulator moves on by 100 ms a run, and the emulator by 1 ms a call and 0.1 ms a row.
    let clock = 0;
    const slow = {
      ...toy,
      simulate(u: Float64Array) {
        clock += 100;
        return toy.simulate(u);
      },
    };
    const quick = {
      ...perfect,
      predict(x: Float64Array) {
        clock += 1 + (0.1 * x.length) / 2;
        return perfect.predict(x);
      },
    };
    const speed = await measureSpeed(slow, quick, 1, () => clock);
    expect(speed.simulator).toMatchObject({ median: 100, calls: 25 });
    expect(speed.single.median).toBeCloseTo(1.1);
    expect(speed.batches.map(({ rows }) => rows)).toEqual([16, 64, 256, 1024, 4096]);
    expect(speed.bestRows).toBe(4096);
    expect(speed.speedup.single.median).toBeCloseTo(100 / 1.1);
    expect(speed.speedup.batched.median).toBeCloseTo(100 / (1 / 4096 + 0.1));
    // 50 runs of 100 ms and a second of fitting, at 98.9 ms saved a query.
    expect(payback(speed, 50, 1)).toBeCloseTo(6000 / 98.9);
    expect(payback({ ...speed, single: speed.simulator }, 50, 1)).toBe(Infinity);
    expect([0.0123, 4.5678, 12345].map(showMs)).toEqual(["12.3 us", "4.57 ms", "12.3 s"]);
  });
});

describe("stage()", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "condense-stages-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("does again only what other options ask for, or what is gone, and keeps nothing that was stopped", async () => {
    const store = folderStore(folder);
    let made = 0;
    const make = (): Promise<number> => Promise.resolve(++made);
    expect(await stage(store, "a", { seed: 1 }, make)).toBe(1);
    expect(await stage(store, "a", { seed: 1 }, make)).toBe(1);
    expect(await stage(store, "a", { seed: 2 }, make)).toBe(2);
    expect(await stage(store, "a", { seed: 2 }, make, true)).toBe(3);
    expect(await stage(store, "b", {}, () => Promise.resolve(undefined))).toBeUndefined();
    expect(await stage(store, "b", {}, make)).toBe(4);
  });
});
