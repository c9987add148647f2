/**
 * Calibration of WebGPU on this machine's adapter: whole networks alone, some with the ends of an emulator, in turn with the
 * reference network. A call takes milliseconds, nearly all of it synchronisation, which drifts by a factor of two within a
 * minute whatever the network: multiples of the reference network are what repeats.
 */
import { EngineError } from "../../errors.ts";
import { makeRng } from "../../rng.ts";
import {
  type CalibrateOptions,
  type Measured,
  measureByPlan,
  networkPoints,
  type Plan,
  pointOf,
  repeatCv,
} from "../measured/calibrate.ts";
import { someWithEnds } from "../measured/emulator-ends.ts";
import type { MeasureOptions } from "../measured/measure.ts";
import { chainGraph, drawUnit, manyResults, randomNetwork } from "../measured/units.ts";
import { median } from "../metrics.ts";
import type { GpuTarget } from "../target.ts";
import { fitGpu } from "./fit.ts";
import { gpuScheme } from "./scheme.ts";

/** Blocks of three calls, the first call of a block not timed. A software adapter takes seconds. */
export const timing = {
  warmRuns: 2,
  warmSeconds: 0,
  blocks: 12,
  blockSeconds: 5e-3,
  blockRuns: 3,
  untimed: 1,
  longCall: 0.1,
  retries: 0,
} as const satisfies MeasureOptions;

/** Results of the networks that tell what taking one back costs. */
const resultCounts = [2, 4, 7] as const;

function planOf(quick: boolean): Plan {
  const batches = quick ? [1, 16] : [1, 16, 64, 256];
  const rng = makeRng(0);
  return {
    ...(quick ? { seconds: 60, networks: 240 } : { seconds: 300, networks: 600 }),
    units: 0,
    chain: [],
    batches,
    batchOf: (i) => batches[i % batches.length]!,
    first: [
      // Tells first what would take too long.
      { name: "probe", batch: 16, graph: chainGraph(drawUnit("gemm", rng), 1, rng) },
      ...resultCounts.map((count) => ({ name: `results|${count}`, batch: 1, graph: manyResults(count) })),
    ],
    measure: timing,
    fewest: { chains: 0, networks: 6 },
    overtime: 5,
    longest: 1 / 30,
  };
}

/** Calibrates a WebGPU target on this machine.
 * @throws EngineError where there is no adapter   @throws OptionError if the time was too short to fit anything */
export async function calibrateGpu(target: GpuTarget, options: CalibrateOptions): Promise<GpuTarget> {
  const { host, date, engine, draw = randomNetwork } = options;
  const plan = planOf(options.quick ?? false);
  const measured = await measureOn(target, plan, { ...options, draw: someWithEnds(draw) });
  const { done } = measured.state;
  const referenceSeconds = median(Object.values(done).flatMap(({ yardstick }) => yardstick ?? []));
  const results = resultCounts.map((count) =>
    pointOf(manyResults(count), 1, referenceSeconds * done[`results|${count}`]!.seconds, gpuScheme),
  );
  const calibration = fitGpu(networkPoints(measured, plan, gpuScheme, referenceSeconds), results, {
    date,
    host,
    engine,
    referenceSeconds,
    noiseCv: repeatCv(measured, plan),
    batches: plan.batches,
  });
  return {
    ...target,
    description: "WebGPU through ONNX Runtime, this machine's adapter",
    source: `measured on ${host}, ${date.slice(0, 10)}`,
    engine: { name: "webgpu", version: engine },
    calibration,
  };
}

async function measureOn(target: GpuTarget, plan: Plan, options: CalibrateOptions): Promise<Measured> {
  try {
    return await measureByPlan(plan, { threads: 1, provider: "webgpu" }, options);
  } catch (error) {
    throw error instanceof EngineError && error.code === "ENGINE_PROVIDER" ? noAdapter(target, error) : error;
  }
}

/** What to do where no adapter is found. */
export function noAdapter(target: GpuTarget, cause?: unknown): EngineError {
  return new EngineError(
    "ENGINE_PROVIDER",
    `${target.id}: no graphics adapter on this machine. Install a Vulkan, Metal or Direct3D 12 driver, or name a software one (Chromium's SwiftShader: its vk_swiftshader_icd.json in VK_ICD_FILENAMES, its folder in LD_LIBRARY_PATH).`,
    { cause },
  );
}
