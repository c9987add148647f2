/**
 * Seeded splits of runs. Rows with equal inputs (repeats of a noisy simulator) never part, or a test would be on
 * points that were trained on.
 */
import { OptionError } from "../errors.ts";
import type { Rng } from "../rng.ts";
import type { Runs } from "./runs.ts";

/** Rows of the two parts, each ascending. */
export interface HoldOut {
  readonly train: Int32Array;
  readonly test: Int32Array;
}

/**
 * Holds a fraction of the runs out at random: as near to `fraction` of the rows as whole groups of repeats allow, at
 * least one group on each side.
 * @param fraction above 0 and below 1   @throws OptionError if it is not, or if all rows are repeats of one
 */
export function holdOut(runs: Pick<Runs, "repeats">, fraction: number, rng: Rng): HoldOut {
  if (!(fraction > 0 && fraction < 1)) {
    throw new OptionError("OPTION_FRACTION", `hold-out fraction ${fraction}: must lie between 0 and 1, such as 0.2.`);
  }
  const groups = rng.shuffle(groupRows(runs.repeats));
  if (groups.length < 2) throw tooFew(groups.length, 2);
  const target = fraction * runs.repeats.length;
  const test: number[] = [];
  let left = groups.length;
  for (const group of groups) {
    const better = Math.abs(test.length + group.length - target) < Math.abs(test.length - target);
    if (left > 1 && (better || test.length === 0)) {
      test.push(...group);
      left--;
    }
  }
  const held = new Set(test);
  return {
    train: Int32Array.from(runs.repeats.keys()).filter((row) => !held.has(row)),
    test: Int32Array.from(test).sort(),
  };
}

/**
 * Parts the runs into k folds of nearly equal size at random: without repeats, sizes differ by one at most.
 * @returns per row the number of its fold, 0 to k-1   @throws OptionError unless 2 <= k <= the number of different rows
 */
export function kFolds(runs: Pick<Runs, "repeats">, k: number, rng: Rng): Int32Array {
  const groups = rng.shuffle(groupRows(runs.repeats));
  if (!Number.isInteger(k) || k < 2)
    throw new OptionError("OPTION_FOLDS", `${k} folds: must be a whole number from 2, such as 5.`);
  if (groups.length < k) throw tooFew(groups.length, k);
  groups.sort((a, b) => b.length - a.length);
  const sizes = new Array<number>(k).fill(0);
  const folds = new Int32Array(runs.repeats.length);
  for (const group of groups) {
    const fold = sizes.indexOf(Math.min(...sizes));
    sizes[fold] = (sizes[fold] ?? 0) + group.length;
    for (const row of group) folds[row] = fold;
  }
  return folds;
}

/** A second fold for one in `every` of each fold's groups, the next one; -1 for the others and in folds of fewer. Where models
 * are trained without a fold each, those rows are unseen by two of them. @param k the first so many folds, those that are held out */
export function secondFolds(
  runs: Pick<Runs, "repeats">,
  folds: Int32Array,
  k: number,
  every: number,
  rng: Rng,
): Int32Array {
  const second = new Int32Array(folds.length).fill(-1);
  const counts = new Int32Array(k);
  for (const group of rng.shuffle(groupRows(runs.repeats))) {
    const fold = folds[group[0]!]!;
    if (fold >= k) continue;
    counts[fold]!++;
    if (counts[fold]! % every === 0) for (const row of group) second[row] = (fold + 1) % k;
  }
  return second;
}

/** The two parts when fold `fold` is held out. */
export function foldParts(folds: Int32Array, fold: number): HoldOut {
  const rows = Int32Array.from(folds.keys());
  return { train: rows.filter((row) => folds[row] !== fold), test: rows.filter((row) => folds[row] === fold) };
}

function groupRows(repeats: Int32Array): number[][] {
  const groups = new Map<number, number[]>();
  repeats.forEach((id, row) => {
    const group = groups.get(id);
    if (group === undefined) groups.set(id, [row]);
    else group.push(row);
  });
  return [...groups.values()];
}

function tooFew(groups: number, parts: number): OptionError {
  return new OptionError(
    "OPTION_FOLDS",
    `${groups} ${groups === 1 ? "run" : "runs"} with different inputs cannot be split into ${parts} parts. Use fewer parts, or more runs.`,
  );
}
