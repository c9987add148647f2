/**
 * What measurements say of the inputs: Gaussian noise on the outputs that were observed, with the variance of the
 * emulator added to that of the noise (Kennedy & O'Hagan 2001, without a discrepancy). Elements count as independent.
 */
import type { Emulator } from "../../emulator/index.ts";
import { OptionError } from "../../errors.ts";
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

/**
 * Log posterior density over u in [0, 1]^d, up to a constant, of several measurements at once: ensemble e of the sampler
 * is asked about `measured[e]`. Points outside the box cost nothing.
 * @param measured per ensemble, the fields in the order of the model's
 */
export function logPosterior(
  prior: readonly PriorInput[],
  model: ForwardModel,
  measured: readonly (readonly Measurement[])[],
): LogDensity {
  const d = prior.length;
  const seen = measured.map((fields) =>
    fields.map(({ values, noise }) => {
      const at = noise(values);
      return Int32Array.from(values.keys()).filter((k) => Number.isFinite(at[k]!));
    }),
  );
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
      let sum = 0;
      measured[e]!.forEach((measurement, f) => {
        const { mean, std } = predicted[f]!;
        const size = measurement.values.length;
        const from = i * size;
        sum += logLikelihood(
          measurement,
          seen[e]![f]!,
          mean.subarray(from, from + size),
          std?.subarray(from, from + size),
        );
      });
      if (!Number.isNaN(sum)) out[row] = sum;
    });
    return out;
  };
}

/** Log density of the values in normals of mean `mean` and variance noise² + std². */
function logLikelihood(
  { values, noise }: Measurement,
  seen: Int32Array,
  mean: Float64Array,
  std: Float64Array | undefined,
): number {
  const sigma = noise(mean);
  let sum = 0;
  for (const k of seen) {
    const variance = sigma[k]! ** 2 + (std === undefined ? 0 : std[k]! ** 2);
    sum -= 0.5 * ((values[k]! - mean[k]!) ** 2 / variance + Math.log(variance));
  }
  return sum;
}
