/**
 * Gaussian processes for the outputs that networks learn, one fit per output or, for heads of many numbers, one in
 * principal components: tasks, so that they run beside the members.
 */
import {
  fitProcess,
  mostComponents,
  mostOutputs,
  type ProcessFit,
  type ProcessOptions,
  unlessStopped,
} from "../process/index.ts";
import { makeRng, type Rng } from "../rng.ts";
import { type CheckpointStore, defineTask, keep, type TaskContext, type TaskRunner } from "../tasks/index.ts";
import type { Effort } from "./recipe.ts";

/** Scaled runs: inputs rows x inputs (standardised, float64), and targets rows x size per head. */
export interface ProcessData {
  readonly rows: number;
  readonly inputs: number;
  readonly x: Float64Array;
  readonly targets: readonly Float32Array[];
}

/** Fits of one head, whose outputs stand side by side. */
export type HeadProcess = readonly ProcessFit[];

interface PartInput {
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly shape: { readonly n: number; readonly d: number; readonly m: number };
  readonly anchors: number;
  readonly seed: number;
  /** The textbook's process instead of ours. */
  readonly plain?: boolean;
}

/** @returns null where the work was to end before it was done: half a process is of no use */
export async function fitPart(input: PartInput, { shouldStop }: TaskContext): Promise<ProcessFit | null> {
  const options: ProcessOptions = { anchors: input.anchors, plain: input.plain === true, shouldStop };
  return unlessStopped(fitProcess(input.x, input.y, input.shape, options, makeRng(input.seed)));
}

/** {@link fitPart} as a task. */
export const processTask = defineTask(import.meta.url, "fitPart", fitPart);

/** Numbers that the matrices of all processes may hold: 24 MB of an emulator file. */
const mostNumbers = 3e6;
/** Kernels of a process, as they are on average. */
const kernels = 2;
const mostAnchors = 1000;

/** What fitting takes about, in seconds on one core: measured at 500 runs, 10 s per output. */
export function processSeconds(rows: number, sizes: readonly number[]): number {
  const count = sizes.reduce((sum, size) => sum + Math.min(size, mostComponents), 0);
  return count * 10 * (Math.min(rows, 1000) / 500) ** 2;
}

/** Most of that which an effort affords: beyond, the networks have to do. */
export const processAllowance = { quick: 50, standard: 240, thorough: 1000 } as const satisfies Record<Effort, number>;

/** Fits all heads. @returns one list of fits per head; undefined where the work was to end before all were done */
export async function fitProcesses(options: {
  readonly data: ProcessData;
  readonly rng: Rng;
  readonly runner: TaskRunner;
  /** Milliseconds since the epoch after which none goes on. Default: none. */
  readonly deadline?: number;
  readonly checkpoints?: CheckpointStore | undefined;
}): Promise<readonly HeadProcess[] | undefined> {
  const { data, rng, runner, deadline = Number.POSITIVE_INFINITY, checkpoints } = options;
  const { rows: n, inputs: d, x } = data;
  const sizes = data.targets.map((target) => target.length / n);
  const count = sizes.reduce((sum, size) => sum + (size <= mostOutputs ? size : mostComponents), 0);
  const anchors = Math.max(50, Math.min(mostAnchors, Math.floor(Math.sqrt(mostNumbers / (kernels * count)))));
  const run = (label: string, y: Float64Array, m: number): Promise<ProcessFit | null> =>
    keep(
      checkpoints,
      label,
      () => runner.run(processTask, { x, y, shape: { n, d, m }, anchors, seed: rng.fork(label).seed }, { deadline }),
      (fit) => fit !== null,
    );
  const heads = await Promise.all(
    data.targets.map((target, h) => {
      const size = sizes[h]!;
      if (size > mostOutputs) return run(`process-${h}`, Float64Array.from(target), size).then((fit) => [fit]);
      const columns = Array.from({ length: size }, (_, j) =>
        Float64Array.from({ length: n }, (__, i) => target[i * size + j]!),
      );
      return Promise.all(columns.map((y, j) => run(`process-${h}-${j}`, y, 1)));
    }),
  );
  const complete = heads.map((fits) => fits.filter((fit) => fit !== null));
  return complete.every((fits, h) => fits.length === heads[h]!.length) ? complete : undefined;
}
