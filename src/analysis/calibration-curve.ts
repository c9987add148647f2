/** How often intervals of any level hold the truth: the calibration curve of a field. */
import {
  type FieldCalibration,
  type FieldPrediction,
  middleOf,
  type OutputScale,
  quantileFactor,
  toLearned,
} from "../emulator/index.ts";

/** Levels of the curve by default: emulators are calibrated from one half on. */
export const curveLevels: readonly number[] = [0.5, 0.6, 0.6827, 0.75, 0.8, 0.85, 0.9, 0.95, 0.99];

/** Share of truths inside the interval of each level. The interval of one level gives those of all others: they share
 * their middle, on the scale the field was learned on, and their widths are as the calibration's.
 * @param truth n × size, as the prediction   @param level of the prediction's interval   @param scale what the field was
 * learned as */
export function coverageCurve(
  prediction: FieldPrediction,
  truth: Float64Array,
  calibration: Pick<FieldCalibration, "quantiles">,
  level: number,
  scale: OutputScale,
  levels: readonly number[] = curveLevels,
): readonly number[] {
  const own = quantileFactor(calibration, level);
  const limits = levels.map((each) => quantileFactor(calibration, each) / own);
  const held = new Float64Array(levels.length);
  const { lower, upper } = prediction;
  for (let i = 0; i < truth.length; i++) {
    const [middle, half] = middleOf(
      scale,
      { lower: lower[i]!, upper: upper[i]!, mean: prediction.mean[i]!, std: prediction.std[i]! },
      own,
    );
    const error = Math.abs(toLearned(scale, truth[i]!) - middle);
    // A hair for rounding: fields that stand still have intervals of no width.
    for (let k = 0; k < limits.length; k++) if (error <= limits[k]! * half * (1 + 1e-9)) held[k]!++;
  }
  return Array.from(held, (count) => count / truth.length);
}
