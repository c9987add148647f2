import { describe, expect, it } from "vitest";
import { getEngine } from "../../src/engine/index.ts";
import { differentiate, type Graph, graphBuilder } from "../../src/graph/index.ts";
import { type LossName, lossNode, losses } from "../../src/train/loss.ts";
import { interpret } from "../support/interpret.ts";

const [rows, columns] = [3, 2];
const prediction = [0.5, -1, 2, 0, 3.5, -2];
const target = [0, -1.5, 0.25, 1, 0, 1];
const residuals = prediction.map((value, i) => value - target[i]!);
/** Log of the noise variance per column. */
const levels = [0.5, -1];

function graphFor(loss: LossName): Graph {
  const b = graphBuilder();
  const p = b.input("prediction", [rows, columns]);
  const t = b.input("target", [rows, columns]);
  const value =
    loss === "gaussian" ? lossNode(b, loss, p, t, b.input("levels", [1, columns])) : lossNode(b, loss, p, t);
  expect(b.typeOf(value)).toEqual({ dtype: "float64", shape: [] });
  const [gradient] = differentiate(b, value, [p]) as [number];
  return b.build({ value, gradient });
}

function mean(values: readonly number[]): number {
  return values.reduce((a, c) => a + c, 0) / values.length;
}

const expected: Readonly<Record<LossName, { readonly value: number; readonly slopes: readonly number[] }>> = {
  mse: { value: mean(residuals.map((r) => r * r)), slopes: residuals.map((r) => (2 * r) / 6) },
  // Spec 1: r^2 / 2 where |r| <= 1, else |r| - 1/2.
  huber: {
    value: mean(residuals.map((r) => (Math.abs(r) <= 1 ? (r * r) / 2 : Math.abs(r) - 0.5))),
    slopes: residuals.map((r) => Math.max(-1, Math.min(1, r)) / 6),
  },
  // -log N(r; 0, v) = (r^2 / v + log v + log 2 pi) / 2; the constant is left out.
  gaussian: {
    value: mean(residuals.map((r, i) => ((r * r) / Math.exp(levels[i % 2]!) + levels[i % 2]!) / 2)),
    slopes: residuals.map((r, i) => r / Math.exp(levels[i % 2]!) / 6),
  },
};

describe.each(losses)("the loss %s", (loss) => {
  const feeds = { prediction, target, ...(loss === "gaussian" ? { levels } : {}) };

  it("equals its closed form, and so does its derivative", () => {
    expect(residuals.filter((r) => Math.abs(r) < 1)).toHaveLength(2);
    const { value, gradient } = interpret(graphFor(loss), feeds);
    // 1/6 in float32 is no constant here: the mean is float64.
    expect(value![0]).toBeCloseTo(expected[loss].value, 14);
    gradient!.forEach((slope, i) => {
      expect(slope).toBeCloseTo(expected[loss].slopes[i]!, 14);
    });
  });

  it("is the same in the engine", async () => {
    const executable = await getEngine("onnxruntime").compile(graphFor(loss));
    const wide = Object.fromEntries(Object.entries(feeds).map(([key, data]) => [key, Float32Array.from(data)]));
    const { value, gradient } = await executable.run(wide);
    expect(value).toBeInstanceOf(Float64Array);
    expect((value as Float64Array)[0]).toBeCloseTo(expected[loss].value, 6);
    (gradient as Float32Array).forEach((slope, i) => {
      expect(slope).toBeCloseTo(expected[loss].slopes[i]!, 6);
    });
    await executable.dispose();
  });
});

describe("the mean of a loss", () => {
  it("is summed in float64: differences below float32's resolution of the sum are seen", async () => {
    const n = 100_000;
    const b = graphBuilder();
    const p = b.input("p", [n]);
    const executable = await getEngine("onnxruntime").compile(
      b.build({ value: lossNode(b, "mse", p, b.input("t", [n])) }),
    );
    const zeros = new Float32Array(n);
    const ones = new Float32Array(n).fill(1);
    const valueOf = async (p0: number): Promise<number> =>
      ((await executable.run({ p: ones.with(0, p0), t: zeros }))["value"] as Float64Array)[0]!;
    // One square of 1e5 changes from 1 to 1.0002: 2e-9 of the mean, float32 resolves 6e-8.
    const difference = (await valueOf(1.0001)) - (await valueOf(1));
    expect(Math.abs((difference * n) / (Math.fround(1.0001) ** 2 - 1) - 1)).toBeLessThan(1e-3);
    await executable.dispose();
  });
});

describe("the gaussian loss", () => {
  it("needs its noise levels", () => {
    const b = graphBuilder();
    const p = b.input("p", [1]);
    expect(() => lossNode(b, "gaussian", p, p)).toThrow("internal: the gaussian loss needs a log variance");
  });
});
