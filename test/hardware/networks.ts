/** Small networks for tests. */
import { type Graph, type GraphBuilder, graphBuilder, type NodeId } from "../../src/graph/index.ts";
import { makeRng, type Rng } from "../../src/rng.ts";

export function randomWeights(b: GraphBuilder, rng: Rng, shape: readonly number[]): NodeId {
  const size = shape.reduce((a, c) => a * c, 1);
  return b.constant(
    Float32Array.from({ length: size }, () => rng.normal()),
    shape,
  );
}

/** Dense layers with tanh between them. */
export function mlp(sizes: readonly number[]): Graph {
  const b = graphBuilder();
  const rng = makeRng(1);
  let y = b.input("x", ["N", sizes[0]!]);
  for (let i = 1; i < sizes.length; i++) {
    y = b.sum(b.matMul(y, randomWeights(b, rng, [sizes[i - 1]!, sizes[i]!])), randomWeights(b, rng, [1, sizes[i]!]));
    if (i < sizes.length - 1) y = b.unary("Tanh", y);
  }
  return b.build({ y });
}

/** A signal of `channels` x `length` through `layers` convolutions of `size` taps, with skips. */
export function signalNetwork(channels: number, length: number, layers: number, size = 3): Graph {
  const b = graphBuilder();
  const rng = makeRng(2);
  let y = b.reshape(b.matMul(b.input("x", ["N", 4]), randomWeights(b, rng, [4, channels * length])), [
    "N",
    channels,
    length,
  ]);
  for (let i = 0; i < layers; i++) {
    const w = randomWeights(b, rng, [channels, channels, size]);
    const made = b.conv(b.unary("Relu", y), w, { pads: [(size - 1) / 2, (size - 1) / 2] });
    y = b.sum(y, b.sum(made, randomWeights(b, rng, [channels, 1])));
  }
  return b.build({ y });
}

/** An image through convolutions. */
export function imageNetwork(channels: number, side: number): Graph {
  const b = graphBuilder();
  const rng = makeRng(3);
  let y = b.reshape(b.matMul(b.input("x", ["N", 4]), randomWeights(b, rng, [4, channels * side * side])), [
    "N",
    channels,
    side,
    side,
  ]);
  for (const size of [3, 5])
    y = b.unary(
      "Relu",
      b.conv(y, randomWeights(b, rng, [channels, channels, size, size]), {
        pads: new Array<number>(4).fill((size - 1) / 2),
      }),
    );
  return b.build({ y });
}
