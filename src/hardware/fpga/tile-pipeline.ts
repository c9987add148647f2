/**
 * Layers on engines of their own, pipelined over tile tasks (FNAS; spec latency 4.3): a lower bound in closed form, and
 * the event simulation that it bounds.
 */
import { fitTile, PIPELINE_FILL, taskCycles, type Tile, tileCounts, type TiledLayer } from "./tiled.ts";

/** `output`: finish one output tile before the next. `input`: use one input tile for all outputs. */
export type ReuseOrder = "output" | "input";

export interface PipelineLayer {
  readonly layer: TiledLayer;
  readonly tile: Tile;
  /** Layers that it reads; empty where it reads the network's input. A chain by default: the layer before. */
  readonly from?: readonly number[];
}

export interface PipelineOptions {
  /** Order per layer; by default they alternate, output reuse first. */
  readonly orders?: readonly ReuseOrder[];
  readonly fill?: number;
  /** `ready`: an engine takes the first task in its order whose input is there. `fixed`: it waits for the next in order. */
  readonly policy?: "ready" | "fixed";
}

export function orderOf(orders: readonly ReuseOrder[] | undefined, i: number): ReuseOrder {
  return orders?.[i] ?? (i % 2 === 0 ? "output" : "input");
}

/** Cycles from the start of layer `i` until the next layer of a chain can start. */
export function startDelay(
  current: PipelineLayer,
  next: PipelineLayer,
  order: ReuseOrder,
  fill = PIPELINE_FILL,
): number {
  const { O, H } = tileCounts(current.layer, current.tile);
  const q = Math.min(Math.ceil(Math.min(next.tile.Tn, next.layer.N) / current.tile.Tm), O);
  const needed = tilesNeeded(current, next, 0);
  const before = Math.max(0, needed - 1) * H * O;
  const within = order === "output" ? H * q : O * (H - 1) + q;
  return taskCycles(current.layer, current.tile, fill) * (before + within);
}

/** Lower bound on the latency of a chain: FNAS's analysis. @returns cycles */
export function pipelineBound(
  chain: readonly PipelineLayer[],
  { orders, fill = PIPELINE_FILL }: PipelineOptions = {},
): number {
  let start = 0;
  let bound = 0;
  chain.forEach((current, i) => {
    const tail = chain
      .slice(i + 1)
      .reduce((sum, { layer, tile }) => sum + taskCycles(layer, tile, fill) * tileCounts(layer, tile).O, 0);
    bound = Math.max(bound, start + busyCycles(current, fill) + tail);
    const next = chain[i + 1];
    if (next) start += startDelay(current, next, orderOf(orders, i), fill);
  });
  return bound;
}

/** PT: cycles that the engine of a layer works on one sample. */
export function busyCycles({ layer, tile }: PipelineLayer, fill = PIPELINE_FILL): number {
  const { O, H, X } = tileCounts(layer, tile);
  return taskCycles(layer, tile, fill) * O * H * X;
}

export interface PipelineRun {
  /** Cycle at which the last layer is done. */
  readonly cycles: number;
  /** Cycle at which each layer is done. */
  readonly finish: readonly number[];
  /** Cycles between samples of a stream: the busiest engine. */
  readonly interval: number;
}

/** Event simulation over the tile task graph: a task is ready when its input tiles exist; partial sums stay on chip. */
export function simulatePipeline(layers: readonly PipelineLayer[], options: PipelineOptions = {}): PipelineRun {
  const { orders, fill = PIPELINE_FILL, policy = "ready" } = options;
  const outputs: Float64Array[] = [];
  const finish = layers.map((current, i) => {
    const from = current.from ?? (i === 0 ? [] : [i - 1]);
    const ready = inputTimes(layers, current, from, outputs);
    const { done, last } = runEngine(current, ready, orderOf(orders, i), policy, fill);
    outputs.push(done);
    return last;
  });
  return {
    cycles: Math.max(0, ...finish),
    finish,
    interval: Math.max(0, ...layers.map((layer) => busyCycles(layer, fill))),
  };
}

/** How many spatial tiles of the producer, in order, must be done before tile `x` of the consumer can start. */
function tilesNeeded(producer: PipelineLayer, consumer: PipelineLayer, x: number): number {
  const { layer, tile } = producer;
  const across = Math.ceil(layer.C / tile.Tc);
  const down = Math.ceil(layer.R / tile.Tr);
  if (across * down === 1 && layer.groups === 1) return 1;
  if (layer.groups !== consumer.layer.groups) return across * down * layer.groups;
  const theirs = consumer.layer;
  const perGroup = Math.ceil(theirs.R / consumer.tile.Tr) * Math.ceil(theirs.C / consumer.tile.Tc);
  const group = Math.floor(x / perGroup);
  const cell = x % perGroup;
  const theirAcross = Math.ceil(theirs.C / consumer.tile.Tc);
  const reach = (index: number, step: number, S: number, K: number, size: number, made: number): number => {
    // Last position read, same padding, scaled where the size changes in between.
    const last = Math.min(size, (index + 1) * step) * S - 1 + Math.floor(K / 2);
    return Math.min(made - 1, Math.max(0, Math.floor((last * made) / (size * S))));
  };
  const row = reach(Math.floor(cell / theirAcross), consumer.tile.Tr, theirs.S, theirs.Kh, theirs.R, layer.R);
  const column = reach(cell % theirAcross, consumer.tile.Tc, theirs.S, theirs.Kw, theirs.C, layer.C);
  return group * across * down + Math.floor(row / tile.Tr) * across + Math.floor(column / tile.Tc) + 1;
}

/** Time at which each (spatial tile, input-channel tile) of a layer is there, X x H. */
function inputTimes(
  layers: readonly PipelineLayer[],
  current: PipelineLayer,
  from: readonly number[],
  outputs: readonly Float64Array[],
): Float64Array {
  const { H, X } = tileCounts(current.layer, current.tile);
  const ready = new Float64Array(X * H);
  for (const source of from) {
    const producer = layers[source]!;
    const { O } = tileCounts(producer.layer, producer.tile);
    const times = outputs[source]!;
    const direct = producer.layer.M === current.layer.N;
    /** Running maximum over the producer's spatial tiles, per output tile. */
    const until = Float64Array.from(times);
    for (let at = O; at < until.length; at++) until[at] = Math.max(until[at]!, until[at - O]!);
    for (let x = 0; x < X; x++) {
      const needed = Math.min(tilesNeeded(producer, current, x), times.length / O) - 1;
      for (let h = 0; h < H; h++) {
        const first = direct ? Math.floor((h * current.tile.Tn) / producer.tile.Tm) : 0;
        const end = direct
          ? Math.min(O, Math.ceil(Math.min(current.layer.N, (h + 1) * current.tile.Tn) / producer.tile.Tm))
          : O;
        let time = ready[x * H + h]!;
        for (let o = first; o < end; o++) time = Math.max(time, until[needed * O + o]!);
        ready[x * H + h] = time;
      }
    }
  }
  return ready;
}

/** One engine: runs all its tasks. @returns when each output tile (X x O) is done, and when the last one is */
function runEngine(
  { layer, tile }: PipelineLayer,
  ready: Float64Array,
  order: ReuseOrder,
  policy: "ready" | "fixed",
  fill: number,
): { readonly done: Float64Array; readonly last: number } {
  const { O, H, X } = tileCounts(layer, tile);
  const et = taskCycles(layer, tile, fill);
  const done = new Float64Array(X * O);
  const tasks = X * O * H;
  const place = (task: number): { readonly x: number; readonly o: number; readonly h: number } => {
    const x = Math.floor(task / (O * H));
    const rest = task % (O * H);
    return order === "output"
      ? { x, o: Math.floor(rest / H), h: rest % H }
      : { x, o: rest % O, h: Math.floor(rest / O) };
  };
  let now = 0;
  const run = (task: number): void => {
    const { x, o, h } = place(task);
    now = Math.max(now, ready[x * H + h]!) + et;
    done[x * O + o] = Math.max(done[x * O + o]!, now);
  };
  const isSorted = ready.every((time, i) => i === 0 || time >= ready[i - 1]!);
  if (policy === "fixed" || (isSorted && order === "input")) {
    for (let task = 0; task < tasks; task++) run(task);
    return { done, last: now };
  }
  // Tasks of one input tile become ready together: walk the tiles by time, keep the tasks that are ready in order.
  const byTime = Array.from(ready.keys()).sort((a, b) => ready[a]! - ready[b]! || a - b);
  const heap: number[] = [];
  let next = 0;
  for (let count = 0; count < tasks; count++) {
    if (heap.length === 0) now = Math.max(now, ready[byTime[next]!]!);
    for (; next < byTime.length && ready[byTime[next]!]! <= now; next++) {
      const cell = byTime[next]!;
      const x = Math.floor(cell / H);
      const h = cell % H;
      for (let o = 0; o < O; o++) push(heap, x * O * H + (order === "output" ? o * H + h : h * O + o));
    }
    run(pop(heap));
  }
  return { done, last: now };
}

/** The engine of a layer, its tile cut to the layer. */
export function pipelineLayer(layer: TiledLayer, tile: Tile, from?: readonly number[]): PipelineLayer {
  return { layer, tile: fitTile(layer, tile), ...(from === undefined ? {} : { from }) };
}

function push(heap: number[], value: number): void {
  let at = heap.push(value) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (heap[parent]! <= value) break;
    heap[at] = heap[parent]!;
    at = parent;
  }
  heap[at] = value;
}

function pop(heap: number[]): number {
  const top = heap[0]!;
  const value = heap.pop()!;
  if (heap.length === 0) return top;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && heap[child + 1]! < heap[child]!) child++;
    if (heap[child]! >= value) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = value;
  return top;
}
