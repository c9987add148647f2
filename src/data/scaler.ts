/**
 * Between physical units and the units that a network learns in (`spec/search.md` §1): inputs and outputs get mean 0
 * and standard deviation 1 over the training rows, after a logarithm or on a warped axis where the schema says so; a
 * categorical input becomes one column per level. A scaler is plain data that survives JSON; all sums are in float64.
 */
import { fromLearned, type OutputScale, toLearned } from "./output-scale.ts";
import { fieldLayout, varyingInputs, type FieldSpec, type Schema } from "./schema.ts";
import { fromWarped, toWarped, type Warp } from "./warp.ts";

/** Numbers in the user's units. A {@link Scaled} array does not pass for one; a plain Float64Array does. */
export type Physical = Float64Array & { readonly space?: "physical" };

/** Numbers in the network's units. A {@link Physical} array does not pass for one; a plain Float64Array does. */
export type Scaled = Float64Array & { readonly space?: "scaled" };

/** A column of x as a network sees it: (value or its natural logarithm, on a warped axis where there is one, - mean) / std, or one
 * column per level. */
export type InputColumnScaler =
  | {
      readonly kind: "number";
      readonly log: boolean;
      readonly warp?: Warp;
      readonly mean: number;
      readonly std: number;
    }
  | { readonly kind: "levels"; readonly levels: number };

/** Scaling of x: one entry per column of x. */
export interface InputScaler {
  readonly columns: readonly InputColumnScaler[];
}

/** Scaling of one field: a mean and a standard deviation per channel, or per element, of what it is learned as. */
export interface FieldScaler {
  readonly scale: OutputScale;
  readonly per: "channel" | "element";
  readonly channels: number;
  readonly positions: number;
  /** One per channel, or one per element (row-major). */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** Spread below this share of the range counts as none. */
const LEAST_SPREAD = 1e-6;

/**
 * Fits the scaling of inputs to the training rows. An input without spread in these rows gets the spread of a uniform
 * draw from the schema's range, so that other rows stay of order 1.
 * @param x n × d, physical units   @param rows the training rows
 */
export function fitInputScaler(schema: Pick<Schema, "inputs">, x: Physical, rows: Int32Array): InputScaler {
  const inputs = varyingInputs(schema);
  const columns = inputs.map((input, j): InputColumnScaler => {
    if (input.kind === "categorical") return { kind: "levels", levels: input.levels.length };
    const log = input.scale === "log";
    const [low, high] = log ? ([Math.log(input.range[0]), Math.log(input.range[1])] as const) : input.range;
    const { warp: curvature = 0 } = input;
    const warp = curvature === 0 || low === high ? undefined : { low, high, curvature };
    const place = (value: number): number => onAxis({ log, warp }, value);
    const { mean, std, range } = moments(x, inputs.length, j, rows, place);
    const uniform = (warp === undefined ? high - low : 1) / Math.sqrt(12);
    const flat = std <= LEAST_SPREAD * range;
    const scaler = { kind: "number", log, mean, std: !flat ? std : uniform > 0 ? uniform : 1 } as const;
    return warp === undefined ? scaler : { ...scaler, warp };
  });
  return { columns };
}

/** A value on the axis that it is learned on. */
function onAxis({ log, warp }: { readonly log: boolean; readonly warp?: Warp | undefined }, value: number): number {
  const place = log ? Math.log(value) : value;
  return warp === undefined ? place : toWarped(warp, place);
}

/** Number of columns that {@link scaleInputs} gives. */
export function scaledWidth(scaler: InputScaler): number {
  return scaler.columns.reduce((sum, column) => sum + (column.kind === "levels" ? column.levels : 1), 0);
}

/** Inputs as a network sees them, n × width. NaN stays NaN (in all columns of a level). @param x n × d, physical units */
export function scaleInputs(scaler: InputScaler, x: Physical): Scaled {
  const d = scaler.columns.length;
  const width = scaledWidth(scaler);
  const n = d === 0 ? 0 : x.length / d;
  const out: Scaled = new Float64Array(n * width);
  let at = 0;
  scaler.columns.forEach((column, j) => {
    for (let i = 0; i < n; i++) {
      const value = x[i * d + j]!;
      if (column.kind === "number") out[i * width + at] = (onAxis(column, value) - column.mean) / column.std;
      else
        for (let l = 0; l < column.levels; l++)
          out[i * width + at + l] = Number.isNaN(value) ? NaN : Number(value === l);
    }
    at += column.kind === "levels" ? column.levels : 1;
  });
  return out;
}

/** The way back: n × d, physical units; a categorical input is its strongest level. @param scaled n × width */
export function unscaleInputs(scaler: InputScaler, scaled: Scaled): Physical {
  const d = scaler.columns.length;
  const width = scaledWidth(scaler);
  const n = width === 0 ? 0 : scaled.length / width;
  const out: Physical = new Float64Array(n * d);
  let at = 0;
  scaler.columns.forEach((column, j) => {
    for (let i = 0; i < n; i++) {
      const first = i * width + at;
      if (column.kind === "number") {
        const place = scaled[first]! * column.std + column.mean;
        const value = column.warp === undefined ? place : fromWarped(column.warp, place);
        out[i * d + j] = column.log ? Math.exp(value) : value;
      } else {
        let best = 0;
        for (let l = 1; l < column.levels; l++) if (scaled[first + l]! > scaled[first + best]!) best = l;
        out[i * d + j] = best;
      }
    }
    at += column.kind === "levels" ? column.levels : 1;
  });
  return out;
}

/** How fields are scaled. */
export interface FieldScalerOptions {
  /** One mean and standard deviation per channel (a scalar is one channel), or per element. Default "channel". */
  readonly per?: "channel" | "element";
}

/**
 * Fits the scaling of a field to the training rows. Departs from the spec, where a standard deviation below 1e-6 of
 * the channel's range counts as 1: it counts as 1e-6 of that range, which keeps the error of a flat element far below
 * the channel's values in any unit; a channel that never varies gets 1e-6 of its value, or 1 if that is 0.
 * @param y n × size, physical units   @param rows the training rows
 */
export function fitFieldScaler(
  field: FieldSpec,
  y: Physical,
  rows: Int32Array,
  options: FieldScalerOptions = {},
): FieldScaler {
  const { channels, positions } = fieldLayout(field);
  const size = channels * positions;
  const per = options.per ?? "channel";
  const { scale } = field;
  const mean: number[] = [];
  const std: number[] = [];
  for (let c = 0; c < channels; c++) {
    const learned = (value: number): number => toLearned(scale, value);
    const whole = moments(y, size, c * positions, rows, learned, positions);
    const parts =
      per === "channel"
        ? [whole]
        : Array.from({ length: positions }, (_, p) => moments(y, size, c * positions + p, rows, learned));
    const least =
      whole.range > 0
        ? LEAST_SPREAD * whole.range
        : scale === "log"
          ? LEAST_SPREAD
          : LEAST_SPREAD * Math.abs(whole.mean) || 1;
    for (const part of parts) {
      mean.push(part.mean);
      std.push(Math.max(part.std, least));
    }
  }
  return { scale, per, channels, positions, mean, std };
}

/** Field values as a network sees them, n × size. @param y n × size, physical units */
export function scaleField(scaler: FieldScaler, y: Physical): Scaled {
  const out: Scaled = new Float64Array(y.length);
  const { mean, std, scale } = scaler;
  forEachValue(scaler, y.length, (at, k) => {
    out[at] = (toLearned(scale, y[at]!) - mean[k]!) / std[k]!;
  });
  return out;
}

/** The way back. @param scaled n × size   @returns n × size, physical units */
export function unscaleField(scaler: FieldScaler, scaled: Scaled | Float32Array): Physical {
  const out: Physical = new Float64Array(scaled.length);
  const { mean, std, scale } = scaler;
  forEachValue(scaler, scaled.length, (at, k) => {
    out[at] = fromLearned(scale, scaled[at]! * std[k]! + mean[k]!);
  });
  return out;
}

/** Mean and standard deviation of each element in row-major order, whatever they were fitted per. */
export function elementMoments(scaler: FieldScaler): { readonly mean: Float64Array; readonly std: Float64Array } {
  const size = scaler.channels * scaler.positions;
  const mean = new Float64Array(size);
  const std = new Float64Array(size);
  forEachValue(scaler, size, (at, k) => {
    mean[at] = scaler.mean[k]!;
    std[at] = scaler.std[k]!;
  });
  return { mean, std };
}

function forEachValue(scaler: FieldScaler, length: number, visit: (at: number, statistic: number) => void): void {
  const size = scaler.channels * scaler.positions;
  for (let at = 0; at < length; at++) {
    const element = at % size;
    visit(at, scaler.per === "element" ? element : Math.floor(element / scaler.positions));
  }
}

/** Mean, standard deviation (over n) and range of `count` columns from `first` on, pooled over the given rows, of what `learned` makes
 * of each number. */
function moments(
  values: Float64Array,
  width: number,
  first: number,
  rows: Int32Array,
  learned: (value: number) => number,
  count = 1,
): { readonly mean: number; readonly std: number; readonly range: number } {
  const n = rows.length * count;
  const at = (i: number, p: number): number => learned(values[rows[i]! * width + first + p]!);
  let sum = 0;
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i < rows.length; i++) {
    for (let p = 0; p < count; p++) {
      const value = at(i, p);
      sum += value;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  if (low === high) return { mean: low, std: 0, range: 0 };
  const mean = sum / n;
  let squares = 0;
  for (let i = 0; i < rows.length; i++) for (let p = 0; p < count; p++) squares += (at(i, p) - mean) ** 2;
  return { mean, std: Math.sqrt(squares / n), range: high - low };
}
