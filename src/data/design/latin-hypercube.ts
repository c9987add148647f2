/** Latin hypercubes: every input takes one value in each of n equal slices. */
import type { Rng } from "../../rng.ts";
import { at } from "./at.ts";
import { checkSize } from "./design.ts";

/** Work spent on swaps, in distances times inputs. */
const WORK = 5e8;
const SWAPS_PER_POINT = 200;

/**
 * A maximin Latin hypercube: random slices with a random place in each (McKay, Beckman & Conover 1979), then swaps of
 * one input between two points while that lowers sum d_ij^-16 (phi_p of Morris & Mitchell 1995, J. Stat. Plan.
 * Inference 43, 381), which pushes the nearest points apart. Departs: greedy, not annealed; half of the swaps take
 * the most crowded point. At most 200 swaps a point, fewer for large designs, so that thousands of points take seconds.
 * @returns n × d, row-major, in [0, 1)   @throws OptionError if n or d is no whole number from 1
 */
export function latinHypercube(n: number, d: number, rng: Rng): Float64Array {
  checkSize(n, d);
  const x = randomLatinHypercube(n, d, rng.fork("slices"));
  if (n < 3 || d < 2) return x;
  spread(x, n, d, rng.fork("swaps"));
  return x;
}

/** A Latin hypercube with no more structure than its slices. @returns n × d, row-major, in [0, 1) */
export function randomLatinHypercube(n: number, d: number, rng: Rng): Float64Array {
  checkSize(n, d);
  const x = new Float64Array(n * d);
  for (let j = 0; j < d; j++) {
    const slices = rng.shuffle(Uint32Array.from({ length: n }, (_, i) => i));
    for (let i = 0; i < n; i++) x[i * d + j] = (at(slices, i) + rng.uniform()) / n;
  }
  return x;
}

/** Swaps values within columns of `x` in place while the points spread. */
function spread(x: Float64Array, n: number, d: number, rng: Rng): void {
  const swaps = Math.min(SWAPS_PER_POINT * n, Math.ceil(WORK / (4 * n * d)));
  const a0 = new Float64Array(n),
    b0 = new Float64Array(n),
    a1 = new Float64Array(n),
    b1 = new Float64Array(n),
    crowding = new Float64Array(n);
  for (let i = 0; i < n; i++) crowding[i] = closeness(x, n, d, i, a0);
  for (let swap = 0; swap < swaps; swap++) {
    const a = rng.uniform() < 0.5 ? mostCrowded(crowding) : rng.int(n);
    const b = rng.int(n);
    const j = rng.int(d);
    if (a === b) continue;
    const before = closeness(x, n, d, a, a0) + closeness(x, n, d, b, b0);
    exchange(x, a * d + j, b * d + j);
    const after = closeness(x, n, d, a, a1) + closeness(x, n, d, b, b1);
    if (after >= before) {
      exchange(x, a * d + j, b * d + j);
      continue;
    }
    for (let i = 0; i < n; i++) crowding[i] = at(crowding, i) + at(a1, i) - at(a0, i) + at(b1, i) - at(b0, i);
    crowding[a] = closeness(x, n, d, a, a1);
    crowding[b] = closeness(x, n, d, b, b1);
  }
}

/** Fills `terms` with d_ai^-16 for every other point i, 0 for a itself, and returns their sum. */
function closeness(x: Float64Array, n: number, d: number, a: number, terms: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < n; i++) {
    let squared = 0;
    for (let j = 0; j < d; j++) {
      const gap = at(x, i * d + j) - at(x, a * d + j);
      squared += gap * gap;
    }
    const fourth = squared * squared;
    const eighth = fourth * fourth;
    const term = i === a ? 0 : 1 / (eighth * eighth);
    terms[i] = term;
    sum += term;
  }
  return sum;
}

function mostCrowded(crowding: Float64Array): number {
  let worst = 0;
  for (let i = 1; i < crowding.length; i++) if (at(crowding, i) > at(crowding, worst)) worst = i;
  return worst;
}

function exchange(x: Float64Array, p: number, q: number): void {
  const held = at(x, p);
  x[p] = at(x, q);
  x[q] = held;
}
