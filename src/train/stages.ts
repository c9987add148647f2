/** Choosing one stage of the decay path for all members, by the error on what each of them held out. */
import type { MemberOutput, MemberStage } from "./member.ts";
import { lastGoodStage } from "./path.ts";

/** A member at a stage of the path; at its last where it got no further: convolutions have one stage, others eight, and the
 * clock ends some early. */
export function stageOf({ stages }: MemberOutput, stage: number): MemberStage {
  return stages[Math.min(stage, stages.length - 1)]!;
}

/** Geometric mean over outputs of the mean held-out square over members: scale-free, so that no output dominates.
 * @returns one score per stage that any member reached; lower is better */
export function stageScores(members: readonly MemberOutput[]): number[] {
  const reached = Math.max(...members.map((member) => member.stages.length));
  return Array.from({ length: reached }, (_, stage) => {
    let sum = 0;
    let count = 0;
    const taken = members.map((member) => stageOf(member, stage).heldOutSquares);
    const first = taken[0] ?? [];
    first.forEach((squares, head) => {
      for (let k = 0; k < squares.length; k++) {
        let mean = 0;
        for (const held of taken) mean += (held[head]?.[k] ?? 0) / taken.length;
        sum += Math.log(mean + 1e-30);
        count++;
      }
    });
    return count > 0 ? sum / count : 0;
  });
}

/** Mean over heads of the mean over elements. @param squares one list per head */
export function meanOverHeads(squares: readonly Float64Array[]): number {
  const means = squares.map((each) => each.reduce((a, c) => a + c, 0) / each.length);
  return means.reduce((a, c) => a + c, 0) / means.length;
}

/** Index of the stage that all members are taken from. */
export function chooseStage(members: readonly MemberOutput[]): number {
  return lastGoodStage(stageScores(members));
}
