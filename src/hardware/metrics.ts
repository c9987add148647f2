/**
 * How good predictions of latency or resources are (spec latency 1.4), implemented once: a test, a bench and a
 * calibration report all quote these.
 */

/** Errors of predictions p against measurements y; shares and relative errors as fractions. */
export interface PredictionScores {
  readonly count: number;
  /** Mean of |p - y| / y. */
  readonly mape: number;
  readonly within5: number;
  readonly within10: number;
  readonly within20: number;
  /** 95th percentile of |p - y| / y. */
  readonly p95: number;
  /** Root of the mean squared relative error. */
  readonly rmspe: number;
  /** Mean of (p - y) / y. */
  readonly bias: number;
  readonly spearman: number;
  readonly kendall: number;
  /** Mean of 2 |p - y| / (|p| + |y|), 0 where both are 0. */
  readonly smape: number;
  readonly r2: number;
}

/** Scores predictions against measurements, pairwise. @param measured above 0 where relative errors are wanted */
export function scorePredictions(predicted: readonly number[], measured: readonly number[]): PredictionScores {
  const relative = predicted.map((p, i) => (p - measured[i]!) / measured[i]!);
  const absolute = relative.map(Math.abs);
  const share = (limit: number): number => mean(absolute.map((e) => (e <= limit ? 1 : 0)));
  const centre = mean(measured);
  const residual = mean(predicted.map((p, i) => (p - measured[i]!) ** 2));
  const spread = mean(measured.map((y) => (y - centre) ** 2));
  return {
    count: measured.length,
    mape: mean(absolute),
    within5: share(0.05),
    within10: share(0.1),
    within20: share(0.2),
    p95: quantile(absolute, 0.95),
    rmspe: Math.sqrt(mean(relative.map((e) => e * e))),
    bias: mean(relative),
    spearman: spearman(predicted, measured),
    kendall: kendall(predicted, measured),
    smape: mean(
      predicted.map((p, i) => {
        const sum = Math.abs(p) + Math.abs(measured[i]!);
        return sum === 0 ? 0 : (2 * Math.abs(p - measured[i]!)) / sum;
      }),
    ),
    r2: spread === 0 ? (residual === 0 ? 1 : 0) : 1 - residual / spread,
  };
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, v) => sum + v, 0) / values.length;
}

/** Quantile by linear interpolation between order statistics. @param share 0 to 1 */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const low = Math.floor(at);
  const a = sorted[low]!;
  const b = sorted[Math.min(low + 1, sorted.length - 1)]!;
  return a + (at - low) * (b - a);
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Spearman's rank correlation; ties share their mean rank. */
export function spearman(a: readonly number[], b: readonly number[]): number {
  return pearson(ranks(a), ranks(b));
}

/** Kendall's tau-b, O(n^2): meant for hundreds of points; beyond 500 every k-th is taken. */
export function kendall(a: readonly number[], b: readonly number[]): number {
  const stride = Math.max(1, Math.ceil(a.length / 500));
  let score = 0;
  let untiedA = 0;
  let untiedB = 0;
  for (let i = 0; i < a.length; i += stride)
    for (let j = 0; j < i; j += stride) {
      const da = Math.sign(a[i]! - a[j]!);
      const db = Math.sign(b[i]! - b[j]!);
      score += da * db;
      untiedA += da * da;
      untiedB += db * db;
    }
  return untiedA === 0 || untiedB === 0 ? 0 : score / Math.sqrt(untiedA * untiedB);
}

function pearson(a: readonly number[], b: readonly number[]): number {
  const ma = mean(a);
  const mb = mean(b);
  let ab = 0;
  let aa = 0;
  let bb = 0;
  a.forEach((value, i) => {
    const da = value - ma;
    const db = b[i]! - mb;
    ab += da * db;
    aa += da * da;
    bb += db * db;
  });
  return aa === 0 || bb === 0 ? 0 : ab / Math.sqrt(aa * bb);
}

function ranks(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((i, j) => values[i]! - values[j]!);
  const rank = new Array<number>(values.length);
  for (let start = 0; start < order.length;) {
    let end = start;
    while (end + 1 < order.length && values[order[end + 1]!] === values[order[start]!]) end++;
    for (let i = start; i <= end; i++) rank[order[i]!] = (start + end) / 2;
    start = end + 1;
  }
  return rank;
}
