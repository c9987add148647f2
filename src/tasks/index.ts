/** Tasks, the runners that carry them out, and the folder where what is done is kept. */
export { type CheckpointStore, folderStore, keep } from "./checkpoint.ts";
export { inProcess, workerPool } from "./pool.ts";
export { defineTask, type TaskContext, type TaskOptions, type TaskRef, type TaskRunner } from "./task.ts";
