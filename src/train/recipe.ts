/**
 * How much work a fit does and how it trains, from its effort and the size of the problem. Effort is a budget of work,
 * counted in multiply-accumulates, so that a seed fixes every byte of the result. The constants are measured
 * (docs/decisions/0003-training-recipe.md).
 */
import type { EngineName } from "../engine/index.ts";
import type { LossName } from "./loss.ts";
import type { Recipe } from "./member.ts";

export const efforts = ["quick", "standard", "thorough"] as const;
export type Effort = (typeof efforts)[number];

const effortFactor = { quick: 0.3, standard: 1, thorough: 3 } as const satisfies Record<Effort, number>;

/** Multiply-accumulates of the final training of all members at `standard`. */
const finalMacs = 3e12;
/** Convolutions of few channels run at a third of the speed of matrix products: their work counts three times. */
const convolutionWeight = 3;
/** The search gets at most this share of it. */
const searchShare = 0.25;
/** Weight steps that a search wants at least, and epochs (a pass over the rows and one move of the logits). */
const searchSteps = 800;
const searchEpochs = 60;

/** The decay path: each stage divides the starting decay and runs some L-BFGS iterations. A member leaves it once two
 * stages in a row were worse than its best, so the long tail costs only tables that want it. */
const decayPath = [
  { divisor: 1, iterations: 120 },
  { divisor: 3, iterations: 120 },
  { divisor: 10, iterations: 200 },
  { divisor: 100, iterations: 300 },
  { divisor: 1e3, iterations: 400 },
  { divisor: 1e4, iterations: 500 },
  { divisor: 1e5, iterations: 600 },
  { divisor: 1e6, iterations: 800 },
] as const;
const pathIterations = decayPath.reduce((sum, stage) => sum + stage.iterations, 0);

/** Learning rate of Adam for signals and images, convolutional or not: at equal work 2e-3 left twice the error. */
export const fieldRate = 6e-3;

/** Where the whole decay path is too dear, mini-batch Adam has this share of the passes: at equal time half the error of L-BFGS on
 * line spectra and a quarter on scattering, at equal passes three quarters on six thousand runs of scalars. Convolutions, which cost
 * most, leave it more. */
const adamShare = { linear: 0.6, convolutional: 0.9, coefficients: 0.75 } as const;

/** Rows of a batch, at most. A step on coefficients is mostly overhead: with twice the rows images of implosions were at 1.7e-2
 * instead of 2.1e-2 in the same time. */
const fieldBatch = { field: 32, coefficients: 64 } as const;

/** Batch of mini-batch Adam. @param coefficients whether fields are learned as coefficients of components */
export function batchOf(rows: number, coefficients: boolean): number {
  return Math.max(8, Math.min(coefficients ? fieldBatch.coefficients : fieldBatch.field, Math.floor(rows / 8)));
}

/** Last learning rate of Adam, the same in all recipes. */
const finalLearningRate = 3e-5;

/** Of more runs, a field's coefficients are learned by Adam however cheap they are: by the decay path spectra of emission had errors
 * from 0.03 to 0.3, by Adam 0.04. Passes at most: networks so small take the time of a step, not of its work. */
const manyFieldRuns = 600;
const mostPasses = { member: 1000, trial: 300 } as const;

/** Adam before a path that takes the network to its end. */
const start = { batch: 64, adamSteps: 300, learningRate: 3e-3 } as const;

/** Of scalars, below this share of the path's iterations Adam does most of the work instead. */
const leastPathShare = 0.5;

/** What a step of a convolutional supernet takes, in steps of its average architecture: all candidates are there. And the
 * fewest rows that a search is cut down to. */
const supernetWeight = 9;
const leastSearchRows = 256;

export interface SearchPlan {
  /** Rows that it trains on: all, or a sample where passes over all would take too long. */
  readonly rows: number;
  /** Multiply-accumulates of the architectures that run. */
  readonly macs: number;
  /** Steps of the strategy at most: with cheap architectures the supernet itself is the cost, not what is charged. */
  readonly steps: number;
  readonly batch: number;
}

/** Work of the search.
 * @param rows to train on @param macs of one row through a typical architecture, and whether most are convolutions */
export function planSearch(effort: Effort, rows: number, macs: number, convolutional: boolean): SearchPlan {
  const batch = batchOf(rows, false);
  const epochs = Math.max(searchEpochs, (searchSteps * batch) / rows);
  const factor = effortFactor[effort];
  const budget = searchShare * finalMacs;
  const affordable = Math.round(budget / (convolutional ? supernetWeight : 1) / (epochs * 3 * macs));
  const sampled = Math.min(rows, Math.max(leastSearchRows, affordable));
  const wanted = epochs * 3 * macs * sampled;
  const most = convolutional ? budget / supernetWeight / convolutionWeight : budget;
  return { rows: sampled, macs: factor * Math.min(wanted, most), steps: Math.ceil(factor * epochs), batch };
}

/** Work of all trials of a search, in members, without the heat; the share of a member's work that a run of the heat has; one
 * trial's share of a member's work at least and at most, and the passes
 * over the rows that it wants: with fewer, an image is not learned far enough to tell architectures apart. */
const trialWork = 4;
const heatShare = 1 / 2;
const trialShares = { least: 1 / 8, most: 1 / 4 } as const;
const trialPasses = 10;

export interface TrialPlan {
  readonly count: number;
  /** Multiply-accumulates of each. */
  readonly work: number;
  /** Work of a run of the heat, in trials. */
  readonly heatTimes: number;
}

/** Trials for signals and images so large that Adam does the work: there the architecture decides how far it gets. Where members
 * are trained to an end, they are alike, and what tells them apart is not seen in a short training; of scalars short trainings chose
 * networks that learn fast, not far: without trials 7690 runs were learned to two thirds of the error in half the time.
 * @param problem a typical architecture's, by which the work is measured @returns undefined where trials do not pay */
export function planTrials(effort: Effort, problem: MemberProblem): TrialPlan | undefined {
  if (!problem.fields) return undefined;
  const { adamSteps, batch, path } = planMember(effort, problem);
  if (path.length === decayPath.length) return undefined;
  const passes = (adamSteps * batch) / problem.rows;
  const share = Math.min(trialShares.most, Math.max(trialShares.least, trialPasses / passes));
  const count = Math.max(8, Math.round((trialWork / share) * Math.min(1, effortFactor[effort])));
  const heatTimes = heatShare / share;
  return { count, heatTimes, work: share * adamSteps * 3 * problem.macs * batch };
}

/** Steps of a trial: what its work affords, on coefficients no more passes than tell.
 * @param macs of one row @param coefficients as in {@link batchOf} */
export function planTrial(
  work: number,
  { rows, macs, coefficients }: Pick<MemberProblem, "rows" | "macs" | "coefficients">,
): { readonly batch: number; readonly adamSteps: number } {
  const batch = batchOf(rows, coefficients);
  const most = coefficients ? (mostPasses.trial * rows) / batch : Number.POSITIVE_INFINITY;
  return { batch, adamSteps: Math.max(1, Math.floor(Math.min(work / (3 * macs * batch), most))) };
}

/** Mini-batch Adam alone, without weight decay. */
export function adamAlone(plan: Pick<Recipe, "loss" | "batch" | "adamSteps" | "learningRate">): Recipe {
  return { ...plan, finalLearningRate, finish: "lbfgs", path: [] };
}

export interface MemberProblem {
  readonly rows: number;
  /** Multiply-accumulates of one row through this member. */
  readonly macs: number;
  /** Numbers of a run that it learns. */
  readonly outputs: number;
  /** Whether most of the multiply-accumulates are convolutions. */
  readonly convolutional: boolean;
  /** Whether any output is a signal or an image, and whether this member learns one as coefficients of components. */
  readonly fields: boolean;
  readonly coefficients: boolean;
  readonly members: number;
  readonly loss: LossName;
  readonly engine: EngineName;
  /** Share of the outputs' variance that plain networks missed in the probe; undefined in the probe itself. */
  readonly missed?: number;
  /** Weight decay at the start of the path, found by the probe. */
  readonly weightDecay: number;
}

/** Residuals that Levenberg-Marquardt is used for at most: its steps, worth some forty of L-BFGS, take time with their cube. */
const mostResiduals = 1000;
/** Share of variance that plain networks may miss for it: where they miss more, runs hold noise, or networks do not learn them, and members
 * that follow their runs so closely do no better, nor is it known what they would miss their own runs by. */
const mostMissed = 0.05;
/** Its decay path, and iterations of each stage at most, by effort and in the probe. */
const residualPath = [1, 3, 10, 100, 1e3, 1e4, 1e5, 1e6] as const;
const residualSteps = { quick: 6, standard: 10, thorough: 20 } as const satisfies Record<Effort, number>;
const probeDivisors = [1, 10, 100] as const;

/** Whether members are finished by Levenberg-Marquardt, and know what they would miss their own rows by. Its systems need float64,
 * which TensorFlow.js has not. */
export function hasFewResiduals({
  rows,
  outputs,
  fields,
  loss,
  engine,
  missed = 0,
}: Pick<MemberProblem, "rows" | "outputs" | "fields" | "loss" | "engine" | "missed">): boolean {
  const suits = engine === "onnxruntime" && loss === "mse" && !fields;
  return suits && rows * outputs <= mostResiduals && missed < mostMissed;
}

/** Adam to get near, then Levenberg-Marquardt. */
function byResiduals(effort: Effort, weightDecay: number, divisors: readonly number[]): Recipe {
  return {
    loss: "mse",
    ...start,
    finalLearningRate,
    finish: "levenberg-marquardt",
    path: divisors.map((divisor) => ({ weightDecay: weightDecay / divisor, iterations: residualSteps[effort] })),
  };
}

/** How one member is trained: the whole decay path where the budget bears it; for scalars a shortened one where it nearly does;
 * else mostly mini-batch Adam, because a full-batch step is dear. */
export function planMember(effort: Effort, problem: MemberProblem): Recipe {
  const { rows, macs, members, loss, weightDecay } = problem;
  if (hasFewResiduals(problem)) return byResiduals(effort, weightDecay, residualPath);
  const factor = effortFactor[effort];
  const work = 3 * macs * rows * (problem.convolutional ? convolutionWeight : 1);
  const affordable = (factor * finalMacs) / (members * work);
  const adam = problem.coefficients && rows > manyFieldRuns;
  const passes = adam ? Math.min(factor * mostPasses.member, affordable) : affordable;
  const share = adam ? 0 : Math.min(factor, passes / pathIterations);
  const common = { loss, finalLearningRate, finish: "lbfgs" } as const;
  if (share < (problem.fields ? 1 : leastPathShare) * Math.min(1, factor)) {
    const batch = batchOf(rows, problem.coefficients);
    const linear = !problem.convolutional;
    const part = adamShare[problem.coefficients ? "coefficients" : linear ? "linear" : "convolutional"];
    const adamSteps = Math.max(100, Math.round((part * passes * rows) / batch));
    const iterations = Math.max(5, Math.round((1 - part) * passes));
    const path = linear
      ? [100, 1e4].map((divisor) => ({ weightDecay: weightDecay / divisor, iterations: Math.round(iterations / 2) }))
      : [{ weightDecay: weightDecay / 100, iterations }];
    return { ...common, batch, adamSteps, learningRate: problem.fields ? fieldRate : 2e-3, path };
  }
  const path = decayPath.map(({ divisor, iterations }) => ({
    weightDecay: weightDecay / divisor,
    iterations: Math.round(share * iterations),
  }));
  return { ...common, ...start, path };
}

/** What the probe tries: with or without a linear trend, strong or weak decay to start from. */
export const probeGrid = [
  { trend: "none", weightDecay: 1e-3 },
  { trend: "none", weightDecay: 1e-5 },
  { trend: "linear", weightDecay: 1e-3 },
  { trend: "linear", weightDecay: 1e-5 },
] as const;

/** A short path for the probe. */
export function planProbe(
  effort: Effort,
  problem: Omit<MemberProblem, "members" | "convolutional" | "coefficients">,
): Recipe {
  const { rows, macs, weightDecay } = problem;
  if (hasFewResiduals(problem)) return byResiduals(effort, weightDecay, probeDivisors);
  const factor = effortFactor[effort];
  const passes = (0.3 * factor * finalMacs) / (2 * probeGrid.length * 3 * macs * rows);
  const share = Math.min(1, factor, passes / 400);
  return {
    loss: problem.loss,
    ...start,
    adamSteps: Math.round(start.adamSteps * Math.min(1, 3 * share)),
    finalLearningRate,
    finish: "lbfgs",
    path: [
      { weightDecay, iterations: Math.round(100 * share) },
      { weightDecay: weightDecay / 10, iterations: Math.round(150 * share) },
      { weightDecay: weightDecay / 100, iterations: Math.round(150 * share) },
    ],
  };
}
