/** Timing of graphs on this machine, its processor or another provider of the engine (spec latency 2.3). The clock is an
 * argument. On a machine shared with others the same call takes up to twice as long for seconds on end: timed in turn with a
 * yardstick, repeats agree within 2 % where by themselves they scatter by 14 %. */
import { getEngine } from "../../engine/index.ts";
import { allocate, type Graph, sizeOf } from "../../graph/index.ts";
import { makeRng } from "../../rng.ts";
import { median, quantile } from "../metrics.ts";

/** A call of known time. What slows the machine slows it too, and is divided out of what is timed in turn with it. */
export interface Yardstick {
  readonly call: () => Promise<void>;
  readonly seconds: number;
}

export interface MeasureOptions {
  readonly threads?: number;
  /** Name of the engine. Default `onnxruntime`. */
  readonly engine?: string;
  /** Of the engine. Default `cpu`. */
  readonly provider?: string;
  /** Warm-up runs and seconds, both at least. Default 50 and 0.5. */
  readonly warmRuns?: number;
  readonly warmSeconds?: number;
  /** Default 30 blocks of at least 20 ms and 5 runs. */
  readonly blocks?: number;
  readonly blockSeconds?: number;
  /** Calls of a block, at least. Default 5. */
  readonly blockRuns?: number;
  /** Calls before each block that are not timed. Default 0. WebGPU leaves work of a call to the next submission: the first call
   * after another session's pays for that one. */
  readonly untimed?: number;
  /** A call that takes longer than this in the warm-up is timed {@link BRIEF briefly}: seconds, default never. */
  readonly longCall?: number;
  /** Measures again, at most this often, where (p90 - p10) / p50 exceeds 15 %. Default 2. */
  readonly retries?: number;
  /** Timed between the blocks. Default: none, the clock as it is. */
  readonly yardstick?: Yardstick;
  /** Calls of the yardstick before each of its blocks that are not timed: a large graph leaves it cold caches. Default as
   * `untimed`. */
  readonly settle?: number;
  /** Only blocks count around which the yardstick took at most so many times what it is known to: what slows a small call to
   * double slows a large one by half as much. More blocks are timed until enough count, at most three times as many, and all
   * count where fewer than eight would. Default: all count. */
  readonly quiet?: number;
  /** Monotonic, milliseconds. */
  readonly now?: () => number;
}

export interface Measurement {
  /** Median of block means, seconds per call. */
  readonly seconds: number;
  readonly p10: number;
  readonly p90: number;
  readonly min: number;
  /** Calls that were timed. */
  readonly count: number;
  /** Where a yardstick was timed beside it: what that took by the clock, median of its blocks, seconds. */
  readonly yardstick?: number;
}

/** Two calls tell enough of one that takes long, and what it leaves to the next is nothing to it. */
const BRIEF = { blocks: 2, blockRuns: 1, untimed: 0 } as const;
/** And so many calls warm it up. */
const LONG_WARM = 2;

/** Long calls are timed in fewer blocks: no more than these, once they took so many times what they were to take. */
const FEWEST_BLOCKS = 8;
const LONGEST = 3;

/** So many times the blocks are timed for enough quiet ones. */
const PATIENCE = 3;

/** Spread above which a measurement is redone. */
export const MAX_SPREAD = 0.15;

/** Times one call of a graph with `batch` rows. Inputs are random and stay in place, results go where the engine keeps them.
 * @throws EngineError where the provider is not there */
export async function measureGraph(graph: Graph, batch: number, options: MeasureOptions = {}): Promise<Measurement> {
  return withCall(graph, batch, options, (call) => measureCalls(call, options));
}

/** Makes a graph ready to be called with `batch` rows of fixed random inputs, for as long as `use` takes. */
export async function withCall<Result>(
  graph: Graph,
  batch: number,
  { threads = 1, engine = "onnxruntime", provider = "cpu" }: MeasureOptions,
  use: (call: () => Promise<void>) => Promise<Result>,
): Promise<Result> {
  const executable = await getEngine(engine).compile(graph, { threads, provider });
  try {
    const rng = makeRng(2);
    const feeds = Object.fromEntries(
      graph.nodes.flatMap((node, id) => {
        if (node.op !== "Input") return [];
        const { dtype, shape } = graph.types[id]!;
        const buffer = allocate(dtype, sizeOf(shape, batch));
        if (buffer instanceof Float32Array || buffer instanceof Float64Array)
          for (let i = 0; i < buffer.length; i++) buffer[i] = rng.uniform();
        return [[node.name, buffer] as const];
      }),
    );
    return await use(async () => {
      await executable.run(feeds, { rows: batch });
    });
  } finally {
    await executable.dispose();
  }
}

/** Times a call: warm-up, blocks, again where they scatter. */
export async function measureCalls(call: () => Promise<void>, options: MeasureOptions = {}): Promise<Measurement> {
  const { warmRuns = 50, warmSeconds = 0.5, retries = 2, longCall, now = () => performance.now() } = options;
  const begun = now();
  let last = 0;
  const isLong = (): boolean => longCall !== undefined && last > longCall;
  const isWarm = (runs: number): boolean => runs >= (isLong() ? LONG_WARM : warmRuns);
  for (let runs = 0; !isWarm(runs) || now() - begun < 1e3 * warmSeconds; runs++) {
    const start = now();
    await call();
    last = (now() - start) / 1e3;
  }
  const { blocks = 30, blockRuns = 5, untimed = 0 } = options;
  const how = isLong() ? BRIEF : { blocks, blockRuns, untimed };
  let best = await timeBlocks(call, how, options, now);
  for (let again = 0; again < retries && spreadOf(best) > MAX_SPREAD; again++) {
    const next = await timeBlocks(call, how, options, now);
    if (spreadOf(next) < spreadOf(best)) best = next;
  }
  return best;
}

/** (p90 - p10) / p50. */
export function spreadOf({ p10, p90, seconds }: Measurement): number {
  return (p90 - p10) / seconds;
}

async function timeBlocks(
  call: () => Promise<void>,
  how: { readonly blocks: number; readonly blockRuns: number; readonly untimed: number },
  options: MeasureOptions,
  now: () => number,
): Promise<Measurement> {
  const { blockSeconds = 0.02, blockRuns = 5, untimed = 0, yardstick, settle = untimed, quiet = Infinity } = options;
  const timed: { readonly seconds: number; readonly slow: number }[] = [];
  const besides: number[] = [];
  let count = 0;
  const aside = async (): Promise<number> => {
    if (yardstick === undefined) return 1;
    const length = { seconds: blockSeconds / 2, blockRuns, untimed: settle };
    const { mean } = await timeBlock(yardstick.call, length, now);
    besides.push(mean);
    return mean / yardstick.seconds;
  };
  const quietOnes = (): typeof timed => timed.filter(({ slow }) => slow <= quiet);
  let before = await aside();
  let spent = 0;
  const longest = LONGEST * how.blocks * blockSeconds;
  const isEnough = (blocks: number, patience: number): boolean =>
    blocks >= patience * how.blocks || (blocks >= patience * FEWEST_BLOCKS && spent >= patience * longest);
  while (!isEnough(quietOnes().length, 1) && !isEnough(timed.length, PATIENCE)) {
    const { mean, runs } = await timeBlock(call, { ...how, seconds: blockSeconds }, now);
    const after = await aside();
    timed.push({ seconds: (2 * mean) / (before + after), slow: Math.max(before, after) });
    before = after;
    count += runs;
    spent += mean * runs;
  }
  const means = (quietOnes().length < FEWEST_BLOCKS ? timed : quietOnes()).map(({ seconds }) => seconds);
  return {
    seconds: median(means),
    p10: quantile(means, 0.1),
    p90: quantile(means, 0.9),
    min: Math.min(...means),
    count,
    ...(yardstick === undefined ? {} : { yardstick: median(besides) }),
  };
}

/** Mean seconds of a call, over so many runs and seconds at least. */
async function timeBlock(
  call: () => Promise<void>,
  { seconds, blockRuns, untimed }: { readonly seconds: number; readonly blockRuns: number; readonly untimed: number },
  now: () => number,
): Promise<{ readonly mean: number; readonly runs: number }> {
  for (let i = 0; i < untimed; i++) await call();
  const begun = now();
  let runs = 0;
  let spent = 0;
  while (runs < blockRuns || spent < 1e3 * seconds) {
    // The clock costs as much as a small network: look at it rarely.
    const step = runs < blockRuns ? blockRuns : runs;
    for (let i = 0; i < step; i++) await call();
    runs += step;
    spent = now() - begun;
  }
  return { mean: spent / 1e3 / runs, runs };
}
