/** Tasks and the runners that carry them out. */
export { inProcess, workerPool } from "./pool.ts";
export { defineTask, type TaskContext, type TaskOptions, type TaskRef, type TaskRunner } from "./task.ts";
