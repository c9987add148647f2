/**
 * What members predict of runs that they had not seen. Most members were trained on any one run and agree there more than
 * they do elsewhere, so their spread at a run says too little of their spread at new points. Runs that two members had not
 * seen tell by how much: the spread of those two over the spread of the others.
 */
import type { FieldPlace } from "./problem.ts";

/** A member's predictions of all rows, one array per head (rows x size, scaled, trend included), and whether it was
 * trained without a row. */
export interface MemberPredictions {
  readonly heads: readonly Float64Array[];
  /** What it would predict of each row, had that been left out; absent where that is not known. */
  readonly leftOut?: readonly Float64Array[];
  /** Where that is known: predictions, the trend aside, at as many points that nobody was trained on, the same for all members. */
  readonly fresh?: readonly Float64Array[];
  readonly unseen: (row: number) => boolean;
}

/** One field on the rows that at least one member had not seen; rows x size each, scaled. */
export interface FieldOutOfFold {
  readonly rows: number;
  /** Their indices. */
  readonly judged: readonly number[];
  readonly truth: Float64Array;
  /** By a member that had not seen the row; by the mean of all where no member had, or where it is known what they would predict. */
  readonly mean: Float64Array;
  /** Of how many members that is the mean. */
  readonly averaged: number;
  /** Estimated standard deviation between members, had none seen the row. */
  readonly spread: Float64Array;
  /** Share of a member's squared error that is its own, not the others' too: from runs that two members had not seen, or from all;
   * absent where there are too few. */
  readonly ownShare?: number;
}

/** Fewest rows that two members had not seen, for their differences to count. */
const leastPairs = 8;

/** Gathers the out-of-fold predictions of one field. @param target rows x size of the field's head, scaled */
export function outOfFold(
  target: Float32Array,
  rows: number,
  place: FieldPlace,
  members: readonly MemberPredictions[],
): FieldOutOfFold {
  const { head, start, size } = place;
  const width = target.length / rows;
  const honest = members.filter(isHonest);
  if (honest.length === members.length) return allHonest(target, rows, place, honest);
  const judged = Array.from({ length: rows }, (_, row) => row).filter((row) => members.some((m) => m.unseen(row)));
  const truth = new Float64Array(judged.length * size);
  const mean = new Float64Array(truth.length);
  const spread = new Float64Array(truth.length);
  const isPair = (row: number): boolean => members.filter((m) => m.unseen(row)).length >= 2;
  const enough = judged.filter(isPair).length >= leastPairs;
  // Spreads of members that had not seen a row, and of those that had, summed over the rows where there are both.
  const sums = { unseen: 0, seen: 0, single: 0, both: 0 };
  judged.forEach((row, i) => {
    const predictedBy = (some: readonly MemberPredictions[]): Float64Array[] => some.map(({ heads }) => heads[head]!);
    const honest = predictedBy(members.filter((member) => member.unseen(row)));
    const others = predictedBy(members.filter((member) => !member.unseen(row)));
    const apart = enough && others.length >= 2;
    const spreading = apart ? others : predictedBy(members);
    const [first, second] = honest;
    for (let j = 0; j < size; j++) {
      const at = row * width + start + j;
      const k = i * size + j;
      truth[k] = target[at]!;
      mean[k] = others.length === 0 ? averageAt(honest, at) : first![at]!;
      spread[k] = deviationAt(spreading, at);
      if (!apart || second === undefined) continue;
      const a = first![at]! - truth[k];
      const c = second[at]! - truth[k];
      sums.unseen += halfRootPi * Math.abs(a - c);
      sums.seen += spread[k];
      sums.single += (Math.abs(a) + Math.abs(c)) / 2;
      sums.both += Math.abs(a + c) / 2;
    }
  });
  const ratio = sums.seen > 0 ? Math.max(1, sums.unseen / sums.seen) : 1;
  return {
    rows: judged.length,
    judged,
    truth,
    mean,
    averaged: judged.every((row) => members.every((member) => member.unseen(row))) ? members.length : 1,
    spread: spread.map((value) => ratio * value),
    ...(sums.single > 0 ? { ownShare: 2 * (1 - (sums.both / sums.single) ** 2) } : {}),
  };
}

type HonestMember = Required<MemberPredictions>;

function isHonest(member: MemberPredictions): member is HonestMember {
  return member.leftOut !== undefined && member.fresh !== undefined;
}

/** Every run judges the mean of all members where it is known what each would predict of runs that it was trained on. That is an
 * estimate: errors and spreads are made larger by as much as members miss runs that they had not seen by more, and spreads no larger
 * than they are at new points. */
function allHonest(
  target: Float32Array,
  rows: number,
  { head, start, size }: FieldPlace,
  members: readonly HonestMember[],
): FieldOutOfFold {
  const width = target.length / rows;
  const truth = new Float64Array(rows * size);
  const mean = new Float64Array(truth.length);
  const spread = new Float64Array(truth.length);
  const sums = { seen: 0, unseen: 0, mean: 0, spread: 0, fresh: 0 };
  const fresh = members.map((member) => member.fresh[head]!);
  let unseenCount = 0;
  for (let k = 0; k < truth.length; k++) {
    const row = Math.floor(k / size);
    const at = row * width + start + (k % size);
    truth[k] = target[at]!;
    const predicted = members.map((member) => (member.unseen(row) ? member.heads : member.leftOut)[head]!);
    mean[k] = averageAt(predicted, at);
    const [here, elsewhere] = members.length > 1 ? [deviationAt(predicted, at), deviationAt(fresh, at)] : [0, 0];
    spread[k] = here;
    sums.spread += here;
    sums.fresh += elsewhere;
    sums.mean += Math.abs(mean[k]! - truth[k]!);
    members.forEach((member, m) => {
      const error = Math.abs(predicted[m]![at]! - truth[k]!);
      if (member.unseen(row)) unseenCount++;
      sums[member.unseen(row) ? "unseen" : "seen"] += error;
    });
  }
  const seenCount = members.length * truth.length - unseenCount;
  const ratio = sums.seen > 0 && unseenCount > 0 ? sums.unseen / unseenCount / (sums.seen / seenCount) : 1;
  const spreadRatio = sums.spread > 0 ? Math.min(ratio, sums.fresh / sums.spread) : ratio;
  const single = (sums.seen + sums.unseen) / members.length;
  const count = members.length;
  return {
    rows,
    judged: Array.from({ length: rows }, (_, row) => row),
    truth,
    mean: mean.map((value, k) => truth[k]! + ratio * (value - truth[k]!)),
    averaged: count,
    spread: spread.map((value) => spreadRatio * value),
    ...(count > 1 && single > 0 ? { ownShare: (1 - (sums.mean / single) ** 2) / (1 - 1 / count) } : {}),
  };
}

/** Standard deviation of a normal variable over the mean difference of two draws. */
const halfRootPi = Math.sqrt(Math.PI) / 2;

/** Mean of some members' predictions of one number. */
function averageAt(predictions: readonly Float64Array[], at: number): number {
  let sum = 0;
  for (const each of predictions) sum += each[at]!;
  return sum / predictions.length;
}

/** Their standard deviation, over one less than the count. */
function deviationAt(predictions: readonly Float64Array[], at: number): number {
  const centre = averageAt(predictions, at);
  let squares = 0;
  for (const each of predictions) squares += (each[at]! - centre) ** 2;
  return Math.sqrt(squares / Math.max(1, predictions.length - 1));
}
