/** Latency from counts of operators alone: the plain fit that every better model has to beat (spec latency 1.5, C4, G2). */
import { ridgeRegression } from "./nnls.ts";

/** Coefficients of latency = c0 + sum c_i count_i. */
export type CountModel = readonly number[];

/** Fits counts to latencies, minimising the relative error. @param counts one row per network, without the constant */
export function fitCounts(counts: readonly (readonly number[])[], latencies: readonly number[]): CountModel {
  return ridgeRegression(
    counts.map((row) => [1, ...row]),
    latencies,
    { weights: latencies.map((y) => 1 / y) },
  );
}

/** Latency of a network by its counts. */
export function predictCounts(model: CountModel, counts: readonly number[]): number {
  return counts.reduce((sum, count, i) => sum + model[i + 1]! * count, model[0]!);
}

/** Latency at a batch size in between, from predictions at batch 1, where launches count, and at a large batch, where
 * work counts: flat until work overtakes launches, then in proportion (spec latency 3). */
export function batchLatency(atOne: number, atLarge: number, large: number, batch: number): number {
  return Math.max(atOne, (atLarge * batch) / large);
}
