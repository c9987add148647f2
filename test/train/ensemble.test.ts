import { describe, expect, it } from "vitest";
import { makeRng } from "../../src/rng.ts";
import {
  type Architecture,
  compact,
  encode,
  initialise,
  randomArchitecture,
  superArchitecture,
  type SuperArchitectureOptions,
  supernet,
} from "../../src/space/index.ts";
import { supernetEnsemble } from "../../src/train/index.ts";
import { trainedEnough } from "../../src/train/ensemble.ts";
import { type MemberOutput, trainMember } from "../../src/train/member.ts";
import { predict, relativeDifference } from "../space/support.ts";

const options: SuperArchitectureOptions = {
  inputs: 1,
  widths: [16, 32],
  heads: [{ kind: "vector", name: "y", size: 1 }],
};
const space = superArchitecture(options);

/** Ranks of distinct values, 0 for the least. */
function ranksOf(values: readonly number[]): number[] {
  const ranks = new Array<number>(values.length);
  [...values.keys()]
    .sort((a, c) => values[a]! - values[c]!)
    .forEach((at, rank) => {
      ranks[at] = rank;
    });
  return ranks;
}

/** Spearman's rank correlation. */
function spearman(a: readonly number[], c: readonly number[]): number {
  const [p, q] = [ranksOf(a), ranksOf(c)];
  const middle = (a.length - 1) / 2;
  const variance = p.reduce((sum, rank) => sum + (rank - middle) ** 2, 0);
  return p.reduce((sum, rank, i) => sum + (rank - middle) * (q[i]! - middle), 0) / variance;
}

describe("supernetEnsemble()", () => {
  it("is draws of the supernet, with its weights as they are", () => {
    const whole = supernet(space);
    const params = initialise(whole.layout, makeRng(170));
    const zeros = new Float32Array(params.length);
    const rng = makeRng(171);
    const architectures = Array.from({ length: 4 }, () => randomArchitecture(space, rng));
    const state = { params, first: zeros, second: zeros, steps: 0, touches: new Int32Array(0) };
    const { members, stopped } = supernetEnsemble(options, architectures, state, (row) => row > 2);
    expect(stopped).toBe(false);
    expect(members.map(({ architecture }) => architecture)).toEqual(architectures);
    const x = [-1, 0, 0.5];
    for (const { architecture, weights, unseen } of members) {
      const own = predict(compact(space, architecture), weights, x);
      expect(relativeDifference(own, predict(whole, params, x, encode(space, architecture)))).toBeLessThan(1e-6);
      expect([2, 3].map(unseen)).toEqual([false, true]);
    }
  });
});

describe("an ensemble of trained members", () => {
  it("is less sure where it errs more, outside the box that it was trained in (D7)", async () => {
    const simulator = (x: number): number => Math.sin(4 * x) + 0.5 * x * x + Math.exp(-8 * (x - 0.5) ** 2);
    const rows = 24;
    const count = 6;
    // Up to 20 % outside of [-1, 1], at both ends.
    const outside = Array.from({ length: 100 }, (_, i) => (i < 50 ? -1 : 1) * (1 + (0.2 * ((i % 50) + 0.5)) / 50));
    const correlations: number[] = [];
    for (const seed of [0, 1, 2]) {
      const rng = makeRng(seed);
      const x = Float32Array.from({ length: rows }, () => 2 * rng.uniform() - 1);
      const members: { architecture: Architecture; weights: Float32Array }[] = [];
      for (let m = 0; m < count; m++) {
        const architecture = randomArchitecture(space, rng.fork(`architecture ${m}`));
        const { stages } = await trainMember(
          {
            space: options,
            architecture,
            data: { rows, inputs: 1, x, targets: [x.map(simulator)] },
            fitRows: Int32Array.from({ length: rows }, (_, i) => i).filter((i) => i % count !== m),
            heldOutRows: new Int32Array(0),
            recipe: {
              loss: "mse",
              adamSteps: 100,
              batch: 16,
              learningRate: 5e-3,
              finalLearningRate: 1e-3,
              finish: "lbfgs",
              path: [{ weightDecay: 1e-5, iterations: 60 }],
            },
            seed: rng.fork(`member ${m}`).seed,
            engine: "onnxruntime",
          },
          { shouldStop: () => false, elapsed: () => 0, progress: () => {} },
        );
        members.push({ architecture, weights: stages[0]!.weights });
      }
      const outputs = members.map(
        ({ architecture, weights }) => predict(compact(space, architecture), weights, outside)[0]!,
      );
      const means = outside.map((_, i) => outputs.reduce((sum, output) => sum + output[i]!, 0) / count);
      const spreads = means.map((mean, i) => outputs.reduce((sum, output) => sum + (output[i]! - mean) ** 2, 0));
      const errors = means.map((mean, i) => Math.abs(mean - simulator(outside[i]!)));
      correlations.push(spearman(errors, spreads));
    }
    expect(correlations.reduce((a, c) => a + c, 0) / 3, correlations.join(", ")).toBeGreaterThan(0.3);
  });
});

describe("trainedEnough()", () => {
  const outputs = (...losses: readonly (readonly [own: number, held: number])[]): MemberOutput[] =>
    losses.map(([fitLoss, held]) => ({
      stages: [
        { weights: new Float32Array(), logNoise: new Float32Array(), fitLoss, heldOutSquares: [Float64Array.of(held)] },
      ],
      ...{ adamSteps: 0, iterations: 0, evaluations: 0, stopped: false },
    }));

  it("drops members that do worse on their own runs than good ones do on new runs", () => {
    const members = outputs([1e-4, 2e-4], [1.7e-2, 1.6e-2], [1e-4, 3e-4], [1.2e-2, 1.3e-2], [2e-4, 4e-4]);
    expect(trainedEnough(members)).toEqual([true, false, true, false, true]);
  });

  it("keeps a member whose fold is hard, and all where noise is all there is", () => {
    expect(trainedEnough(outputs([1e-5, 1e-3], [1e-5, 5e-2], [2e-5, 1e-3]))).toEqual([true, true, true]);
    expect(trainedEnough(outputs([0.9, 1.1], [1, 0.5], [0.8, 1.3], [1, 1]))).toEqual([true, true, true, true]);
  });

  it("drops what is not a number, and keeps all where nothing else is left", () => {
    expect(trainedEnough(outputs([1, 1], [Number.NaN, Number.NaN], [1, 1]))).toEqual([true, false, true]);
    expect(trainedEnough(outputs([Number.NaN, Number.NaN]))).toEqual([true]);
  });
});
