/** How far along the decay path it pays to go. */

/** A loss that is not a number is worse than any. */
export function finiteOrWorst(score: number): number {
  return Number.isNaN(score) ? Number.POSITIVE_INFINITY : score;
}

/** A stage is as good as the best where its members' held-out squares are no larger than this: later stages are less alike, and what
 * sets members apart their mean leaves out. */
const ALIKE = 1.05;

/** Index of the last stage that is as good as the best; a score that is not a number (it diverged) is worse than any. */
export function lastGoodStage(scores: readonly number[]): number {
  const known = scores.map(finiteOrWorst);
  const best = Math.min(...known);
  return Number.isFinite(best) ? known.findLastIndex((score) => score <= best + Math.log(ALIKE)) : scores.length - 1;
}
