/** How good an emulator is on fresh runs: scores, calibration curves, and the runs that figures show. */
import {
  coverageCurve,
  curveLevels,
  type Emulator,
  type FieldPrediction,
  fieldSize,
  type OutputScale,
  type Runs,
  type Scores,
  scoreField,
} from "../../src/index.ts";

/** Scores of a field on fresh runs. */
export interface TestedField extends Scores {
  /** Root mean square error over the standard deviation of the truth, both over all elements that vary:
   * sqrt(1 - R2). */
  readonly nrmse: number;
  /** Share of truths inside the interval of each of {@link curveLevels}. */
  readonly curve: readonly number[];
  /** What it was learned as. */
  readonly scale: OutputScale;
  /** Rows of the runs of median, 95th-percentile and largest error. */
  readonly shown: readonly [number, number, number];
}

export interface Tested {
  readonly rows: number;
  readonly fields: readonly TestedField[];
}

/** Rows predicted at once: images are large. */
const ELEMENTS_AT_ONCE = 4e6;

/** Scores all fields. @param runs fresh ones, of the case's schema */
export async function testEmulator(emulator: Emulator, runs: Runs): Promise<Tested> {
  const { schema, info } = emulator;
  const predictions = await predictAll(emulator, runs);
  const fields = schema.fields.map((field, f): TestedField => {
    const [prediction, truth, size] = [predictions[f]!, runs.y[f]!, fieldSize(field)];
    const scores = scoreField(prediction, truth, size, info.level);
    return {
      ...scores,
      nrmse: Math.sqrt(Math.max(0, 1 - scores.r2)),
      curve: coverageCurve(prediction, truth, info.calibration[f]!, info.level, field.scale),
      scale: field.scale,
      shown: typicalRows(truth, prediction.mean, size),
    };
  });
  return { rows: runs.n, fields };
}

/** Coverage of a field at a level of the curve. */
export function coverageAt(field: Pick<TestedField, "curve">, level: number): number {
  return field.curve[curveLevels.indexOf(level)] ?? Number.NaN;
}

/** Predictions of all rows of some runs. */
export async function predictAll(emulator: Emulator, { x, n, d }: Runs): Promise<readonly FieldPrediction[]> {
  const sizes = emulator.schema.fields.map(fieldSize);
  const rows = Math.max(1, Math.floor(ELEMENTS_AT_ONCE / sizes.reduce((sum, size) => sum + size, 0)));
  const statistics = ["mean", "std", "noise", "lower", "upper"] as const;
  const all = emulator.schema.fields.map(({ name }, f) => {
    const make = (): Float64Array => new Float64Array(n * sizes[f]!);
    return { field: name, mean: make(), std: make(), noise: make(), lower: make(), upper: make() };
  });
  for (let from = 0; from < n; from += rows) {
    const part = await emulator.predict(x.slice(from * d, Math.min(n, from + rows) * d));
    all.forEach((field, f) => {
      for (const statistic of statistics) field[statistic].set(part[f]![statistic], from * sizes[f]!);
    });
  }
  return all;
}

/** Rows at the median, the 95th percentile and the top of the squared error. */
function typicalRows(truth: Float64Array, mean: Float64Array, size: number): readonly [number, number, number] {
  const n = truth.length / size;
  const errors = Float64Array.from({ length: n }, (_, i) => {
    let sum = 0;
    for (let k = i * size; k < (i + 1) * size; k++) sum += (truth[k]! - mean[k]!) ** 2;
    return sum;
  });
  const order = Uint32Array.from(errors.keys()).sort((a, b) => errors[a]! - errors[b]!);
  return [order[Math.floor(0.5 * (n - 1))]!, order[Math.floor(0.95 * (n - 1))]!, order[n - 1]!];
}
