/**
 * The emulator's errors as a posterior meets them: modes of the errors on fresh runs, then one factor on all of them. What
 * harms a posterior is the part of an error that looks like other inputs. So each fresh run, with noise, is solved to first
 * order about its own inputs, with modes of other runs, and the errors grow until the intervals hold the inputs as often
 * as they say.
 */
import type { Rng } from "../../rng.ts";
import { backward, factorise, forward } from "./cholesky.ts";
import { type ErrorModes, errorModes, inflated, inverseProducts } from "./error-modes.ts";
import { type ForwardModel, type Measurement, seenOf } from "./likelihood.ts";
import { physicalRows, type PriorInput } from "./prior.ts";

/** A fresh run: its inputs in u, and its noise-free fields. */
export interface KnownRun {
  readonly u: Float64Array;
  readonly fields: readonly Measurement[];
}

/** What a fresh run tells, over the elements that are seen. */
interface Witness {
  /** Truth - mean, in stated standard deviations. */
  readonly z: Float64Array;
  /** Truth + noise - mean. */
  readonly residual: Float64Array;
  readonly noise: Float64Array;
  readonly std: Float64Array;
  /** Change of the mean by each input, per unit of u. */
  readonly slopes: readonly Float64Array[];
}

/** Parts that the runs are dealt into: each is solved with modes of the others. */
const FOLDS = 5;
/** Step of the differences, in u: far above the rounding of float32. */
const STEP = 0.002;
/** Precision of an even prior on [0, 1]. */
const PRIOR = 12;
/** Level at which intervals are made to hold what they say, and its normal quantile: between the 68 and 95 % that are read. */
const [LEVEL, QUANTILE] = [0.9, 1.6449];
/** Factor at most, and halvings of its logarithm. */
const [LARGEST, HALVINGS] = [16, 8];
/** Numbers predicted at once. */
const ELEMENTS_AT_ONCE = 2e6;

/** How the emulator's errors hang together, over the elements of all fields, large enough for the posteriors of fresh runs.
 * @param known fresh runs that are no truths, 50 at least: fewer tell little   @param rank modes at most. Default 40 */
export async function calibratedErrors(
  prior: readonly PriorInput[],
  model: ForwardModel,
  known: readonly KnownRun[],
  rng: Rng,
  rank?: number,
): Promise<ErrorModes> {
  const { at } = seenOf(known[0]!.fields);
  const witnesses = await witnessesOf(prior, model, known, rng.fork("noise"));
  const modesOf = (runs: readonly Witness[], label: string): ErrorModes =>
    errorModes(Float64Array.from(runs.flatMap(({ z }) => Array.from(z))), at.length, rng.fork(label), rank);
  const folds = Array.from({ length: FOLDS }, (_, fold) => ({
    runs: witnesses.filter((_, i) => i % FOLDS === fold),
    errors: modesOf(
      witnesses.filter((_, i) => i % FOLDS !== fold),
      `fold ${fold}`,
    ),
  }));
  const size = known[0]!.fields.reduce((sum, { values }) => sum + values.length, 0);
  return spread(inflated(modesOf(witnesses, "all"), inflationOf(folds)), at, size);
}

/** The least factor, 1 at least, with which first-order intervals of a level hold the inputs as often. */
function inflationOf(folds: readonly { readonly runs: readonly Witness[]; readonly errors: ErrorModes }[]): number {
  const honest = (factor: number): boolean => {
    const found = folds.flatMap(({ runs, errors }) => {
      const larger = inflated(errors, factor);
      return runs.flatMap((run) => tangentErrors(run, larger));
    });
    return found.filter((value) => Math.abs(value) <= QUANTILE).length >= LEVEL * found.length;
  };
  if (honest(1)) return 1;
  let [low, high] = [1, LARGEST];
  for (let turn = 0; turn < HALVINGS; turn++) {
    const middle = Math.sqrt(low * high);
    if (honest(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** How far the residual of a run moves each input, to first order, over the standard deviation that noise and errors are
 * said to give it: with J the slopes, S the covariance and H = J'S⁻¹J + prior, H⁻¹J'S⁻¹r over that of H⁻¹J'S⁻¹JH⁻¹. */
function tangentErrors({ residual, noise, std, slopes }: Witness, errors: ErrorModes): number[] {
  const d = slopes.length;
  const every = Int32Array.from(residual.keys());
  const { products } = inverseProducts([...slopes, residual], noise, std, every, errors);
  const information = (a: number, b: number): number => products[a * (d + 1) + b]!;
  const factor = Float64Array.from({ length: d * d }, (_, i) => {
    const [a, b] = [Math.floor(i / d), i % d];
    return information(a, b) + (a === b ? PRIOR : 0);
  });
  factorise(factor, d);
  return slopes.map((_, j) => {
    const row = new Float64Array(d);
    row[j] = 1;
    forward(factor, row, d);
    backward(factor, row, d);
    let [moved, variance] = [0, 0];
    for (let a = 0; a < d; a++) {
      moved += row[a]! * information(a, d);
      for (let b = 0; b < d; b++) variance += row[a]! * information(a, b) * row[b]!;
    }
    return variance > 0 ? moved / Math.sqrt(variance) : 0;
  });
}

/** Predictions at each run and a step away in each input, towards the middle of the box. */
async function witnessesOf(
  prior: readonly PriorInput[],
  model: ForwardModel,
  known: readonly KnownRun[],
  rng: Rng,
): Promise<readonly Witness[]> {
  const d = prior.length;
  const { fields } = known[0]!;
  const { field, element } = seenOf(fields);
  const size = fields.reduce((sum, { values }) => sum + values.length, 0);
  const together = Math.max(1, Math.floor(ELEMENTS_AT_ONCE / (size * (d + 1))));
  const out: Witness[] = [];
  for (let from = 0; from < known.length; from += together) {
    const part = known.slice(from, from + together);
    const steps = part.map(({ u }) => u.map((value) => (value < 0.5 ? STEP : -STEP)));
    const points = part.flatMap(({ u }, i) => [u, ...Array.from(steps[i]!, (step, j) => u.with(j, u[j]! + step))]);
    const predicted = await model(physicalRows(prior, Float64Array.from(points.flatMap((u) => Array.from(u)))));
    part.forEach((run, i) => {
      const meanAt = (point: number) => (k: number, n: number) =>
        predicted[k]!.mean[(i * (d + 1) + point) * run.fields[k]!.values.length + n]!;
      const over = (value: (k: number, n: number) => number): Float64Array =>
        Float64Array.from(field, (k, place) => value(k, element[place]!));
      const base = meanAt(0);
      const mean = over(base);
      const sigmas = run.fields.map(({ noise, values }, k) => noise(values.map((_, n) => base(k, n))));
      const [noise, truth] = [over((k, n) => sigmas[k]![n]!), over((k, n) => run.fields[k]!.values[n]!)];
      const std = over((k, n) => predicted[k]!.std?.[i * (d + 1) * run.fields[k]!.values.length + n] ?? 0);
      out.push({
        z: truth.map((value, n) => (value - mean[n]!) / std[n]!),
        residual: truth.map((value, n) => value - mean[n]! + noise[n]! * rng.normal()),
        ...{ noise, std },
        slopes: Array.from(steps[i]!, (step, j) => {
          const moved = over(meanAt(j + 1));
          return moved.map((value, n) => (value - mean[n]!) / step);
        }),
      });
    });
  }
  return out;
}

/** Modes of the elements that are seen, put among all of them. */
function spread({ rank, modes, rest }: ErrorModes, at: Int32Array, size: number): ErrorModes {
  const out = { rank, modes: new Float64Array(size * rank), rest: new Float64Array(size).fill(1) };
  at.forEach((element, n) => {
    out.modes.set(modes.subarray(n * rank, (n + 1) * rank), element * rank);
    out.rest[element] = rest[n]!;
  });
  return out;
}
