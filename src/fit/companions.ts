/** Gaussian processes as companions of the networks: fitted to all heads beside the members, and joined per head. */
import { type Runs, scaleInputs } from "../data/index.ts";
import type { Companion, Scalers } from "../emulator/index.ts";
import type { GraphBuilder, NodeId } from "../graph/index.ts";
import { processGraph } from "../process/index.ts";
import type { Rng } from "../rng.ts";
import type { CheckpointStore, TaskRunner } from "../tasks/index.ts";
import { fitProcesses, type HeadProcess, processSeconds, type TrainingData } from "../train/index.ts";

/** Distinct runs that processes need at least. */
const leastRuns = 8;

/** Fits a companion to every head.
 * @returns one per head; undefined where runs are too few, the work is estimated above `seconds` of one core, or it was to
 * end before all were done */
export async function fitCompanions(options: {
  readonly runs: Runs;
  readonly scalers: Scalers;
  /** Scaled targets, trend included. */
  readonly data: TrainingData;
  readonly seconds: number;
  /** Milliseconds since the epoch. */
  readonly deadline: number;
  readonly rng: Rng;
  readonly runner: TaskRunner;
  readonly checkpoints: CheckpointStore | undefined;
}): Promise<readonly Companion[] | undefined> {
  const { runs, scalers, data, seconds, deadline, rng, runner, checkpoints } = options;
  const { rows, inputs, targets } = data;
  const sizes = targets.map((target) => target.length / rows);
  if (new Set(runs.repeats).size < leastRuns || processSeconds(runs.n, sizes) > seconds) return undefined;
  const x = Float64Array.from(scaleInputs(scalers.input, runs.x));
  const heads = await fitProcesses({ data: { rows, inputs, x, targets }, rng, runner, deadline, checkpoints });
  return heads?.map((fits) => companionOf(fits, rows));
}

/** The fits of one head side by side. */
function companionOf(fits: HeadProcess, rows: number): Companion {
  const heldOut = (of: (fit: HeadProcess[number]) => Float64Array): Float64Array => {
    const parts = fits.map(of);
    const width = parts.reduce((sum, part) => sum + part.length, 0) / rows;
    const joined = new Float64Array(rows * width);
    let start = 0;
    for (const part of parts) {
      const size = part.length / rows;
      for (let row = 0; row < rows; row++) joined.set(part.subarray(row * size, (row + 1) * size), row * width + start);
      start += size;
    }
    return joined;
  };
  return {
    heldOutMean: heldOut((fit) => fit.looMean),
    heldOutVariance: heldOut((fit) => fit.looVariance),
    noise: Float64Array.from(fits.flatMap((fit) => [...fit.noise])),
    forward(b, wide) {
      const nodes = fits.map((fit) => processGraph(b, wide, fit));
      return {
        mean: join(
          b,
          nodes.map(({ mean }) => mean),
        ),
        variance: join(
          b,
          nodes.map(({ variance }) => variance),
        ),
      };
    },
  };
}

function join(b: GraphBuilder, parts: readonly NodeId[]): NodeId {
  const [only] = parts;
  return only !== undefined && parts.length === 1 ? only : b.concat(parts, 1);
}
