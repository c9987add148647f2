/**
 * Errors by number of runs as a power law with a floor: error(n) = a n^-b + c (Hestness et al. 2017; Viering & Loog 2023,
 * "The shape of learning curves"), fitted to logarithms. Fits with the same number of runs are put together by Huber's
 * mean, which one that went wrong moves little; then least squares, by search over b and the floor's share.
 */
import { median } from "./scores.ts";

export interface PowerLaw {
  readonly a: number;
  readonly b: number;
  /** The floor that no number of runs gets below; 0 where none shows. */
  readonly c: number;
}

/** An error seen with so many runs. */
export interface CurvePoint {
  readonly runs: number;
  readonly error: number;
}

/** Largest exponent: smooth noise-free functions get near it. */
const mostB = 6;
/** A floor has to lower the sum of squares by this share: a third number fits few points better in any case. */
const floorWorth = 2 / 3;
/** Huber's corner in units of the typical deviation. */
const corner = 1.345;

/** All fits with one number of runs. */
interface Size {
  /** Largest number of runs over this one. */
  readonly ratio: number;
  readonly log: number;
  readonly weight: number;
}

/** error(n) */
export function powerLawAt({ a, b, c }: PowerLaw, runs: number): number {
  return a * runs ** -b + c;
}

/** Fits the law. @param points with two different numbers of runs at least, three for a floor; errors above 0 */
export function fitPowerLaw(points: readonly CurvePoint[]): PowerLaw {
  const counts = [...new Set(points.map(({ runs }) => runs))];
  const most = Math.max(...counts);
  const sizes = counts.map((count): Size => {
    const logs = points.filter(({ runs }) => runs === count).map(({ error }) => Math.log(error));
    return { ratio: most / count, log: huberMean(logs), weight: logs.length };
  });
  const best = (floor: number): Found => search((b) => deviation(sizes, b, floor).squares, 0, mostB);
  const plain = best(0);
  const found = counts.length > 2 ? search((floor) => best(floor).value, 0, 0.999) : { at: 0, value: plain.value };
  const floor = found.value < (1 - floorWorth) * plain.value ? found.at : 0;
  const b = best(floor).at;
  const last = Math.exp(deviation(sizes, b, floor).middle);
  return { a: last * (1 - floor) * most ** b, b, c: last * floor };
}

/** Runs at which the law reaches an error; infinite where it never does. */
export function runsFor({ a, b, c }: PowerLaw, error: number): number {
  return error > c && b > 0 ? (a / (error - c)) ** (1 / b) : Number.POSITIVE_INFINITY;
}

/** Mean of log(error / shape) and the squares about it; the shape is 1 at the most runs, and `floor` of that is the floor. */
function deviation(
  sizes: readonly Size[],
  b: number,
  floor: number,
): { readonly middle: number; readonly squares: number } {
  let [sum, square, weights] = [0, 0, 0];
  for (const { ratio, log, weight } of sizes) {
    const rest = log - Math.log((1 - floor) * ratio ** b + floor);
    sum += weight * rest;
    square += weight * rest * rest;
    weights += weight;
  }
  const middle = sum / weights;
  return { middle, squares: Math.max(0, square - weights * middle * middle) };
}

/** Huber's mean, by reweighting from the median. */
function huberMean(values: readonly number[]): number {
  let at = median(values);
  const scale = median(values.map((value) => Math.abs(value - at))) / 0.6745;
  if (!(scale > 0)) return at;
  for (let i = 0; i < 10; i++) {
    let [sum, weights] = [0, 0];
    for (const value of values) {
      const weight = Math.min(1, (corner * scale) / Math.max(1e-300, Math.abs(value - at)));
      sum += weight * value;
      weights += weight;
    }
    at = sum / weights;
  }
  return at;
}

interface Found {
  readonly at: number;
  readonly value: number;
}

const gridSteps = 8;
const rounds = 7;

/** The least value on an interval: a grid, then finer ones about the best. */
function search(value: (at: number) => number, low: number, high: number): Found {
  let best = { at: low, value: value(low) };
  let [from, to] = [low, high];
  for (let round = 0; round < rounds; round++) {
    const step = (to - from) / gridSteps;
    for (let k = 0; k <= gridSteps; k++) {
      const at = from + k * step;
      const found = value(at);
      if (found < best.value) best = { at, value: found };
    }
    from = Math.max(low, best.at - step);
    to = Math.min(high, best.at + step);
  }
  return best;
}
