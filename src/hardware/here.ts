/**
 * Measured latency, where a target's device is this machine: the finished graph is timed on the engine and provider that
 * the target stands for. An edge: it reads the clock and the machine's name.
 */
import { EngineError } from "../errors.ts";
import type { Graph } from "../graph/index.ts";
import { measureCalls, type MeasureOptions, withCall } from "./measured/measure.ts";
import { hostName } from "./measured/store.ts";
import { deviceOf } from "./cpu/calibrate.ts";
import { noAdapter } from "./gpu/calibrate.ts";
import { quantile } from "./metrics.ts";
import type { Target } from "./target.ts";

/** Seconds of one call. */
export interface MeasuredLatency {
  /** Median over blocks of calls: what predictions are of. */
  readonly p50: number;
  /** Over single calls, so with the pauses of the machine. */
  readonly p95: number;
  /** Where it was measured: processor and cores. */
  readonly host: string;
}

/** Why there is no measurement, in a sentence. */
export interface NotMeasured {
  readonly absent: string;
}

/** Single calls are timed for as long as this, at least and at most that many. */
const SINGLES = { seconds: 0.5, least: 40, most: 20_000 } as const;
/** Blocks are fewer where a call takes long: about so many seconds in all. */
const BLOCK_SECONDS = 4;

/** Times one call of a graph with `batch` rows: warm-up and blocks as in a calibration, then single calls. */
export async function measureLatency(
  graph: Graph,
  batch: number,
  options: MeasureOptions = {},
): Promise<Pick<MeasuredLatency, "p50" | "p95">> {
  const { now = () => performance.now() } = options;
  return withCall(graph, batch, options, async (call) => {
    const timed = async (): Promise<number> => {
      const begun = now();
      await call();
      return (now() - begun) / 1e3;
    };
    await call();
    const seconds = await timed();
    const { seconds: p50 } = await measureCalls(call, {
      warmRuns: Math.max(2, Math.min(50, Math.round(0.5 / seconds))),
      blocks: Math.max(5, Math.min(30, Math.round(BLOCK_SECONDS / Math.max(0.02, 5 * seconds)))),
      ...options,
    });
    const singles: number[] = [];
    let spent = 0;
    while (singles.length < SINGLES.most && (singles.length < SINGLES.least || spent < SINGLES.seconds)) {
      const single = await timed();
      singles.push(single);
      spent += single;
    }
    return { p50, p95: Math.max(p50, quantile(singles, 0.95)) };
  });
}

/** Measures on the target's own device, if that is this machine: a processor that was calibrated here or not at all, or
 * WebGPU where an adapter is found. */
export async function measureHere(
  target: Target,
  graph: Graph,
  batch: number,
  options: MeasureOptions = {},
): Promise<MeasuredLatency | NotMeasured> {
  const host = hostName();
  if (target.class === "cpu") {
    if (target.calibration !== undefined && target.calibration.host !== host)
      return { absent: `${target.id} was calibrated on another machine (${target.calibration.host})` };
    return { ...(await measureLatency(graph, batch, { ...deviceOf(target), ...options })), host };
  }
  if (target.class === "fpga" || target.engine.name !== "webgpu")
    return { absent: `${target.id} is not a device that can be timed from here` };
  try {
    return { ...(await measureLatency(graph, batch, { provider: "webgpu", ...options })), host };
  } catch (error) {
    if (error instanceof EngineError && error.code === "ENGINE_PROVIDER") return { absent: noAdapter(target).message };
    throw error;
  }
}
