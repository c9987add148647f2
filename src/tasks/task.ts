/**
 * Heavy work is a *task*: plain data and typed arrays in, the same out, seeded, no shared state. Whoever starts a task
 * does not know where it runs: in this process, in a worker thread, one day on a cluster; the bytes are the same.
 */

/** Names a task function: the module that exports it and its name. */
export interface TaskRef<Input, Output> {
  /** File URL of the module, `import.meta.url`. */
  readonly module: string;
  readonly name: string;
  /** Phantom: only the types matter. */
  readonly types?: (input: Input) => Output;
}

/** What a running task may know of the outside. */
export interface TaskContext {
  /** True once the work should end with the best so far: its time is over or the user asked to stop. */
  shouldStop(): boolean;
  /** Share of the task's time that has passed since it began; 0 where that has no limit. What has a schedule runs
   * it to its end in the time that there is. */
  elapsed(): number;
  /** Reports how much of the task is done, 0 to 1, with a word on how it goes. */
  progress(fraction: number, note?: string): void;
}

export type TaskFunction<Input, Output> = (input: Input, context: TaskContext) => Promise<Output>;

export interface TaskOptions {
  /** Milliseconds since the epoch after which the task should end with the best so far. */
  readonly deadline?: number;
  /** Milliseconds that it may take from when it begins, however long it waited. */
  readonly allowance?: number;
  readonly onProgress?: (fraction: number, note?: string) => void;
  /** Takes the task off when aborted, and ends the thread it runs on; in this process only a task that waits. It then rejects. */
  readonly signal?: AbortSignal;
}

/** Runs tasks. */
export interface TaskRunner {
  /** Tasks that run at once. */
  readonly parallel: number;
  run<Input, Output>(task: TaskRef<Input, Output>, input: Input, options?: TaskOptions): Promise<Output>;
  /** Asks all running and coming tasks to end with the best so far. */
  stop(): void;
  readonly stopped: boolean;
  dispose(): Promise<void>;
}

/** Declares a task. Call it beside the function: `defineTask(import.meta.url, "trainMember", trainMember)`. */
export function defineTask<Input, Output>(
  module: string,
  name: string,
  run: TaskFunction<Input, Output>,
): TaskRef<Input, Output> & { readonly run: TaskFunction<Input, Output> } {
  return { module, name, run };
}
