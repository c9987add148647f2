/** Tasks for the runners' tests. */
import { OptionError } from "../../src/errors.ts";
import { makeRng } from "../../src/rng.ts";
import { defineTask, type TaskContext } from "../../src/tasks/index.ts";

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export interface DrawsInput {
  readonly seed: number;
  readonly offsets: Float64Array;
  /** Milliseconds to take before answering. */
  readonly pauseMs?: number;
}

/** Normal draws around `offsets`, and the same as plain data. */
export async function drawNormals({ seed, offsets, pauseMs = 0 }: DrawsInput): Promise<{
  readonly draws: Float32Array;
  readonly list: readonly number[];
  readonly seed: number;
}> {
  await pause(pauseMs);
  const rng = makeRng(seed);
  const draws = Float32Array.from(offsets, (offset) => offset + rng.normal());
  return { draws, list: [...draws], seed };
}
export const drawTask = defineTask(import.meta.url, "drawNormals", drawNormals);

export async function failWithCode(): Promise<never> {
  throw new OptionError("OPTION_EXAMPLE", "no such example. Choose another.");
}
export const codedFailure = defineTask(import.meta.url, "failWithCode", failWithCode);

export async function failPlainly(message: string): Promise<never> {
  throw new RangeError(message);
}
export const plainFailure = defineTask(import.meta.url, "failPlainly", failPlainly);

export async function throwFunction(): Promise<never> {
  // eslint-disable-next-line @typescript-eslint/only-throw-error -- what a thread cannot send back
  throw Object.assign(() => {}, { toString: () => "thrown function" });
}
export const functionFailure = defineTask(import.meta.url, "throwFunction", throwFunction);

export async function answerWithFunction(): Promise<unknown> {
  return { f: () => 1 };
}
export const unsendable = defineTask(import.meta.url, "answerWithFunction", answerWithFunction);

/** Ends the thread that it runs on. */
export async function die(code: number): Promise<void> {
  process.exit(code);
}
export const dieTask = defineTask(import.meta.url, "die", die);

/** Answers, and ends its thread a moment later. */
export async function dieLater(how: "exit" | "throw"): Promise<string> {
  setTimeout(() => {
    if (how === "exit") process.exit(3);
    throw new Error("thrown by an idle thread");
  }, 20);
  return "answered";
}
export const dieLaterTask = defineTask(import.meta.url, "dieLater", dieLater);

/** Waits until it is asked to stop, at most `most` milliseconds. */
export async function waitForStop(most: number, context: TaskContext): Promise<string> {
  const start = performance.now();
  while (performance.now() - start < most) {
    if (context.shouldStop()) return "asked to stop";
    await pause(5);
  }
  return "never asked";
}
export const waitTask = defineTask(import.meta.url, "waitForStop", waitForStop);

/** Waits until so much of its time has passed, at most 300 milliseconds. */
export async function waitForShare(share: number, context: TaskContext): Promise<string> {
  const start = performance.now();
  while (performance.now() - start < 300) {
    if (context.elapsed() >= share) return context.shouldStop() ? "too late" : "in time";
    await pause(5);
  }
  return "never";
}
export const shareTask = defineTask(import.meta.url, "waitForShare", waitForShare);

export async function reportProgress(times: number, context: TaskContext): Promise<void> {
  for (let i = 1; i <= times; i++) {
    await pause(150);
    context.progress(i / times, `part ${i}`);
  }
}
export const progressTask = defineTask(import.meta.url, "reportProgress", reportProgress);

/** Counts the tasks that run at once in counter[0], the most so far in counter[1], and stays until there were
 * counter[2] of them or five seconds have passed. */
export async function countRunning(counter: Int32Array): Promise<void> {
  const now = Atomics.add(counter, 0, 1) + 1;
  for (let most = Atomics.load(counter, 1); most < now; most = Atomics.load(counter, 1))
    Atomics.compareExchange(counter, 1, most, now);
  for (let i = 0; i < 1000 && Atomics.load(counter, 1) < Atomics.load(counter, 2); i++) await pause(5);
  await pause(20);
  Atomics.sub(counter, 0, 1);
}
export const countTask = defineTask(import.meta.url, "countRunning", countRunning);

export const notATask = defineTask(import.meta.url, "missing", failPlainly);
