/**
 * Final training of one ensemble member: the compacted network of an architecture, from its own random start, with
 * mini-batch Adam to get near and full-batch L-BFGS to finish. L-BFGS follows a *decay path*: it starts under strong
 * weight decay and relaxes it stage by stage, each stage starting where the last ended (continuation in the regulariser,
 * as in Friedman, Hastie & Tibshirani 2010). Every stage is returned with its error on the held-out fold, so that the
 * fit can choose one stage for all members: a handful of choices that do not overfit the folds. Runs as a task.
 */
import { getEngine, type Engine, type EngineName } from "../engine/index.ts";
import { makeRng, type Rng } from "../rng.ts";
import {
  type Architecture,
  compact,
  fillRates,
  initialise,
  type Network,
  superArchitecture,
  type SuperArchitectureOptions,
} from "../space/index.ts";
import { defineTask, type TaskContext } from "../tasks/index.ts";
import { gatherInto, takeRows, type TrainingData, withCoefficients } from "./data.ts";
import { descentOf, type Finish, passesOf, type Stage } from "./descent.ts";
import { adamStepGraph, coefficientsLearned, hasUnits, trainedSize } from "./graphs.ts";
import type { LossName } from "./loss.ts";
import { feedsOf, fullPredictor } from "./objective.ts";
import { adamRate, cosine } from "./optimisers/index.ts";
import { chooseStage, type MemberStage } from "./stages.ts";

/** How a member is trained. Numbers of steps are the budget of work; only a deadline that comes before they are done
 * brings the clock in: then Adam's rate goes down to its end in the time that there is. */
export interface Recipe {
  readonly loss: LossName;
  readonly adamSteps: number;
  readonly batch: number;
  readonly learningRate: number;
  readonly finalLearningRate: number;
  /** Stages after it. None: Adam alone, without decay;
   * what is left on the member's own rows is then not looked at. */
  readonly path: readonly Stage[];
  readonly finish: Finish;
}

export interface MemberInput {
  readonly space: SuperArchitectureOptions;
  readonly architecture: Architecture;
  readonly data: TrainingData;
  /** Rows to train on, and rows that are held out to judge the stages (may be empty). */
  readonly fitRows: Int32Array;
  readonly heldOutRows: Int32Array;
  readonly recipe: Recipe;
  readonly seed: number;
  readonly engine: EngineName;
}

export interface MemberOutput {
  /** One per stage of the recipe's path that was reached, at least one: the path ends early once two stages in a row were worse
   * than the best. */
  readonly stages: readonly MemberStage[];
  readonly adamSteps: number;
  readonly iterations: number;
  readonly evaluations: number;
  /** True where the caller's stop or deadline cut the path short. */
  readonly stopped: boolean;
}

/** Mini-batch Adam from `start`. @param elapsed share of its time that has passed: the schedule does not lag behind it
 * @param watch told after each step; false stops */
async function runAdam(
  engine: Engine,
  network: Network,
  fit: TrainingData,
  start: Float32Array,
  recipe: Recipe,
  rng: Rng,
  { elapsed, watch }: { readonly elapsed: () => number; readonly watch: (step: number) => boolean },
): Promise<{ readonly params: Float32Array; readonly steps: number }> {
  if (recipe.adamSteps === 0) return { params: start, steps: 0 };
  const batch = Math.min(recipe.batch, fit.rows);
  const weightDecay = recipe.path[0]?.weightDecay ?? 0;
  const step = await engine.compile(adamStepGraph(network, { loss: recipe.loss, rows: batch, weightDecay }));
  const buffers = takeRows(
    fit,
    Int32Array.from({ length: batch }, (_, i) => i),
  );
  const order = Int32Array.from({ length: fit.rows }, (_, i) => i);
  let at = fit.rows;
  let steps = 0;
  const units = new Float32Array(hasUnits(network) ? start.length : 1).fill(1);
  if (units.length > 1) for (const parameter of network.layout.parameters) fillRates(units, parameter, 1);
  const rate = new Float32Array(units.length);
  const warmUp = Math.min(50, recipe.adamSteps / 4);
  const state = await step.loop({
    feeds: {
      ...feedsOf(buffers),
      params: start,
      first: new Float32Array(start.length),
      second: new Float32Array(start.length),
      rate,
    },
    carry: { nextParams: "params", nextFirst: "first", nextSecond: "second" },
    steps: recipe.adamSteps,
    perStep: (t) => {
      const progress = Math.min(1, Math.max(t / recipe.adamSteps, elapsed()));
      const planned = cosine(recipe.learningRate, recipe.finalLearningRate, progress);
      const now = adamRate(planned * Math.min(1, (t + 1) / warmUp), t);
      for (let i = 0; i < rate.length; i++) rate[i] = now * units[i]!;
      if (batch === fit.rows) return;
      if (at + batch > fit.rows) {
        rng.shuffle(order);
        at = 0;
      }
      const rows = order.subarray(at, at + batch);
      at += batch;
      gatherInto(buffers.x, fit.x, rows, fit.inputs);
      buffers.targets.forEach((target, i) => {
        gatherInto(target, fit.targets[i]!, rows, target.length / batch);
      });
    },
    watch: (t) => {
      steps = t + 1;
      return watch(steps) && elapsed() < 1;
    },
  });
  const params = Float32Array.from(state.nextParams as Float32Array);
  await step.dispose();
  return { params, steps };
}

/** Iterations between reports. */
const reported = 5;

/** What it misses each row of the table by: its own rows as leaving them out would have it, held-out rows as they are.
 * @param outputs of the held-out rows @param leftOut fit rows x outputs */
function honestErrors(
  { data, fitRows, heldOutRows }: MemberInput,
  held: TrainingData,
  outputs: readonly Float32Array[],
  leftOut: Float32Array,
): Float32Array {
  const [target, predicted] = [held.targets[0], outputs[0]];
  const size = leftOut.length / fitRows.length;
  const errors = new Float32Array(data.rows * size).fill(Number.NaN);
  fitRows.forEach((row, i) => {
    errors.set(leftOut.subarray(i * size, (i + 1) * size), row * size);
  });
  heldOutRows.forEach((row, i) => {
    for (let j = 0; j < size; j++)
      errors[row * size + j] = (predicted?.[i * size + j] ?? 0) - (target?.[i * size + j] ?? 0);
  });
  return errors;
}

/** Mean square of the residuals per head and element. */
function meanSquares(held: TrainingData, outputs: readonly Float32Array[]): Float64Array[] {
  return held.targets.map((target, h) => {
    const size = target.length / Math.max(1, held.rows);
    const squares = new Float64Array(held.rows > 0 ? size : 0);
    const predicted = outputs[h]!;
    for (let i = 0; i < target.length; i++) squares[i % size]! += (target[i]! - predicted[i]!) ** 2 / held.rows;
    return squares;
  });
}

/** Two stages in a row that were worse than the best: later stages only fit more closely. */
function hasStalled(stages: readonly MemberStage[]): boolean {
  return chooseStage([{ stages }]) < stages.length - 2;
}

export async function trainMember(input: MemberInput, context: TaskContext): Promise<MemberOutput> {
  const { recipe, data } = input;
  const rng = makeRng(input.seed);
  const network = compact(superArchitecture(input.space), input.architecture);
  const size = trainedSize(network, recipe.loss);
  const engine = getEngine(input.engine);
  const fit = takeRows(withCoefficients(data, coefficientsLearned(network, recipe.loss)), input.fitRows);
  const held = takeRows(data, input.heldOutRows);

  // Work in units of one pass over the rows.
  const adamPasses = (recipe.adamSteps * Math.min(recipe.batch, fit.rows)) / fit.rows;
  const each = passesOf[recipe.finish];
  const passes = adamPasses + each * recipe.path.reduce((sum, stage) => sum + stage.iterations, 0);
  const start = new Float32Array(size);
  start.set(initialise(network.layout, rng.fork("weights")));
  const adam = await runAdam(engine, network, fit, start, recipe, rng.fork("batches"), {
    elapsed: () => (context.elapsed() * passes) / adamPasses,
    watch: (steps) => {
      if (steps % 20 === 0) context.progress(((steps / recipe.adamSteps) * adamPasses) / passes);
      return !(steps % 10 === 0 && context.shouldStop());
    },
  });

  const alone = recipe.path.length === 0;
  const descent = alone ? undefined : await descentOf(recipe.finish, engine, network, recipe.loss, fit);
  const predictor = await fullPredictor(engine, network);
  let params = adam.params;
  let iterations = 0;
  let evaluations = 0;
  const stages: MemberStage[] = [];
  const judge = async (fitLoss: number, leftOut?: Float32Array): Promise<void> => {
    const weights = params.slice(0, network.layout.size);
    const outputs = held.rows > 0 ? await predictor.predict(held.x, held.rows, weights) : [];
    const heldOutSquares = meanSquares(held, outputs);
    stages.push({
      weights,
      logNoise: params.slice(network.layout.size),
      fitLoss,
      heldOutSquares,
      ...(leftOut && { honestErrors: honestErrors(input, held, outputs, leftOut) }),
    });
  };
  if (descent === undefined) await judge(Number.NaN);
  else
    for (const stage of recipe.path) {
      if (stages.length > 0 && context.shouldStop()) break;
      const limit = context.shouldStop() ? 0 : stage.iterations;
      const before = iterations;
      const result = await descent.run(params, { ...stage, iterations: limit }, (iteration, loss) => {
        if (iteration % reported === 0)
          context.progress((adamPasses + each * (before + iteration)) / passes, `loss ${loss.toExponential(1)}`);
        return context.shouldStop();
      });
      params = result.params;
      iterations += result.iterations;
      evaluations += result.evaluations;
      await judge(result.dataLoss, await descent.leaveOneOut(params, stage.weightDecay));
      if (hasStalled(stages)) break;
    }
  await descent?.dispose();
  await predictor.dispose();
  const stopped = context.shouldStop() || adam.steps < recipe.adamSteps;
  return { stages, adamSteps: adam.steps, iterations, evaluations, stopped };
}

/** {@link trainMember} as a task. */
export const memberTask = defineTask(import.meta.url, "trainMember", trainMember);
