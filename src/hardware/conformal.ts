/** Intervals from held-out residuals (split-conformal; spec latency 2.4). */

export interface IntervalFactors {
  /** Factors on the prediction. */
  readonly lo: number;
  readonly hi: number;
  readonly coverage: number;
}

/** Factors on a prediction from log residuals log(measured / predicted) of held-out networks: the (n + 1)-corrected
 * quantiles of both tails. Too few residuals give the extremes. @param coverage default 0.9 */
export function conformalFactors(residuals: readonly number[], coverage = 0.9): IntervalFactors {
  const n = residuals.length;
  if (n === 0) return { lo: 0.5, hi: 2, coverage };
  const sorted = [...residuals].sort((a, b) => a - b);
  const tail = (1 - coverage) / 2;
  const low = Math.floor((n + 1) * tail);
  const high = Math.ceil((n + 1) * (1 - tail));
  return {
    lo: Math.exp(sorted[Math.max(0, low - 1)]!),
    hi: Math.exp(sorted[Math.min(n - 1, high - 1)]!),
    coverage,
  };
}

/** Residuals with the predictions that they belong to. */
export interface Residuals {
  readonly predicted: readonly number[];
  readonly logResidual: readonly number[];
}

/** The number of residuals from which terciles of latency have quantiles of their own. */
export const TERCILES_FROM = 90;

/** Factors for a prediction: of its latency tercile where there are at least 90 residuals, else of all. */
export function factorsFor({ predicted, logResidual }: Residuals, prediction: number, coverage = 0.9): IntervalFactors {
  if (logResidual.length < TERCILES_FROM) return conformalFactors(logResidual, coverage);
  const sorted = [...predicted].sort((a, b) => a - b);
  const edges = [sorted[Math.floor(sorted.length / 3)]!, sorted[Math.floor((2 * sorted.length) / 3)]!];
  const place = (p: number): number => edges.filter((edge) => p >= edge).length;
  const mine = place(prediction);
  return conformalFactors(
    logResidual.filter((_, i) => place(predicted[i]!) === mine),
    coverage,
  );
}
