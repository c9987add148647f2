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
  readonly unseen: (row: number) => boolean;
}

/** One field on the rows that at least one member had not seen; rows x size each, scaled. */
export interface FieldOutOfFold {
  readonly rows: number;
  /** Their indices. */
  readonly judged: readonly number[];
  readonly truth: Float64Array;
  /** By a member that had not seen the row; by the mean of all where no member had. */
  readonly mean: Float64Array;
  /** Estimated standard deviation between members, had none seen the row. */
  readonly spread: Float64Array;
  /** Share of a member's squared error that is its own, not the others' too: from runs that two members had not seen, or from what
   * they are known to predict of runs that they had; absent where there are too few. */
  readonly ownShare?: number;
  /** Whether the latter is where spreads and shares are from. */
  readonly estimated?: true;
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
  const leftOut = members.map((member) => member.leftOut);
  if (leftOut.every((heads) => heads !== undefined)) return withEstimates(target, rows, place, members, leftOut);
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
    spread: spread.map((value) => ratio * value),
    ...(sums.single > 0 ? { ownShare: 2 * (1 - (sums.both / sums.single) ** 2) } : {}),
  };
}

/** Where it is known what members would predict of runs that they were trained on. That is an estimate, which flatters members that
 * follow noise: it says how far members are apart at a run and what averaging them gains, and is corrected by what runs that they truly
 * had not seen say of both ({@link correlation}). Residuals are those of the latter alone. */
function withEstimates(
  target: Float32Array,
  rows: number,
  { head, start, size }: FieldPlace,
  members: readonly MemberPredictions[],
  leftOut: readonly (readonly Float64Array[])[],
): FieldOutOfFold {
  const width = target.length / rows;
  const judged = Array.from({ length: rows }, (_, row) => row).filter((row) => members.some((m) => m.unseen(row)));
  const truth = new Float64Array(judged.length * size);
  const mean = new Float64Array(truth.length);
  const spread = new Float64Array(truth.length);
  const errors = members.map(() => new Float64Array(truth.length));
  for (let k = 0; k < truth.length; k++) {
    const row = judged[Math.floor(k / size)]!;
    const at = row * width + start + (k % size);
    truth[k] = target[at]!;
    const predicted = members.map((member, m) => (member.unseen(row) ? member.heads : leftOut[m]!)[head]!);
    mean[k] = predicted[members.findIndex((member) => member.unseen(row))]![at]!;
    spread[k] = members.length > 1 ? deviationAt(predicted, at) : 0;
    predicted.forEach((each, m) => {
      errors[m]![k] = each[at]! - truth[k]!;
    });
  }
  const { ownShare, spreadFactor } = correlation(errors, (m, k) => members[m]!.unseen(judged[Math.floor(k / size)]!));
  return {
    rows: judged.length,
    judged,
    truth,
    mean,
    spread: spread.map((value) => spreadFactor * value),
    estimated: true,
    ...(members.length > 1 ? { ownShare } : {}),
  };
}

/** A spread's factor is kept within these: it is an estimate. */
const factors = { least: 2 / 3, most: 3 } as const;

/**
 * How much of a member's squared error is its own, and how much larger that is in truth than as estimated. Of a run that a member had not
 * seen its error is c + o, c shared by all, o its own; the others' are estimated as a c + o', a below one where they followed the run. The
 * mean product of two estimates is a² c², of a true error and an estimate a c²: so both parts are known. Runs whose errors are
 * large count no more than twice as much as typical ones.
 * @param errors of each member @param isTrue whether a member's error is no estimate
 */
function correlation(
  errors: readonly Float64Array[],
  isTrue: (member: number, k: number) => boolean,
): { readonly ownShare: number; readonly spreadFactor: number } {
  const length = errors[0]?.length ?? 0;
  const squares = Float64Array.from({ length }, (_, k) => meanOf(errors, (each) => each[k]! ** 2));
  const typical = Float64Array.from(squares).sort()[length >> 1] ?? 0;
  const sums = { true: 0, estimate: 0, both: 0, mixed: 0 };
  const counts = { true: 0, estimate: 0, both: 0, mixed: 0 };
  for (let k = 0; k < length; k++) {
    const weight = 1 / (squares[k]! + typical || 1);
    const add = (kind: keyof typeof sums, product: number): void => {
      sums[kind] += weight * product;
      counts[kind] += weight;
    };
    errors.forEach((first, m) => {
      const known = isTrue(m, k);
      add(known ? "true" : "estimate", first[k]! ** 2);
      for (let l = 0; l < m; l++) {
        const other = isTrue(l, k);
        if (known && other) continue;
        add(known || other ? "mixed" : "both", first[k]! * errors[l]![k]!);
      }
    });
  }
  const mean = (kind: keyof typeof sums): number => (counts[kind] > 0 ? sums[kind] / counts[kind] : 0);
  const total = counts.true > 0 ? mean("true") : mean("estimate");
  const estimated = { total: mean("estimate"), shared: Math.max(0, mean("both")) };
  const mixed = Math.max(0, mean("mixed"));
  const shared = Math.min(total, estimated.shared > 0 ? mixed ** 2 / estimated.shared : mixed);
  const own = total - shared;
  const estimatedOwn = estimated.total - estimated.shared;
  const factor = estimatedOwn > 0 ? Math.sqrt(own / estimatedOwn) : 1;
  return {
    ownShare: total > 0 ? own / total : 0,
    spreadFactor: Math.min(factors.most, Math.max(factors.least, factor)),
  };
}

function meanOf<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((sum, item) => sum + of(item), 0) / items.length;
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
