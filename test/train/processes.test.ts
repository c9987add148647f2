/** Processes as tasks: they end as soon as they are told to. */
import { expect, test } from "vitest";
import { fitPart } from "../../src/train/processes.ts";

const n = 60;
const input = {
  x: Float64Array.from({ length: n }, (_, i) => -1.7 + (3.4 * i) / (n - 1)),
  y: Float64Array.from({ length: n }, (_, i) => Math.sin((9 * i) / n)),
  shape: { n, d: 1, m: 1 },
  anchors: 1000,
  seed: 1,
};

test("a process goes on asking whether to stop, and gives nothing once told so", async () => {
  let asked = 0;
  const fit = await fitPart(input, { progress: () => {}, elapsed: () => 0, shouldStop: () => ++asked < 0 });
  expect(fit?.looMean.length).toBe(n);
  expect(asked).toBeGreaterThan(50);

  const limit = 10;
  let count = 0;
  expect(await fitPart(input, { progress: () => {}, elapsed: () => 0, shouldStop: () => ++count >= limit })).toBeNull();
  expect(count).toBe(limit);
});
