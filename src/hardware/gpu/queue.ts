/** The in-order queue of a GPU (spec latency 3): the host issues kernels one by one, the device runs them one by one. */
import type { GpuConstants } from "../target.ts";

export interface QueueRun {
  /** Seconds from the call until the caller knows. */
  readonly seconds: number;
  /** When each kernel ends on the device. */
  readonly end: readonly number[];
}

/** Runs kernels through the queue. @param exec seconds of each kernel on the device */
export function runQueue(
  exec: readonly number[],
  gpu: Pick<GpuConstants, "tLaunch" | "tSync" | "graph" | "tSubmit">,
): QueueRun {
  const end: number[] = [];
  let now = gpu.graph ? gpu.tSubmit : 0;
  const submitted = now;
  exec.forEach((seconds, k) => {
    now = Math.max(submitted + (k + 1) * gpu.tLaunch, now) + seconds;
    end.push(now);
  });
  return { seconds: now + gpu.tSync, end };
}

/** Share of the device that whole waves of work-groups keep busy. @param groups work-groups   @param slots that run at once */
export function waveUse(groups: number, slots: number): number {
  return groups <= 0 ? 1 : groups / (Math.ceil(groups / slots) * slots);
}
