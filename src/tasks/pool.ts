/** Runs tasks in this process or on worker threads. Edge file: it knows threads, the clock and the module loader. */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { CondenseError, InternalError, OptionError } from "../errors.ts";
import type { TaskContext, TaskFunction, TaskOptions, TaskRef, TaskRunner } from "./task.ts";

/** What goes to a worker, and what comes back. */
export interface TaskMessage {
  readonly module: string;
  readonly name: string;
  readonly input: unknown;
  readonly deadline: number;
  readonly allowance: number;
  readonly stopFlag: Int32Array;
}
export type TaskReply =
  | { readonly kind: "progress"; readonly fraction: number; readonly note?: string }
  | { readonly kind: "done"; readonly output: unknown }
  /** A user's mistake keeps its code: error classes do not survive the message. */
  | { readonly kind: "failed"; readonly error: unknown; readonly code?: string };

/** Loads the function a message names and runs it. Shared by both runners, so both do the same. */
export async function execute(message: TaskMessage, progress: TaskContext["progress"]): Promise<unknown> {
  const module = (await import(message.module)) as Record<string, unknown>;
  const entry = module[message.name];
  const run = (typeof entry === "object" && entry !== null && "run" in entry ? entry.run : entry) as
    TaskFunction<unknown, unknown> | undefined;
  if (typeof run !== "function") throw new InternalError(`no task ${message.name} in ${message.module}`);
  const begun = Date.now();
  const end = Math.min(message.deadline, begun + message.allowance);
  return run(message.input, {
    shouldStop: () => Atomics.load(message.stopFlag, 0) !== 0 || Date.now() > end,
    elapsed: () => (Date.now() - begun) / Math.max(1, end - begun),
    progress,
  });
}

function makeFlag(): { readonly flag: Int32Array; stop(): void; readonly stopped: boolean } {
  const flag = new Int32Array(new SharedArrayBuffer(4));
  return {
    flag,
    stop: () => void Atomics.store(flag, 0, 1),
    get stopped() {
      return Atomics.load(flag, 0) !== 0;
    },
  };
}

function toMessage(task: TaskRef<never, unknown>, input: unknown, options: TaskOptions, flag: Int32Array): TaskMessage {
  return {
    module: task.module,
    name: task.name,
    input,
    deadline: options.deadline ?? Number.POSITIVE_INFINITY,
    allowance: options.allowance ?? Number.POSITIVE_INFINITY,
    stopFlag: flag,
  };
}

/** Runs tasks one after another in this process. */
export function inProcess(): TaskRunner {
  const state = makeFlag();
  let last: Promise<unknown> = Promise.resolve();
  return {
    parallel: 1,
    run(task, input, options = {}) {
      const job = last.then(() => {
        options.signal?.throwIfAborted();
        return execute(toMessage(task, input, options, state.flag), options.onProgress ?? (() => {}));
      });
      last = job.catch(() => undefined);
      return job as Promise<never>;
    },
    stop: state.stop,
    get stopped() {
      return state.stopped;
    },
    dispose: () => Promise.resolve(),
  };
}

interface Job {
  readonly message: TaskMessage;
  readonly onProgress: TaskContext["progress"];
  readonly resolve: (output: never) => void;
  readonly reject: (error: unknown) => void;
}

/** Runs tasks on worker threads. @param parallel threads; default: one per core
 * @throws OptionError if it is no positive integer */
export function workerPool(parallel = availableParallelism()): TaskRunner {
  if (!Number.isInteger(parallel) || parallel < 1)
    throw new OptionError("OPTION_PARALLEL", `a pool needs a positive number of threads, got ${parallel}.`);
  const state = makeFlag();
  const idle: Worker[] = [];
  const all = new Set<Worker>();
  const running = new Map<Worker, Job>();
  const waiting: Job[] = [];
  let disposed = false;

  const settle = (worker: Worker): Job | undefined => {
    const job = running.get(worker);
    running.delete(worker);
    return job;
  };
  const release = (worker: Worker): void => {
    worker.unref();
    idle.push(worker);
  };
  const spawn = (): Worker => {
    const worker = new Worker(new URL("./worker.mjs", import.meta.url));
    all.add(worker);
    worker.unref();
    worker.on("message", (reply: TaskReply) => {
      if (!all.has(worker)) return; // its task was taken off, and it is ending
      if (reply.kind === "progress") {
        running.get(worker)?.onProgress(reply.fraction, reply.note);
        return;
      }
      const job = settle(worker);
      release(worker);
      if (reply.kind === "done") job?.resolve(reply.output as never);
      else job?.reject(reply.code === undefined ? reply.error : new CondenseError(reply.code, String(reply.error)));
      next();
    });
    /** A thread may end at work or afterwards: no job must wait for it, none be given to it. */
    const lost = (error: unknown): void => {
      all.delete(worker);
      const place = idle.indexOf(worker);
      if (place >= 0) idle.splice(place, 1);
      settle(worker)?.reject(error);
      next();
    };
    worker.on("error", lost);
    worker.on("exit", (code) => {
      lost(disposed ? disposedError() : new InternalError(`a worker thread ended with code ${code}`));
    });
    return worker;
  };
  const takeOff = (job: Job, reason: unknown): void => {
    const place = waiting.indexOf(job);
    const worker = [...running].find(([, each]) => each === job)?.[0];
    if (place >= 0) waiting.splice(place, 1);
    else if (worker === undefined) return;
    else {
      running.delete(worker);
      all.delete(worker);
      void worker.terminate();
    }
    job.reject(reason);
    next();
  };
  const next = (): void => {
    while (waiting.length > 0 && running.size < parallel) {
      const job = waiting.shift() as Job;
      const worker = idle.pop() ?? spawn();
      try {
        worker.postMessage(job.message);
      } catch (error) {
        // The input holds something that threads cannot be sent.
        release(worker);
        job.reject(error);
        continue;
      }
      worker.ref();
      running.set(worker, job);
    }
  };
  return {
    parallel,
    run(task, input, options = {}) {
      return new Promise((resolve, reject) => {
        if (disposed) {
          reject(disposedError());
          return;
        }
        const { signal } = options;
        const job: Job = {
          message: toMessage(task, input, options, state.flag),
          onProgress: options.onProgress ?? (() => {}),
          resolve,
          reject,
        };
        if (signal?.aborted === true) {
          reject(signal.reason as Error);
          return;
        }
        signal?.addEventListener("abort", () => takeOff(job, signal.reason), { once: true });
        waiting.push(job);
        next();
      });
    },
    stop: state.stop,
    get stopped() {
      return state.stopped;
    },
    async dispose() {
      disposed = true;
      for (const job of waiting.splice(0)) job.reject(disposedError());
      await Promise.all([...all].map((worker) => worker.terminate()));
    },
  };
}

function disposedError(): InternalError {
  return new InternalError("the pool was disposed before its tasks had ended");
}
