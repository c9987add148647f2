/** Small graphs for the laws that every engine keeps: one per operation, and a few whole networks. */
import type { Engine, Tensors } from "../../src/engine/index.ts";
import {
  type Buffer,
  type Graph,
  type GraphBuilder,
  type NodeId,
  type Op,
  differentiate,
  graphBuilder,
  sizeOf,
} from "../../src/graph/index.ts";
import { makeRng } from "../../src/rng.ts";

/** What a graph's inputs are filled with. */
type Fill = "signed" | "positive";

interface OpSample {
  /** Shapes of the float32 inputs. */
  readonly inputs: readonly (readonly number[])[];
  readonly fill?: Fill;
  readonly build: (b: GraphBuilder, inputs: readonly NodeId[]) => NodeId;
}

const unary = (op: Op, fill: Fill = "signed"): OpSample => ({
  inputs: [[3, 5]],
  fill,
  build: (b, [x]) => b.add({ op, x } as Parameters<GraphBuilder["add"]>[0]),
});
const binary = (op: Op, fill: Fill = "signed"): OpSample => ({
  inputs: [
    [2, 3, 5],
    [3, 1],
  ],
  fill,
  build: (b, [x, y]) => b.add({ op, a: x, b: y } as Parameters<GraphBuilder["add"]>[0]),
});
/** A comparison turned into numbers that depend on its inputs. */
const compare = (op: "Less" | "Greater" | "Equal"): OpSample => ({
  inputs: [
    [4, 5],
    [1, 5],
  ],
  build: (b, [x, y]) => b.where(b.compare(op, x!, y!), b.mul(x!, y!), x!),
});

/** One sample per operation: forget one and it does not compile. */
export const opSamples: Readonly<Record<Op, OpSample>> = {
  Input: { inputs: [[2, 3]], build: (b, [x]) => b.scale(x!, 1.5) },
  Constant: { inputs: [[2, 3]], build: (b, [x]) => b.sum(x!, b.constant([1, 2, 3, 4, 5, 6], [2, 3])) },
  Neg: unary("Neg"),
  Abs: unary("Abs"),
  Exp: unary("Exp"),
  Log: unary("Log", "positive"),
  Sqrt: unary("Sqrt", "positive"),
  Reciprocal: unary("Reciprocal", "positive"),
  Tanh: unary("Tanh"),
  Sigmoid: unary("Sigmoid"),
  Relu: unary("Relu"),
  Softplus: unary("Softplus"),
  Sin: unary("Sin"),
  Cos: unary("Cos"),
  Erf: unary("Erf"),
  Floor: { inputs: [[3, 5]], build: (b, [x]) => b.mul(x!, b.unary("Floor", b.scale(x!, 3))) },
  Add: binary("Add"),
  Sub: binary("Sub"),
  Mul: binary("Mul"),
  Div: binary("Div", "positive"),
  Pow: binary("Pow", "positive"),
  Min: binary("Min"),
  Max: binary("Max"),
  Less: compare("Less"),
  Greater: compare("Greater"),
  Equal: {
    inputs: [[4, 5]],
    build: (b, [x]) => b.where(b.compare("Equal", x!, b.unary("Relu", x!)), b.scale(x!, 2), b.scale(x!, 3)),
  },
  And: {
    inputs: [[4, 5]],
    build(b, [x]) {
      const limit = (value: number): NodeId => b.constant([value], []);
      const inside = b.add({
        op: "And",
        a: b.compare("Greater", x!, limit(-0.5)),
        b: b.compare("Less", x!, limit(0.5)),
      });
      return b.where(inside, x!, b.square(x!));
    },
  },
  Where: {
    inputs: [[2, 4], [4], [2, 1]],
    build: (b, [x, y, z]) => b.where(b.compare("Greater", x!, b.scalar(0, x!)), y!, z!),
  },
  Cast: {
    inputs: [[3, 4]],
    build(b, [x]) {
      const whole = b.cast(b.cast(b.scale(x!, 5), "int64"), "float32");
      const flags = b.cast(b.cast(b.unary("Relu", x!), "bool"), "float32");
      const wide = b.cast(b.square(b.cast(x!, "float64")), "float32");
      return b.mul(b.sum(b.mul(whole, flags), wide), x!);
    },
  },
  MatMul: {
    inputs: [
      [2, 1, 3, 4],
      [5, 4, 2],
      [2, 3],
    ],
    build: (b, [x, y, z]) => b.matMul(b.matMul(x!, y!), z!),
  },
  Conv: {
    inputs: [
      [2, 4, 9],
      [6, 2, 3],
    ],
    build: (b, [x, w]) => b.conv(x!, w!, { pads: [1, 3], dilations: [2], group: 2 }),
  },
  Transpose: { inputs: [[2, 3, 4]], build: (b, [x]) => b.square(b.transpose(x!, [2, 0, 1])) },
  Reshape: { inputs: [[2, 3, 4]], build: (b, [x]) => b.square(b.reshape(x!, [4, 6])) },
  Expand: { inputs: [[2, 1, 4]], build: (b, [x]) => b.square(b.expand(x!, [3, 2, 5, 4])) },
  Concat: {
    inputs: [
      [2, 3],
      [2, 1],
      [2, 4],
    ],
    build: (b, parts) => b.square(b.concat(parts, 1)),
  },
  Slice: {
    inputs: [[3, 8]],
    build: (b, [x]) => b.mul(b.slice(x!, 1, 2, 6), b.slice(b.flip(x!, 1), 1, 1, 5)),
  },
  Pad: { inputs: [[2, 3, 4]], build: (b, [x]) => b.unary("Cos", b.pad(x!, [0, 1, 2, 0, 0, 1])) },
  ReduceSum: {
    inputs: [[2, 3, 4]],
    build: (b, [x]) => b.mul(b.reduceSum(x!, [0, 2], true), b.square(b.reduceSum(x!, [0]))),
  },
  ReduceMax: {
    inputs: [[3, 2, 4]],
    build: (b, [x]) => b.mul(b.reduceMax(x!, [1], true), b.square(b.reduceMax(x!, [2], true))),
  },
};

/** Value and derivatives by every input of an operation's sample. */
export function opGraph(op: Op): Graph {
  const { inputs, build } = opSamples[op];
  const b = graphBuilder();
  const ids = inputs.map((shape, i) => b.input(`x${i}`, shape));
  const value = build(b, ids);
  return withGradients(b, value, ids);
}

/** Outputs `value` and `gradient0`, ...: derivatives of a weighted sum of its elements. */
function withGradients(b: GraphBuilder, value: NodeId, by: readonly NodeId[]): Graph {
  const shape = b.shapeOf(value);
  const weights = b.constant(randomBuffer(shape as number[], "signed", 99), shape as number[]);
  const loss = b.reduceSum(
    b.mul(value, weights),
    shape.map((_, i) => i),
  );
  const gradients = differentiate(b, loss, by).map((g, i) => [`gradient${i}`, g] as const);
  return b.build({ value, loss, ...Object.fromEntries(gradients) });
}

/** Convolutions of one or two axes, padded, dilated and in groups, with a dense end. */
export function convGraph(axes: 1 | 2): Graph {
  const b = graphBuilder();
  const size = axes === 1 ? [11] : [6, 7];
  const kernel = size.map(() => 3);
  const both = (p: number): number[] => size.flatMap(() => [p, p]);
  const x = b.input("x", [3, 4, ...size]);
  const w1 = b.input("w1", [8, 4, ...kernel]);
  const w2 = b.input("w2", [8, 2, ...kernel]);
  const w3 = b.input("w3", [8, 1, ...kernel]);
  const w4 = b.input("w4", [8 * sizeOf(size), 2]);
  const wide = b.unary("Tanh", b.conv(x, w1, { pads: both(1) }));
  const grouped = b.unary("Softplus", b.conv(wide, w2, { pads: both(1), group: 4 }));
  const dilations = size.map(() => 2);
  const dilated = b.sum(grouped, b.conv(grouped, w3, { pads: both(2), dilations, group: 8 }));
  const value = b.matMul(b.reshape(dilated, [3, 8 * sizeOf(size)]), w4);
  return withGradients(b, value, [x, w1, w2, w3, w4]);
}

const BATCH = 16;

/** A training step of an MLP 3-16-16-1 with Adam over one flat vector of parameters. `p`, `m` and `v` are carried. */
export function trainingGraph(): Graph {
  const b = graphBuilder();
  const x = b.input("x", [BATCH, 3]);
  const y = b.input("y", [BATCH, 1]);
  const rate = b.input("rate", []);
  const shapes = [[3, 16], [16], [16, 16], [16], [16, 1], [1]];
  const size = shapes.reduce((sum, shape) => sum + sizeOf(shape), 0);
  const [p, m, v] = ["p", "m", "v"].map((name) => b.input(name, [size])) as [NodeId, NodeId, NodeId];
  let start = 0;
  const parts = shapes.map((shape) => {
    const part = b.slice(p, 0, start, start + sizeOf(shape));
    start += sizeOf(shape);
    return b.reshape(part, shape);
  });
  let h = x;
  for (let i = 0; i < parts.length; i += 2) {
    h = b.sum(b.matMul(h, parts[i]!), parts[i + 1]!);
    if (i < 4) h = b.unary("Tanh", h);
  }
  const loss = b.mean(b.square(b.sub(h, y)), [0, 1]);
  const gradients = differentiate(b, loss, parts).map((g) => b.reshape(g, [sizeOf(b.shapeOf(g))]));
  const g = b.concat(gradients, 0);
  const mNext = b.sum(b.scale(m, 0.9), b.scale(g, 0.1));
  const vNext = b.sum(b.scale(v, 0.999), b.scale(b.square(g), 0.001));
  const step = b.div(b.mul(mNext, rate), b.shift(b.unary("Sqrt", vNext), 1e-4));
  return b.build({ p: b.sub(p, step), m: mNext, v: vNext, loss, gradient: g });
}

/** Feeds of {@link trainingGraph}: random parameters, fresh moments, a smooth target. */
export function trainingFeeds(): Record<string, Float32Array> {
  const feeds = feedsFor(trainingGraph()) as Record<string, Float32Array>;
  feeds["y"] = Float32Array.from({ length: BATCH }, (_, i) => Math.sin(3 * feeds["x"]![3 * i]!));
  feeds["m"]!.fill(0);
  feeds["v"]!.fill(0);
  feeds["rate"]!.fill(0.01);
  return feeds;
}

/** What is carried from step to step of {@link trainingGraph}. */
export const carry = { p: "p", m: "m", v: "v" };

/** Compiles the training step, makes some steps, and gives a copy of the last results. */
export async function trainSample(engine: Engine, steps: number): Promise<Tensors> {
  const executable = await engine.compile(trainingGraph());
  const results = copyOf(await executable.loop({ feeds: trainingFeeds(), carry, steps }));
  await executable.dispose();
  return results;
}

/** A copy that outlives the next run. */
export function copyOf(results: Tensors): Tensors {
  return Object.fromEntries(Object.entries(results).map(([name, buffer]) => [name, buffer.slice()]));
}

/** Rows that are only known when it runs: scaling in float64, a layer in float32, two outputs. */
export function rowsGraph(): Graph {
  const b = graphBuilder();
  const x = b.input("x", ["N", 3], "float64");
  const scaled = b.cast(
    b.div(b.sub(x, b.constant([1, 2, 3], [3], "float64")), b.constant([2], [], "float64")),
    "float32",
  );
  const h = b.unary("Sigmoid", b.matMul(scaled, b.constant([1, -2, 3, 0.5, 1, -1], [3, 2])));
  const column = b.reshape(h, ["N", 1, 2]);
  return b.build({ column, total: b.reduceSum(column, [1, 2]) });
}

function randomBuffer(shape: readonly number[], fill: Fill, seed: number): Float32Array {
  const rng = makeRng(seed);
  return new Float32Array(sizeOf(shape)).map(() => (fill === "positive" ? 0.5 + rng.uniform() : 2 * rng.uniform() - 1));
}

/** Reproducible values for every input of a graph. Default: signed values, one row, seed 1. */
export function feedsFor(
  graph: Graph,
  {
    fill = "signed",
    rows = 1,
    seed = 1,
  }: { readonly fill?: Fill; readonly rows?: number; readonly seed?: number } = {},
): Record<string, Buffer> {
  const inputs = graph.nodes.flatMap((node) => (node.op === "Input" ? [node] : []));
  return Object.fromEntries(
    inputs.map(({ name, type }, i) => {
      const shape = type.shape.map((dim) => (dim === "N" ? rows : dim));
      const values = randomBuffer(shape, fill, seed + i);
      return [name, type.dtype === "float64" ? Float64Array.from(values) : values];
    }),
  );
}

/** A value cut into many pieces that follow one another, each a result's worth of work. */
export function cutGraph(pieces = 40): Graph {
  const b = graphBuilder();
  const x = b.input("x", [3, pieces]);
  const cut = Array.from({ length: pieces }, (_, i) => b.scale(b.slice(x, 1, i, i + 1), i + 1));
  return b.build({ y: b.concat(cut.toReversed(), 1) });
}
