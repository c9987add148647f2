/** The search for warped axes as a task, beside others. */
import { warpPlace, warpSensitivity } from "../data/index.ts";
import { type AxisRuns, findWarps, type FoundWarps, unlessStopped } from "../process/index.ts";
import { makeRng } from "../rng.ts";
import { defineTask, type TaskContext } from "../tasks/index.ts";

export type { AxisRuns };

/** @returns null where the work was to end before it was done */
export async function searchWarps(
  { seed, ...runs }: AxisRuns & { readonly seed: number },
  { shouldStop }: TaskContext,
): Promise<FoundWarps | null> {
  const family = { place: warpPlace, sensitivity: warpSensitivity };
  return unlessStopped(findWarps(runs, family, makeRng(seed), shouldStop));
}

/** {@link searchWarps} as a task. */
export const warpsTask = defineTask(import.meta.url, "searchWarps", searchWarps);
