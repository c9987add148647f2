/** How often intervals of any level hold the truth: the calibration curve of a field. */
import { type FieldCalibration, type FieldPrediction, quantileFactor } from "../emulator/index.ts";

/** Levels of the curve by default: emulators are calibrated from one half on. */
export const curveLevels: readonly number[] = [0.5, 0.6, 0.6827, 0.75, 0.8, 0.85, 0.9, 0.95, 0.99];

/** Share of truths inside the interval of each level. The interval of one level gives those of all others: they share
 * their middle, on the scale the field was learned on, and their widths are as the calibration's.
 * @param truth n × size, as the prediction   @param level of the prediction's interval   @param log whether the field was
 * learned as its logarithm */
export function coverageCurve(
  prediction: FieldPrediction,
  truth: Float64Array,
  calibration: Pick<FieldCalibration, "quantiles">,
  level: number,
  log: boolean,
  levels: readonly number[] = curveLevels,
): readonly number[] {
  const on = (value: number): number => (log ? Math.log(value) : value);
  const own = quantileFactor(calibration, level);
  const limits = levels.map((each) => quantileFactor(calibration, each) / own);
  const held = new Float64Array(levels.length);
  const { lower, upper } = prediction;
  for (let i = 0; i < truth.length; i++) {
    const [low, high] = [on(lower[i]!), on(upper[i]!)];
    const error = Math.abs(on(truth[i]!) - (low + high) / 2);
    const half = (high - low) / 2;
    // A hair for rounding: fields that stand still have intervals of no width.
    for (let k = 0; k < limits.length; k++) if (error <= limits[k]! * half * (1 + 1e-9)) held[k]!++;
  }
  return Array.from(held, (count) => count / truth.length);
}
