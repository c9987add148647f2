/** Loss, gradient and predictions of many rows at once or in parts: the same numbers. */
import { afterAll, expect, test } from "vitest";
import { getEngine } from "../../src/engine/index.ts";
import { makeRng } from "../../src/rng.ts";
import { compact, initialise, plainArchitecture, superArchitecture } from "../../src/space/index.ts";
import type { TrainingData } from "../../src/train/data.ts";
import { fullObjective, fullPredictor } from "../../src/train/objective.ts";

const space = superArchitecture({
  inputs: 3,
  heads: [{ name: "image", kind: "decoder", channels: 1, spatial: [64, 64] }],
});
const network = compact(space, plainArchitecture(space, [])!);
const rng = makeRng(5);
const params = initialise(network.layout, rng);
const size = 64 * 64;
const rows = 70;
const data: TrainingData = {
  rows,
  inputs: 3,
  x: Float32Array.from({ length: rows * 3 }, () => rng.normal()),
  targets: [Float32Array.from({ length: rows * size }, () => rng.normal())],
};
const engine = getEngine("onnxruntime");
const part = (from: number, to: number): TrainingData => ({
  rows: to - from,
  inputs: 3,
  x: data.x.slice(from * 3, to * 3),
  targets: [data.targets[0]!.slice(from * size, to * size)],
});
const made: { dispose(): Promise<void> }[] = [];
afterAll(() => Promise.all(made.map((each) => each.dispose())));

/** Loss and gradient of some rows. */
async function on(some: TrainingData): Promise<{ loss: number; gradient: Float32Array }> {
  const objective = await fullObjective(engine, network, "mse", some);
  made.push(objective);
  const gradient = new Float32Array(params.length).fill(7);
  return { loss: await objective.evaluate(params, gradient), gradient };
}

test("the loss and gradient of all rows are the mean of those of parts", async () => {
  // 70 rows of this network take more than one call, 7 do not.
  const whole = await on(data);
  const tens: Awaited<ReturnType<typeof on>>[] = [];
  for (let from = 0; from < rows; from += 7) tens.push(await on(part(from, from + 7)));
  const mean = (of: (each: { loss: number; gradient: Float32Array }) => number): number =>
    tens.reduce((sum, each) => sum + of(each), 0) / tens.length;
  expect(whole.loss).toBeCloseTo(
    mean(({ loss }) => loss),
    6,
  );
  const normOf = (values: Float32Array): number => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  const norm = normOf(whole.gradient);
  expect(norm).toBeGreaterThan(0);
  const apart = whole.gradient.map((value, i) => value - mean(({ gradient }) => gradient[i]!));
  expect(normOf(apart)).toBeLessThan(1e-5 * norm);
});

test("predictions of many rows are those of each", async () => {
  const predictor = await fullPredictor(engine, network);
  made.push(predictor);
  const [whole] = await predictor.predict(data.x, rows, params);
  expect(whole!.length).toBe(rows * size);
  for (const row of [0, 33, rows - 1]) {
    const [one] = await predictor.predict(part(row, row + 1).x, 1, params);
    const apart = one!.map((value, i) => Math.abs(value - whole![row * size + i]!));
    expect(Math.max(...apart)).toBeLessThan(1e-5);
  }
});
