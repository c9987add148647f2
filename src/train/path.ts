/** How far along the decay path it pays to go. */

/** A loss that is not a number is worse than any. */
export function finiteOrWorst(score: number): number {
  return Number.isNaN(score) ? Number.POSITIVE_INFINITY : score;
}

/** A stage is as good as the best where its members' held-out squares are no larger than this: later stages are less alike, and what
 * sets members apart their mean leaves out. */
const ALIKE = 1.05;

/** Indices of the stages that are as good as the best; none where no score is a number. */
function goodStages(scores: readonly number[]): readonly number[] {
  const known = scores.map(finiteOrWorst);
  const limit = Math.min(...known) + Math.log(ALIKE);
  return known.flatMap((score, stage) => (score <= limit && Number.isFinite(score) ? [stage] : []));
}

/** Index of the last stage that is as good as the best; a score that is not a number (it diverged) is worse than any. */
export function lastGoodStage(scores: readonly number[]): number {
  return goodStages(scores).at(-1) ?? scores.length - 1;
}

/** How many stages are worth running where others had these scores: up to the last good one where later ones were worse; where none was,
 * members are alike, and later stages that hardly improve on an earlier one are not worth their time. */
export function stagesWorthRunning(scores: readonly number[]): number {
  const last = lastGoodStage(scores);
  return 1 + (last < scores.length - 1 ? last : (goodStages(scores)[0] ?? last));
}
