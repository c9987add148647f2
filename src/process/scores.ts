/** The continuous ranked probability score of normal predictions, the yardstick of everything chosen in this room. */
import { gaussianCrps } from "../normal.ts";

/** Mean CRPS over runs, the variances times `factor`. */
export function meanCrps(errors: Float64Array, variances: Float64Array, factor = 1): number {
  let sum = 0;
  for (let i = 0; i < errors.length; i++) sum += gaussianCrps(errors[i]!, Math.sqrt(variances[i]! * factor));
  return sum / errors.length;
}
