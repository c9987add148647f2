/**
 * The learning curve: fits at growing numbers of runs, all tried on the same held-out ones; the power law that their errors
 * follow; and from it how many more runs would halve the error. Subsets are nested within a repeat, and small ones are
 * drawn several times.
 */
import { fitPowerLaw, type PowerLaw, powerLawAt, runsFor } from "../analysis/index.ts";
import type { HoldOut, Runs } from "../data/index.ts";
import type { Rng } from "../rng.ts";

/** Shares of all runs that are learned from, and how often each is drawn. */
export const curveSizes = [
  { share: 1 / 8, repeats: 4 },
  { share: 1 / 4, repeats: 3 },
  { share: 1 / 2, repeats: 2 },
  { share: 0.8, repeats: 1 },
] as const;
/** Fewer runs than this are no fit. */
const leastRuns = 10;

/** One fit of the curve: a split, and which repeat it belongs to. */
export interface CurvePart extends HoldOut {
  readonly repeat: number;
}

/**
 * The fits of a curve, the first repeats first. The rows of one repeat's smaller subset are in its larger ones; rows with
 * equal inputs stay together.
 * @param split the runs to draw from, and those to try on   @returns empty where fewer than three sizes have runs enough
 */
export function curveParts(runs: Pick<Runs, "repeats">, split: HoldOut, rng: Rng): CurvePart[] {
  const total = split.train.length + split.test.length;
  const sizes = curveSizes
    .map(({ share, repeats }) => ({ repeats, size: Math.min(split.train.length, Math.round(share * total)) }))
    .filter(({ size }) => size >= leastRuns);
  if (sizes.length < 3) return [];
  const most = Math.max(...sizes.map(({ repeats }) => repeats));
  const parts: CurvePart[] = [];
  for (let repeat = 0; repeat < most; repeat++) {
    const order = inGroups(runs, split.train, rng.fork(repeat));
    for (const { size, repeats } of sizes)
      if (repeat < repeats) parts.push({ train: order.slice(0, size).sort(), test: split.test, repeat });
  }
  return parts;
}

/** Rows in random order, those with equal inputs next to each other. */
function inGroups({ repeats }: Pick<Runs, "repeats">, rows: Int32Array, rng: Rng): Int32Array {
  const groups = new Map<number, number[]>();
  for (const row of rows) {
    const id = repeats[row]!;
    const group = groups.get(id);
    if (group === undefined) groups.set(id, [row]);
    else group.push(row);
  }
  return Int32Array.from(rng.shuffle([...groups.values()]).flat());
}

/** Errors of one fit, one per output. */
export interface CurveErrors {
  readonly runs: number;
  readonly repeat: number;
  /** Root mean squared errors in units of each output's standard deviation over the held-out runs. */
  readonly errors: readonly number[];
}

/** A value and the interval that holds 80 % of the bootstrap's. */
export interface Spread {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export interface Forecast {
  readonly law: PowerLaw;
  readonly exponent: Spread;
  /** The law's error with all runs, the held-out ones too, and the runs, in all, that halve it: null for never. */
  readonly error: number;
  readonly runsForHalf: { readonly value: number | null; readonly low: number | null; readonly high: number | null };
  /** Share of the bootstrap in which no number of runs halves the error. */
  readonly never: number;
}

/** Geometric mean over the outputs. */
export function meanError(errors: readonly number[]): number {
  const told = errors.filter((error) => !Number.isNaN(error));
  return Math.exp(told.reduce((sum, error) => sum + Math.log(Math.max(error, 1e-12)), 0) / told.length);
}

const resamples = 100;
/** More than so many times the runs there are is never. */
const farthest = 1000;

/**
 * Fits the law to the errors and says how many runs halve the error.
 * Bootstrap: outputs are drawn anew, and every fit's deviation from the mean of its size (in logarithms) is drawn from those
 * of all fits, so that sizes with one fit scatter as the others do.
 * @param points of at least two numbers of runs   @param total all runs
 */
export function forecast(points: readonly CurveErrors[], total: number, rng: Rng): Forecast {
  const outputs = points[0]?.errors.length ?? 0;
  const all = Array.from({ length: outputs }, (_, k) => k);
  const law = lawOf(points, all, () => 0);
  const scatter = deviations(points);
  const drawn = Array.from({ length: resamples }, (_, r) => {
    const own = rng.fork(r);
    const chosen = all.map(() => own.int(outputs));
    return lawOf(points, chosen, () => (scatter.length === 0 ? 0 : scatter[own.int(scatter.length)]!));
  });
  const halves = drawn.map((each) => halving(each, total)).sort((a, b) => a - b);
  const exponents = drawn.map(({ b }) => b).sort((a, b) => a - b);
  const told = (runs: number): number | null => (Number.isFinite(runs) ? runs : null);
  return {
    law,
    exponent: { value: law.b, low: quantile(exponents, 0.1), high: quantile(exponents, 0.9) },
    error: powerLawAt(law, total),
    runsForHalf: {
      value: told(halving(law, total)),
      low: told(quantile(halves, 0.1)),
      high: told(quantile(halves, 0.9)),
    },
    never: halves.filter((runs) => !Number.isFinite(runs)).length / resamples,
  };
}

/** @param chosen outputs   @param shift what to add to each fit's logarithm, about the mean of its size */
function lawOf(points: readonly CurveErrors[], chosen: readonly number[], shift: () => number): PowerLaw {
  return fitPowerLaw(
    points.map(({ runs, errors }) => ({ runs, error: meanError(chosen.map((k) => errors[k]!)) * Math.exp(shift()) })),
  );
}

/** Deviations of logarithms from the mean of their size, as large as they would be about the true one. */
function deviations(points: readonly CurveErrors[]): number[] {
  return [...new Set(points.map(({ runs }) => runs))].flatMap((size) => {
    const logs = points.filter(({ runs }) => runs === size).map(({ errors }) => Math.log(meanError(errors)));
    if (logs.length < 2) return [];
    const mean = logs.reduce((a, c) => a + c, 0) / logs.length;
    return logs.map((log) => (log - mean) * Math.sqrt(logs.length / (logs.length - 1)));
  });
}

function halving(law: PowerLaw, total: number): number {
  const runs = runsFor(law, powerLawAt(law, total) / 2);
  return runs <= farthest * total ? runs : Number.POSITIVE_INFINITY;
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
