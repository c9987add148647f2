import { afterAll, describe, expect, it } from "vitest";
import { getEngine } from "../../src/engine/index.ts";
import { makeRng } from "../../src/rng.ts";
import { compact, decays, type Network, superArchitecture } from "../../src/space/index.ts";
import type { TrainingData } from "../../src/train/index.ts";
import { type Residuals, residualProblem } from "../../src/train/residuals.ts";
import { predict, randomWeights, someArchitectures } from "../space/support.ts";

const rows = 9;
const inputs = 3;
const opened: Residuals[] = [];
afterAll(() => Promise.all(opened.map((problem) => problem.dispose())));

interface World {
  readonly network: Network;
  readonly data: TrainingData;
  readonly params: Float32Array;
  readonly problem: Residuals;
  /** Predictions, rows x outputs. */
  readonly predicted: Float32Array;
  /** Derivatives of every residual by every weight, one row each, by the pull of each alone. */
  readonly derivatives: readonly Float32Array[];
}

async function world(outputs: number, seed: number): Promise<World> {
  const rng = makeRng(seed);
  const space = superArchitecture({
    inputs,
    widths: [4, 6],
    trunkNodes: 3,
    heads: [{ kind: "vector", name: "scalars", size: outputs }],
  });
  const [architecture] = someArchitectures(space, 1, rng);
  const network = compact(space, architecture!);
  const params = randomWeights(network, rng);
  const draw = (count: number): Float32Array => Float32Array.from({ length: count }, () => rng.normal());
  const data = { x: draw(rows * inputs), rows, inputs, targets: [draw(rows * outputs)] };
  const problem = await residualProblem(getEngine("onnxruntime"), network, data);
  opened.push(problem);
  const [predicted] = predict(network, params, [...data.x]);
  const derivatives: Float32Array[] = [];
  for (let i = 0; i < rows * outputs; i++) {
    const seeds = new Float32Array(rows * outputs);
    seeds[i] = 1;
    derivatives.push((await problem.pull(params, seeds)).slice());
  }
  return { network, data, params, problem, predicted: Float32Array.from(predicted!), derivatives };
}

/** Which weights decay. */
function maskOf(network: Network): Float64Array {
  const mask = new Float64Array(network.layout.size);
  for (const parameter of network.layout.parameters)
    if (decays(parameter)) mask.fill(1, parameter.offset, parameter.offset + parameter.size);
  return mask;
}

/** x that solves a x = b, by elimination. */
function solved(a: number[][], b: number[]): number[] {
  const m = a.map((row, i) => [...row, b[i]!]);
  const n = b.length;
  for (let k = 0; k < n; k++) {
    const pivot = m.reduce((best, row, i) => (i >= k && Math.abs(row[k]!) > Math.abs(m[best]![k]!) ? i : best), k);
    [m[k], m[pivot]] = [m[pivot]!, m[k]!];
    for (let i = k + 1; i < n; i++) {
      const factor = m[i]![k]! / m[k]![k]!;
      for (let j = k; j <= n; j++) m[i]![j]! -= factor * m[k]![j]!;
    }
  }
  const x = new Array<number>(n).fill(0);
  for (let i = n - 1; i >= 0; i--) {
    let sum = m[i]![n]!;
    for (let j = i + 1; j < n; j++) sum -= m[i]![j]! * x[j]!;
    x[i] = sum / m[i]![i]!;
  }
  return x;
}

describe.each([
  [1, 11],
  [1, 12],
  [3, 13],
  [3, 14],
])("residualProblem() of %d outputs, seed %d", (outputs, seed) => {
  it("pulls derivatives that agree with finite differences", async () => {
    const { network, data, params, predicted, derivatives } = await world(outputs, seed);
    const step = 1e-2;
    for (let p = 0; p < params.length; p += 17) {
      const moved = (by: number): ArrayLike<number> => {
        const there = params.slice();
        there[p]! += by;
        return predict(network, there, [...data.x])[0]!;
      };
      const [ahead, behind] = [moved(step), moved(-step)];
      for (let i = 0; i < predicted.length; i++)
        expect(derivatives[i]![p]).toBeCloseTo((ahead[i]! - behind[i]!) / (2 * step), 2);
    }
  });

  it("gives residuals, and products of derivatives with one another and with the weights", async () => {
    const { network, data, params, problem, predicted, derivatives } = await world(outputs, seed);
    const mask = maskOf(network);
    const { residuals, decaying, free, along } = await problem.linearise(params);
    const count = rows * outputs;
    const product = (a: Float32Array, c: Float32Array, factor: (p: number) => number): number =>
      a.reduce((sum, v, p) => sum + factor(p) * v * c[p]!, 0);
    for (let i = 0; i < count; i++) {
      expect(residuals[i]).toBeCloseTo(predicted[i]! - data.targets[0]![i]!, 5);
      expect(along[i]).toBeCloseTo(
        product(derivatives[i]!, params, (p) => mask[p]!),
        3,
      );
      for (let k = 0; k <= i; k++) {
        const [a, c] = [derivatives[i]!, derivatives[k]!];
        expect(decaying[i * count + k]).toBeCloseTo(
          product(a, c, (p) => mask[p]!),
          2,
        );
        expect(free[i * count + k]).toBeCloseTo(
          product(a, c, (p) => 1 - mask[p]!),
          2,
        );
      }
    }
    const squares = residuals.reduce((sum, v) => sum + v * v, 0) / count;
    expect(await problem.meanSquare(params)).toBeCloseTo(squares, 4);
  });

  it("knows what the linearised network misses a run by that it was fitted without", async () => {
    const { network, data, params, problem, predicted, derivatives } = await world(outputs, seed);
    const decay = 0.1;
    const errors = await problem.leaveOneOut(params, decay);
    const mask = maskOf(network);
    const unit = mask.map((weight) => (weight === 1 ? decay : 0.1 * decay));
    const count = rows * outputs;
    const target = data.targets[0]!;
    // Weights decay towards zero, biases towards where they are.
    const base = derivatives.map(
      (row, i) => predicted[i]! - row.reduce((sum, v, p) => sum + mask[p]! * v * params[p]!, 0),
    );
    for (let row = 0; row < rows; row++) {
      const kept = base.map((_, i) => i).filter((i) => Math.floor(i / outputs) !== row);
      const gram = (i: number, k: number): number =>
        derivatives[i]!.reduce((sum, v, p) => sum + (v * derivatives[k]![p]!) / unit[p]!, 0) / count;
      const weights = solved(
        kept.map((i) => kept.map((k) => gram(i, k) + (i === k ? 1 : 0))),
        kept.map((i) => target[i]! - base[i]!),
      );
      for (let j = 0; j < outputs; j++) {
        const i = row * outputs + j;
        const without = kept.reduce((sum, k, at) => sum + gram(i, k) * weights[at]!, base[i]!);
        expect(errors![i]! / (without - target[i]!)).toBeCloseTo(1, 2);
      }
    }
  });
});
