/**
 * Emulators of networks: members between ends in float64, which WebGPU leaves to the processor, with many results, and at
 * random Gaussian processes beside them. Stands in for what `emulator/` builds, which a calibration cannot see; the weights are anything.
 */
import {
  type Graph,
  graphBuilder,
  type GraphBuilder,
  type NodeId,
  type Shape,
  sizeOf,
  withOperands,
} from "../../graph/index.ts";
import { logUniform, type Rng } from "../../rng.ts";
import { networkMacs, networkOf } from "../network.ts";
import { withConstantWeights } from "./constant-weights.ts";

/** Multiply-accumulates of the networks of an emulator that are drawn, of a sample. */
const MOST_MACS = 1e6;

/** Draws networks with constant weights, of which one in three becomes an emulator of up to eight like it. */
export function someWithEnds(draw: (rng: Rng) => Graph): (rng: Rng) => Graph {
  return (rng) => {
    const network = withConstantWeights(draw(rng));
    const ends = rng.fork("ends");
    if (ends.int(3) !== 0) return network;
    const macs = networkMacs(networkOf(network));
    const members = [1, 2, 4, 8].filter((count) => count === 1 || count * macs <= MOST_MACS);
    return withEmulatorEnds(network, ends, members[ends.int(members.length)]);
  };
}

/** Members like the network between scaling and statistics: each of its outputs becomes five fields' worth of 1, 2, 4 or 8
 * pieces. No two members are equal, or the engine would run one. */
export function withEmulatorEnds(graph: Graph, rng: Rng, members = 2): Graph {
  const b = graphBuilder();
  const wide: NodeId[] = [];
  const inputs = new Map<string, NodeId>();
  const inputOf = (name: string, shape: Shape): NodeId => {
    const x = b.input(name, shape, "float64");
    const scaled = b.div(b.sub(x, b.scalar(0.5, x)), b.scalar(0.3, x));
    wide.push(scaled);
    return b.cast(scaled, "float32");
  };
  const member = (number: number): NodeId[] => {
    const ids: NodeId[] = [];
    for (const node of graph.nodes) {
      if (node.op === "Input") {
        const { name, type } = node;
        if (!inputs.has(name)) inputs.set(name, type.dtype === "float32" ? inputOf(name, type.shape) : b.add(node));
        ids.push(inputs.get(name)!);
      } else if (node.op === "Constant" && node.dtype === "float32")
        ids.push(b.add({ ...node, data: (node.data as Float32Array).map((value) => value * (1 + number / 64)) }));
      else ids.push(b.add(withOperands(node, (old) => ids[old]!)));
    }
    return ids;
  };
  const copies = Array.from({ length: members }, (_, number) => member(number));
  const outputs: Record<string, NodeId> = {};
  for (const { name, node } of graph.outputs) {
    const values = copies.map((ids) => ids[node]!);
    for (const [statistic, value] of Object.entries(statisticsOf(b, values, wide[0], rng)))
      for (const [i, piece] of cut(b, value, [1, 2, 4, 8][rng.int(4)]!).entries())
        outputs[`${name}_${statistic}_${i}`] = piece;
  }
  return b.build(outputs);
}

/** Mean and spread over the members, the way back to the user's units, and an interval; of logarithms at random. */
function statisticsOf(
  b: GraphBuilder,
  copies: readonly NodeId[],
  x: NodeId | undefined,
  rng: Rng,
): Readonly<Record<string, NodeId>> {
  const size = sizeOf(b.shapeOf(copies[0]!).slice(1));
  const flat = copies.map((y) => b.reshape(y, ["N", 1, size]));
  const members = b.cast(flat.length === 1 ? flat[0]! : b.concat(flat, 1), "float64");
  const row = (value: number): NodeId => b.constant(new Array<number>(size).fill(value), [1, size], "float64");
  const centre = b.scale(b.reduceSum(members, [1], true), 1 / copies.length);
  let spread = b.unary("Sqrt", b.reduceSum(b.square(b.sub(members, centre)), [1]));
  let mean = b.reshape(centre, ["N", size]);
  if (x !== undefined && rng.int(2) === 0)
    mean = b.sum(mean, b.matMul(x, table(b, sizeOf(b.shapeOf(x).slice(1)), size)));
  if (x !== undefined && rng.int(3) === 0) {
    const process = processOf(b, x, rng);
    mean = b.sum(mean, process.mean);
    spread = b.sum(spread, process.variance);
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

/** A Gaussian process of up to 700 runs: their correlations, a product over inputs, and what mean and variance take of them. */
function processOf(b: GraphBuilder, x: NodeId, rng: Rng): { readonly mean: NodeId; readonly variance: NodeId } {
  const runs = logUniform(rng, 30, 700);
  const places = b.constant(
    Array.from({ length: runs }, () => rng.normal()),
    [1, runs],
    "float64",
  );
  const isSmooth = rng.int(2) === 0;
  const factors = Array.from({ length: sizeOf(b.shapeOf(x).slice(1)) }, (_, l) => {
    const far = b.unary("Abs", b.sub(b.scale(b.slice(x, 1, l, l + 1), 1 + l), places));
    const decay = b.unary("Exp", b.scale(far, -1));
    return isSmooth ? b.mul(b.shift(b.mul(far, b.shift(b.scale(far, 0.3), 1)), 1), decay) : decay;
  });
  const correlations = factors.reduce((product, factor) => b.mul(product, factor));
  const solved = b.matMul(correlations, table(b, runs, runs));
  return {
    mean: b.matMul(correlations, table(b, runs, 1)),
    variance: b.reduceSum(b.square(solved), [1], true),
  };
}

/** A matrix in float64. */
function table(b: GraphBuilder, rows: number, columns: number): NodeId {
  return b.constant(new Float64Array(rows * columns).fill(0.1 / rows), [rows, columns], "float64");
}

/** Consecutive pieces of N x size, as equal as they can be. */
function cut(b: GraphBuilder, x: NodeId, most: number): NodeId[] {
  const size = sizeOf(b.shapeOf(x).slice(1));
  const pieces = Math.min(most, size);
  const at = (i: number): number => Math.round((i * size) / pieces);
  return Array.from({ length: pieces }, (_, i) => (pieces === 1 ? x : b.slice(x, 1, at(i), at(i + 1))));
}
