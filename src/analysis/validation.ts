/** All that new runs say of an emulator: scores, coverage by level, PIT tests, whole fields; of all runs and of the edge. */
import { atLevel, type EmulatorInfo, type FieldPrediction } from "../emulator/index.ts";
import { coverageLevels, coverageOf, type LevelCoverage, wholeCoverage } from "./coverage.ts";
import { pitTest, type PitTest, pitValues } from "./pit.ts";
import { overallScores, type OverallScores, scoreField, type Scores } from "./scores.ts";

/** What is told of one field, and of all together. */
interface Calibrated {
  /** Coverage of the intervals at 50, 80, 90, 95 and 99 %. */
  readonly levels: readonly LevelCoverage[];
  readonly pit: PitTest;
}

export interface FieldJudgement extends Scores, Calibrated {
  /** Shares of runs whose whole field lies inside its simultaneous band; absent for scalars, and files without bands. */
  readonly bands?: readonly LevelCoverage[];
}

export interface Judgement {
  readonly rows: number;
  readonly fields: readonly FieldJudgement[];
  readonly overall: OverallScores & Calibrated;
}

/** Judges predictions at the file's own level. @param truths one per field, n x size */
export function judge(
  info: EmulatorInfo,
  predictions: readonly FieldPrediction[],
  truths: readonly Float64Array[],
  n: number,
): Judgement {
  const { fields: specs } = info.schema;
  const sizes = truths.map((truth) => truth.length / n);
  const byLevel = coverageLevels.map((level) => ({ level, predictions: atLevel(info, predictions, level) }));
  const hasBands = sizes.every((size, f) => size === 1 || info.calibration[f]?.bands !== undefined);
  const bands = hasBands
    ? coverageLevels.map((level) => ({ level, predictions: atLevel(info, predictions, level, "simultaneous") }))
    : [];
  const pits = specs.map((spec, f) => pitValues(predictions[f]!, truths[f]!, spec.scale));
  const fields = specs.map((_, f): FieldJudgement => {
    const truth = truths[f]!;
    const size = sizes[f]!;
    return {
      ...scoreField(predictions[f]!, truth, size, info.level),
      levels: byLevel.map((at) => coverageOf([at.predictions[f]!], [truth], n, at.level)),
      ...(size === 1 || !hasBands
        ? {}
        : { bands: bands.map((at) => wholeCoverage(at.predictions[f]!, truth, n, at.level)) }),
      pit: pitTest([pits[f]!], n),
    };
  });
  return {
    rows: n,
    fields,
    overall: {
      ...overallScores(fields),
      levels: byLevel.map((at) => coverageOf(at.predictions, truths, n, at.level)),
      pit: pitTest(pits, n),
    },
  };
}

/** The given rows of a field's predictions. @param size elements of the field */
export function takePredictions(prediction: FieldPrediction, rows: Int32Array, size: number): FieldPrediction {
  const take = (values: Float64Array): Float64Array => takeValues(values, rows, size);
  const { field, mean, std, noise, lower, upper } = prediction;
  return { field, mean: take(mean), std: take(std), noise: take(noise), lower: take(lower), upper: take(upper) };
}

/** The given rows of values, n x size. */
export function takeValues(values: Float64Array, rows: Int32Array, size: number): Float64Array {
  const out = new Float64Array(rows.length * size);
  rows.forEach((row, i) => {
    out.set(values.subarray(row * size, (row + 1) * size), i * size);
  });
  return out;
}
