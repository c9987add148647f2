/**
 * The ends of an emulator around a network: inputs and statistics in float64, which WebGPU leaves to the processor, and many
 * results. Stands in for what `emulator/` builds, which a calibration cannot see; the weights are anything.
 */
import { type Graph, graphBuilder, type GraphBuilder, type NodeId, sizeOf, withOperands } from "../../graph/index.ts";
import type { Rng } from "../../rng.ts";
import { withConstantWeights } from "./constant-weights.ts";

/** Draws networks with constant weights, of which one in four is given the ends of an emulator. */
export function someWithEnds(draw: (rng: Rng) => Graph): (rng: Rng) => Graph {
  return (rng) => {
    const network = withConstantWeights(draw(rng));
    const ends = rng.fork("ends");
    return ends.int(4) === 0 ? withEmulatorEnds(network, ends) : network;
  };
}

/** The network between scaling and statistics: each of its outputs becomes five fields' worth of 1, 2, 4 or 8 pieces. */
export function withEmulatorEnds(graph: Graph, rng: Rng): Graph {
  const b = graphBuilder();
  const wide: NodeId[] = [];
  const ids: NodeId[] = [];
  for (const node of graph.nodes) {
    if (node.op !== "Input" || node.type.dtype !== "float32") {
      ids.push(b.add(withOperands(node, (old) => ids[old]!)));
      continue;
    }
    const x = b.input(node.name, node.type.shape, "float64");
    const scaled = b.div(b.sub(x, b.scalar(0.5, x)), b.scalar(0.3, x));
    wide.push(scaled);
    ids.push(b.cast(scaled, "float32"));
  }
  const outputs: Record<string, NodeId> = {};
  for (const { name, node } of graph.outputs)
    for (const [statistic, value] of Object.entries(statisticsOf(b, ids[node]!, wide[0], rng)))
      for (const [i, piece] of cut(b, value, [1, 2, 4, 8][rng.int(4)]!).entries())
        outputs[`${name}_${statistic}_${i}`] = piece;
  return b.build(outputs);
}

/** Mean and spread over two members, the way back to the user's units, and an interval; of logarithms at random. */
function statisticsOf(b: GraphBuilder, y: NodeId, x: NodeId | undefined, rng: Rng): Readonly<Record<string, NodeId>> {
  const size = sizeOf(b.shapeOf(y).slice(1));
  const flat = b.reshape(y, ["N", size]);
  const members = b.cast(b.reshape(b.concat([flat, flat], 1), ["N", 2, size]), "float64");
  const row = (value: number): NodeId => b.constant(new Array<number>(size).fill(value), [1, size], "float64");
  const centre = b.scale(b.reduceSum(members, [1], true), 0.5);
  const spread = b.unary("Sqrt", b.reduceSum(b.square(b.sub(members, centre)), [1]));
  let mean = b.reshape(centre, ["N", size]);
  if (x !== undefined && rng.int(2) === 0) {
    const inputs = sizeOf(b.shapeOf(x).slice(1));
    const slope = b.constant(new Array<number>(inputs * size).fill(0.1), [inputs, size], "float64");
    mean = b.sum(mean, b.matMul(x, slope));
  }
  mean = b.sum(b.mul(mean, row(0.3)), row(1));
  const std = b.mul(b.unary("Sqrt", b.sum(b.square(spread), row(0.1))), row(0.3));
  const half = b.mul(std, row(1.6));
  const statistics = {
    mean,
    std,
    noise: b.sum(b.scale(mean, 0), row(0.1)),
    lower: b.sub(mean, half),
    upper: b.sum(mean, half),
  };
  if (rng.int(3) > 0) return statistics;
  return Object.fromEntries(Object.entries(statistics).map(([name, value]) => [name, b.unary("Exp", value)]));
}

/** Consecutive pieces of N x size, as equal as they can be. */
function cut(b: GraphBuilder, x: NodeId, most: number): NodeId[] {
  const size = sizeOf(b.shapeOf(x).slice(1));
  const pieces = Math.min(most, size);
  const at = (i: number): number => Math.round((i * size) / pieces);
  return Array.from({ length: pieces }, (_, i) => (pieces === 1 ? x : b.slice(x, 1, at(i), at(i + 1))));
}
