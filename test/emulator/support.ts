/** A small emulator of random weights over every kind of input and field, and what it should answer. */
import {
  encodedWidth,
  type FieldScaler,
  type FieldSpec,
  fitFieldScaler,
  fitInputScaler,
  type InputSpec,
  type OutputScale,
  type Schema,
  SCHEMA_VERSION,
  scaleInputs,
  unscaleField,
  elementMoments,
} from "../../src/data/index.ts";
import {
  type EmulatorParts,
  type FieldCalibration,
  type HeadTrend,
  planHeads,
  quantileFactor,
} from "../../src/emulator/index.ts";
import { makeRng } from "../../src/rng.ts";
import {
  compact,
  componentsOf,
  type HeadRequest,
  initialise,
  type Network,
  randomArchitecture,
  superArchitecture,
  type SuperArchitecture,
} from "../../src/space/index.ts";
import { predict } from "../space/support.ts";

const inputs: readonly InputSpec[] = [
  { kind: "real", name: "huge", range: [1e20 - 1e14, 1e20 + 1e14], scale: "linear" },
  { kind: "real", name: "decades", range: [1e-3, 1e3], scale: "log", warp: 2.5 },
  { kind: "categorical", name: "material", range: [0, 2], scale: "linear", levels: ["Al", "Cu", "Fe"] },
  { kind: "real", name: "fixed", range: [1, 1], scale: "linear", constant: 1 },
  { kind: "integer", name: "shell", range: [1, 9], scale: "linear" },
  { kind: "real", name: "small", range: [-1e-12, 1e-12], scale: "linear", warp: -4 },
];

const fields: readonly FieldSpec[] = [
  { name: "energy", shape: [], scale: "linear" },
  { name: "signal", shape: [6], scale: "sqrt" },
  { name: "flux", shape: [], scale: "log" },
  { name: "pair", shape: [2, 5], channels: true, scale: "fourth-root" },
];

export const schema: Schema = { version: SCHEMA_VERSION, inputs, fields };
export const columns = 5;

/** Rows of x in physical units, one column per varying input. */
export function someRows(rows: number, seed: number): Float64Array {
  const rng = makeRng(seed);
  return Float64Array.from({ length: rows * columns }, (_, i) => {
    const u = rng.uniform();
    switch (i % columns) {
      case 0:
        return 1e20 + (2 * u - 1) * 1e14;
      case 1:
        return 10 ** (6 * u - 3);
      case 2:
        return Math.floor(3 * u);
      case 3:
        return 1 + Math.floor(9 * u);
      default:
        return (2 * u - 1) * 1e-12;
    }
  });
}

const plan = planHeads(schema);
const all = Int32Array.from({ length: 200 }, (_, i) => i);
const fitted = someRows(200, 100);

function fieldScaler(field: FieldSpec, size: number, per: "channel" | "element"): FieldScaler {
  const rng = makeRng(101).fork(field.name);
  const y = Float64Array.from({ length: 200 * size }, (_, i) => {
    const value = 3 * (i % size) + rng.normal();
    if (field.scale === "linear") return 1e6 * value - 4e7;
    return field.scale === "log" ? Math.exp(0.2 * value - 1) : (0.2 * value + 9) ** (field.scale === "sqrt" ? 2 : 4);
  });
  return fitFieldScaler(field, y, all, { per });
}

export const inputScaler = fitInputScaler(schema, fitted, all);
export const fieldScalers = fields.map((field, i) =>
  fieldScaler(field, plan.places[i]!.size, field.name === "signal" ? "element" : "channel"),
);

const quantiles = [
  { level: 0.5, factor: 0.7 },
  { level: 0.9, factor: 1.5 },
  { level: 0.99, factor: 3 },
];

export function calibrationOf(size: number, noisy: boolean): FieldCalibration {
  return {
    spreadFactor: [1.3],
    floor: Array.from({ length: size }, (_, i) => 0.05 + 0.01 * i),
    noise: Array.from({ length: size }, (_, i) => (noisy ? 0.02 + 0.01 * i : 0)),
    quantiles,
  };
}

export interface Member {
  readonly network: Network;
  readonly weights: Float32Array;
}

const sizes = { inputs: encodedWidth(schema), widths: [4, 8], trunkNodes: 2, stageNodes: 1, channels: 4 };

function memberOf(space: SuperArchitecture, seed: number, decoder?: string): Member {
  const rng = makeRng(seed);
  const architecture = randomArchitecture(space, rng).map((choice, slot) => {
    const named = space.slots[slot]!.candidates.findIndex(({ kind, name }) => kind === "decoder" && name === decoder);
    return named < 0 ? choice : named;
  });
  const network = compact(space, architecture);
  const weights = initialise(network.layout, rng.fork("weights"));
  return { network, weights: weights.map((value) => value + 0.05 * rng.normal()) };
}

/** Members with decoders of several kinds. */
export const members: readonly Member[] = (() => {
  const space = superArchitecture({ ...sizes, heads: plan.heads });
  return Array.from({ length: 3 }, (_, i) => memberOf(space, 102 + i));
})();

/** Members of which all but the convolutional one end with coefficients of components. */
export const componentMembers: readonly Member[] = (() => {
  const heads = plan.heads.map((head): HeadRequest => {
    if (head.kind === "vector") return head;
    const size = head.channels * head.spatial.reduce((a, c) => a * c, 1);
    const rng = makeRng(130).fork(head.name);
    const basis = Float32Array.from({ length: 3 * size }, () => rng.normal() / Math.sqrt(size));
    return { ...head, components: { count: 3, basis, scales: Float32Array.of(3, 2, 1) } };
  });
  const space = superArchitecture({ ...sizes, heads });
  return ["linear", "convolutional", "dense", "dense"].map((decoder, i) => memberOf(space, 131 + i, decoder));
})();

export const trends: readonly HeadTrend[] = plan.heads.map((head, i) => {
  const size = head.kind === "vector" ? head.size : head.channels * head.spatial.reduce((a, c) => a * c, 1);
  const rng = makeRng(110 + i);
  const normals = (count: number, scale: number) => Float64Array.from({ length: count }, () => scale * rng.normal());
  return {
    weights: normals(plan.inputs * size, 0.3),
    bias: normals(size, 0.2),
    scale: Float64Array.from({ length: size }, () => 0.5 + rng.uniform()),
  };
});

export interface Variant {
  readonly trends?: readonly HeadTrend[];
  readonly noisy?: boolean;
  readonly level?: number;
  readonly members?: readonly Member[];
  /** Weight of the networks beside companions, which are linear in the inputs. */
  readonly share?: number;
}

/** Companions' mean: a row's scaled inputs times these, inputs x size; their variance is {@link companionVariance}. */
const slopes = trends.map(({ weights }, head) => {
  const rng = makeRng(140 + head);
  return weights.map(() => 0.4 * rng.normal());
});
const companionVariance = (element: number): number => 0.02 + 0.01 * element;
/** Factor on the mixture's standard deviation. */
const unit = 1.2;

export function partsOf(variant: Variant = {}): EmulatorParts {
  return {
    columns,
    inputScaler,
    level: variant.level ?? 0.9,
    fields: fields.map((spec, i) => ({
      spec,
      scaler: fieldScalers[i]!,
      place: plan.places[i]!,
      calibration: {
        ...calibrationOf(plan.places[i]!.size, variant.noisy ?? true),
        ...(variant.share === undefined ? {} : { networkShare: variant.share, unit }),
      },
    })),
    ...(variant.share === undefined
      ? {}
      : {
          companions: trends.map(({ bias: { length: size } }, head) => (b, scaled) => {
            const mean = b.matMul(scaled, b.constant(slopes[head]!, [slopes[head]!.length / size, size], "float64"));
            const row = Array.from({ length: size }, (_, k) => companionVariance(k));
            return { mean, variance: b.sum(b.scale(mean, 0), b.constant(row, [1, size], "float64")) };
          }),
        }),
    trends: variant.trends ?? trends,
    bases: componentsOf((variant.members ?? members)[0]!.network.space),
    members: (variant.members ?? members).map(
      ({ network, weights }) =>
        (b, x) =>
          network.forward(b, x, b.constant(weights, [network.layout.size])),
    ),
  };
}

/** What the emulator should answer, with the data room's scalers and one number at a time. */
/** Mean and standard deviation of a field whose learned quantity is normal about that of `centre`. */
function momentsOf(scale: OutputScale, centre: number, std: number): { mean: number; std: number } {
  if (scale === "linear") return { mean: centre, std };
  // Johnson, Kotz & Balakrishnan 1994, ch. 14: moments of the log-normal.
  const lifted = centre * Math.exp(std ** 2 / 2);
  if (scale === "log") return { mean: lifted, std: lifted * Math.sqrt(Math.expm1(std ** 2)) };
  // Of a power, by the trapezoidal rule over the normal density.
  const power = scale === "sqrt" ? 2 : 4;
  const [middle, step] = [centre ** (1 / power), 1 / 64];
  let [weight, first, second] = [0, 0, 0];
  for (let t = -9; t <= 9; t += step) {
    const w = Math.exp(-(t ** 2) / 2);
    const y = (middle + t * std) ** power;
    weight += w;
    first += w * y;
    second += w * y ** 2;
  }
  return { mean: first / weight, std: Math.sqrt(second / weight - (first / weight) ** 2) };
}

function slope(scale: OutputScale, centre: number, mean: number): number {
  if (scale === "linear") return 1;
  const power = scale === "sqrt" ? 2 : 4;
  return scale === "log" ? mean : power * centre ** (1 - 1 / power);
}

export function expected(x: Float64Array, variant: Variant = {}): Readonly<Record<string, Float64Array>> {
  const scaled = scaleInputs(inputScaler, x);
  const rows = x.length / columns;
  const width = scaled.length / rows;
  const used = variant.members ?? members;
  const outputs = used.map(({ network, weights }) => predict(network, weights, Float32Array.from(scaled)));
  const answers: Record<string, Float64Array> = {};
  fields.forEach((field, f) => {
    const { head, start, size } = plan.places[f]!;
    const scaler = fieldScalers[f]!;
    const { spreadFactor, floor, noise } = calibrationOf(size, variant.noisy ?? true);
    const trend = (variant.trends ?? trends)[head]!;
    const headSize = trend.bias.length;
    const factor = quantileFactor({ quantiles }, variant.level ?? 0.9);
    const z = new Float64Array(rows * size);
    const zLow = new Float64Array(rows * size);
    const zHigh = new Float64Array(rows * size);
    const std = new Float64Array(rows * size);
    const noises = new Float64Array(rows * size);
    const physicalUnit = elementMoments(scaler).std;
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < size; j++) {
        const k = start + j;
        const values = outputs.map((heads) => heads[head]![i * headSize + k]!);
        const mean = values.reduce((a, c) => a + c, 0) / values.length;
        const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
        const spread = values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : 0;
        let line = trend.bias[k]!;
        for (let c = 0; c < width; c++) line += scaled[i * width + c]! * trend.weights[c * headSize + k]!;
        const at = i * size + j;
        z[at] = mean * trend.scale[k]! + line;
        std[at] = Math.hypot(spreadFactor[0]! * spread * trend.scale[k]!, floor[j]!);
        if (variant.share !== undefined) {
          let other = 0;
          for (let c = 0; c < width; c++) other += scaled[i * width + c]! * slopes[head]![c * headSize + k]!;
          // Second moments about zero of the mixture, less the square of its mean.
          const [w, first] = [variant.share, z[at]];
          z[at] = w * first + (1 - w) * other;
          const second = w * (std[at] ** 2 + first ** 2) + (1 - w) * (companionVariance(k) + other ** 2);
          std[at] = unit * Math.sqrt(second - z[at] ** 2);
        }
        noises[at] = noise[j]!;
        const half = factor * Math.hypot(std[at], noise[j]!);
        zLow[at] = z[at] - half;
        zHigh[at] = z[at] + half;
      }
    const physical = (values: Float64Array): Float64Array =>
      values.map((value, at) => value * physicalUnit[at % size]!);
    const s = physical(std);
    const eta = physical(noises);
    const centre = unscaleField(scaler, z);
    const moments = Array.from(centre, (value, at) => momentsOf(field.scale, value, s[at]!));
    const mean = Float64Array.from(moments, (each) => each.mean);
    answers[`${field.name}_mean`] = mean;
    answers[`${field.name}_std`] = Float64Array.from(moments, (each) => each.std);
    answers[`${field.name}_noise`] = eta.map((value, at) => value * slope(field.scale, centre[at]!, mean[at]!));
    answers[`${field.name}_lower`] = unscaleField(scaler, zLow);
    answers[`${field.name}_upper`] = unscaleField(scaler, zHigh);
  });
  return answers;
}
