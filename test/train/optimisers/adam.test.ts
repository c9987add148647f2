import { describe, expect, it } from "vitest";
import { getEngine } from "../../../src/engine/index.ts";
import { type Graph, graphBuilder } from "../../../src/graph/index.ts";
import { makeRng } from "../../../src/rng.ts";
import { adamDefaults, adamNodes, adamRate, cosine } from "../../../src/train/optimisers/adam.ts";
import { interpret } from "../../support/interpret.ts";

const size = 5;

function adamGraph(sparse: boolean): Graph {
  const b = graphBuilder();
  const input = (name: string, shape = [size]): number => b.input(name, shape);
  const state = { params: input("params"), first: input("first"), second: input("second") };
  const next = adamNodes(b, state, input("gradient"), input("rate", [1]), { sparse });
  return b.build({ ...next });
}

const { beta1, beta2, epsilon } = adamDefaults;

/** Adam as written in the end of section 2 of Kingma & Ba 2015, one number at a time. */
function byHand(
  state: { params: number[]; first: number[]; second: number[] },
  gradient: readonly number[],
  learningRate: number,
  t: number,
): void {
  const rate = (learningRate * Math.sqrt(1 - beta2 ** t)) / (1 - beta1 ** t);
  gradient.forEach((g, i) => {
    state.first[i] = beta1 * state.first[i]! + (1 - beta1) * g;
    state.second[i] = beta2 * state.second[i]! + (1 - beta2) * g * g;
    state.params[i]! -= (rate * state.first[i]) / (Math.sqrt(state.second[i]) + epsilon);
  });
}

describe("adamNodes()", () => {
  it.each([false, true])("take the steps of a hand-written Adam (sparse: %s)", (sparse) => {
    const graph = adamGraph(sparse);
    const rng = makeRng(40);
    const state = { params: [1, -2, 3, -4, 5], first: [0, 0, 0, 0, 0], second: [0, 0, 0, 0, 0] };
    let feeds = { ...state } as Record<string, ArrayLike<number>>;
    for (let t = 0; t < 8; t++) {
      const gradient = state.params.map((value) => value * 0.3 + rng.normal());
      const rate = adamRate(0.01, t);
      const next = interpret(graph, { ...feeds, gradient, rate: [rate] });
      byHand(state, gradient, 0.01, t + 1);
      for (const key of ["params", "first", "second"] as const)
        next[key]!.forEach((value, i) => {
          // The graph's constants (1 - beta and the like) are float32.
          expect(Math.abs(value / state[key][i]! - 1)).toBeLessThan(2e-6);
        });
      feeds = next;
    }
  });

  it("move by about the learning rate in the first step, whatever the gradient's size", () => {
    const feeds = { params: new Array(size).fill(0), first: new Array(size).fill(0), second: new Array(size).fill(0) };
    const gradient = [1e-3, -1e-1, 1, -10, 1e3];
    const { params } = interpret(adamGraph(false), { ...feeds, gradient, rate: [adamRate(0.01, 0)] });
    // epsilon / |g| / sqrt(1 - beta2) shows in the smallest.
    params!.forEach((value, i) => {
      expect(value / (-0.01 * Math.sign(gradient[i]!))).toBeCloseTo(1, 3);
    });
  });

  it("leave what has no gradient as it was to the bit, where they are sparse", async () => {
    const executable = await getEngine("onnxruntime").compile(adamGraph(true));
    const feeds = {
      params: Float32Array.of(0.1, -0.2, 0.3, -0.4, 0.5),
      first: Float32Array.of(1e-3, 2e-3, 3e-3, 4e-3, 5e-3),
      second: Float32Array.of(1e-6, 2e-6, 3e-6, 4e-6, 5e-6),
      gradient: Float32Array.of(0, 0.1, -0, 1e-30, 0),
      rate: Float32Array.of(adamRate(0.01, 100)),
    };
    const next = await executable.run(feeds);
    for (const key of ["params", "first", "second"] as const)
      expect(
        [...(next[key] as Float32Array)].map((value, i) => value === feeds[key][i]),
        key,
      ).toEqual([true, false, true, false, true]);
    await executable.dispose();
  });

  it("let moments decay where they are not sparse", () => {
    const feeds = { params: [1, 1, 1, 1, 1], first: [1, 1, 1, 1, 1], second: [1, 1, 1, 1, 1] };
    const next = interpret(adamGraph(false), { ...feeds, gradient: [0, 0, 0, 0, 0], rate: [0.01] });
    expect(next["first"]![0]).toBeCloseTo(beta1, 6);
    expect(next["second"]![0]).toBeCloseTo(beta2, 6);
    expect(next["params"]![0]).toBeLessThan(1);
  });
});

describe("cosine()", () => {
  it("falls from the first rate to the last along half a wave, and stays there", () => {
    expect([-1, 0, 0.25, 0.5, 1, 2].map((fraction) => cosine(3, 1, fraction))).toEqual([
      3,
      3,
      2 + Math.cos(Math.PI / 4),
      2 + Math.cos(Math.PI / 2),
      1,
      1,
    ]);
  });
});
