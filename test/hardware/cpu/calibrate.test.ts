/** Calibration against a made-up processor whose times are known exactly, or scatter by a known amount. */
import { describe, expect, it } from "vitest";
import type { Graph } from "../../../src/graph/index.ts";
import { calibrateCpu, referenceRatio } from "../../../src/hardware/cpu/calibrate.ts";
import { cpuModel } from "../../../src/hardware/cpu/model.ts";
import { fuseKernels, ortRules, tfjsRules } from "../../../src/hardware/kernels.ts";
import type { CalibrationState } from "../../../src/hardware/measured/calibrate.ts";
import { type Measurement, measureCalls } from "../../../src/hardware/measured/measure.ts";
import { kindOf } from "../../../src/hardware/measured/scheme.ts";
import { randomNetwork } from "../../../src/hardware/measured/units.ts";
import { scorePredictions } from "../../../src/hardware/metrics.ts";
import { networkOf } from "../../../src/hardware/network.ts";
import { type CpuTarget, type Target } from "../../../src/hardware/target.ts";
import { parseTarget } from "../../../src/hardware/target-file.ts";
import { getTarget } from "../../../src/hardware/targets/index.ts";
import { makeRng, type Rng } from "../../../src/rng.ts";
import { mlp } from "../networks.ts";

const perKind: Readonly<Record<string, readonly [fixed: number, perMac: number, perByte: number]>> = {
  gemm: [8e-7, 6e-11, 2e-11],
  matmul: [9e-7, 7e-11, 2e-11],
  conv1d: [3e-6, 9e-11, 3e-11],
  conv2d: [4e-6, 8e-11, 3e-11],
  dear: [4e-7, 0, 1e-9],
  activation: [3e-7, 0, 3e-10],
};

/** Seconds of a graph on the made-up processor: 10 us a call, 2 us a further result, 0.2 us a change of shape, and its kernels,
 * each 0.1 us longer if beyond the first 64. */
function truth(graph: Graph, batch: number, rules = ortRules): number {
  const network = networkOf(graph);
  const kernels = fuseKernels(network, rules);
  let seconds =
    1e-5 + 2e-6 * (graph.outputs.length - 1) + 2e-7 * network.views + 1e-7 * Math.max(0, kernels.length - 64);
  for (const kernel of kernels) {
    const [fixed, perMac, perByte] = perKind[kindOf(kernel)] ?? [3e-7, 0, 1e-10];
    seconds += fixed + perMac * kernel.macs * batch + perByte * (kernel.bytesIn + kernel.bytesOut) * batch;
  }
  return seconds;
}

function fake(scatter = 0, rng: Rng = makeRng(9), speed = 1, rules = ortRules) {
  return (graph: Graph, batch: number): Promise<Measurement> => {
    const seconds = speed * truth(graph, batch, rules) * Math.exp(scatter * rng.normal());
    return Promise.resolve({ seconds, p10: seconds, p90: seconds, min: seconds, count: 1 });
  };
}

const target = getTarget("cpu") as CpuTarget;
const facts = { host: "made up, 1 core", date: "2026-01-02T03:04:05.000Z", engine: "1.0", quick: true } as const;

/** Without noise, and with scatter of 5 %. */
const exact = calibrateCpu(target, { ...facts, measure: fake() });
const noisy = calibrateCpu(target, { ...facts, measure: fake(0.05) });

/** Networks that the calibration has not seen. */
function score(calibrated: Target, batch: number, measure = fake()) {
  const model = cpuModel(calibrated as CpuTarget);
  const graphs = Array.from({ length: 60 }, (_, i) => randomNetwork(makeRng(1000 + i)));
  return Promise.all(graphs.map((graph) => measure(graph, batch))).then((measured) => {
    const predictions = graphs.map((graph) => model.predict(graph, batch).latency);
    const inside = predictions.filter(({ lo, hi }, i) => measured[i]!.seconds >= lo && measured[i]!.seconds <= hi);
    return {
      ...scorePredictions(
        predictions.map(({ p50 }) => p50),
        measured.map(({ seconds }) => seconds),
      ),
      coverage: inside.length / graphs.length,
    };
  });
}

describe("a calibration", () => {
  it("recovers a processor without noise: unseen networks within 6 %, at both batches (C1)", async () => {
    const calibrated = await exact;
    for (const batch of [1, 64]) {
      const { mape, within10, bias, spearman } = await score(calibrated, batch);
      expect(mape).toBeLessThan(0.06);
      expect(within10).toBeGreaterThan(0.85);
      expect(Math.abs(bias)).toBeLessThan(0.04);
      expect(spearman).toBeGreaterThan(0.98);
    }
    expect(calibrated.calibration?.noiseCv).toBe(0);
    expect(calibrated.calibration!.aroundSeconds[0]! * 1e6).toBeCloseTo(2, 1);
    expect(calibrated.source).toBe("measured on made up, 1 core, 2026-01-02");
  });

  it("recovers it under TensorFlow.js too, which fuses nothing (C1)", async () => {
    const unfused = fake(0, makeRng(9), 20, tfjsRules);
    const calibrated = await calibrateCpu(getTarget("cpu:tfjs") as CpuTarget, { ...facts, measure: unfused });
    expect(calibrated.engine).toEqual({ name: "tfjs", version: "1.0" });
    for (const batch of [1, 64]) {
      const { mape, within10, bias, spearman } = await score(calibrated, batch, unfused);
      expect(mape).toBeLessThan(0.06);
      expect(within10).toBeGreaterThan(0.85);
      expect(Math.abs(bias)).toBeLessThan(0.04);
      expect(spearman).toBeGreaterThan(0.98);
    }
    const network = networkOf(mlp([6, 32, 32, 3]));
    expect(cpuModel(calibrated).predict(network).perOp).toHaveLength(network.operations.length);
    expect(cpuModel(target).predict(network).perOp).toHaveLength(3);
  });

  it("states an interval that holds what it says under noise (C2), and the noise itself", async () => {
    const calibrated = await noisy;
    const { coverage } = await score(calibrated, 1, fake(0.05, makeRng(77)));
    expect(coverage).toBeGreaterThanOrEqual(0.8);
    expect(calibrated.calibration!.noiseCv).toBeGreaterThan(0.03);
    expect(calibrated.calibration!.noiseCv).toBeLessThan(0.07);
  });

  it("is read back from its file", async () => {
    const calibrated = await exact;
    const read = parseTarget(JSON.stringify(calibrated), "cpu.json") as CpuTarget;
    const graph = mlp([6, 32, 32, 3]);
    expect(cpuModel(read).predict(graph, 8)).toEqual(cpuModel(calibrated).predict(graph, 8));
  });

  it("that is damaged or of another version is refused with its target file", async () => {
    const calibrated = await exact;
    const text = (change: object): string =>
      JSON.stringify({ ...calibrated, calibration: { ...calibrated.calibration, ...change } });
    expect(() => parseTarget(text({ version: 2, table: {} }), "cpu.json")).toThrow(
      'cpu.json: "calibration.version" is 2, but must be 6; calibrate again',
    );
    expect(() => parseTarget(text({ referenceSeconds: 0 }), "cpu.json")).toThrow('"calibration.referenceSeconds" is 0');
    expect(() =>
      parseTarget(text({ residuals: { shares: { gemm: ["a"] }, logResidual: [], batch: [] } }), "cpu.json"),
    ).toThrow('"calibration.residuals.shares.gemm" holds something else');
  });

  it("resumes where it was stopped, with the same result", async () => {
    const saved: CalibrationState[] = [];
    const save = (state: CalibrationState): Promise<void> => {
      saved.push(structuredClone(state));
      return Promise.resolve();
    };
    let count = 0;
    const counted = (graph: Graph, batch: number): Promise<Measurement> => {
      count++;
      return fake()(graph, batch);
    };
    await calibrateCpu(target, { ...facts, measure: counted, save, stopped: () => count > 250 });
    const before = count;
    const resumed = await calibrateCpu(target, { ...facts, measure: counted, state: saved.at(-1)! });
    const whole = await exact;
    expect(count - before).toBeGreaterThan(100);
    expect(resumed.calibration).toEqual(whole.calibration);
  });

  it("is refused where too little was measured, or where the machine or the options changed", async () => {
    const idle = () => Promise.resolve({ seconds: 1, p10: 1, p90: 1, min: 1, count: 1 });
    await expect(calibrateCpu(target, { ...facts, measure: idle })).rejects.toThrow("too busy to be measured");
    let clock = 0;
    const now = (): number => (clock += 10_000);
    await expect(calibrateCpu(target, { ...facts, measure: fake(), now })).rejects.toThrow(
      "too few to fit. Give it more time",
    );
    const state: CalibrationState = {
      version: 2,
      seed: 1,
      quick: true,
      host: "another",
      threads: 1,
      spent: 0,
      done: {},
    };
    await expect(calibrateCpu(target, { ...facts, measure: fake(), state })).rejects.toThrow(
      "begun on another machine (another; this is made up, 1 core)",
    );
    await expect(
      calibrateCpu(getTarget("cpu:tfjs") as CpuTarget, {
        ...facts,
        measure: fake(),
        state: { ...state, host: facts.host },
      }),
    ).rejects.toThrow("Give the same options");
    await expect(
      calibrateCpu(target, { ...facts, quick: false, measure: fake(), state: { ...state, host: facts.host } }),
    ).rejects.toThrow("Give the same options");
  });

  it("warns of kernels beyond it and doubles the interval", async () => {
    const calibrated = await noisy;
    const model = cpuModel(calibrated);
    const small = model.predict(mlp([6, 32, 3])).latency;
    const large = model.predict(mlp([6, 1024, 1024, 3]));
    expect(large.warnings.join()).toContain("larger than what was calibrated");
    expect(large.latency.hi / large.latency.p50).toBeGreaterThan(small.hi / small.p50);
    expect(model.predict(mlp([6, 32, 3]), 4096).warnings.join()).toContain("batch 4096 is above those calibrated");
  });

  it("checks the machine at use: as it is up to 3 %, scaled up to 15 %, refused above", async () => {
    const calibrated = await exact;
    const graph = mlp([6, 32, 32, 3]);
    const p50 = cpuModel(calibrated).predict(graph).latency.p50;
    for (const [speed, factor] of [
      [1.02, 1],
      [1.1, 1.1],
    ] as const) {
      const ratio = await referenceRatio(calibrated, { measure: fake(0, makeRng(1), speed) });
      expect(ratio).toBeCloseTo(speed, 9);
      expect(cpuModel(calibrated, ratio).predict(graph).latency.p50).toBeCloseTo(factor * p50, 12);
    }
    expect(cpuModel(calibrated, 1.1).predict(graph).warnings.join()).toContain("scaled by 1.10");
    expect(() => cpuModel(calibrated, 1.3)).toThrow("the reference network takes 1.30 times what it took");
  });
});

describe("a measurement", () => {
  it("is the median of blocks, taken again where they scatter", async () => {
    let clock = 0;
    let calls = 0;
    const call = (): Promise<void> => {
      calls++;
      // Every third of the first thousand calls is disturbed.
      clock += calls < 1000 && calls % 300 < 150 ? 4 : 1;
      return Promise.resolve();
    };
    const measured = await measureCalls(call, {
      warmRuns: 10,
      warmSeconds: 0,
      blocks: 10,
      blockSeconds: 0.05,
      retries: 9,
      now: () => clock,
    });
    expect(measured.seconds).toBeCloseTo(1e-3, 9);
    expect(measured.p90).toBeCloseTo(1e-3, 9);
  });

  it("beside a yardstick is of the machine as the yardstick knows it", async () => {
    let clock = 0;
    /** Milliseconds: twice as long in the second half of every hundred. */
    const work = (ms: number) => (): Promise<void> => {
      clock += clock % 100 < 50 ? ms : 2 * ms;
      return Promise.resolve();
    };
    const options = { warmRuns: 10, warmSeconds: 0, blocks: 40, blockSeconds: 0.01, retries: 0, now: () => clock };
    const alone = await measureCalls(work(0.3), options);
    expect(alone.p90 / alone.p10).toBeGreaterThan(1.5);
    const beside = await measureCalls(work(0.3), { ...options, yardstick: { call: work(0.1), seconds: 5e-5 } });
    // Three times the yardstick, which is said to take half of what this clock tells.
    expect(beside.seconds / 1.5e-4).toBeCloseTo(1, 1);
    expect(beside.p90 / beside.p10).toBeLessThan(1.5);
  });

  it("counts quiet blocks only, while there are some", async () => {
    let clock = 0;
    /** Milliseconds: a small call takes three times as long for nine tenths of a second out of every second, a large one twice. */
    const work = (ms: number, slow: number) => (): Promise<void> => {
      clock += clock % 1000 < 900 ? slow * ms : ms;
      return Promise.resolve();
    };
    const options = { warmRuns: 10, warmSeconds: 0, blocks: 40, blockSeconds: 0.01, retries: 0, now: () => clock };
    const beside = { ...options, yardstick: { call: work(0.1, 3), seconds: 1e-4 } };
    const all = await measureCalls(work(0.4, 2), beside);
    expect(all.seconds).toBeLessThan(3e-4);
    const quiet = await measureCalls(work(0.4, 2), { ...beside, quiet: 1.1 });
    expect(quiet.seconds).toBeCloseTo(4e-4, 9);
    // Where it is never quiet, all blocks count, and three times as many were timed.
    const never = await measureCalls(work(0.4, 2), { ...beside, quiet: 0.5 });
    expect(never.seconds).toBeCloseTo(all.seconds, 9);
    expect(never.count / all.count).toBeGreaterThan(2.5);
  });

  it("leaves the first calls of a block out where they are asked to be, and times long calls briefly", async () => {
    let clock = 0;
    let calls = 0;
    let last: unknown;
    /** The first call after another's takes 5 ms more. */
    const work = (name: string, ms: number) => (): Promise<void> => {
      clock += last === name ? ms : ms + 5;
      last = name;
      calls++;
      return Promise.resolve();
    };
    const options = { warmRuns: 2, warmSeconds: 0, blocks: 12, blockSeconds: 0.005, retries: 0, now: () => clock };
    const yardstick = { call: work("yardstick", 10), seconds: 1 };
    const beside = { ...options, blockRuns: 3, untimed: 1, longCall: 0.1, yardstick };
    const clean = await measureCalls(work("own", 15), beside);
    expect(clean.seconds).toBeCloseTo(1.5, 9);
    expect(clean.yardstick).toBeCloseTo(0.01, 9);
    const dirty = await measureCalls(work("own", 15), { ...beside, untimed: 0 });
    expect(Math.abs(dirty.seconds - 1.5)).toBeGreaterThan(0.01);
    calls = 0;
    const long = await measureCalls(work("own", 500), { ...beside, warmRuns: 9 });
    expect(long.count).toBe(2);
    // Two to warm up, two that are timed, and three blocks of the yardstick.
    expect(calls).toBe(2 + 2 + 3 * 4);
    expect(long.seconds).toBeCloseTo(50.5, 9);
  });
});
