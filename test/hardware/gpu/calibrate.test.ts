/** Calibration of a GPU: constants found again from made-up times, and the real adapter where there is one. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { Graph } from "../../../src/graph/index.ts";
import { calibrateGpu } from "../../../src/hardware/gpu/calibrate.ts";
import { gpuModel } from "../../../src/hardware/gpu/model.ts";
import { scorePredictions } from "../../../src/hardware/metrics.ts";
import type { GpuTarget } from "../../../src/hardware/target.ts";
import { parseTarget } from "../../../src/hardware/target-file.ts";
import { getTarget } from "../../../src/hardware/targets/index.ts";
import { imageNetwork, mlp, signalNetwork } from "../networks.ts";

const webgpu = getTarget("webgpu") as GpuTarget;
const facts = { host: "made up, 1 core", date: "2026-01-01T00:00:00Z", engine: "1.0", quick: true, now: () => 0 };

describe("calibrateGpu()", () => {
  /** A device whose times are exactly those of the model. */
  const truth: GpuTarget = {
    ...webgpu,
    gpu: { ...webgpu.gpu, fp32: 4e11, bw: 2e10, sm: 8, tLaunch: 2e-5, tSync: 2e-4, tFix: 2e-6 },
    calibration: {
      date: "",
      host: "",
      efficiency: { dense: 0.5, conv1d: 0.2, conv2d: 0.25, elementwise: 0.3, copy: 0.3, matmul: 0.3, reduce: 0.3 },
      padding: { rows: 32, columns: 32 },
      hostKernel: 3e-6,
      residuals: [],
    },
  };
  const time = (graph: Graph, batch: number): Promise<number> =>
    Promise.resolve(gpuModel(truth).predict(graph, batch).latency.p50);

  it("finds launch, synchronisation and the processor's share exactly, and predicts unseen networks", async () => {
    const { target } = await calibrateGpu(webgpu, { ...facts, time });
    const { gpu, calibration } = target;
    expect(Math.abs(gpu.tSync / 2e-4 - 1)).toBeLessThan(0.02);
    expect(calibration!.hostKernel).toBeCloseTo(3e-6, 7);
    // Launches take part in the shift that whole networks ask for.
    expect(Math.abs(gpu.tLaunch / 2e-5 - 1)).toBeLessThan(0.1);
    expect(calibration!.padding!.rows).toBe(32);
    const model = gpuModel(target);
    const unseen = [mlp([6, 100, 80, 3]), mlp([4, 250, 250, 250, 9]), signalNetwork(16, 128, 4), imageNetwork(8, 24)];
    const cases = unseen.flatMap((graph) => [1, 4, 64].map((batch) => ({ graph, batch })));
    const measured = await Promise.all(cases.map(({ graph, batch }) => time(graph, batch)));
    const scores = scorePredictions(
      cases.map(({ graph, batch }) => model.predict(graph, batch).latency.p50),
      measured,
    );
    // The efficiencies are on a grid of 6 %, and multiprocessors trade for them.
    expect(scores.mape).toBeLessThan(0.15);
    expect(scores.spearman).toBeGreaterThan(0.97);
    expect(parseTarget(JSON.stringify(target), "webgpu.json")).toEqual(target);
  });

  it("is the same for the same measurements, and refuses to fit too few", async () => {
    const [one, two] = [await calibrateGpu(webgpu, { ...facts, time }), await calibrateGpu(webgpu, { ...facts, time })];
    expect(one.target).toEqual(two.target);
    await expect(calibrateGpu(webgpu, { ...facts, time, stopped: () => true })).rejects.toThrow(
      "0 kernels and 0 networks were measured, too few to fit. Give it more time.",
    );
  });

  it("says what to install where there is no adapter", async () => {
    // Without the environment below, no test machine has one that this process was started for; one that has measures.
    const answer = await calibrateGpu(webgpu, { ...facts, stopped: () => true, now: () => performance.now() }).catch(
      (error: unknown) => (error as Error).message,
    );
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
    const { gpu, calibration } = target;
    for (const value of [gpu.tLaunch, gpu.fp32, gpu.bw, calibration!.hostKernel!]) expect(value).toBeGreaterThan(0);
    expect(calibration!.residuals.length).toBeGreaterThanOrEqual(3);
    expect(measured.p95).toBeGreaterThanOrEqual(measured.p50);
    // A few networks on a machine that may be busy: the right order of magnitude.
    expect(Math.abs(Math.log10(predicted / measured.p50))).toBeLessThan(1);
  });
});
