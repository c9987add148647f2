/**
 * What measurements say of the inputs: Gaussian noise on the outputs that were observed, with the covariance of the
 * emulator's errors added to that of the noise (Kennedy & O'Hagan 2001, without a discrepancy).
 */
import type { Emulator } from "../../emulator/index.ts";
import { OptionError } from "../../errors.ts";
import { correlatedLogDensity, type ErrorModes, independentErrors } from "./error-modes.ts";
import { inBox, physicalRows, type PriorInput } from "./prior.ts";
import type { LogDensity } from "./sampler.ts";

/** What a simulator, or an emulator of it, says at some points.
 * @param x n × d, physical units   @returns per observed field, means and standard deviations, n × size each; a mean of
 * NaN says that the inputs cannot be */
export type ForwardModel = (
  x: Float64Array,
) => Promise<readonly { readonly mean: Float64Array; readonly std?: Float64Array }[]>;

/** One measured field. */
export interface Measurement {
  readonly field: string;
  readonly values: Float64Array;
  /** Standard deviation of the noise on each element, where the noise-free values are those given. Elements with an
   * infinite one are not looked at. */
  noise(values: Float64Array): Float64Array;
}

/** An emulator as forward model of some fields. @throws OptionError for a field that it does not have */
export function emulatorModel(emulator: Emulator, fields: readonly string[]): ForwardModel {
  const indices = fields.map((name) => {
    const index = emulator.schema.fields.findIndex((field) => field.name === name);
    if (index >= 0) return index;
    const names = emulator.schema.fields.map((field) => field.name).join(", ");
    throw new OptionError("OPTION_FIELD", `the emulator has no output "${name}". It has ${names}.`);
  });
  return async (x) => {
    const predictions = await emulator.predict(x);
    return indices.map((index) => {
      const { mean, std, noise } = predictions[index]!;
      return { mean, std: std.map((value, i) => Math.hypot(value, noise[i]!)) };
    });
  };
}

/** Elements that are looked at: of the fields put together, and of each. */
export interface Seen {
  readonly field: Int32Array;
  readonly element: Int32Array;
  /** Place among the elements of all fields. */
  readonly at: Int32Array;
}

/**
 * Log posterior density over u in [0, 1]^d, up to a constant, of several measurements at once: ensemble e of the sampler
 * is asked about `measured[e]`. Points outside the box cost nothing.
 * @param measured per ensemble, the fields in the order of the model's
 * @param errors how the emulator's errors hang together, over the elements of all fields in that order. Default: each by
 * itself
 * @param stated per ensemble and field, the emulator's standard deviations; default: those at each point
 */
export function logPosterior(
  prior: readonly PriorInput[],
  model: ForwardModel,
  measured: readonly (readonly Measurement[])[],
  errors?: ErrorModes,
  stated?: readonly (readonly Float64Array[])[],
): LogDensity {
  const d = prior.length;
  const seen = measured.map(seenOf);
  const correlation = errors ?? independentErrors;
  return async (points, ensemble) => {
    const out = new Float64Array(ensemble.length).fill(Number.NEGATIVE_INFINITY);
    const inside = Int32Array.from(ensemble.keys()).filter((i) => inBox(points, i, d));
    if (inside.length === 0) return out;
    const u = new Float64Array(inside.length * d);
    inside.forEach((row, i) => {
      u.set(points.subarray(row * d, (row + 1) * d), i * d);
    });
    const predicted = await model(physicalRows(prior, u));
    inside.forEach((row, i) => {
      const e = ensemble[row]!;
      const value = logLikelihood(measured[e]!, seen[e]!, predicted, i, correlation, stated?.[e]);
      if (!Number.isNaN(value)) out[row] = value;
    });
    return out;
  };
}

/** Root mean square of the standard deviations that a model states over some points, per field. @param u n × d */
export async function statedOver(
  prior: readonly PriorInput[],
  model: ForwardModel,
  u: Float64Array,
): Promise<readonly Float64Array[]> {
  const n = u.length / prior.length;
  return (await model(physicalRows(prior, u))).map(({ mean, std }) => {
    const size = mean.length / n;
    const square = new Float64Array(size);
    std?.forEach((value, i) => (square[i % size]! += value ** 2 / n));
    return square.map(Math.sqrt);
  });
}

/** The elements with finite noise. */
export function seenOf(fields: readonly Measurement[]): Seen {
  const places: [number, number, number][] = [];
  let before = 0;
  fields.forEach(({ values, noise }, f) => {
    noise(values).forEach((sigma, k) => {
      if (Number.isFinite(sigma)) places.push([f, k, before + k]);
    });
    before += values.length;
  });
  const column = (c: 0 | 1 | 2): Int32Array => Int32Array.from(places, (place) => place[c]);
  return { field: column(0), element: column(1), at: column(2) };
}

/** Log density of the measured values where the model predicts row `i`. */
function logLikelihood(
  fields: readonly Measurement[],
  { field, element, at }: Seen,
  predicted: Awaited<ReturnType<ForwardModel>>,
  i: number,
  errors: ErrorModes,
  stated: readonly Float64Array[] | undefined,
): number {
  const sigma = fields.map(({ values, noise }, f) =>
    noise(predicted[f]!.mean.subarray(i * values.length, (i + 1) * values.length)),
  );
  const residual = new Float64Array(at.length);
  const noise = new Float64Array(at.length);
  const std = new Float64Array(at.length);
  for (let n = 0; n < at.length; n++) {
    const [f, k] = [field[n]!, element[n]!];
    const { values } = fields[f]!;
    const model = predicted[f]!;
    residual[n] = values[k]! - model.mean[i * values.length + k]!;
    noise[n] = sigma[f]![k]!;
    if (model.std !== undefined) std[n] = stated?.[f]![k] ?? model.std[i * values.length + k]!;
  }
  return correlatedLogDensity(residual, noise, std, at, errors);
}
