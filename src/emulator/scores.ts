/** Scores of a fit on its own held-out folds, in the user's units. */
import { type FieldScaler, type FieldSpec, unscaleField } from "../data/index.ts";
import type { FieldScores } from "./info.ts";

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, c) => a - c);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** Scores of the out-of-fold predictions of one field.
 * @param held truth and mean, rows x size, scaled */
export function outOfFoldScores(
  field: FieldSpec,
  scaler: FieldScaler,
  held: { readonly truth: Float64Array; readonly mean: Float64Array },
): FieldScores {
  const size = scaler.channels * scaler.positions;
  const rows = held.truth.length / size;
  const truth = unscaleField(scaler, held.truth);
  const predicted = unscaleField(scaler, held.mean);
  let squares = 0;
  let moduli = 0;
  const fvus: number[] = [];
  for (let j = 0; j < size; j++) {
    let sum = 0;
    let error = 0;
    for (let i = 0; i < rows; i++) sum += truth[i * size + j]!;
    const mean = sum / rows;
    let variance = 0;
    for (let i = 0; i < rows; i++) {
      const at = i * size + j;
      const r = truth[at]! - predicted[at]!;
      error += r * r;
      moduli += Math.abs(r);
      variance += (truth[at]! - mean) ** 2;
    }
    squares += error;
    if (variance > 0) fvus.push(error / variance);
  }
  const count = rows * size;
  return {
    field: field.name,
    fvu: fvus.length > 0 ? median(fvus) : 0,
    rmse: Math.sqrt(squares / count),
    mae: moduli / count,
  };
}
