/** Small networks and formulas as cases, for gradients of whole graphs. Smooth, or far from their kinks. */
import type { GraphBuilder, NodeId } from "../../src/graph/index.ts";
import type { Rng } from "../../src/rng.ts";
import type { CaseInput, OpCase } from "../support/op-cases.ts";

function normal(rng: Rng, ...shape: number[]): CaseInput {
  const size = shape.reduce((a, c) => a * c, 1);
  return { shape, values: Float64Array.from({ length: size }, () => 0.7 * rng.normal()) };
}

const all = (b: GraphBuilder, x: NodeId): number[] => b.shapeOf(x).map((_, i) => i);
const sumAll = (b: GraphBuilder, x: NodeId): NodeId => b.reduceSum(x, all(b, x));

export const composites: Readonly<Record<string, (rng: Rng) => OpCase>> = {
  "an MLP with mean square loss": (rng) => ({
    inputs: [
      normal(rng, 5, 3),
      normal(rng, 3, 4),
      normal(rng, 4),
      normal(rng, 4, 2),
      normal(rng, 1, 2),
      normal(rng, 5, 2),
    ],
    build(b, ids) {
      const [x, w1, b1, w2, b2, target] = ids as [NodeId, NodeId, NodeId, NodeId, NodeId, NodeId];
      const hidden = b.unary("Tanh", b.sum(b.matMul(x, w1), b1));
      const y = b.sum(b.matMul(hidden, w2), b2);
      return b.mean(b.square(b.sub(y, target)), [0, 1]);
    },
  }),

  "weights cut from one flat vector, some of them twice": (rng) => ({
    inputs: [normal(rng, 5, 3), normal(rng, 30)],
    build(b, ids) {
      const [x, flat] = ids as [NodeId, NodeId];
      const w1 = b.reshape(b.slice(flat, 0, 0, 12), [3, 4]);
      const b1 = b.slice(flat, 0, 12, 16);
      const again = b.slice(flat, 0, 12, 16);
      const w2 = b.reshape(b.slice(flat, 0, 18, 26), [4, 2]);
      const overlap = b.slice(flat, 0, 10, 20);
      const hidden = b.unary("Tanh", b.sum(b.matMul(x, w1), b1));
      return b.sum(sumAll(b, b.matMul(b.mul(hidden, again), w2)), sumAll(b, b.square(overlap)));
    },
  }),

  "a batch of MLPs over shared inputs": (rng) => ({
    inputs: [normal(rng, 4, 3), normal(rng, 2, 3, 5), normal(rng, 2, 1, 5), normal(rng, 5, 2)],
    build(b, ids) {
      const [x, w1, b1, shared] = ids as [NodeId, NodeId, NodeId, NodeId];
      return b.matMul(b.unary("Sigmoid", b.sum(b.matMul(x, w1), b1)), shared);
    },
  }),

  "a 1-D convolution network, grouped and dilated": (rng) => ({
    inputs: [normal(rng, 2, 2, 7), normal(rng, 4, 1, 3), normal(rng, 4, 1), normal(rng, 3, 4, 2)],
    build(b, ids) {
      const [x, w1, b1, w2] = ids as [NodeId, NodeId, NodeId, NodeId];
      const first = b.conv(x, w1, { pads: [2, 2], dilations: [2], group: 2 });
      const hidden = b.unary("Softplus", b.sum(first, b1));
      return b.conv(hidden, w2, { pads: [0, 1] });
    },
  }),

  "a 2-D convolution network, grouped and dilated, upsampled": (rng) => ({
    inputs: [normal(rng, 2, 4, 3, 2), normal(rng, 4, 2, 2, 3), normal(rng, 1, 4, 3, 3)],
    build(b, ids) {
      const [x, w1, w2] = ids as [NodeId, NodeId, NodeId];
      const hidden = b.unary("Tanh", b.conv(x, w1, { pads: [1, 2, 0, 2], dilations: [1, 2], group: 2 }));
      const [batch, channels, rows, columns] = b.shapeOf(hidden) as [number, number, number, number];
      const wide = b.reshape(b.concat([hidden, hidden], 3), [batch, channels, 2 * rows, columns]);
      return b.conv(wide, w2, { pads: [0, 0, 0, 0].map(() => 1) });
    },
  }),

  "convolutions with more channels on one side, and on both": (rng) => ({
    inputs: [normal(rng, 2, 2, 6), normal(rng, 16, 2, 3), normal(rng, 32, 16, 2), normal(rng, 1, 16, 3)],
    build(b, ids) {
      const [x, widen, both, narrow] = ids as [NodeId, NodeId, NodeId, NodeId];
      const wide = b.unary("Tanh", b.conv(x, widen, { pads: [1, 1] }));
      const inner = b.unary("Tanh", b.conv(wide, both, { pads: [0, 1] }));
      const again = b.conv(inner, both, { pads: [2, 0], dilations: [2], group: 2 });
      return b.sum(b.conv(b.slice(again, 1, 16, 32), narrow, { pads: [1, 1] }), b.reduceSum(inner, [1], true));
    },
  }),

  "a kernel that reaches beyond the signal": (rng) => ({
    inputs: [normal(rng, 1, 2, 3), normal(rng, 2, 2, 5), normal(rng, 1, 1, 2, 3), normal(rng, 1, 1, 3, 3)],
    build(b, ids) {
      const [signal, w, image, w2] = ids as [NodeId, NodeId, NodeId, NodeId];
      const long = b.conv(signal, w, { pads: [4, 4], dilations: [2] });
      const square = b.conv(image, w2, { pads: [2, 3, 2, 3], dilations: [2, 3] });
      return b.sum(sumAll(b, b.unary("Sin", long)), b.unary("Sin", square));
    },
  }),

  "a convolution between matrix products": (rng) => ({
    inputs: [normal(rng, 3, 4), normal(rng, 4, 10), normal(rng, 2, 2, 3), normal(rng, 5, 1)],
    build(b, ids) {
      const [x, w1, w2, w3] = ids as [NodeId, NodeId, NodeId, NodeId];
      const seed = b.reshape(b.matMul(x, w1), [3, 2, 5]);
      const hidden = b.unary("Sin", b.conv(seed, w2, { pads: [1, 1] }));
      return b.matMul(hidden, w3);
    },
  }),

  "the log likelihood of a softmax mixture": (rng) => ({
    inputs: [normal(rng, 4, 3), normal(rng, 3, 2), normal(rng, 2), normal(rng, 4, 1)],
    build(b, ids) {
      const [x, w, spread, y] = ids as [NodeId, NodeId, NodeId, NodeId];
      const logits = b.matMul(x, w);
      const shifted = b.sub(logits, b.reduceMax(logits, [1], true));
      const exps = b.unary("Exp", shifted);
      const weights = b.div(exps, b.reduceSum(exps, [1], true));
      const scale = b.unary("Softplus", spread);
      const z = b.div(b.sub(y, logits), scale);
      const density = b.div(b.unary("Exp", b.scale(b.square(z), -0.5)), scale);
      return b.mean(b.unary("Log", b.reduceSum(b.mul(weights, density), [1])), [0]);
    },
  }),

  "cotangents of one number through every move": (rng) => ({
    inputs: [normal(rng, 2, 3), normal(rng, 3, 2), normal(rng, 1, 2, 4), normal(rng, 2, 2, 2)],
    build(b, ids) {
      const [x, y, signal, kernel] = ids as [NodeId, NodeId, NodeId, NodeId];
      const squares = [
        b.transpose(b.square(x), [1, 0]),
        b.reshape(b.square(x), [6]),
        b.expand(b.reshape(b.square(x), [2, 3, 1]), [2, 3, 4]),
        b.concat([b.square(x), b.square(b.transpose(y, [1, 0]))], 0),
        b.slice(b.square(x), 1, 1, 3),
        b.flip(b.square(x), 1),
        b.pad(b.square(x), [1, 0, 0, 2]),
        b.reduceSum(b.square(x), [1]),
        b.reduceSum(b.square(x), [0], true),
        b.matMul(b.square(x), b.square(y)),
        b.conv(b.square(signal), b.square(kernel), { pads: [1, 0] }),
        b.cast(b.square(x), "float32"),
      ];
      const sums = squares.map((square) => b.cast(sumAll(b, square), "float64"));
      return sums.reduce((sum, next) => b.sum(sum, next));
    },
  }),

  "a choice by Where, ReduceMax and Cast": (rng) => ({
    inputs: [
      {
        shape: [3, 4],
        values: Float64Array.from(rng.shuffle([...Array(12).keys()]), (i) => 0.35 * (i - 5.3)),
      },
      normal(rng, 4),
    ],
    build(b, ids) {
      const [x, y] = ids as [NodeId, NodeId];
      const isLarge = b.compare("Greater", x, b.scalar(0.03, x));
      const chosen = b.where(isLarge, b.mul(x, y), b.square(y));
      const counted = b.cast(isLarge, "float64");
      return b.sum(b.mul(chosen, counted), b.reduceMax(b.mul(x, b.unary("Exp", x)), [1], true));
    },
  }),

  "SiLU, on either side of the product": (rng) => ({
    inputs: [normal(rng, 3, 4), normal(rng, 4)],
    build(b, ids) {
      const [x, bias] = ids as [NodeId, NodeId];
      const z = b.sum(x, bias);
      const once = b.mul(z, b.unary("Sigmoid", z));
      return b.mul(b.unary("Sigmoid", once), once);
    },
  }),

  "a value used again and again": (rng) => ({
    inputs: [normal(rng, 2, 3), normal(rng, 1)],
    build(b, ids) {
      const [x, y] = ids as [NodeId, NodeId];
      let z = x;
      for (let i = 0; i < 3; i++) z = b.sum(b.mul(z, y), b.mul(z, b.unary("Sin", z)));
      return b.div(z, b.shift(b.square(z), 1));
    },
  }),
};
