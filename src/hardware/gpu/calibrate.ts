/**
 * Calibration of WebGPU on this machine's adapter (spec latency 3): times chains of kernels and whole networks through ONNX
 * Runtime's WebGPU provider, in random order until the time is up, and fits the queue and roofline model.
 */
import { EngineError, OptionError } from "../../errors.ts";
import { type Graph, graphBuilder } from "../../graph/index.ts";
import { makeRng, type Rng } from "../../rng.ts";
import { chainGraph, drawUnit, emptyNetwork, randomNetwork, unitKinds } from "../cpu/units.ts";
import { withCall } from "../cpu/measure.ts";
import { withConstantWeights } from "../cpu/optimised.ts";
import { fuseKernels } from "../kernels.ts";
import { median } from "../metrics.ts";
import { networkOf } from "../network.ts";
import type { GpuTarget } from "../target.ts";
import { fitGpu, type GpuFit, type GpuMeasurements, type GpuPoint } from "./fit.ts";

export interface CalibrateGpuOptions {
  /** One minute instead of five. */
  readonly quick?: boolean;
  /** Ends after this time, seconds, or as soon after it as there is enough to fit. */
  readonly seconds?: number;
  readonly seed?: number;
  /** Kinds of kernels to time, default all; and whole networks to time, default random ones of all sorts. */
  readonly kinds?: readonly string[];
  readonly draw?: (rng: Rng) => Graph;
  /** Processor and cores, date, and engine, for the record. */
  readonly host: string;
  readonly date: string;
  readonly engine: string;
  /** @param fraction of the time that is spent */
  readonly progress?: (fraction: number, note: string) => void;
  readonly stopped?: () => boolean;
  /** Monotonic, milliseconds. */
  readonly now?: () => number;
  /** Replaces the timing, for tests: seconds of a call. */
  readonly time?: Time;
}

type Time = (graph: Graph, batch: number) => Promise<number>;

const plans = {
  quick: { seconds: 60, units: 6, networks: 30, batches: [1, 16] },
  full: { seconds: 300, units: 20, networks: 100, batches: [1, 16, 256] },
} as const;
/** Calls that compile shaders and fill caches; then single calls are timed, so many or for so long. */
const timing = { warm: 2, least: 3, most: 200, seconds: 0.15 } as const;
/** A measurement that would take longer than this share of the time is left out. */
const longest = 1 / 30;

/** Chains of tiny kernels, and links of chains whose slope is the time of one. */
const tinyChains = [2, 8, 24, 64];
const links = [1, 5] as const;
/** Fewest whole networks that an interval is made of, and kernels that efficiencies are; and how much of the time again may
 * be spent to have them: a software adapter compiles each shader for seconds. */
const fewest = { networks: 6, units: 10 } as const;
const overtime = 5;

/** Calibrates a WebGPU target on this machine.
 * @throws EngineError where there is no adapter   @throws OptionError if the time was too short to fit anything */
export async function calibrateGpu(
  target: GpuTarget,
  options: CalibrateGpuOptions,
): Promise<{ readonly target: GpuTarget; readonly fit: GpuFit; readonly measurements: GpuMeasurements }> {
  const measurements = await measureAll(target, options);
  const fit = fitGpu(measurements, target.gpu);
  const { gpu, efficiency, padding, hostKernel, residuals } = fit;
  const { date, engine } = options;
  return {
    fit,
    measurements,
    target: {
      ...target,
      description: "WebGPU through ONNX Runtime, this machine's adapter",
      source: `measured on ${options.host}, ${date.slice(0, 10)}`,
      engine: { name: "webgpu", version: engine },
      gpu,
      calibration: { date, host: options.host, efficiency, padding, hostKernel, residuals },
    },
  };
}

interface Found {
  readonly units: GpuPoint[];
  readonly networks: GpuPoint[];
}

function isEnough({ units, networks }: Found): boolean {
  return networks.length >= fewest.networks && units.length >= fewest.units;
}

async function measureAll(target: GpuTarget, options: CalibrateGpuOptions): Promise<GpuMeasurements> {
  const { now = () => performance.now(), time } = options;
  if (time !== undefined) return measureWith(time, options);
  try {
    // A session of its own all the while: with the last one the adapter would go, and all compiled shaders with it.
    return await withCall(emptyNetwork(), 1, { provider: "webgpu" }, () =>
      measureWith((graph, batch) => medianCall(graph, batch, now), options),
    );
  } catch (error) {
    throw error instanceof EngineError && error.code === "ENGINE_PROVIDER" ? noAdapter(target, error) : error;
  }
}

async function measureWith(time: Time, options: CalibrateGpuOptions): Promise<GpuMeasurements> {
  const { now = () => performance.now(), progress, seed = 1, quick = false } = options;
  const plan = plans[quick ? "quick" : "full"];
  const limit = options.seconds ?? plan.seconds;
  const begun = now();
  const spent = (): number => (now() - begun) / 1e3;
  const chainTimes = async (dtype: "float32" | "float64"): Promise<GpuMeasurements["tiny"]> => {
    const times: (readonly [number, number])[] = [];
    for (const n of tinyChains) times.push([n, await time(tinyChain(n, dtype), 1)]);
    return times;
  };
  const tiny = await chainTimes("float32");
  const host = await chainTimes("float64");
  // The best rate so far says what would take too long.
  const probe = chainGraph(drawUnit("gemm", makeRng(0)), 1, makeRng(0));
  let rate = (16 * workOf(probe)) / (await time(probe, 16));
  const affordable = async (graph: Graph, batch: number): Promise<number | undefined> => {
    const work = batch * workOf(graph);
    if (work / rate > limit * longest) return undefined;
    const seconds = await time(graph, batch);
    rate = Math.max(rate, work / seconds);
    return seconds;
  };
  const found: Found = { units: [], networks: [] };
  const tasks = tasksOf(
    { ...plan, kinds: options.kinds ?? unitKinds, draw: options.draw ?? randomNetwork },
    makeRng(seed),
    affordable,
    found,
  );
  let done = 0;
  for (const task of tasks) {
    if ((spent() > limit && isEnough(found)) || spent() > overtime * limit || options.stopped?.() === true) break;
    await task();
    progress?.(Math.min(1, Math.max(spent() / limit, done / tasks.length)), `${++done} of ${tasks.length} measured`);
  }
  if (!isEnough(found))
    throw new OptionError(
      "OPTION_CALIBRATION",
      `only ${found.units.length} kernels and ${found.networks.length} networks were measured, too few to fit. Give it more time.`,
    );
  return { tiny, host, ...found };
}

/** Median seconds of single calls: a call to a graphics adapter is long enough for the clock. */
function medianCall(graph: Graph, batch: number, now: () => number): Promise<number> {
  return withCall(graph, batch, { provider: "webgpu" }, async (call) => {
    for (let i = 0; i < timing.warm; i++) await call();
    const seconds: number[] = [];
    const begun = now();
    while (seconds.length < timing.least || (seconds.length < timing.most && now() - begun < 1e3 * timing.seconds)) {
      const start = now();
      await call();
      seconds.push((now() - start) / 1e3);
    }
    return median(seconds);
  });
}

/** Multiply-accumulates and values of one sample. */
function workOf(graph: Graph): number {
  return networkOf(graph).operations.reduce((sum, { macs, elements }) => sum + macs + elements, 0);
}

/** What to do where no adapter is found. */
export function noAdapter(target: GpuTarget, cause?: unknown): EngineError {
  return new EngineError(
    "ENGINE_PROVIDER",
    `${target.id}: no graphics adapter on this machine. Install a Vulkan, Metal or Direct3D 12 driver, or name a software one (Chromium's SwiftShader: its vk_swiftshader_icd.json in VK_ICD_FILENAMES, its folder in LD_LIBRARY_PATH).`,
    { cause },
  );
}

/** n kernels on a few numbers, one after the other. */
function tinyChain(n: number, dtype: "float32" | "float64"): Graph {
  const b = graphBuilder();
  let y = b.input("x", ["N", 8], dtype);
  const one = b.constant(new Array<number>(8).fill(0.9), [1, 8], dtype);
  for (let i = 0; i < n; i++) y = i % 2 === 0 ? b.sub(y, one) : b.mul(y, one);
  return b.build({ y });
}

/** All measurements in the random order of the seed; networks come evenly among the kernels. */
function tasksOf(
  plan: (typeof plans)[keyof typeof plans] & Required<Pick<CalibrateGpuOptions, "kinds" | "draw">>,
  rng: Rng,
  time: (graph: Graph, batch: number) => Promise<number | undefined>,
  found: Found,
): (() => Promise<void>)[] {
  const tasks: (() => Promise<void>)[] = [];
  for (const kind of plan.kinds)
    for (let i = 0; i < plan.units; i++)
      tasks.push(async () => {
        const batch = plan.batches[i % plan.batches.length]!;
        const unit = drawUnit(kind, rng.fork(`unit ${kind} ${i}`));
        const [few, many] = links.map((n) => chainGraph(unit, n, rng.fork(`chain ${kind} ${i}`)));
        const long = await time(many!, batch);
        if (long === undefined) return;
        const seconds = (long - ((await time(few!, batch)) ?? long)) / (links[1] - links[0]);
        // Below the noise of a call: a link that takes nothing says nothing.
        if (seconds > 0) found.units.push({ kernels: fuseKernels(networkOf(few!)), batch, seconds });
      });
  for (let i = 0; i < plan.networks; i++)
    tasks.push(async () => {
      const batch = plan.batches[i % plan.batches.length]!;
      const graph = withConstantWeights(plan.draw(rng.fork(`network ${i}`)));
      const seconds = await time(graph, batch);
      if (seconds !== undefined) found.networks.push({ kernels: fuseKernels(networkOf(graph)), batch, seconds });
    });
  return rng.fork("order").shuffle(tasks);
}
