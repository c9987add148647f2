import { afterAll, describe, expect, it } from "vitest";
import { makeRng } from "../../src/rng.ts";
import { compact, superArchitecture, type SuperArchitectureOptions } from "../../src/space/index.ts";
import { inProcess, type TaskContext, workerPool } from "../../src/tasks/index.ts";
import {
  chooseStage,
  lastGoodStage,
  stagesWorthRunning,
  type MemberInput,
  type MemberOutput,
  memberTask,
  stageOf,
  stageScores,
} from "../../src/train/index.ts";
import { trainMember } from "../../src/train/member.ts";
import { predict } from "../space/support.ts";
import { rowRange, toyData } from "../search/support.ts";

const space: SuperArchitectureOptions = {
  inputs: 2,
  widths: [8, 16],
  trunkNodes: 2,
  heads: [{ kind: "vector", name: "scalars", size: 1 }],
};
const tanh = superArchitecture(space).slots[1]!.candidates.findIndex(({ name }) => name === "tanh");
const chain = [1, tanh, 0, tanh];

const input: MemberInput = {
  space,
  architecture: chain,
  data: toyData(40),
  fitRows: rowRange(0, 30),
  heldOutRows: rowRange(30, 40),
  recipe: {
    loss: "mse",
    adamSteps: 80,
    batch: 10,
    learningRate: 1e-2,
    finalLearningRate: 1e-3,
    finish: "lbfgs",
    path: [
      { weightDecay: 1e-3, iterations: 30 },
      { weightDecay: 1e-5, iterations: 30 },
      { weightDecay: 0, iterations: 60 },
    ],
  },
  seed: 140,
  engine: "onnxruntime",
};

/** A context that asks to stop at the given question. */
function contextFor(
  stopAt = Number.POSITIVE_INFINITY,
): TaskContext & { readonly fractions: number[]; asked(): number } {
  let asked = 0;
  const fractions: number[] = [];
  return {
    shouldStop: () => asked++ >= stopAt,
    elapsed: () => 0,
    progress: (fraction) => void fractions.push(fraction),
    fractions,
    asked: () => asked,
  };
}

/** Mean square of what a stage's weights leave of the target on some rows. */
function squareOf(stage: { readonly weights: Float32Array }, rows: Int32Array, of = input): number {
  const network = compact(superArchitecture(of.space), of.architecture);
  const x = [...rows].flatMap((row) => [...of.data.x.subarray(2 * row, 2 * row + 2)]);
  const [output] = predict(network, stage.weights, x);
  const squares = [...rows].map((row, i) => (output![i]! - of.data.targets[0]![row]!) ** 2);
  return squares.reduce((a, c) => a + c, 0) / rows.length;
}

describe("trainMember()", () => {
  it("fits its rows, stage by stage more closely", async () => {
    const context = contextFor();
    const { stages, adamSteps, iterations, evaluations, stopped } = await trainMember(input, context);
    expect(stopped).toBe(false);
    expect(stages).toHaveLength(3);
    expect(adamSteps).toBe(80);
    expect(iterations).toBeGreaterThan(60);
    expect(iterations).toBeLessThanOrEqual(120);
    expect(evaluations).toBeGreaterThanOrEqual(iterations);
    const losses = stages.map((stage) => squareOf(stage, input.fitRows));
    expect(losses[1]).toBeLessThan(losses[0]!);
    expect(losses[2]).toBeLessThan(losses[1]!);
    expect(losses[2]).toBeLessThan(1e-3);
    expect(context.fractions.length).toBeGreaterThan(3);
    expect(context.fractions).toEqual([...context.fractions].sort((a, c) => a - c));
    expect(context.fractions.at(-1)).toBeLessThan(1 + 1e-9);
  });

  it("reports the losses of the weights that it returns", async () => {
    const { stages } = await trainMember(input, contextFor());
    for (const stage of stages) {
      expect(stage.fitLoss / squareOf(stage, input.fitRows)).toBeCloseTo(1, 3);
      expect(stage.heldOutSquares).toHaveLength(1);
      expect(stage.heldOutSquares[0]![0]! / squareOf(stage, input.heldOutRows)).toBeCloseTo(1, 3);
    }
  });

  it("reports the loss of its weights where the line search found no better point", async () => {
    // Solved to the last bit: the last points that were tried are not the one that is returned.
    const patient = { ...input.recipe, path: [{ weightDecay: 1e-2, iterations: 3000 }] };
    const { stages, iterations } = await trainMember({ ...input, recipe: patient }, contextFor());
    expect(iterations).toBeLessThan(3000);
    expect(stages[0]!.fitLoss / squareOf(stages[0]!, input.fitRows)).toBeCloseTo(1, 4);
  });

  it("never learns from rows that are held out, nor from others", async () => {
    const y = input.data.targets[0]!.slice();
    y.fill(Number.NaN, 30);
    const blind = await trainMember({ ...input, data: { ...input.data, targets: [y] } }, contextFor());
    const whole = await trainMember(input, contextFor());
    blind.stages.forEach((stage, i) => {
      expect(stage.weights).toEqual(whole.stages[i]!.weights);
    });
    expect(blind.stages.length).toBeGreaterThan(0);
    const less = await trainMember({ ...input, fitRows: rowRange(0, 29) }, contextFor());
    expect(less.stages[0]!.weights).not.toEqual(whole.stages[0]!.weights);
  });

  it("gives the same bytes for the same seed, others for another", async () => {
    const first = await trainMember(input, contextFor());
    expect(await trainMember(structuredClone(input), contextFor())).toEqual(first);
    const other = await trainMember({ ...input, seed: 141 }, contextFor());
    expect(other.stages[0]!.weights).not.toEqual(first.stages[0]!.weights);
  });

  it("leaves its input as it was", async () => {
    const copy = structuredClone(input);
    await trainMember(input, contextFor());
    expect(input).toEqual(copy);
  });

  it.each([0, 3, 20, 60])("ends early with usable weights when it is asked to stop (question %d)", async (stopAt) => {
    const { stages, stopped, adamSteps, iterations } = await trainMember(input, contextFor(stopAt));
    expect(stopped).toBe(true);
    expect(adamSteps + iterations).toBeLessThan(80 + 120);
    expect(stages.length).toBeGreaterThan(0);
    for (const { weights, fitLoss } of stages) {
      expect(weights.every(Number.isFinite)).toBe(true);
      expect(Number.isFinite(fitLoss)).toBe(true);
    }
  });

  it("brings Adam to its end in the time that there is", async () => {
    const recipe = {
      ...input.recipe,
      adamSteps: 40_000,
      learningRate: 2e-2,
      path: [{ weightDecay: 0, iterations: 0 }],
    };
    let clock = 0;
    const hurried = { ...contextFor(), elapsed: () => clock++ / 2000 };
    const { stages, adamSteps, stopped } = await trainMember({ ...input, recipe }, hurried);
    expect(stopped).toBe(true);
    expect(adamSteps).toBeGreaterThan(500);
    expect(adamSteps).toBeLessThan(2000);
    // Asked every ten steps, a member that knows nothing of the clock stands there with its rate still high.
    const cut = await trainMember({ ...input, recipe }, contextFor(adamSteps / 10 - 1));
    expect(Math.abs(cut.adamSteps - adamSteps)).toBeLessThanOrEqual(10);
    expect(stages[0]!.fitLoss).toBeLessThan(cut.stages[0]!.fitLoss / 2);
  });

  it("is Adam alone where no stages follow, judged by what was held out", async () => {
    const recipeOf = (path: typeof input.recipe.path) => ({ ...input, recipe: { ...input.recipe, path } });
    const { stages } = await trainMember(recipeOf([]), contextFor());
    const still = await trainMember(recipeOf([{ weightDecay: 0, iterations: 0 }]), contextFor());
    expect(stages).toEqual([{ ...still.stages[0], fitLoss: Number.NaN }]);
    expect(stages[0]!.heldOutSquares[0]![0]).toBeCloseTo(squareOf(stages[0]!, input.heldOutRows), 6);
  });

  it("works with nothing held out, and with less than a batch of rows", async () => {
    const few = { ...input, fitRows: rowRange(0, 5), heldOutRows: new Int32Array(0) };
    const { stages } = await trainMember(few, contextFor());
    expect(stages).toHaveLength(3);
    expect(stages[0]!.heldOutSquares.map((squares) => squares.length)).toEqual([0]);
    expect(squareOf(stages.at(-1)!, few.fitRows)).toBeLessThan(1e-4);
  });

  it("learns the noise of a noisy table with the gaussian loss", async () => {
    const rng = makeRng(142);
    const noisy = toyData(200);
    const y = noisy.targets[0]!.map((value) => value + 0.2 * rng.normal());
    const { stages } = await trainMember(
      {
        ...input,
        data: { ...noisy, targets: [y] },
        fitRows: rowRange(0, 150),
        heldOutRows: rowRange(150, 200),
        recipe: { ...input.recipe, loss: "gaussian", path: [{ weightDecay: 1e-4, iterations: 60 }] },
      },
      contextFor(),
    );
    const { logNoise } = stages[0]!;
    expect(logNoise).toHaveLength(1);
    // The maximum-likelihood estimate of a variance from 150 rows: 12 % standard error, and some for the network's fit.
    expect(Math.exp(logNoise[0]! / 2)).toBeGreaterThan(0.13);
    expect(Math.exp(logNoise[0]! / 2)).toBeLessThan(0.27);
  });

  it("shrinks weights under strong decay, but not biases", async () => {
    const shifted = { ...input.data, targets: [input.data.targets[0]!.map((value) => value + 5)] };
    const path = [{ weightDecay: 10, iterations: 60 }];
    const { stages } = await trainMember({ ...input, data: shifted, recipe: { ...input.recipe, path } }, contextFor());
    const network = compact(superArchitecture(space), chain);
    for (const { name, offset, size } of network.layout.parameters)
      if (!name.endsWith("/bias"))
        for (const weight of stages[0]!.weights.subarray(offset, offset + size))
          expect(Math.abs(weight)).toBeLessThan(0.05);
    // What is left is the mean.
    const bias = network.layout.parameters.find(({ name }) => name === "scalars/out/bias")!;
    const mean = shifted.targets[0]!.subarray(0, 30).reduce((a, c) => a + c, 0) / 30;
    expect(stages[0]!.weights[bias.offset]).toBeCloseTo(mean, 1);
  });
});

describe("memberTask", () => {
  const pool = workerPool(2);
  afterAll(() => pool.dispose());

  it("gives the same bytes in this process and on threads, whatever runs beside it", async () => {
    const alone = inProcess();
    const quick = { ...input, recipe: { ...input.recipe, path: input.recipe.path.slice(0, 1) } };
    const seeds = [1, 2, 3];
    const here = await Promise.all(seeds.map((seed) => alone.run(memberTask, { ...quick, seed })));
    const there = await Promise.all(seeds.map((seed) => pool.run(memberTask, { ...quick, seed })));
    expect(there).toEqual(here);
    expect(new Set(here.map(({ stages }) => stages[0]!.fitLoss)).size).toBe(3);
  });
});

/** Members with the given held-out squares: member, stage, output. */
function membersWith(squares: readonly (readonly (readonly number[])[])[]): MemberOutput[] {
  return squares.map((stages) => ({
    adamSteps: 0,
    iterations: 0,
    evaluations: 0,
    stopped: false,
    stages: stages.map((values) => ({
      weights: new Float32Array(0),
      logNoise: new Float32Array(0),
      fitLoss: 0,
      heldOutSquares: [Float64Array.from(values)],
    })),
  }));
}

describe("chooseStage()", () => {
  it("goes by the geometric mean over outputs of the mean over members", () => {
    const members = membersWith([
      [
        [1, 100],
        [0.5, 100],
        [4, 1],
      ],
      [
        [3, 300],
        [1.5, 300],
        [4, 9],
      ],
    ]);
    // Means over members: (2, 200), (1, 200), (4, 5).
    expect(
      stageScores(members)
        .map(Math.exp)
        .map((value) => Number(value.toFixed(6))),
    ).toEqual([20, Number(Math.sqrt(200).toFixed(6)), Number(Math.sqrt(20).toFixed(6))]);
    expect(chooseStage(members)).toBe(2);
  });

  it("does not care for the unit of an output", () => {
    const members = membersWith([
      [
        [1, 5],
        [2, 2],
        [3, 1.5],
      ],
    ]);
    const scaled = membersWith([
      [
        [1e6, 5],
        [2e6, 2],
        [3e6, 1.5],
      ],
    ]);
    expect(chooseStage(scaled)).toBe(chooseStage(members));
  });

  it("takes a member that got no further from its last stage", () => {
    const members = membersWith([
      [[3], [2], [1]],
      [[3], [2]],
    ]);
    expect(stageScores(members).map(Math.exp)).toEqual([3, 2, 1.5].map((value) => expect.closeTo(value, 9) as number));
    expect(chooseStage(members)).toBe(2);
    expect(members.map((member) => stageOf(member, 2).heldOutSquares[0]![0])).toEqual([1, 2]);
  });

  it("never takes a stage that diverged while there is another", () => {
    expect(chooseStage(membersWith([[[Number.NaN], [2]]]))).toBe(1);
    expect(chooseStage(membersWith([[[Number.NaN]]]))).toBe(0);
  });
});

describe("lastGoodStage()", () => {
  it("is the last that is no worse than the best by more than a twentieth: those are less alike, and their mean is better", () => {
    const logs = (values: readonly number[]): number[] => values.map(Math.log);
    expect(lastGoodStage(logs([1, 0.5, 0.49, 0.51, 0.6]))).toBe(3);
    expect(lastGoodStage(logs([1, 0.5, 0.49, 0.4]))).toBe(3);
    expect(lastGoodStage(logs([1, 2, 3]))).toBe(0);
  });

  it("is the last of all where nothing was held out", () => {
    expect(lastGoodStage([Number.NaN, Number.NaN])).toBe(1);
  });
});

describe("stagesWorthRunning()", () => {
  const logs = (values: readonly number[]): number[] => values.map(Math.log);

  it("goes to the last good stage where later ones were worse", () => {
    expect(stagesWorthRunning(logs([1, 0.5, 0.49, 0.51, 0.6, 0.7]))).toBe(4);
    expect(stagesWorthRunning(logs([1, 2, 3]))).toBe(1);
  });

  it("ends where later ones hardly improve, if none was worse", () => {
    expect(stagesWorthRunning(logs([1, 0.5, 0.49, 0.48]))).toBe(2);
    expect(stagesWorthRunning(logs([1, 0.5, 0.49, 0.4]))).toBe(4);
  });

  it("is all of them where nothing was held out", () => {
    expect(stagesWorthRunning([Number.NaN, Number.NaN])).toBe(2);
  });
});
