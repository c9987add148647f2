/**
 * A JavaScript or TypeScript module as a simulator: it exports a function from inputs by name to outputs by name, as its
 * default or as `simulate`. It runs on worker threads, and a thread that does not heed its time limit is ended.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { Console } from "node:console";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { isMainThread } from "node:worker_threads";
import { FileError, InternalError, OptionError } from "../errors.ts";
import { defineTask, type TaskContext, workerPool } from "../tasks/index.ts";
import { type Point, showValue } from "./inputs.ts";
import { checkedOutputs, outputsOfValue } from "./outputs.ts";
import type { Outcome, Simulator } from "./simulator.ts";

/**
 * What a module exports. `run` counts from 1; `signal` is aborted when the time is up or the user asks to stop.
 * An exception is a failed run, with its message.
 */
export type SimulatorFunction = (
  inputs: Point,
  context: { readonly run: number; readonly signal: AbortSignal },
) => unknown;

export interface ModuleOptions {
  /** Path of the module. */
  readonly module: string;
  /** Names of the inputs. */
  readonly inputs: readonly string[];
  /** Names or globs of the outputs that are wanted. Default: all. */
  readonly outputs?: readonly string[];
  /** Threads. Default 1. */
  readonly workers?: number;
  /** Milliseconds that a run may take. Default: no limit. */
  readonly timeoutMs?: number;
}

/** A run that was told to end gets this long before its thread is ended. */
const GRACE_MS = 1000;

/** Makes a simulator of a module. @throws FileError if it cannot be read; a module that is none is found by the first run */
export async function moduleSimulator(options: ModuleOptions): Promise<Simulator> {
  const { inputs, workers = 1, timeoutMs } = options;
  const path = resolve(options.module);
  let text: Buffer;
  try {
    text = await readFile(path);
  } catch (cause) {
    throw new FileError(
      "FILE_MISSING",
      `--module ${options.module}: no such file, or it cannot be read. Check the path.`,
      {
        cause,
      },
    );
  }
  const pool = workerPool(workers);
  const wanted = { inputs, ...(options.outputs === undefined ? {} : { outputs: options.outputs }) };
  return {
    parallel: workers,
    identity: {
      module: options.module,
      "text of the module": createHash("sha256").update(text).digest("hex").slice(0, 16),
      outputs: options.outputs?.join(",") ?? "all",
    },
    describe: (run, point) =>
      `run ${run + 1}: ${Object.entries(point)
        .map(([name, value]) => `${name}=${showValue(value)}`)
        .join(", ")}`,
    async run(run, point, signal) {
      const end = new AbortController();
      const timers: NodeJS.Timeout[] = [];
      const endIn = (ms: number): void => void timers.push(setTimeout(() => end.abort(), ms));
      const stopFlag = new Int32Array(new SharedArrayBuffer(4));
      const onAbort = (): void => {
        Atomics.store(stopFlag, 0, 1);
        endIn(GRACE_MS);
      };
      signal.addEventListener("abort", onAbort);
      try {
        return await pool.run(
          moduleTask,
          { url: pathToFileURL(path).href, shown: options.module, run, point, wanted, timeoutMs, stopFlag },
          {
            signal: end.signal,
            // Loading takes no time of the run's.
            onProgress: () => {
              if (timeoutMs !== undefined) endIn(timeoutMs + GRACE_MS);
            },
          },
        );
      } catch (error) {
        if (signal.aborted) return { status: "stopped" };
        if (end.signal.aborted) return timedOut(timeoutMs);
        if (error instanceof InternalError) return { status: "failed", reason: "its thread ended (process.exit?)" };
        throw error;
      } finally {
        signal.removeEventListener("abort", onAbort);
        timers.forEach(clearTimeout);
      }
    },
    dispose: () => pool.dispose(),
  };
}

interface ModuleRun {
  readonly url: string;
  /** The module as the user calls it. */
  readonly shown: string;
  readonly run: number;
  readonly point: Point;
  readonly wanted: { readonly inputs: readonly string[]; readonly outputs?: readonly string[] };
  readonly timeoutMs: number | undefined;
  /** 1 once the run should stop: what the thread's own signal follows. */
  readonly stopFlag: Int32Array;
}

/** One run, on the thread. */
async function runModule(job: ModuleRun, context: TaskContext): Promise<Outcome> {
  const simulate = await load(job);
  const controller = new AbortController();
  let late = false;
  const timer =
    job.timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          late = true;
          controller.abort();
        }, job.timeoutMs);
  const watch = setInterval(() => {
    if (Atomics.load(job.stopFlag, 0) === 1) controller.abort();
  }, 50);
  context.progress(0);
  try {
    const value = await simulate(job.point, { run: job.run + 1, signal: controller.signal });
    if (late) return timedOut(job.timeoutMs);
    return { status: "ok", outputs: checkedOutputs(outputsOfValue(value), job.wanted) };
  } catch (error) {
    if (late) return timedOut(job.timeoutMs);
    if (controller.signal.aborted) return { status: "stopped" };
    const reason = error instanceof Error ? error.message : String(error);
    return { status: "failed", reason: reason.replace(/\s+/g, " ").trim().slice(0, 200) || "it threw" };
  } finally {
    clearTimeout(timer);
    clearInterval(watch);
  }
}

export const moduleTask = defineTask(import.meta.url, "moduleTask", runModule);

function timedOut(timeoutMs: number | undefined): Outcome {
  return { status: "failed", reason: `timed out after ${(timeoutMs ?? 0) / 1000} s` };
}

async function load({ url, shown }: ModuleRun): Promise<SimulatorFunction> {
  // Standard output is for results: what a simulator prints goes beside it.
  if (!isMainThread) globalThis.console = new Console(process.stderr, process.stderr);
  let loaded: Record<string, unknown>;
  try {
    loaded = (await import(url)) as Record<string, unknown>;
  } catch (error) {
    const typescript = /\.m?ts$/.test(shown)
      ? ` Node ${process.version} may not load it: Node 22.18 and later do; or compile it to JavaScript.`
      : "";
    const why = error instanceof Error ? error.message : String(error);
    throw new OptionError("OPTION_MODULE", `--module ${shown}: cannot be loaded: ${why}. Mend it.${typescript}`);
  }
  const simulate = loaded.default ?? loaded.simulate;
  if (typeof simulate === "function") return simulate as SimulatorFunction;
  throw new OptionError(
    "OPTION_MODULE",
    `--module ${shown}: exports no function. Write export default async function (inputs) { return { y: ... }; }, or call it simulate.`,
  );
}
