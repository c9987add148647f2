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

/** Residuals with the predictions that they belong to, seconds, and the rows of those calls. */
export interface Residuals {
  readonly predicted: readonly number[];
  readonly logResidual: readonly number[];
  readonly batch: readonly number[];
}

/** The number of residuals from which some of them have quantiles of their own. */
const ENOUGH_APART = 90;

/** Factors for the prediction of a call with `rows` rows: of the residuals of the nearest batch, in logarithms, where these are
 * at least 90, else of all; and of their tercile of latency where that many are left. */
export function factorsFor(
  { predicted, logResidual, batch }: Residuals,
  prediction: number,
  rows: number,
  coverage = 0.9,
): IntervalFactors {
  const away = (of: number): number => Math.abs(Math.log(of / rows));
  const nearest = Math.min(...batch.map(away));
  const all = predicted.map((p, i) => ({ p, residual: logResidual[i]!, isNear: away(batch[i]!) === nearest }));
  const near = all.filter(({ isNear }) => isNear);
  const alike = near.length < ENOUGH_APART ? all : near;
  const sorted = alike.map(({ p }) => p).sort((a, b) => a - b);
  const edges = [1, 2].map((third) => sorted[Math.floor((third * sorted.length) / 3)]!);
  const place = (p: number): number => edges.filter((edge) => p >= edge).length;
  const mine = alike.length < ENOUGH_APART ? alike : alike.filter(({ p }) => place(p) === place(prediction));
  return conformalFactors(
    mine.map(({ residual }) => residual),
    coverage,
  );
}
