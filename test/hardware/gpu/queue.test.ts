/** Example G1 of the queue; G2: the max() rule on public GPU latencies (latency-data/help, NAS-Bench-201). */
import { describe, expect, it } from "vitest";
import { runQueue, waveUse } from "../../../src/hardware/gpu/queue.ts";

describe("the launch queue", () => {
  const exec = [2, 2, 3, 3, 3, 2];
  const constants = { graph: false, tSubmit: 0 };

  it("is bound by launches when they are slow and by kernels when they are fast (G1)", () => {
    expect(runQueue(exec, { ...constants, tLaunch: 5, tSync: 10 }).seconds).toBe(42);
    expect(runQueue(exec, { ...constants, tLaunch: 1, tSync: 10 }).seconds).toBe(26);
  });

  it("starts a recorded graph with one submission", () => {
    expect(runQueue([2, 2], { graph: true, tSubmit: 7, tLaunch: 1, tSync: 10 }).seconds).toBe(22);
  });

  it("uses whole waves fully and wastes the rest of the last one", () => {
    expect(waveUse(80, 40)).toBe(1);
    expect(waveUse(41, 40)).toBeCloseTo(41 / 80, 12);
  });
});
