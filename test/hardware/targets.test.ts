import { describe, expect, it } from "vitest";
import { impossibleBudget, parseBudget, showLatency } from "../../src/hardware/budget.ts";
import { latencyModel } from "../../src/hardware/model.ts";
import { networkMacs, networkOf } from "../../src/hardware/network.ts";
import { meetsBudget, sumOfParts } from "../../src/hardware/prediction.ts";
import { type FpgaTarget, targetHash } from "../../src/hardware/target.ts";
import { parseTarget, readTarget } from "../../src/hardware/target-file.ts";
import { getTarget, resolveTarget, targets } from "../../src/hardware/targets/index.ts";
import { macsOf } from "../../src/graph/index.ts";
import { imageNetwork, mlp, signalNetwork } from "./networks.ts";

const networks = { scalars: mlp([6, 32, 32, 3]), signal: signalNetwork(8, 32, 2), image: imageNetwork(4, 8) };

describe.each(targets.map((target) => [target.id, target] as const))("%s", (_, target) => {
  it.each(Object.entries(networks))("predicts finite latencies for %s whose parts add up exactly", (_name, graph) => {
    for (const batch of [1, 16]) {
      const { latency, perOp, fixed, throughput } = latencyModel(target).predict(graph, batch);
      expect(latency.p50).toBeGreaterThan(0);
      expect(Number.isFinite(latency.hi)).toBe(true);
      expect(sumOfParts(perOp, fixed)).toBe(latency.p50);
      for (const { seconds } of perOp) expect(seconds).toBeGreaterThanOrEqual(0);
      expect([latency.lo, latency.hi]).toEqual([latency.p50 / 2, latency.p50 * 2]);
      expect(throughput).toBeGreaterThan(0);
    }
  });

  it("is read back from its own file", () => {
    expect(parseTarget(JSON.stringify(target), "t.json")).toEqual(target);
  });

  it("takes no longer for a narrower network", () => {
    const model = latencyModel(target);
    const [narrow, wide] = [8, 64].map((width) => model.predict(mlp([6, width, width, 3])));
    if (narrow?.fits === false || wide?.fits === false) return;
    expect(narrow!.latency.p50).toBeLessThanOrEqual(wide!.latency.p50);
  });
});

describe("a network read off a graph", () => {
  it("has the multiply-accumulates of the graph", () => {
    for (const graph of Object.values(networks)) expect(networkMacs(networkOf(graph))).toBe(macsOf(graph));
  });
});

describe("an FPGA target", () => {
  it("gives the device's resources and whether the design fits", () => {
    const { fits, resources, mapping } = latencyModel(getTarget("fpga:pynq-z2")).predict(networks.scalars);
    expect(fits).toBe(true);
    expect(resources!.dsp).toBeLessThanOrEqual(0.9 * 220);
    expect(resources!.lut).toBeLessThanOrEqual(0.7 * 53_200);
    expect(mapping).toContain("lanes");
  });

  it("is never slower with more of everything", () => {
    const small = getTarget("fpga:pynq-z2:dataflow") as FpgaTarget;
    const { fpga } = small;
    const large: FpgaTarget = {
      ...small,
      fpga: { ...fpga, lut: 4 * fpga.lut, ff: 4 * fpga.ff, dsp: 4 * fpga.dsp, bram18: 4 * fpga.bram18 },
    };
    for (const graph of Object.values(networks))
      expect(latencyModel(large).predict(graph).latency.p50).toBeLessThanOrEqual(
        latencyModel(small).predict(graph).latency.p50,
      );
  });

  it("takes with every back end at least the work over its lanes", () => {
    const graph = mlp([8, 32, 32, 8]);
    for (const backEnd of ["tiled", "dataflow", "reuse"]) {
      const { latency, fits, clockHz } = latencyModel(getTarget(`fpga:alveo-u250:${backEnd}`)).predict(graph);
      expect(fits).toBe(true);
      expect(latency.p50 * clockHz!).toBeGreaterThan(networkMacs(networkOf(graph)) / (0.9 * 12_288));
    }
  });

  it("says that a network does not fit, and what is too much", () => {
    const prediction = latencyModel(getTarget("fpga:ice40-up5k:reuse")).predict(mlp([6, 64, 64, 3]));
    expect(prediction.fits).toBe(false);
    expect(prediction.warnings.join()).toMatch(/does not fit: LUT \d+ of 3696/);
    expect(meetsBudget(prediction, 1e9)).toBe(false);
  });

  it("adds the call from embedded Linux where it is asked for", () => {
    const [bare, linux] = ["fpga:pynq-z2", "fpga:pynq-z2:linux"].map(
      (id) => latencyModel(getTarget(id)).predict(networks.scalars).latency.p50,
    );
    expect(linux! - bare!).toBeCloseTo(2e-5, 12);
  });

  it("is at least the hi of its interval within a budget", () => {
    const prediction = latencyModel(getTarget("fpga:pynq-z2")).predict(networks.scalars);
    expect(meetsBudget(prediction, prediction.latency.hi)).toBe(true);
    expect(meetsBudget(prediction, prediction.latency.hi * 0.999)).toBe(false);
  });
});

describe("budgets", () => {
  it.each([
    ["20us", 2e-5],
    ["50 us", 5e-5],
    ["1ms", 1e-3],
    ["0.5s", 0.5],
    ["250ns", 2.5e-7],
    ["1.5µs", 1.5e-6],
  ])("reads %s", (text, seconds) => {
    expect(parseBudget(text)).toBeCloseTo(seconds, 15);
  });

  it.each([
    ["50", "the unit is missing"],
    ["0us", "must be above zero"],
    ["-3ms", "must be above zero"],
    ["10 minutes", 'unknown unit "minutes"'],
    ["fast", "not a latency"],
    ["", "not a latency"],
    ["1e999ms", "not a latency"],
  ])("refuses %j: %s", (text, why) => {
    expect(() => parseBudget(text)).toThrow(why);
    expect(() => parseBudget(text)).toThrow("such as 20us or 1.5ms");
  });

  it("that nothing keeps are answered with the smallest reachable latency", () => {
    expect(impossibleBudget(1e-9, 2.5e-6, "fpga:pynq-z2").message).toBe(
      "no emulator keeps 1 ns on fpga:pynq-z2: the smallest reachable is 2.5 us. Raise --budget to at least that, or choose another target.",
    );
  });

  it("are shown in the unit that suits them", () => {
    expect([0, 3.14159e-8, 2.5e-5, 1.2345e-2, 3].map(showLatency)).toEqual([
      "0 us",
      "31.4 ns",
      "25 us",
      "12.3 ms",
      "3 s",
    ]);
  });
});

describe("target files", () => {
  const valid = getTarget("fpga:pynq-z2");
  const broken = (change: (target: Record<string, unknown>) => void): string => {
    const copy = structuredClone(valid) as unknown as Record<string, unknown>;
    change(copy);
    return JSON.stringify(copy);
  };
  const device = (target: Record<string, unknown>): Record<string, unknown> => target.fpga as Record<string, unknown>;

  it.each([
    ["not JSON", "{", "not JSON"],
    ["a list", "[]", "the document is not an object"],
    ["another class", broken((t) => (t.class = "tpu")), '"class" is "tpu", but must be one of cpu, gpu, fpga'],
    ["a newer version", broken((t) => (t.version = 9)), "a target of version 9"],
    ["a missing field", broken((t) => delete device(t).dsp), '"fpga.dsp" is missing'],
    ["an unknown field", broken((t) => (device(t).luts = 1)), 'unknown field "fpga.luts"'],
    ["no logic", broken((t) => (device(t).lut = 0)), '"fpga.lut" is 0'],
    ["no clock", broken((t) => (device(t).clockHz = 0)), '"fpga.clockHz" is 0'],
    ["a text for a number", broken((t) => (device(t).dsp = "220")), '"fpga.dsp" is "220"'],
    [
      "more than all of a resource",
      broken((t) => (device(t).utilMax = { lut: 1.2, dsp: 0.9, bram18: 0.9 })),
      '"fpga.utilMax.lut" is 1.2',
    ],
    ["an unknown back end", broken((t) => (t.engine = { name: "magic", version: "" })), '"engine.name" is "magic"'],
  ])("with %s are refused with one message", (_, text, message) => {
    expect(() => parseTarget(text, "my.json")).toThrow(message);
    expect(() => parseTarget(text, "my.json")).toThrow("my.json: ");
  });

  it.each([
    [
      "coefficients of another kind",
      (c: Record<string, unknown>) => (c.kinds = { gemm: { coefficients: "1" } }),
      '"calibration.kinds.gemm.coefficients" holds something else',
    ],
    [
      "a kind that is no object",
      (c: Record<string, unknown>) => (c.kinds = { gemm: 5 }),
      '"calibration.kinds.gemm" is not an object',
    ],
    [
      "a time that is none",
      (c: Record<string, unknown>) => (c.sessionSeconds = "fast"),
      '"calibration.sessionSeconds" is "fast"',
    ],
    ["no host", (c: Record<string, unknown>) => delete c.host, '"calibration.host" is missing'],
    [
      "residuals of text",
      (c: Record<string, unknown>) => (c.residuals = { shares: { gemm: ["a"] }, logResidual: [], batch: [] }),
      '"calibration.residuals.shares.gemm" holds something else',
    ],
    [
      "of another version",
      (c: Record<string, unknown>) => (c.version = 7),
      '"calibration.version" is 7, but must be 6; calibrate again',
    ],
  ])("with a damaged calibration, %s, are refused before any prediction", (_, damage, message) => {
    const calibration: Record<string, unknown> = {
      version: 6,
      date: "",
      host: "",
      engine: "",
      threads: 1,
      referenceSeconds: 1e-4,
      noiseCv: 0,
      sessionSeconds: 1e-6,
      aroundSeconds: [1e-6],
      padding: { columns: 16, rows: 6 },
      kinds: {},
      residuals: { shares: { gemm: [1] }, logResidual: [0], batch: [1] },
      batches: [1],
    };
    const cpu = getTarget("cpu");
    expect(() => parseTarget(JSON.stringify({ ...cpu, calibration }), "my.json")).not.toThrow();
    damage(calibration);
    expect(() => parseTarget(JSON.stringify({ ...cpu, calibration }), "my.json")).toThrow(message);
  });

  it("that are not there are refused", async () => {
    await expect(readTarget("/nowhere/t.json")).rejects.toThrow("/nowhere/t.json: cannot be read");
    await expect(resolveTarget("nowhere.json")).rejects.toThrow("cannot be read");
  });

  it("have a hash of their own", () => {
    expect(new Set(targets.map(targetHash)).size).toBe(targets.length);
    expect(targetHash(valid)).toBe(targetHash(JSON.parse(JSON.stringify(valid)) as FpgaTarget));
    expect(targetHash(valid)).not.toBe(targetHash({ ...valid, id: "fpga:other" }));
  });
});

describe("target names", () => {
  it.each(["fpga:nope", "tpu", "fpga:pynq-z2:magic", "gpu:h200:dataflow", ""])(
    "refuses %j and lists what there is",
    (name) => {
      expect(() => getTarget(name)).toThrow("unknown target");
      expect(() => getTarget(name)).toThrow("fpga:pynq-z2");
    },
  );
});
