/** Stages of the decay path, and choosing one for all members by what each of them held out. */
import { lastGoodStage } from "./path.ts";

/** The member after one stage of its path. */
export interface MemberStage {
  readonly weights: Float32Array;
  /** Learned log noise variances with the `gaussian` loss, one per scalar or channel; else empty. */
  readonly logNoise: Float32Array;
  /** NaN where no stage followed Adam. */
  readonly fitLoss: number;
  /** Mean square of the held-out residuals per head and element, scaled units; NaN where nothing is held out. */
  readonly heldOutSquares: readonly Float64Array[];
  /** Where it is known: what it misses each row of the table by, a row that it was trained on as it would, had that been left out;
   * rows x outputs, scaled units, NaN for rows that it was neither trained nor judged on. */
  readonly honestErrors?: Float32Array;
}

/** What of a member is looked at here. */
interface Staged {
  readonly stages: readonly MemberStage[];
}

/** A member at a stage of the path; at its last where it got no further: convolutions have one stage, others eight, and the
 * clock ends some early. */
export function stageOf({ stages }: Staged, stage: number): MemberStage {
  return stages[Math.min(stage, stages.length - 1)]!;
}

/** Geometric mean over outputs of the mean held-out square over members, scale-free, so that no output dominates. Where members' honest
 * errors are known, also of the square of their mean: what the ensemble misses, where a fold may hang on one run, and members
 * that differ may be better together than ones that are alike.
 * @returns one score per stage that any member reached; lower is better */
export function stageScores(members: readonly Staged[]): number[] {
  const reached = Math.max(...members.map((member) => member.stages.length));
  const areHonest = members.every(({ stages }) => stages.every(({ honestErrors }) => honestErrors !== undefined));
  return Array.from({ length: reached }, (_, stage) => {
    const taken = members.map((member) => stageOf(member, stage));
    const squares = taken.map(({ heldOutSquares }) => heldOutSquares.flatMap((each) => Array.from(each)));
    const outputs = squares[0]?.length ?? 0;
    const held = meanLog(outputs, (k) => squares.reduce((sum, each) => sum + (each[k] ?? 0), 0) / squares.length);
    if (!areHonest) return held;
    const errors = taken.flatMap(({ honestErrors }) => honestErrors ?? []);
    return (held + meanLog(outputs, squareOfMean(errors, outputs))) / 2;
  });
}

/** Mean over outputs of the logarithm of what each has. */
function meanLog(outputs: number, of: (output: number) => number): number {
  let sum = 0;
  for (let k = 0; k < outputs; k++) sum += Math.log(of(k) + 1e-30);
  return sum / Math.max(1, outputs);
}

/** For each output the mean over rows of the square of the members' mean error. @param errors rows x outputs each */
function squareOfMean(errors: readonly Float32Array[], outputs: number): (output: number) => number {
  const sums = new Float64Array(outputs);
  const length = errors[0]?.length ?? 0;
  for (let i = 0; i < length; i++) {
    const known = errors.map((each) => each[i]!).filter((error) => !Number.isNaN(error));
    const mean = known.reduce((sum, error) => sum + error, 0) / Math.max(1, known.length);
    sums[i % outputs]! += (mean * mean * outputs) / length;
  }
  return (output) => sums[output]!;
}

/** Mean over heads of the mean over elements. @param squares one list per head */
export function meanOverHeads(squares: readonly Float64Array[]): number {
  const means = squares.map((each) => each.reduce((a, c) => a + c, 0) / each.length);
  return means.reduce((a, c) => a + c, 0) / means.length;
}

/** Index of the stage that all members are taken from. */
export function chooseStage(members: readonly Staged[]): number {
  return lastGoodStage(stageScores(members));
}
