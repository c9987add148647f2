/**
 * A network on all rows of a table: its loss with the gradient, and its predictions. In one call where that is small, else
 * in parts of the rows: the intermediate tensors of two thousand images at once are tens of gigabytes.
 */
import type { Engine, Executable } from "../engine/index.ts";
import { bytesOfType, type Graph } from "../graph/index.ts";
import type { Network } from "../space/index.ts";
import { takeRows, type TrainingData } from "./data.ts";
import { objectiveGraph, predictGraph } from "./graphs.ts";
import type { LossName } from "./loss.ts";

/** Bytes that all tensors of one call may have, if they lived at the same time. */
const mostBytes = 256e6;

/** Rows of one call, evenly parted. @param graph of a call with all rows */
function rowsPerCall(graph: Graph, rows: number): number {
  const bytes = graph.types.reduce((sum, type) => sum + bytesOfType(type, rows), 0);
  return Math.max(1, Math.ceil(rows / Math.max(1, Math.ceil(bytes / mostBytes))));
}

/** First row and number of rows of each part. */
function partsOf(rows: number, perCall: number): { readonly from: number; readonly count: number }[] {
  const parts = [];
  for (let from = 0; from < rows; from += perCall) parts.push({ from, count: Math.min(perCall, rows - from) });
  return parts;
}

/** Inputs of a training graph: x, y0.. */
export function feedsOf(data: TrainingData): Record<string, Float32Array> {
  return { x: data.x, ...Object.fromEntries(data.targets.map((target, i) => [`y${i}`, target])) };
}

export interface FullObjective {
  /** The mean loss over all rows; its gradient goes into `gradient`. */
  evaluate(params: Float32Array, gradient: Float32Array): Promise<number>;
  dispose(): Promise<void>;
}

/** The loss of a network on all rows of `data`. */
export async function fullObjective(
  engine: Engine,
  network: Network,
  loss: LossName,
  data: TrainingData,
): Promise<FullObjective> {
  const graphOf = (rows: number): Graph => objectiveGraph(network, { loss, rows });
  const whole = graphOf(data.rows);
  const perCall = rowsPerCall(whole, data.rows);
  const executables = new Map<number, Executable>();
  const parts: { executable: Executable; feeds: Record<string, Float32Array>; share: number }[] = [];
  for (const { from, count } of partsOf(data.rows, perCall)) {
    const executable = executables.get(count) ?? (await engine.compile(count === data.rows ? whole : graphOf(count)));
    executables.set(count, executable);
    const rows = Int32Array.from({ length: count }, (_, i) => from + i);
    const feeds = feedsOf(count === data.rows ? data : takeRows(data, rows));
    parts.push({ executable, feeds, share: count / data.rows });
  }
  const loss64 = new Float64Array(1);
  let partial: Float32Array = new Float32Array(0);
  return {
    async evaluate(params, gradient) {
      const [only] = parts;
      if (only !== undefined && parts.length === 1) {
        await only.executable.run({ ...only.feeds, params }, { into: { loss: loss64, gradient } });
        return loss64[0]!;
      }
      if (partial.length !== gradient.length) partial = new Float32Array(gradient.length);
      gradient.fill(0);
      let sum = 0;
      for (const { executable, feeds, share } of parts) {
        await executable.run({ ...feeds, params }, { into: { loss: loss64, gradient: partial } });
        sum += share * loss64[0]!;
        for (let i = 0; i < gradient.length; i++) gradient[i]! += share * partial[i]!;
      }
      return sum;
    },
    async dispose() {
      for (const executable of executables.values()) await executable.dispose();
    },
  };
}

export interface FullPredictor {
  /** Predictions of all rows, one array per head, rows x size, scaled. */
  predict(x: Float32Array, rows: number, params: Float32Array): Promise<readonly Float32Array[]>;
  dispose(): Promise<void>;
}

/** The predictions of a network for any number of rows. */
export async function fullPredictor(engine: Engine, network: Network): Promise<FullPredictor> {
  const graph = predictGraph(network);
  const executable = await engine.compile(graph);
  const heads = network.space.heads.map((_, i) => `head${i}`);
  return {
    async predict(x, rows, params) {
      const width = x.length / Math.max(1, rows);
      let joined: readonly Float32Array[] = heads.map(() => new Float32Array(0));
      for (const { from, count } of partsOf(rows, rowsPerCall(graph, rows))) {
        const feeds = { x: x.slice(from * width, (from + count) * width), params };
        const results = await executable.run(feeds, { rows: count });
        const found = heads.map((head) => results[head] as Float32Array);
        if (from === 0) joined = found.map(({ length }) => new Float32Array((length / count) * rows));
        found.forEach((part, h) => joined[h]!.set(part, (part.length / count) * from));
      }
      return joined;
    },
    dispose: () => executable.dispose(),
  };
}
