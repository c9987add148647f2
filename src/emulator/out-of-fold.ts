/** What members predict of runs that they had not seen. */
import type { FieldPlace } from "./problem.ts";

/** A member's predictions of all rows, one array per head (rows x size, scaled, trend included), and whether it was
 * trained without a row. */
export interface MemberPredictions {
  readonly heads: readonly Float64Array[];
  readonly unseen: (row: number) => boolean;
}

/** One field on the rows that at least one member had not seen; rows x size each, scaled. */
export interface FieldOutOfFold {
  readonly rows: number;
  /** Their indices. */
  readonly judged: readonly number[];
  readonly truth: Float64Array;
  /** Mean of the members that had not seen the row. */
  readonly mean: Float64Array;
  /** Standard deviation (over M - 1) of all members. */
  readonly spread: Float64Array;
}

/** Gathers the out-of-fold predictions of one field. @param target rows x size of the field's head, scaled */
export function outOfFold(
  target: Float32Array,
  rows: number,
  place: FieldPlace,
  members: readonly MemberPredictions[],
): FieldOutOfFold {
  const { head, start, size } = place;
  const width = target.length / rows;
  const judged = Array.from({ length: rows }, (_, row) => row).filter((row) => members.some((m) => m.unseen(row)));
  const truth = new Float64Array(judged.length * size);
  const mean = new Float64Array(truth.length);
  const spread = new Float64Array(truth.length);
  judged.forEach((row, i) => {
    const honest = members.filter((member) => member.unseen(row));
    for (let j = 0; j < size; j++) {
      const at = row * width + start + j;
      let all = 0;
      for (const member of members) all += member.heads[head]![at]!;
      const centre = all / members.length;
      let squares = 0;
      for (const member of members) squares += (member.heads[head]![at]! - centre) ** 2;
      let own = 0;
      for (const member of honest) own += member.heads[head]![at]!;
      truth[i * size + j] = target[at]!;
      mean[i * size + j] = own / honest.length;
      spread[i * size + j] = Math.sqrt(squares / Math.max(1, members.length - 1));
    }
  });
  return { rows: judged.length, judged, truth, mean, spread };
}
