/**
 * The emulator as one graph: inputs in the user's units (float64), scaling, all members (float32), their mean and
 * spread, calibration, and the way back to the user's units (float64). Written as ONNX this is the emulator file.
 */
import {
  endSlopes,
  type FieldScaler,
  type FieldSpec,
  type InputScaler,
  type OutputScale,
  powerOf,
  type Warp,
} from "../data/index.ts";
import { type Graph, type GraphBuilder, graphBuilder, type NodeId, prune, sizeOf } from "../graph/index.ts";
import type { FieldPlace } from "./problem.ts";

/** What an emulator says of every number, in order. */
export const statistics = ["mean", "std", "noise", "lower", "upper"] as const;

/** Appends a member's forward pass to an open graph. @returns one node per head, scaled units: N x size, N x channels x ..., or
 * coefficients of the head's basis, N x count */
export type MemberForward = (b: GraphBuilder, x: NodeId) => readonly NodeId[];

/** Appends a companion's mean and variance of the noise-free simulator, each N x size of its head, scaled units, trend
 * included, float64. @param x scaled inputs, N x width, float64 */
export type CompanionForward = (b: GraphBuilder, x: NodeId) => { readonly mean: NodeId; readonly variance: NodeId };

/** How the members' spread becomes a standard deviation, per element of a field, in scaled units. */
export interface FieldCalibration {
  /** std^2 = (spreadFactor * members' standard deviation)^2 + floor^2. One number each, or one per element. */
  readonly spreadFactor: readonly number[];
  readonly floor: readonly number[];
  /** Standard deviation of the simulator's noise; zeros where there is none. */
  readonly noise: readonly number[];
  /** Weight of the networks, the rest is the companion's; 1 where there is none. One for all elements of the field. */
  readonly networkShare?: number;
  /** What the weight was chosen by: mean CRPS of held-out runs, in units of the outputs' standard deviation, of the
   * networks alone, of the companion alone, and of the mixture that was found best. */
  readonly heldOutCrps?: { readonly networks: number; readonly processes: number; readonly mixture: number };
  /** Factor on the standard deviation of the mixture of networks and companion. */
  readonly unit?: number;
  /** Half-width of the interval in units of sqrt(std^2 + noise^2), by nominal level, ascending. */
  readonly quantiles: readonly LevelFactor[];
  /** Half-width, in the same units, of the band that holds all elements of the field at once; absent for a scalar, whose
   * interval is that band. */
  readonly bands?: readonly LevelFactor[];
}

export interface LevelFactor {
  readonly level: number;
  readonly factor: number;
}

/** Mean and standard deviation over the members, N x size, scaled units. */
interface Moments {
  readonly mean: NodeId;
  readonly spread: NodeId;
}

/** A linear trend of one head in the scaled inputs. */
export interface HeadTrend {
  /** inputs x size, row-major. */
  readonly weights: Float64Array;
  /** size. */
  readonly bias: Float64Array;
  readonly scale: Float64Array;
}

/** count x size, row-major. */
export interface FieldBasis {
  readonly count: number;
  readonly basis: Float32Array;
}

export interface EmulatorParts {
  /** Columns of x. */
  readonly columns: number;
  readonly inputScaler: InputScaler;
  readonly fields: readonly {
    readonly spec: FieldSpec;
    readonly scaler: FieldScaler;
    readonly place: FieldPlace;
    readonly calibration: FieldCalibration;
  }[];
  readonly members: readonly MemberForward[];
  /** Directions whose sum a head is, for members that end with coefficients: one per head, where it has them. */
  readonly bases?: readonly (FieldBasis | undefined)[];
  /** Linear trend that the members' outputs are added to, one per head: z = output * scale + x weights + bias. */
  readonly trends: readonly HeadTrend[];
  /** One per head, where one stands beside the networks. */
  readonly companions?: readonly (CompanionForward | undefined)[];
  /** Level of `_lower` and `_upper` in the file. */
  readonly level: number;
}

/** Scaled inputs, N x width, float64: what `scaleInputs` does, as nodes. */
function scaledInputs(b: GraphBuilder, x: NodeId, scaler: InputScaler): NodeId {
  const parts: NodeId[] = [];
  // Runs of plain number columns are scaled together.
  let start = 0;
  const flush = (end: number): void => {
    if (end === start) return;
    const columns = scaler.columns.slice(start, end).map((column) => {
      if (column.kind !== "number") throw new RangeError("internal: a number column was expected");
      return column;
    });
    let part = b.slice(x, 1, start, end);
    if (columns.some((column) => column.log)) {
      const isLog = b.constant(
        columns.map((column) => (column.log ? 1 : 0)),
        [1, columns.length],
        "bool",
      );
      const safe = b.where(isLog, part, b.scalar(1, part));
      part = b.where(isLog, b.unary("Log", safe), part);
    }
    const row = (values: readonly number[]): NodeId => b.constant(values, [1, values.length], "float64");
    part = onWarpedAxes(b, part, columns, row);
    part = b.sub(part, row(columns.map((column) => column.mean)));
    parts.push(b.div(part, row(columns.map((column) => column.std))));
  };
  scaler.columns.forEach((column, j) => {
    if (column.kind !== "levels") return;
    flush(j);
    const levels = b.constant(
      Array.from({ length: column.levels }, (_, l) => l),
      [1, column.levels],
      "float64",
    );
    const level = b.slice(x, 1, j, j + 1);
    // Adds nothing, but a level that is not a number makes no number.
    parts.push(b.sum(b.cast(b.compare("Equal", level, levels), "float64"), b.sub(level, level)));
    start = j + 1;
  });
  flush(scaler.columns.length);
  return b.concat(parts, 1);
}

/** Columns of which some are learned on a warped axis, as `warpPlace` has it. @param row values as a constant, 1 x columns */
function onWarpedAxes(
  b: GraphBuilder,
  part: NodeId,
  columns: readonly { readonly warp?: Warp }[],
  row: (values: readonly number[]) => NodeId,
): NodeId {
  if (columns.every(({ warp }) => warp === undefined)) return part;
  const each = (of: (warp: Warp) => number, otherwise: number): NodeId =>
    row(columns.map(({ warp }) => (warp === undefined ? otherwise : of(warp))));
  const isWarped = b.constant(
    columns.map(({ warp }) => (warp === undefined ? 0 : 1)),
    [1, columns.length],
    "bool",
  );
  const low = each((warp) => warp.low, 0);
  const width = each((warp) => warp.high - warp.low, 1);
  const curvature = each((warp) => warp.curvature, 1);
  const rise = each((warp) => Math.expm1(warp.curvature), 0);
  const [first, last] = [0, 1].map((end) => each((warp) => endSlopes(warp.curvature)[end]!, 1)) as [NodeId, NodeId];
  const place = b.div(b.sub(part, low), width);
  const [zero, one] = [b.scalar(0, place), b.scalar(1, place)];
  const inside = b.binary("Min", b.binary("Max", place, zero), one);
  const bent = b.div(b.unary("Log", b.sum(b.mul(inside, rise), one)), curvature);
  // A place that is not a number stays one here, whatever Min and Max make of it.
  const outside = b.sub(place, inside);
  const straight = b.where(b.compare("Less", place, zero), b.mul(outside, first), b.mul(outside, last));
  return b.where(isWarped, b.sum(bent, straight), part);
}

/** The members' outputs of one head side by side, N x members x size: all coefficients become fields in one product. */
function stacked(b: GraphBuilder, members: readonly NodeId[], basis: FieldBasis | undefined): NodeId {
  const side = (some: readonly NodeId[]): NodeId =>
    b.reshape(b.concat(some, 1), ["N", some.length, sizeOf(b.shapeOf(some[0]!).slice(1))]);
  const ofBasis = basis === undefined ? [] : members.filter((node) => b.shapeOf(node).length === 2);
  if (basis === undefined || ofBasis.length === 0) return side(members);
  const { count, basis: directions } = basis;
  const made = b.matMul(side(ofBasis), b.constant(directions, [count, directions.length / count]));
  const rest = members.filter((node) => !ofBasis.includes(node));
  return rest.length === 0 ? made : b.concat([made, side(rest)], 1);
}

/** Mean and standard deviation (over M - 1) of the members' outputs of one head, float64, N x size.
 * @param members one node per member */
function momentsOf(b: GraphBuilder, members: readonly NodeId[], basis: FieldBasis | undefined): Moments {
  // The members stand side by side, so that a moment costs a few operations and not a few per member.
  const all = b.cast(stacked(b, members, basis), "float64");
  const [, count = 1, size = 1] = b.shapeOf(all) as number[];
  const mean = b.mean(all, [1], true);
  const flat = b.reshape(mean, ["N", size]);
  if (count === 1) return { mean: flat, spread: b.scale(flat, 0) };
  const squares = b.reduceSum(b.square(b.sub(all, mean)), [1]);
  return { mean: flat, spread: b.unary("Sqrt", b.scale(squares, 1 / (count - 1))) };
}

/** Puts the trend back under the members' moments. */
function addTrend(b: GraphBuilder, x: NodeId, moments: Moments, trend: HeadTrend | undefined): Moments {
  if (trend === undefined) return moments;
  const idle = [...trend.weights, ...trend.bias].every((value) => value === 0) && trend.scale.every((s) => s === 1);
  if (idle) return moments;
  const size = trend.bias.length;
  const scale = b.constant(trend.scale, [1, size], "float64");
  const slope = b.matMul(x, b.constant(trend.weights, [trend.weights.length / size, size], "float64"));
  const line = b.sum(slope, b.constant(trend.bias, [1, size], "float64"));
  return { mean: b.sum(b.mul(moments.mean, scale), line), spread: b.mul(moments.spread, scale) };
}

/** The factor at a level, interpolated in the table of quantiles: 0 at level 0, that of the last above it. */
export function quantileFactor({ quantiles }: Pick<FieldCalibration, "quantiles">, level: number): number {
  let low: LevelFactor = { level: 0, factor: 0 };
  for (const high of quantiles) {
    const along = (level - low.level) / (high.level - low.level);
    if (along < 1 + 1e-9) return (1 - along) * low.factor + along * high.factor;
    low = high;
  }
  return low.factor;
}

/** Whether an interval holds one number of a new run, or a band its whole field, at the stated level. */
export const bandChoices = ["pointwise", "simultaneous"] as const;
export type Band = (typeof bandChoices)[number];

/** Builds the graph. Input `x` [N, columns]; outputs `<field>_mean`, `_std`, `_noise`, `_lower`, `_upper`, each [N]
 * for a scalar, else [N, ...shape]. A field learned as its logarithm has log-normal mean and standard deviation,
 * one learned as a root those of a normal's power. */
export function emulatorGraph(parts: EmulatorParts): Graph {
  const b = graphBuilder();
  const x = b.input("x", ["N", parts.columns], "float64");
  const wide = scaledInputs(b, x, parts.inputScaler);
  const scaled = b.cast(wide, "float32");
  const members = parts.members.map((forward) => forward(b, scaled));
  const heads = (members[0] ?? []).map((_, head) => {
    const outputs = members.map((heads) => heads[head]!);
    const fields = parts.fields.filter(({ place }) => place.head === head);
    const mixed = fields.some(({ calibration }) => (calibration.networkShare ?? 1) < 1);
    const companion = mixed ? parts.companions?.[head]?.(b, wide) : undefined;
    const used = companion === undefined || fields.some(({ calibration }) => calibration.networkShare !== 0);
    const moments = used
      ? addTrend(b, wide, momentsOf(b, outputs, parts.bases?.[head]), parts.trends[head])
      : undefined;
    return statisticsOf(b, moments, companion, fields, parts.level);
  });

  const outputs: Record<string, NodeId> = {};
  for (const { spec, scaler, place } of parts.fields) {
    const head = heads[place.head];
    if (head === undefined) throw new RangeError("internal: a field without a head");
    const part = (node: NodeId): NodeId => b.slice(node, 1, place.start, place.start + place.size);
    const learned = {
      mean: part(head.mean),
      std: part(head.std),
      noise: part(head.noise),
      lower: part(head.lower),
      upper: part(head.upper),
    };
    const own = unlearnedNodes(b, scaler.scale, learned);
    for (const name of statistics) outputs[`${spec.name}_${name}`] = b.reshape(own[name], ["N", ...spec.shape]);
  }
  // Networks that no field takes part of are not carried along.
  return prune(b.build(outputs), { keepInputs: true });
}

/** One node per statistic, N x size. */
type Statistics = Readonly<Record<(typeof statistics)[number], NodeId>>;

/** Calibrates the members' moments and takes them to the units that the fields were scaled from: their own, or their
 * logarithms. All fields of a head together: small tables have many scalars, and each operation has its price.
 * @param moments of the members; undefined where the companion stands alone  @param fields all of the head's, in order */
function statisticsOf(
  b: GraphBuilder,
  moments: Moments | undefined,
  companion: ReturnType<CompanionForward> | undefined,
  fields: EmulatorParts["fields"],
  level: number,
): Statistics {
  /** One number per element of the head, or one for all. */
  const row = (valueOf: (field: EmulatorParts["fields"][number], element: number) => number | undefined): NodeId => {
    const all = fields.flatMap((field) => Array.from({ length: field.place.size }, (_, i) => valueOf(field, i) ?? 0));
    const same = all.every((value) => value === all[0]);
    return b.constant(same ? all.slice(0, 1) : all, [1, same ? 1 : all.length], "float64");
  };
  const scaling = ({ per, positions }: FieldScaler, i: number): number =>
    per === "element" ? i : Math.floor(i / positions);
  const scale = row(({ scaler }, i) => scaler.std[scaling(scaler, i)]);
  const offset = row(({ scaler }, i) => scaler.mean[scaling(scaler, i)]);
  const spreadFactor = row(({ calibration: { spreadFactor } }, i) => spreadFactor[spreadFactor.length === 1 ? 0 : i]);
  const floor = row(({ calibration: { floor } }, i) => floor[floor.length === 1 ? 0 : i]);
  const noise = row(({ calibration: { noise } }, i) => noise[noise.length === 1 ? 0 : i]);
  const width = row(({ calibration }) => quantileFactor(calibration, level));

  const networks = moments && {
    mean: moments.mean,
    variance: b.sum(b.square(b.mul(moments.spread, spreadFactor)), b.square(floor)),
  };
  const unit = row(({ calibration }) => calibration.unit ?? 1);
  let latent = networks ?? companion;
  if (latent === undefined) throw new RangeError("internal: a head that nothing predicts");
  if (networks !== undefined && companion !== undefined) {
    // Mean and variance of the mixture of both.
    const share = row(({ calibration }) => calibration.networkShare ?? 1);
    const rest = row(({ calibration }) => 1 - (calibration.networkShare ?? 1));
    const apart = b.mul(b.square(b.sub(networks.mean, companion.mean)), b.mul(share, rest));
    const own = b.sum(b.mul(networks.variance, share), b.mul(companion.variance, rest));
    latent = {
      mean: b.sum(b.mul(networks.mean, share), b.mul(companion.mean, rest)),
      variance: b.sum(own, apart),
    };
  }
  const centre = latent.mean;
  const variance = companion === undefined ? latent.variance : b.mul(latent.variance, b.square(unit));
  const mean = b.sum(b.mul(centre, scale), offset);
  const std = b.mul(b.unary("Sqrt", variance), scale);
  const noiseless = fields.every(({ calibration }) => calibration.noise.every((value) => value === 0));
  // Broadcast over rows by adding nothing: engines differ in how they expand.
  const noises = b.sum(b.scale(mean, 0), b.mul(noise, scale));
  const half = b.mul(noiseless ? std : b.unary("Sqrt", b.sum(b.square(std), b.square(noises))), width);
  return { mean, std, noise: noises, lower: b.sub(mean, half), upper: b.sum(mean, half) };
}

/** Statistics in the field's own units. */
function unlearnedNodes(b: GraphBuilder, scale: OutputScale, learned: Statistics): Statistics {
  const power = powerOf(scale);
  return power === 1 ? learned : power === undefined ? exponential(b, learned) : raised(b, power, learned);
}

/** Statistics of z ^ power where z > 0, else of 0, z normal with the given ones: moments as in {@link unlearnedMoments}; the noise is
 * taken to first order. */
function raised(b: GraphBuilder, power: 2 | 4, { mean, std, noise, lower, upper }: Statistics): Statistics {
  const positive = (z: NodeId): NodeId => b.binary("Max", z, b.scalar(0, z));
  const centre = positive(mean);
  const square = b.square(centre);
  const variance = b.square(std);
  const raise = (z: NodeId): NodeId => (power === 2 ? b.square(z) : b.square(b.square(z)));
  const ends = { lower: raise(positive(lower)), upper: raise(positive(upper)) };
  /** p square + q variance. */
  const weighted = (p: number, q: number): NodeId => b.sum(b.scale(square, p), b.scale(variance, q));
  if (power === 2)
    return {
      ...ends,
      mean: b.sum(square, variance),
      std: b.unary("Sqrt", b.mul(variance, weighted(4, 2))),
      noise: b.mul(noise, b.scale(centre, 2)),
    };
  const fourth = b.square(square);
  const higher = b.sum(b.scale(fourth, 168), b.mul(variance, weighted(384, 96)));
  return {
    ...ends,
    mean: b.sum(fourth, b.mul(variance, weighted(6, 3))),
    std: b.unary("Sqrt", b.mul(variance, b.sum(b.scale(b.mul(square, fourth), 16), b.mul(variance, higher)))),
    noise: b.mul(noise, b.scale(b.mul(centre, square), 4)),
  };
}

/** Statistics of exp(z), z normal with the given ones (Johnson, Kotz & Balakrishnan 1994, ch. 14); the noise is taken to
 * first order. */
function exponential(b: GraphBuilder, { mean, std, noise, lower, upper }: Statistics): Statistics {
  const variance = b.square(std);
  const centre = b.unary("Exp", b.sum(mean, b.scale(variance, 0.5)));
  const relative = b.unary("Sqrt", b.shift(b.unary("Exp", variance), -1));
  return {
    mean: centre,
    std: b.mul(centre, relative),
    noise: b.mul(centre, noise),
    lower: b.unary("Exp", lower),
    upper: b.unary("Exp", upper),
  };
}
