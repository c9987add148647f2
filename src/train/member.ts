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
import { adamStepGraph, coefficientsLearned, decayMask, hasUnits, trainedSize } from "./graphs.ts";
import type { LossName } from "./loss.ts";
import { feedsOf, fullObjective, fullPredictor } from "./objective.ts";
import { adamRate, cosine, lbfgs } from "./optimisers/index.ts";
import { engineProducts } from "./pair-products.ts";
import { lastGoodStage } from "./path.ts";

/** How a member is trained. Numbers of steps are the budget of work; only a deadline that comes before they are done
 * brings the clock in: then Adam's rate goes down to its end in the time that there is. */
export interface Recipe {
  readonly loss: LossName;
  readonly adamSteps: number;
  readonly batch: number;
  readonly learningRate: number;
  readonly finalLearningRate: number;
  /** Stages of L-BFGS: weight of the sum of squared weights beside the mean loss, and iterations. None: Adam alone, without decay;
   * what is left on the member's own rows is then not looked at. */
  readonly path: readonly { readonly weightDecay: number; readonly iterations: number }[];
  readonly lbfgsMemory: number;
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

/** The member after one stage of its path. */
export interface MemberStage {
  readonly weights: Float32Array;
  /** Learned log noise variances with the `gaussian` loss, one per scalar or channel; else empty. */
  readonly logNoise: Float32Array;
  /** NaN where no stage followed Adam. */
  readonly fitLoss: number;
  /** Mean square of the held-out residuals per head and element, scaled units; NaN where nothing is held out. */
  readonly heldOutSquares: readonly Float64Array[];
}

export interface MemberOutput {
  /** One per stage of the recipe's path that was reached, at least one: the path ends early once two stages in a row were worse
   * than the best. */
  readonly stages: readonly MemberStage[];
  readonly adamSteps: number;
  readonly lbfgsIterations: number;
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

/** Mean logarithm of the held-out squares: what a stage is judged by. */
function logScore(heldOutSquares: readonly Float64Array[]): number {
  let sum = 0;
  let count = 0;
  for (const squares of heldOutSquares)
    for (const square of squares) {
      sum += Math.log(square + 1e-30);
      count++;
    }
  return count > 0 ? sum / count : Number.NaN;
}

/** Two stages in a row that were worse than the best: later stages only fit more closely. */
function hasStalled(scores: readonly number[]): boolean {
  return lastGoodStage(scores) < scores.length - 2;
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
  const passes = adamPasses + recipe.path.reduce((sum, stage) => sum + stage.iterations, 0);
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
  const objective = alone ? undefined : await fullObjective(engine, network, recipe.loss, fit);
  const products = alone ? undefined : await engineProducts(engine, recipe.lbfgsMemory, size);
  const predictor = await fullPredictor(engine, network);
  const trial = new Float32Array(size);
  const gradient = new Float32Array(size);
  const mask = decayMask(network, size, 1);
  let params = adam.params;
  let iterations = 0;
  let evaluations = 0;
  const stages: MemberStage[] = [];
  const scores: number[] = [];
  const judge = async (fitLoss: number): Promise<void> => {
    const weights = params.slice(0, network.layout.size);
    const outputs = held.rows > 0 ? await predictor.predict(held.x, held.rows, weights) : [];
    const heldOutSquares = meanSquares(held, outputs);
    stages.push({ weights, logNoise: params.slice(network.layout.size), fitLoss, heldOutSquares });
    scores.push(logScore(heldOutSquares));
  };
  if (alone) await judge(Number.NaN);
  for (const { weightDecay, iterations: limit } of recipe.path) {
    if (stages.length > 0 && context.shouldStop()) break;
    let dataLoss = Number.NaN;
    const before = iterations;
    const result = await lbfgs(
      async (point) => {
        trial.set(point);
        dataLoss = (await objective?.evaluate(trial, gradient)) ?? Number.NaN;
        let penalty = 0;
        if (weightDecay > 0)
          for (let i = 0; i < size; i++) {
            const weight = mask[i]! * point[i]!;
            penalty += weight * weight;
            gradient[i]! += 2 * weightDecay * weight;
          }
        return { loss: dataLoss + weightDecay * penalty, gradient };
      },
      params,
      {
        iterations: context.shouldStop() ? 0 : limit,
        memory: recipe.lbfgsMemory,
        ...(products === undefined ? {} : { products }),
        onIteration: ({ iteration, loss }) => {
          if (iteration % 10 === 0)
            context.progress((adamPasses + before + iteration) / passes, `loss ${loss.toExponential(1)}`);
          return context.shouldStop();
        },
      },
    );
    params = result.point;
    iterations += result.iterations;
    evaluations += result.evaluations;
    await judge(dataLoss);
    if (hasStalled(scores)) break;
  }
  await objective?.dispose();
  await products?.dispose();
  await predictor.dispose();
  const stopped = context.shouldStop() || adam.steps < recipe.adamSteps;
  return { stages, adamSteps: adam.steps, lbfgsIterations: iterations, evaluations, stopped };
}

/** {@link trainMember} as a task. */
export const memberTask = defineTask(import.meta.url, "trainMember", trainMember);
