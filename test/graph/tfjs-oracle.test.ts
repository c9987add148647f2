import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import { type GraphBuilder, type NodeId, differentiate, graphBuilder, simplify } from "../../src/graph/index.ts";
import { makeRng } from "../../src/rng.ts";
import { interpret } from "../support/interpret.ts";

/** One formula written twice: as a graph, and in tfjs calls for its automatic differentiation to take. */
interface Formula {
  readonly shapes: readonly (readonly number[])[];
  graph(b: GraphBuilder, inputs: readonly NodeId[]): NodeId;
  tfjs(...inputs: tf.Tensor[]): tf.Scalar;
}

const formulas: Readonly<Record<string, Formula>> = {
  "MLP, tanh, mean square": {
    shapes: [[6, 3], [3, 5], [5], [5, 2], [2], [6, 2]],
    graph(b, ids) {
      const [x, w1, b1, w2, b2, target] = ids as Six<NodeId>;
      const hidden = b.unary("Tanh", b.sum(b.matMul(x, w1), b1));
      return b.mean(b.square(b.sub(b.sum(b.matMul(hidden, w2), b2), target)), [0, 1]);
    },
    tfjs(...tensors) {
      const [x, w1, b1, w2, b2, target] = tensors as unknown as Six<tf.Tensor2D>;
      const hidden = tf.tanh(tf.add(tf.matMul(x, w1), b1));
      return tf.losses.meanSquaredError(target, tf.add(tf.matMul(hidden, w2), b2));
    },
  },

  "MLP, relu and sigmoid, Huber loss": {
    shapes: [[6, 3], [3, 8], [8], [8, 4], [4], [6, 4]],
    graph(b, ids) {
      const [x, w1, b1, w2, b2, target] = ids as Six<NodeId>;
      const hidden = b.unary("Relu", b.sum(b.matMul(x, w1), b1));
      const error = b.unary("Abs", b.sub(b.unary("Sigmoid", b.sum(b.matMul(hidden, w2), b2)), target));
      const inside = b.binary("Min", error, b.scalar(1, error));
      return b.mean(b.sub(b.mul(inside, error), b.scale(b.square(inside), 0.5)), [0, 1]);
    },
    tfjs(...tensors) {
      const [x, w1, b1, w2, b2, target] = tensors as unknown as Six<tf.Tensor2D>;
      const hidden = tf.relu(tf.add(tf.matMul(x, w1), b1));
      return tf.losses.huberLoss(target, tf.sigmoid(tf.add(tf.matMul(hidden, w2), b2)));
    },
  },

  "1-D convolutions with bias, softplus": {
    shapes: [
      [2, 3, 9],
      [4, 3, 3],
      [4, 1],
      [2, 4, 5],
    ],
    graph(b, ids) {
      const [x, w1, b1, w2] = ids as Four<NodeId>;
      const hidden = b.unary("Softplus", b.sum(b.conv(x, w1, { pads: [1, 1] }), b1));
      return b.mean(b.square(b.conv(hidden, w2, { pads: [0, 0] })), [0, 1, 2]);
    },
    tfjs(...tensors) {
      const [x, w1, b1, w2] = tensors as unknown as Four<tf.Tensor3D>;
      const channelsLast = tf.transpose(x, [0, 2, 1]);
      const first = tf.conv1d(channelsLast, tf.transpose(w1, [2, 1, 0]), 1, "same");
      const hidden: tf.Tensor3D = tf.softplus(tf.add(first, tf.reshape(b1, [4])));
      return tf.mean(tf.square(tf.conv1d(hidden, tf.transpose(w2, [2, 1, 0]), 1, "valid")));
    },
  },

  "2-D convolutions in two groups, upsampled between": {
    shapes: [
      [2, 4, 3, 4],
      [4, 2, 3, 3],
      [3, 4, 2, 2],
      [2, 4, 1, 1],
    ],
    graph(b, ids) {
      const [x, w1, w2, scale] = ids as Four<NodeId>;
      const hidden = b.unary("Tanh", b.mul(b.conv(x, w1, { pads: [1, 1, 1, 1], group: 2 }), scale));
      const rows = b.reshape(b.concat([hidden, hidden], 3), [2, 4, 6, 4]);
      const both = b.reshape(rows, [2, 4, 6, 4, 1]);
      const doubled = b.reshape(b.concat([both, both], 4), [2, 4, 6, 8]);
      return b.mean(b.unary("Exp", b.conv(doubled, w2, { pads: [0, 0, 0, 0] })), [0, 1, 2, 3]);
    },
    tfjs(...tensors) {
      const [x, w1, w2, scale] = tensors as unknown as Four<tf.Tensor4D>;
      const last = (image: tf.Tensor4D): tf.Tensor4D => tf.transpose(image, [0, 2, 3, 1]);
      const filters = (kernel: tf.Tensor4D): tf.Tensor4D => tf.transpose(kernel, [2, 3, 1, 0]);
      const [inputs, kernels] = [tf.split<tf.Tensor4D>(last(x), 2, 3), tf.split<tf.Tensor4D>(w1, 2, 0)];
      const parts = inputs.map((input, i) => tf.conv2d(input, filters(kernels[i]!), 1, "same"));
      const hidden: tf.Tensor4D = tf.tanh(tf.mul(tf.concat(parts, 3), last(scale)));
      // Not tf.image.resizeNearestNeighbor: on the cpu backend its gradient is right for the first image of a batch alone.
      const nearest = tf.gather(tf.gather(hidden, [0, 0, 1, 1, 2, 2], 1), [0, 0, 1, 1, 2, 2, 3, 3], 2);
      return tf.mean(tf.exp(tf.conv2d(nearest, filters(w2), 1, "valid")));
    },
  },

  "negative log likelihood of a mixture of Gaussians": {
    shapes: [
      [5, 3],
      [3, 4],
      [3, 4],
      [5, 1],
    ],
    graph(b, ids) {
      const [x, toLogits, toMeans, y] = ids as Four<NodeId>;
      const logits = b.matMul(x, toLogits);
      const exps = b.unary("Exp", b.sub(logits, b.reduceMax(logits, [1], true)));
      const weights = b.div(exps, b.reduceSum(exps, [1], true));
      const means = b.matMul(x, toMeans);
      const densities = b.unary("Exp", b.scale(b.square(b.sub(y, means)), -0.5));
      return b.unary("Neg", b.mean(b.unary("Log", b.reduceSum(b.mul(weights, densities), [1])), [0]));
    },
    tfjs(...tensors) {
      const [x, toLogits, toMeans, y] = tensors as unknown as Four<tf.Tensor2D>;
      const logWeights = tf.logSoftmax(tf.matMul(x, toLogits));
      const squares = tf.square(tf.sub(y, tf.matMul(x, toMeans)));
      return tf.neg(tf.mean(tf.logSumExp(tf.sub(logWeights, tf.mul(squares, 0.5)), 1)));
    },
  },

  "clipping, choosing and powers, with broadcasts": {
    shapes: [[4, 3], [3], [4, 1]],
    graph(b, [x, y, z]) {
      const clipped = b.binary("Max", b.binary("Min", x!, b.scalar(0.8, x!)), b.scalar(-0.8, x!));
      const chosen = b.where(b.compare("Less", x!, y!), b.mul(clipped, z!), b.unary("Sin", b.mul(y!, z!)));
      const powers = b.binary("Pow", b.shift(b.unary("Abs", z!), 1), y!);
      const sums = b.reduceSum(b.sum(chosen, powers), [0]);
      return b.reduceSum(b.unary("Sqrt", b.shift(b.square(sums), 1)), [0]);
    },
    tfjs(...tensors) {
      const [x, y, z] = tensors as [tf.Tensor2D, tf.Tensor1D, tf.Tensor2D];
      // tfjs differentiates no comparison, not even as a condition: it is made outside of the tape.
      const isLess = tf.tensor(
        x.dataSync().map((value, i) => Number(value < y.dataSync()[i % 3]!)),
        [4, 3],
        "bool",
      );
      const chosen = tf.where(isLess, tf.mul(tf.clipByValue(x, -0.8, 0.8), z), tf.sin(tf.mul(y, z)));
      const powers = tf.pow(tf.add(tf.abs(z), 1), y);
      const sums = tf.sum(tf.add(chosen, powers), 0);
      return tf.sum(tf.sqrt(tf.add(tf.square(sums), 1)));
    },
  },
};

type Four<T> = readonly [T, T, T, T];
type Six<T> = readonly [T, T, T, T, T, T];

describe("differentiate agrees with the automatic differentiation of TensorFlow.js", () => {
  beforeAll(async () => {
    await tf.setBackend("cpu");
  });

  test.each(Object.entries(formulas))("%s", (_, { shapes, graph, tfjs }) => {
    const rng = makeRng(7);
    const values = shapes.map((shape) =>
      Float64Array.from({ length: shape.reduce((a, c) => a * c, 1) }, () => Math.fround(0.8 * rng.normal())),
    );
    const b = graphBuilder();
    const ids = shapes.map((shape, i) => b.input(`x${i}`, shape, "float64"));
    const loss = graph(b, ids);
    const gradients = differentiate(b, loss, ids);
    const built = simplify(b.build({ loss, ...Object.fromEntries(gradients.map((g, i) => [`d${i}`, g])) }));
    const found = interpret(built, Object.fromEntries(values.map((data, i) => [`x${i}`, data])));

    const tensors = values.map((data, i) => tf.tensor(Float32Array.from(data), [...shapes[i]!]));
    expectClose(found["loss"]!, tfjs(...tensors).dataSync());
    const judged = tf.grads(tfjs)(tensors);
    judged.forEach((gradient, i) => {
      expect(gradient.shape).toEqual(shapes[i]);
      expectClose(found[`d${i}`]!, gradient.dataSync());
    });
  });

  /** tfjs rounds every intermediate value to float32. */
  function expectClose(found: Float64Array, judged: ArrayLike<number>): void {
    const largest = Math.max(...Array.from(judged, Math.abs));
    expect(largest).toBeGreaterThan(0.01);
    expect(found).toHaveLength(judged.length);
    found.forEach((value, i) => {
      expect(Math.abs(value - judged[i]!)).toBeLessThan(2e-6 * (1 + largest));
    });
  }
});
