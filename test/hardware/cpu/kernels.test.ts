/** The fusion rules against what ONNX Runtime's optimiser really does on this machine. */
import { describe, expect, it } from "vitest";
import { type Graph, graphBuilder, simplify } from "../../../src/graph/index.ts";
import { optimisedKernels } from "../../../src/hardware/cpu/optimised.ts";
import { withEmulatorEnds } from "../../../src/hardware/measured/emulator-ends.ts";
import { randomNetwork } from "../../../src/hardware/measured/units.ts";
import { fuseKernels } from "../../../src/hardware/kernels.ts";
import { networkOf } from "../../../src/hardware/network.ts";
import { makeRng } from "../../../src/rng.ts";
import { imageNetwork, mlp, randomWeights, signalNetwork } from "../networks.ts";

/** Nodes at which kernels end: ours, and those of the optimised model without its changes of shape. */
async function ends(graph: Graph): Promise<{ readonly ours: readonly number[]; readonly real: readonly number[] }> {
  const simple = simplify(graph);
  const ours = fuseKernels(networkOf(simple)).map(({ nodes }) => nodes.at(-1)!);
  const real = await optimisedKernels(simple);
  const ascending = (a: number, b: number): number => a - b;
  return {
    ours: ours.sort(ascending),
    real: real.flatMap(({ kernel, node }) => (kernel === "Reshape" ? [] : [node])).sort(ascending),
  };
}

function pattern(build: (b: ReturnType<typeof graphBuilder>) => number): Graph {
  const b = graphBuilder();
  return b.build({ y: build(b) });
}
const w = (b: ReturnType<typeof graphBuilder>, ...shape: number[]): number => randomWeights(b, makeRng(1), shape);

describe("ONNX Runtime's fusion", () => {
  it.each([
    ["product and bias", pattern((b) => b.sum(b.matMul(b.input("x", ["N", 4]), w(b, 4, 3)), w(b, 1, 3)))],
    [
      "product, bias and relu",
      pattern((b) => b.unary("Relu", b.sum(b.matMul(b.input("x", ["N", 4]), w(b, 4, 3)), w(b, 1, 3)))),
    ],
    [
      "product, bias and sine, which stays apart",
      pattern((b) => b.unary("Sin", b.sum(b.matMul(b.input("x", ["N", 4]), w(b, 4, 3)), w(b, 1, 3)))),
    ],
    [
      "x times sigmoid of x",
      pattern((b) => {
        const x = b.unary("Neg", b.input("x", ["N", 8]));
        return b.mul(x, b.unary("Sigmoid", x));
      }),
    ],
    [
      "1-D convolution and relu",
      pattern((b) => b.unary("Relu", b.conv(b.input("x", ["N", 4, 16]), w(b, 4, 4, 3), { pads: [1, 1] }))),
    ],
    [
      "1-D convolution and bias",
      pattern((b) => b.sum(b.conv(b.input("x", ["N", 4, 16]), w(b, 4, 4, 3), { pads: [1, 1] }), w(b, 4, 1))),
    ],
    ["a network of dense layers", mlp([5, 32, 32, 7])],
    ["a network of 1-D convolutions with skips", signalNetwork(8, 32, 3)],
  ])("is what the rules say for %s", async (_, graph) => {
    const { ours, real } = await ends(graph);
    expect(ours).toEqual(real);
  });

  it("is what the rules say for random networks without images", async () => {
    let compared = 0;
    for (let seed = 0; compared < 10; seed++) {
      const graph = randomNetwork(makeRng(seed));
      if (graph.nodes.some((node, id) => node.op === "Conv" && graph.types[id]!.shape.length === 4)) continue;
      const { ours, real } = await ends(graph);
      expect(ours).toEqual(real);
      compared++;
    }
  });

  it("makes a step of every change of shape", async () => {
    const graph = simplify(signalNetwork(8, 32, 3));
    const real = await optimisedKernels(graph);
    expect(networkOf(graph).views).toBe(1);
    expect(real.filter(({ kernel }) => kernel === "Reshape")).toHaveLength(1);
  });

  it("runs every member of an emulator that a calibration draws", async () => {
    const layers = [5, 32, 32, 7];
    for (const members of [1, 2, 4, 8]) {
      const real = await optimisedKernels(simplify(withEmulatorEnds(mlp(layers), makeRng(1), members)));
      expect(real.filter(({ kernel }) => kernel.endsWith("Gemm"))).toHaveLength(3 * members);
    }
  });

  it("reorders images into blocks of channels, which the rules count as part of the convolutions", async () => {
    const graph = imageNetwork(16, 8);
    const real = await optimisedKernels(simplify(graph));
    const names = real.map(({ kernel }) => kernel);
    const convolutions = names.filter((name) => name.endsWith("Conv"));
    expect(convolutions).toHaveLength(2);
    expect(fuseKernels(networkOf(graph)).filter(({ kind }) => kind === "conv2d")).toHaveLength(2);
  });
});
