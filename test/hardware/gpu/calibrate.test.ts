/** Calibration of a GPU: a made-up adapter's times found again, and the real adapter where there is one. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { Graph } from "../../../src/graph/index.ts";
import { calibrateGpu } from "../../../src/hardware/gpu/calibrate.ts";
import { withEmulatorEnds } from "../../../src/hardware/measured/emulator-ends.ts";
import { gpuModel } from "../../../src/hardware/gpu/model.ts";
import { gpuScheme } from "../../../src/hardware/gpu/scheme.ts";
import { fuseKernels } from "../../../src/hardware/kernels.ts";
import type { CalibrationState } from "../../../src/hardware/measured/calibrate.ts";
import type { Measurement, MeasureOptions } from "../../../src/hardware/measured/measure.ts";
import { manyResults, randomNetwork, referenceNetwork } from "../../../src/hardware/measured/units.ts";
import { scorePredictions } from "../../../src/hardware/metrics.ts";
import { networkOf } from "../../../src/hardware/network.ts";
import type { GpuTarget } from "../../../src/hardware/target.ts";
import { parseTarget } from "../../../src/hardware/target-file.ts";
import { getTarget } from "../../../src/hardware/targets/index.ts";
import { makeRng, type Rng } from "../../../src/rng.ts";
import { imageNetwork, mlp, signalNetwork } from "../networks.ts";

const webgpu = getTarget("webgpu") as GpuTarget;
const facts = { host: "made up, 1 core", date: "2026-01-01T00:00:00Z", engine: "1.0", quick: true, now: () => 0 };

const perKind: Readonly<Record<string, readonly [fixed: number, perMac: number, perByte: number]>> = {
  gemm: [5e-6, 1e-12, 1e-11],
  conv1d: [2e-5, 5e-12, 1e-11],
  conv2d: [4e-5, 3e-12, 1e-11],
  readback: [1e-6, 0, 1e-10],
  upload: [5e-5, 0, 1e-10],
};

/** Seconds of a graph on a made-up adapter: 1.5 ms a call, 0.7 ms whatever else it waits for, and its kernels, those in
 * float64 on the processor. */
function truth(graph: Graph, batch: number): number {
  const network = networkOf(graph);
  const kernels = fuseKernels(network);
  let seconds = 1.5e-3 + 7e-4 * gpuScheme.around[0]!.count(network, kernels);
  for (const kernel of kernels) {
    const kind = gpuScheme.kindOf(kernel, 1);
    const [fixed, perMac, perByte] = perKind[kind] ?? (kind.endsWith("64") ? [4e-7, 0, 1e-10] : [1.2e-5, 0, 1e-11]);
    seconds += fixed + perMac * kernel.macs * batch + perByte * (kernel.bytesIn + kernel.bytesOut) * batch;
  }
  return seconds;
}

/** Its clock runs at half or full speed, which the yardstick sees as well; what is left scatters. */
function fake(scatter = 0, rng: Rng = makeRng(9)) {
  const reference = truth(referenceNetwork(), 1);
  return (graph: Graph, batch: number, { yardstick }: MeasureOptions = {}): Promise<Measurement> => {
    const speed = rng.int(3) === 0 ? 2 : 1;
    const seconds = (yardstick!.seconds * truth(graph, batch) * Math.exp(scatter * rng.normal())) / reference;
    return Promise.resolve({
      seconds,
      p10: seconds,
      p90: seconds,
      min: seconds,
      count: 1,
      yardstick: speed * reference,
    });
  };
}

describe("calibrateGpu()", () => {
  const noisy = calibrateGpu(webgpu, { ...facts, measure: fake(0.03) });

  it("finds a call, a value that is taken back, and kernels, and predicts networks that it has not seen", async () => {
    const target = await noisy;
    const { sessionSeconds, aroundSeconds, referenceSeconds, noiseCv } = target.calibration!;
    expect(referenceSeconds).toBe(truth(referenceNetwork(), 1));
    expect(Math.abs(sessionSeconds / 1.5e-3 - 1)).toBeLessThan(0.03);
    expect(Math.abs(aroundSeconds[0]! / 7e-4 - 1)).toBeLessThan(0.1);
    expect(noiseCv).toBeGreaterThan(0.015);
    expect(noiseCv).toBeLessThan(0.045);
    const model = gpuModel(target);
    const plain = Array.from({ length: 40 }, (_, i) => randomNetwork(makeRng(1000 + i)));
    const sets = {
      plain,
      emulators: plain.map((graph, i) => withEmulatorEnds(graph, makeRng(i))),
      results: [2, 5, 30].map(manyResults),
      others: [mlp([6, 100, 80, 3]), signalNetwork(16, 100, 4), imageNetwork(8, 12)],
    };
    for (const [name, graphs] of Object.entries(sets))
      for (const batch of [1, 4, 16]) {
        const predictions = graphs.map((graph) => model.predict(graph, batch));
        const measured = graphs.map((graph) => truth(graph, batch));
        const { mape } = scorePredictions(
          predictions.map(({ latency }) => latency.p50),
          measured,
        );
        // Three measurements tell of results, hundreds of the rest.
        expect(mape).toBeLessThan(name === "results" ? 0.08 : 0.03);
        const inside = predictions.filter(({ latency: { lo, hi } }, i) => lo < measured[i]! && measured[i]! < hi);
        if (graphs.length > 3) expect(inside.length / graphs.length).toBeGreaterThan(0.9);
      }
    expect(parseTarget(JSON.stringify(target), "webgpu.json")).toEqual(target);
    expect(target.source).toBe("measured on made up, 1 core, 2026-01-01");
  });

  it("counts results in float64 as the processor's own: one value is taken back for all of them", async () => {
    const model = gpuModel(await noisy);
    const graph = mlp([6, 32, 32, 8]);
    const ends = withEmulatorEnds(graph, makeRng(3));
    expect(ends.outputs.length).toBeGreaterThan(5);
    const [plain, emulator] = [graph, ends].map((each) => model.predict(each));
    expect(plain!.fixed.map(({ name }) => name)).toEqual(["call"]);
    expect(emulator!.fixed).toEqual(plain!.fixed);
    expect(model.predict(manyResults(5)).fixed.map(({ name }) => name)).toEqual(["call", "further results"]);
  });

  it("resumes where it was stopped, with the same result", async () => {
    const saved: CalibrationState[] = [];
    const save = (state: CalibrationState): Promise<void> => {
      saved.push(structuredClone(state));
      return Promise.resolve();
    };
    let count = 0;
    const measure = (graph: Graph, batch: number, options?: MeasureOptions): Promise<Measurement> => {
      count++;
      return fake()(graph, batch, options);
    };
    await calibrateGpu(webgpu, { ...facts, measure, save, stopped: () => count > 100 });
    const before = count;
    const resumed = await calibrateGpu(webgpu, { ...facts, measure, state: saved.at(-1)! });
    expect(count - before).toBeGreaterThan(100);
    const whole = await calibrateGpu(webgpu, { ...facts, measure: fake() });
    expect(resumed.calibration!.kinds).toEqual(whole.calibration!.kinds);
    const { provider, ...cpu } = saved.at(-1)!;
    expect(provider).toBe("webgpu");
    await expect(calibrateGpu(webgpu, { ...facts, measure, state: cpu })).rejects.toThrow(
      "was begun on cpu with 1 threads",
    );
  });

  it("refuses to fit too few, and spends more than its time to have enough", async () => {
    await expect(calibrateGpu(webgpu, { ...facts, measure: fake(), stopped: () => true })).rejects.toThrow(
      "only 4 of 260 measurements were made, too few to fit. Give it more time",
    );
    let clock = 0;
    const slow = { ...facts, seconds: 10, now: () => (clock += 1_000) };
    const { calibration } = await calibrateGpu(webgpu, { ...slow, measure: fake() });
    expect(calibration!.residuals.batch.length).toBeGreaterThanOrEqual(6);
    const slower = { ...slow, now: () => (clock += 20_000) };
    await expect(calibrateGpu(webgpu, { ...slower, measure: fake() })).rejects.toThrow("too few to fit");
  });

  it("leaves out what would take longer than a thirtieth of the time", async () => {
    // A microsecond per value or multiply-accumulate.
    const work = (graph: Graph): number =>
      networkOf(graph).operations.reduce((sum, { macs, elements }) => sum + macs + elements, 0);
    const asked: number[] = [];
    const measure = (graph: Graph, batch: number, options?: MeasureOptions): Promise<Measurement> => {
      const seconds = 1e-3 + 1e-6 * batch * work(graph);
      asked.push(seconds);
      return fake()(graph, batch, options).then((measured) => ({ ...measured, seconds, yardstick: 1 }));
    };
    await calibrateGpu(webgpu, { ...facts, measure });
    expect(asked.length).toBeGreaterThan(50);
    expect(asked.length).toBeLessThan(250);
    expect(Math.max(...asked.slice(4))).toBeLessThan(2.5);
  });

  it("says what to install where there is no adapter", async () => {
    // Without the environment below, no test machine has one that this process was started for; one that has measures.
    const answer = await calibrateGpu(webgpu, {
      ...facts,
      stopped: () => true,
      now: () => performance.now(),
      seconds: 1,
    }).catch((error: unknown) => (error as Error).message);
    expect(answer).toMatch(
      /no graphics adapter on this machine\. Install a Vulkan, Metal or Direct3D 12 driver|too few to fit/,
    );
  });
});

/** Chromium's software Vulkan, for machines without a graphics card. */
const software = ["/usr/lib/chromium", "/usr/lib64/chromium-browser", "/opt/google/chrome"]
  .map((folder) => join(folder, "vk_swiftshader_icd.json"))
  .find((file) => existsSync(file));

interface Answer {
  readonly absent?: string;
  readonly target: GpuTarget;
  readonly measured: { readonly p50: number; readonly p95: number };
  readonly predicted: number;
}

/** In a process of its own, because the graphics libraries are looked up when a process starts. */
function askAdapter(env: Readonly<Record<string, string>>): Answer {
  const script = fileURLToPath(new URL("./adapter.ts", import.meta.url));
  const output = execFileSync(process.execPath, ["--import", "tsx", script], {
    encoding: "utf8",
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "ignore"],
  });
  return JSON.parse(output) as Answer;
}

describe("the adapter of this machine", () => {
  // A software adapter compiles shaders for seconds, for longer where other tests take the processor.
  it("is calibrated, and predicts about what is measured", { timeout: 300_000 }, (context) => {
    const own = askAdapter({});
    const answer =
      own.absent === undefined || software === undefined
        ? own
        : askAdapter({ VK_ICD_FILENAMES: software, LD_LIBRARY_PATH: dirname(software) });
    if (answer.absent !== undefined) {
      console.warn(`skipped: ${answer.absent}`);
      context.skip(answer.absent);
      return;
    }
    const { target, measured, predicted } = answer;
    const { referenceSeconds, residuals, kinds } = target.calibration!;
    expect(referenceSeconds).toBeGreaterThan(0);
    expect(residuals.logResidual.length).toBeGreaterThanOrEqual(6);
    expect(kinds).toHaveProperty("gemm");
    expect(measured.p95).toBeGreaterThanOrEqual(measured.p50);
    // A few networks on a machine that may be busy: the right order of magnitude.
    expect(Math.abs(Math.log10(predicted / measured.p50))).toBeLessThan(1);
  });
});
