/** Small super-architectures of every kind of output, and ways to run their networks in tests. */
import { graphBuilder } from "../../src/graph/index.ts";
import type { Rng } from "../../src/rng.ts";
import {
  type Architecture,
  carryWeights,
  compact,
  type Components,
  encode,
  type HeadRequest,
  type Network,
  randomArchitecture,
  superArchitecture,
  type SuperArchitecture,
  supernet,
  whole,
} from "../../src/space/index.ts";
import { interpret } from "../support/interpret.ts";

const scalars: HeadRequest = { kind: "vector", name: "scalars", size: 3 };
const signal: HeadRequest = { kind: "decoder", name: "signal", channels: 1, spatial: [21] };
const channels: HeadRequest = { kind: "decoder", name: "channels", channels: 2, spatial: [18] };
const image: HeadRequest = { kind: "decoder", name: "image", channels: 2, spatial: [3, 17] };

/** Four directions of a signal, orthonormal: cosines. */
export const components: Components = {
  count: 4,
  basis: Float32Array.from({ length: 4 * 21 }, (_, i) => {
    const [k, j] = [Math.floor(i / 21), i % 21];
    return Math.sqrt((k === 0 ? 1 : 2) / 21) * Math.cos((Math.PI * k * (j + 0.5)) / 21);
  }),
  scales: Float32Array.of(4, 2, 1, 0.5),
};

const sizes = { inputs: 2, widths: [4, 8], trunkNodes: 3, stageNodes: 2, channels: 4, minChannels: 2 };

/** Every output kind alone, and all together. */
export const spaces: Readonly<Record<string, SuperArchitecture>> = {
  scalars: superArchitecture({ ...sizes, heads: [scalars] }),
  "a signal": superArchitecture({ ...sizes, heads: [signal] }),
  "a signal of components": superArchitecture({ ...sizes, heads: [scalars, { ...signal, components }] }),
  "an image": superArchitecture({ ...sizes, heads: [image] }),
  "several outputs": superArchitecture({ ...sizes, heads: [scalars, channels, image] }),
};

/** The space of components with fields number by number. */
export const numbers = superArchitecture({ ...sizes, heads: [scalars, signal] });

/** Random architectures; every other one makes all its fields by convolutions. */
export function someArchitectures(space: SuperArchitecture, count: number, rng: Rng): Architecture[] {
  return Array.from({ length: count }, (_, i) =>
    randomArchitecture(space, rng).map((choice, s) => {
      const candidates = space.slots[s]!.candidates;
      const convolutional = candidates.findIndex((c) => c.kind === "decoder" && c.name === "convolutional");
      return i % 2 === 0 && convolutional >= 0 ? convolutional : choice;
    }),
  );
}

/** Weights without zeros: biases count too. */
export function randomWeights(network: Network, rng: Rng): Float32Array {
  return Float32Array.from({ length: network.layout.size }, () => 0.4 * rng.normal());
}

/** Outputs of a network in float64, by head. @param x rows x inputs */
export function predict(
  network: Network,
  weights: ArrayLike<number>,
  x: ArrayLike<number>,
  gates?: ArrayLike<number>,
): Float64Array[] {
  const b = graphBuilder();
  const input = b.input("x", ["N", network.space.inputs]);
  const flat = b.input("flat", [network.layout.size]);
  const open = gates === undefined ? undefined : b.input("gates", [network.gateCount]);
  const heads = whole(network, b, network.forward(b, input, flat, open));
  const graph = b.build(Object.fromEntries(heads.map((head, i) => [`head${i}`, head])));
  const feeds = { x, flat: weights, ...(gates === undefined ? {} : { gates }) };
  const outputs = interpret(graph, feeds, x.length / network.space.inputs);
  return heads.map((_, i) => outputs[`head${i}`]!);
}

/** One architecture through the supernet and, with the same weights, through its compacted network. */
export function bothWays(
  space: SuperArchitecture,
  architecture: Architecture,
  weights: Float32Array,
  x: ArrayLike<number>,
): { readonly open: Float64Array[]; readonly compacted: Float64Array[] } {
  const large = supernet(space);
  const small = compact(space, architecture);
  const carried = carryWeights(large.layout, weights, small.layout, new Float32Array(small.layout.size));
  return {
    open: predict(large, weights, x, encode(space, architecture)),
    compacted: predict(small, carried, x),
  };
}

/** Largest difference over the largest value of `expected`. */
export function relativeDifference(
  actual: readonly ArrayLike<number>[],
  expected: readonly ArrayLike<number>[],
): number {
  let difference = 0;
  let scale = 0;
  expected.forEach((values, i) => {
    for (let j = 0; j < values.length; j++) {
      difference = Math.max(difference, Math.abs(values[j]! - actual[i]![j]!));
      scale = Math.max(scale, Math.abs(values[j]!));
    }
  });
  return difference / scale;
}
