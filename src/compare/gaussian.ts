/** Baselines learn scaled outputs and state a Gaussian for each; this takes that to the units of the fields. */
import {
  type FieldScaler,
  scaleInputs,
  unlearnedMoments,
  unscaleField,
  elementMoments,
  type Runs,
} from "../data/index.ts";
import { type FieldPrediction, fitScalers, planHeads, type Scalers, scaleRuns } from "../emulator/index.ts";
import { normalQuantile } from "../normal.ts";
import type { Predictor } from "./contestant.ts";

/** Scaled runs, and how they were scaled. */
export interface ScaledTable {
  readonly scalers: Scalers;
  /** n x width. */
  readonly x: Float64Array;
  /** Scaled values of every field, n x size. */
  readonly z: readonly Float32Array[];
  readonly n: number;
  readonly width: number;
}

/** Inputs and outputs of runs with mean 0 and standard deviation 1, logarithms where the schema says so. */
export function scaledTable(runs: Runs): ScaledTable {
  const scalers = fitScalers(runs);
  const { rows: n, inputs: width, targets } = scaleRuns(runs, scalers);
  const { places } = planHeads(runs.schema);
  const z = places.map(({ head, start, size }) => {
    const target = targets[head]!;
    const stride = target.length / n;
    return Float32Array.from(
      { length: n * size },
      (_, i) => target[Math.floor(i / size) * stride + start + (i % size)]!,
    );
  });
  return { scalers, x: Float64Array.from(scaleInputs(scalers.input, runs.x)), z, n, width };
}

/** Mean and standard deviation of a new run, scaled, N x size each. */
export interface Moments {
  readonly mean: Float64Array;
  readonly std: Float64Array;
}

/**
 * A predictor from scaled moments. Intervals are those of the Gaussian; a field learned as its logarithm has the moments
 * of the log-normal. All spread counts as the emulator's own.
 * @param moments of every field at scaled inputs, N x width
 */
export function gaussianPredictor(
  runs: Runs,
  { scalers }: ScaledTable,
  moments: (x: Float64Array) => Promise<readonly Moments[]>,
): Predictor {
  return {
    async predict(x, level = 0.95) {
      const found = await moments(Float64Array.from(scaleInputs(scalers.input, x)));
      const half = normalQuantile((1 + level) / 2);
      return runs.schema.fields.map((field, f) => toUnits(field.name, scalers.fields[f]!, found[f]!, half));
    },
    dispose: () => Promise.resolve(),
  };
}

function toUnits(field: string, scaler: FieldScaler, { mean, std }: Moments, half: number): FieldPrediction {
  const edge = (sign: number): Float64Array =>
    unscaleField(
      scaler,
      mean.map((m, i) => m + sign * half * std[i]!),
    );
  const { mean: offset, std: unit } = elementMoments(scaler);
  const own = Array.from(mean, (m, i) => {
    const at = i % unit.length;
    return unlearnedMoments(scaler.scale, m * unit[at]! + offset[at]!, std[i]! * unit[at]!);
  });
  return {
    field,
    mean: Float64Array.from(own, (each) => each.mean),
    std: Float64Array.from(own, (each) => each.std),
    noise: new Float64Array(mean.length),
    lower: edge(-1),
    upper: edge(1),
  };
}
