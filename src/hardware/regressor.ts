/**
 * A learned, differentiable latency: a small network from an architecture's one-hot rows, or soft rows, to the logarithm
 * of its latency (Xu et al. 2020, arXiv 2001.06392; spec search 11). In 64 bits, so that its gradient can be checked.
 */
import type { Rng } from "../rng.ts";
import { type AdditiveTable, expectedLatency, fitTable } from "./additive.ts";

export interface RegressorOptions {
  /** Units of both hidden layers. Default 128. */
  readonly width?: number;
  /** Default 300, with an early stop. */
  readonly epochs?: number;
  readonly batch?: number;
  /** Adam's step, default 1e-3. */
  readonly learningRate?: number;
  /** Share of each batch that is a mixture of two architectures, default 0.25; keeps the interior sane. */
  readonly softShare?: number;
}

/** The fitted network; plain data. */
export interface LatencyRegressor {
  readonly sizes: readonly number[];
  readonly width: number;
  /** Standardisation of ln latency. */
  readonly mean: number;
  readonly std: number;
  readonly weights: Float64Array;
  /** Mean relative error on the held-out tenth. */
  readonly heldOutError: number;
  readonly epochs: number;
}

interface Layout {
  readonly inputs: number;
  readonly w1: number;
  readonly b1: number;
  readonly w2: number;
  readonly b2: number;
  readonly w3: number;
  readonly b3: number;
  readonly size: number;
}

function layoutOf(inputs: number, h: number): Layout {
  const b1 = inputs * h;
  const w2 = b1 + h;
  const b2 = w2 + h * h;
  const w3 = b2 + h;
  return { inputs, w1: 0, b1, w2, b2, w3, b3: w3 + h, size: w3 + h + 1 };
}

/** Intermediate values of one forward pass. */
interface Pass {
  readonly z1: Float64Array;
  readonly a1: Float64Array;
  readonly z2: Float64Array;
  readonly a2: Float64Array;
}

function makePass(h: number): Pass {
  return { z1: new Float64Array(h), a1: new Float64Array(h), z2: new Float64Array(h), a2: new Float64Array(h) };
}

const softplus = (z: number): number => (z > 30 ? z : Math.log1p(Math.exp(z)));
const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));

/** Latency by the regressor, in the unit it was fitted to. @param rows probabilities, one row per slot */
export function regressorLatency(model: LatencyRegressor, rows: readonly (readonly number[])[]): number {
  const h = model.width;
  const layout = layoutOf(inputsOf(model.sizes), h);
  return Math.exp(model.mean + model.std * forward(model.weights, layout, h, rows.flat(), makePass(h)));
}

/** Gradient of {@link regressorLatency} with respect to the probabilities, one row per slot. */
export function regressorGradient(model: LatencyRegressor, rows: readonly (readonly number[])[]): number[][] {
  const h = model.width;
  const layout = layoutOf(inputsOf(model.sizes), h);
  const pass = makePass(h);
  const x = rows.flat();
  const latency = Math.exp(model.mean + model.std * forward(model.weights, layout, h, x, pass));
  const dx = new Float64Array(layout.inputs);
  backward(model.weights, layout, h, x, pass, latency * model.std, undefined, dx);
  let at = 0;
  return model.sizes.map((size) => Array.from(dx.subarray(at, (at += size))));
}

function inputsOf(sizes: readonly number[]): number {
  return sizes.reduce((a, c) => a + c, 0);
}

function forward(
  w: Float64Array,
  { inputs, w1, b1, w2, b2, w3, b3 }: Layout,
  h: number,
  x: ArrayLike<number>,
  { z1, a1, z2, a2 }: Pass,
): number {
  for (let j = 0; j < h; j++) z1[j] = w[b1 + j]!;
  for (let i = 0; i < inputs; i++) {
    const xi = x[i]!;
    if (xi === 0) continue;
    const row = w1 + i * h;
    for (let j = 0; j < h; j++) z1[j]! += xi * w[row + j]!;
  }
  for (let j = 0; j < h; j++) {
    a1[j] = softplus(z1[j]!);
    z2[j] = w[b2 + j]!;
  }
  for (let i = 0; i < h; i++) {
    const ai = a1[i]!;
    const row = w2 + i * h;
    for (let j = 0; j < h; j++) z2[j]! += ai * w[row + j]!;
  }
  let y = w[b3]!;
  for (let j = 0; j < h; j++) {
    a2[j] = softplus(z2[j]!);
    y += a2[j]! * w[w3 + j]!;
  }
  return y;
}

/** Adds `dy` times the gradient to `dw` and `dx`, where given. */
function backward(
  w: Float64Array,
  { inputs, w1, b1, w2, b2, w3, b3 }: Layout,
  h: number,
  x: ArrayLike<number>,
  { z1, a1, z2, a2 }: Pass,
  dy: number,
  dw: Float64Array | undefined,
  dx: Float64Array | undefined,
): void {
  const d2 = new Float64Array(h);
  const d1 = new Float64Array(h);
  for (let j = 0; j < h; j++) d2[j] = dy * w[w3 + j]! * sigmoid(z2[j]!);
  for (let i = 0; i < h; i++) {
    const row = w2 + i * h;
    let sum = 0;
    for (let j = 0; j < h; j++) sum += w[row + j]! * d2[j]!;
    d1[i] = sum * sigmoid(z1[i]!);
  }
  if (dw) {
    dw[b3]! += dy;
    for (let j = 0; j < h; j++) {
      dw[w3 + j]! += dy * a2[j]!;
      dw[b2 + j]! += d2[j]!;
      dw[b1 + j]! += d1[j]!;
    }
    for (let i = 0; i < h; i++) {
      const row = w2 + i * h;
      const ai = a1[i]!;
      for (let j = 0; j < h; j++) dw[row + j]! += ai * d2[j]!;
    }
    for (let i = 0; i < inputs; i++) {
      const xi = x[i]!;
      if (xi === 0) continue;
      const row = w1 + i * h;
      for (let j = 0; j < h; j++) dw[row + j]! += xi * d1[j]!;
    }
  }
  if (dx)
    for (let i = 0; i < inputs; i++) {
      const row = w1 + i * h;
      for (let j = 0; j < h; j++) dx[i]! += w[row + j]! * d1[j]!;
    }
}

function encodeOneHot(sizes: readonly number[], architecture: readonly number[]): Float64Array {
  const x = new Float64Array(inputsOf(sizes));
  let at = 0;
  sizes.forEach((size, e) => {
    x[at + architecture[e]!] = 1;
    at += size;
  });
  return x;
}

/** Fits the regressor: Huber loss on standardised ln latency, Adam, 80 % to train, 10 % to stop, 10 % held out.
 * @param latencies above 0 */
export function fitRegressor(
  sizes: readonly number[],
  architectures: readonly (readonly number[])[],
  latencies: readonly number[],
  rng: Rng,
  options: RegressorOptions = {},
): LatencyRegressor {
  const { width: h = 128, epochs = 300, batch = 32, learningRate = 1e-3, softShare = 0.25 } = options;
  const logs = latencies.map(Math.log);
  const mean = logs.reduce((a, c) => a + c, 0) / logs.length;
  const std = Math.sqrt(logs.reduce((a, c) => a + (c - mean) ** 2, 0) / logs.length) || 1;
  const order = rng.fork("split").shuffle(latencies.map((_, i) => i));
  const held = order.slice(0, Math.ceil(0.1 * order.length));
  const stop = order.slice(held.length, 2 * held.length);
  const train = order.slice(2 * held.length);
  const x = architectures.map((architecture) => encodeOneHot(sizes, architecture));
  const table = fitTable(
    sizes,
    train.map((i) => architectures[i]!),
    train.map((i) => latencies[i]!),
  );

  const layout = layoutOf(inputsOf(sizes), h);
  const weights = new Float64Array(layout.size);
  const normal = rng.fork("weights");
  for (let i = 0; i < layout.b1; i++) weights[i] = normal.normal() * Math.sqrt(1 / sizes.length);
  for (let i = layout.w2; i < layout.b2; i++) weights[i] = normal.normal() * Math.sqrt(1 / h);
  for (let i = layout.w3; i < layout.b3; i++) weights[i] = (0.1 * normal.normal()) / Math.sqrt(h);

  const pass = makePass(h);
  const gradient = new Float64Array(layout.size);
  const m = new Float64Array(layout.size);
  const v = new Float64Array(layout.size);
  const draw = rng.fork("batches");
  const errorOn = (rows: readonly number[]): number =>
    rows.reduce(
      (sum, i) =>
        sum + Math.abs(Math.exp(std * (forward(weights, layout, h, x[i]!, pass) - (logs[i]! - mean) / std)) - 1),
      0,
    ) / Math.max(1, rows.length);

  let best = Float64Array.from(weights);
  let bestError = Number.POSITIVE_INFINITY;
  let since = 0;
  let step = 0;
  let epoch = 0;
  const total = epochs * Math.ceil(train.length / batch);
  for (; epoch < epochs && since < 40; epoch++) {
    draw.shuffle(train);
    for (let start = 0; start < train.length; start += batch) {
      const rows = train.slice(start, start + batch);
      gradient.fill(0);
      for (const i of rows) {
        const soft = draw.uniform() < softShare;
        const { input, target } = soft
          ? mixed(sizes, x, logs, table, i, train[draw.int(train.length)]!, draw.uniform())
          : { input: x[i]!, target: logs[i]! };
        const residual = forward(weights, layout, h, input, pass) - (target - mean) / std;
        backward(
          weights,
          layout,
          h,
          input,
          pass,
          Math.max(-1, Math.min(1, residual)) / rows.length,
          gradient,
          undefined,
        );
      }
      step++;
      adam(weights, gradient, m, v, step, learningRate * 0.5 * (1 + Math.cos((Math.PI * step) / total)));
    }
    const error = errorOn(stop);
    since++;
    if (error < bestError) {
      bestError = error;
      best = Float64Array.from(weights);
      since = 0;
    }
  }
  weights.set(best);
  return { sizes, width: h, mean, std, weights, heldOutError: errorOn(held), epochs: epoch };
}

/** A mixture of two architectures; its latency is the additive table's, scaled to match both ends. */
function mixed(
  sizes: readonly number[],
  x: readonly Float64Array[],
  logs: readonly number[],
  table: AdditiveTable,
  i: number,
  j: number,
  t: number,
): { readonly input: Float64Array; readonly target: number } {
  const input = x[i]!.map((value, k) => (1 - t) * value + t * x[j]![k]!);
  const at = (row: Float64Array): number => {
    let offset = 0;
    return expectedLatency(
      table,
      sizes.map((size) => Array.from(row.subarray(offset, (offset += size)))),
    );
  };
  const [a, b, between] = [at(x[i]!), at(x[j]!), at(input)];
  if (!(a > 0 && b > 0 && between > 0)) return { input, target: (1 - t) * logs[i]! + t * logs[j]! };
  const correction = (1 - t) * (logs[i]! - Math.log(a)) + t * (logs[j]! - Math.log(b));
  return { input, target: Math.log(between) + correction };
}

function adam(w: Float64Array, g: Float64Array, m: Float64Array, v: Float64Array, step: number, rate: number): void {
  const c1 = 1 - 0.9 ** step;
  const c2 = 1 - 0.999 ** step;
  for (let i = 0; i < w.length; i++) {
    m[i] = 0.9 * m[i]! + 0.1 * g[i]!;
    v[i] = 0.999 * v[i]! + 0.001 * g[i]! ** 2;
    w[i]! -= (rate * (m[i]! / c1)) / (Math.sqrt(v[i]! / c2) + 1e-8);
  }
}
