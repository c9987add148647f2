/**
 * The ensemble's members: distinct architectures of the search, each trained by itself from its own start without one fold, so
 * that every run is held out once; or, as DENSE published it, the searched supernet's own weights as they are.
 */
import { type EngineName, getEngine } from "../engine/index.ts";
import type { Rng } from "../rng.ts";
import {
  type Architecture,
  carryWeights,
  compact,
  hasFields,
  isConvolutional,
  learnsCoefficients,
  macs,
  outputsOf,
  superArchitecture,
  type SuperArchitecture,
  type SuperArchitectureOptions,
  supernet,
} from "../space/index.ts";
import { type CheckpointStore, keep, type TaskRunner } from "../tasks/index.ts";
import type { TrainingData } from "./data.ts";
import type { LossName } from "./loss.ts";
import { type MemberInput, type MemberOutput, memberTask, type Recipe } from "./member.ts";
import { fullPredictor } from "./objective.ts";
import type { Footing } from "./probe.ts";
import { type Effort, hasFewResiduals, planMember } from "./recipe.ts";
import { finiteOrWorst, stagesWorthRunning } from "./path.ts";
import { chooseStage, type MemberStage, meanOverHeads, stageOf, stageScores } from "./stages.ts";
import type { SupernetState } from "./supernet-trainer.ts";

/** One member of the ensemble, ready to predict. */
export interface Member {
  readonly architecture: Architecture;
  readonly weights: Float32Array;
  /** Learned log noise variances with the `gaussian` loss, one per scalar or channel; else empty. */
  readonly logNoise: Float32Array;
  /** Mean squared error in the units that networks learn, on its own rows and on what it held out; NaN where not known. */
  readonly fitLoss: number;
  readonly heldOutLoss: number;
  /** Iterations of the whole path. */
  readonly iterations: number;
  /** Whether it was trained without `row`. */
  readonly unseen: (row: number) => boolean;
  /** As {@link MemberStage.honestErrors}: what it would miss rows that it was trained on by, had each been left out, among others. */
  readonly honestErrors?: Float32Array;
}

export interface Ensemble {
  readonly members: readonly Member[];
  /** Stage of the decay path that all members are taken from, as far as each got. */
  readonly stage: number;
  /** True where a stop or deadline cut some member short. */
  readonly stopped: boolean;
  /** True where the first members lost by so much that no others were trained. */
  readonly outdone: boolean;
}

/** Members that are trained before it is asked whether the others are worth it. */
const scouts = 2;

export interface EnsembleOptions {
  readonly space: SuperArchitectureOptions;
  readonly architectures: readonly Architecture[];
  readonly footing: Footing;
  readonly foldOf: Int32Array;
  /** A second fold of a row, or -1; not used where members know what they would miss their own rows by. */
  readonly secondFoldOf: Int32Array;
  readonly folds: number;
  /** How many of them members hold out in turn: the first ones. */
  readonly heldOut: number;
  readonly members: number;
  readonly effort: Effort;
  readonly loss: LossName;
  readonly engine: EngineName;
  readonly rng: Rng;
  readonly runner: TaskRunner;
  /** Milliseconds since the epoch: now, and when all members should be done. */
  readonly begun: number;
  readonly deadline: number;
  readonly checkpoints?: CheckpointStore | undefined;
  readonly onFraction: (fraction: number, note?: string) => void;
  /** Asked once, of the first members: whether something else predicts so much better that the others can be spared. */
  readonly isOutdone?: (first: Ensemble) => Promise<boolean>;
}

/** Whether any field of the architecture is made by convolutions. */
function hasConvolutions(space: SuperArchitecture, architecture: Architecture): boolean {
  return space.heads.some((head) => head.kind === "decoder" && isConvolutional(space, architecture, head.decoderSlot));
}

function meanOf(parts: readonly Float64Array[]): number {
  const count = parts.reduce((sum, part) => sum + part.length, 0);
  return parts.reduce((sum, part) => sum + part.reduce((a, c) => a + c, 0), 0) / count;
}

/** How many times the held-out error of the better members a member may have on its own rows. */
const untrained = 4;

/** Which members count. One that does far worse on the very runs it was trained on than the better quarter does on runs it
 * had not seen did not get far in its time: it would spoil the mean. Judged by its own runs: a hard fold is no reason. */
export function trainedEnough(outputs: readonly MemberOutput[]): boolean[] {
  const best = (of: (stage: MemberStage) => number): number[] =>
    outputs.map(({ stages }) => Math.min(...stages.map(of).map(finiteOrWorst)));
  const held = best(({ heldOutSquares }) => meanOverHeads(heldOutSquares));
  const own = best(({ fitLoss }) => fitLoss);
  const quarter = [...held].sort((a, c) => a - c)[Math.floor((held.length - 1) / 4)] ?? Number.POSITIVE_INFINITY;
  return held.map((loss, m) => loss <= quarter || own[m]! <= untrained * quarter);
}

function upToStage(stages: number | undefined, recipe: Recipe): Recipe {
  return { ...recipe, path: recipe.path.slice(0, stages) };
}

/** Trains the members side by side: all of them, or the first few where these are outdone. The first say how much of the path the
 * others need. */
export async function trainEnsemble(options: EnsembleOptions): Promise<Ensemble> {
  const {
    space: spaceOptions,
    architectures,
    footing,
    foldOf,
    secondFoldOf,
    folds,
    heldOut,
    members,
    runner,
    rng,
    effort,
    engine,
  } = options;
  const space = superArchitecture(spaceOptions);
  const rows = Int32Array.from(foldOf.keys());
  // All members are planned alike, though folds differ by a run.
  const fitted = Math.round(rows.length * (1 - 1 / folds));
  const { loss } = options;
  const { missed } = footing;
  const problem = { rows: fitted, outputs: outputsOf(space), fields: hasFields(space), loss, engine, missed };
  const pairs = !hasFewResiduals(problem);
  const isUnseen = (row: number, fold: number): boolean =>
    foldOf[row] === fold || (pairs && secondFoldOf[row] === fold);
  const fractions = new Float64Array(members);
  const waves = Math.ceil(members / runner.parallel);
  const report = (note?: string): void => {
    options.onFraction(fractions.reduce((a, c) => a + c, 0) / members, note);
  };
  const trainOne = async (
    m: number,
    stages?: number,
  ): Promise<{ architecture: Architecture; fold: number; output: MemberOutput }> => {
    const architecture = architectures[m % architectures.length]!;
    const fold = m % heldOut;
    const fitRows = rows.filter((row) => !isUnseen(row, fold));
    const input: MemberInput = {
      space: spaceOptions,
      architecture,
      data: footing.data,
      fitRows,
      heldOutRows: rows.filter((row) => foldOf[row] === fold),
      recipe: upToStage(
        stages,
        planMember(effort, {
          ...problem,
          macs: macs(space, architecture),
          convolutional: hasConvolutions(space, architecture),
          coefficients: options.loss === "mse" && learnsCoefficients(space, architecture),
          members,
          weightDecay: footing.weightDecay,
        }),
      ),
      seed: rng.fork(`member ${m}`).seed,
      engine,
    };
    // Each wave of members gets an equal share of the time that is left.
    const wave = Math.floor(m / runner.parallel) + 1;
    const deadline = Number.isFinite(options.deadline)
      ? options.begun + ((options.deadline - options.begun) * wave) / waves
      : options.deadline;
    const onProgress = (fraction: number, note?: string): void => {
      fractions[m] = fraction;
      report(note === undefined ? undefined : `member ${m + 1}: ${note}`);
    };
    const output = await keep(
      options.checkpoints,
      `member-${m}`,
      () => runner.run(memberTask, input, { deadline, onProgress }),
      (result) => !result.stopped,
    );
    fractions[m] = 1;
    report();
    return { architecture, fold, output };
  };
  const trainAll = (from: number, to: number, stages?: number) =>
    Promise.all(Array.from({ length: to - from }, (_, k) => trainOne(from + k, stages)));
  const ensembleOf = (all: Awaited<ReturnType<typeof trainAll>>): Ensemble => {
    // A learned noise level is part of the loss: then losses do not tell how far a member got.
    const enough = options.loss === "gaussian" ? undefined : trainedEnough(all.map(({ output }) => output));
    const trained = all.filter((_, m) => enough?.[m] ?? true);
    const stage = chooseStage(trained.map(({ output }) => output));
    return {
      stage,
      stopped: all.some(({ output }) => output.stopped),
      outdone: false,
      members: trained.map(({ architecture, fold, output }): Member => {
        const taken = stageOf(output, stage);
        return {
          architecture,
          weights: taken.weights,
          logNoise: taken.logNoise,
          fitLoss: taken.fitLoss,
          heldOutLoss: meanOf(taken.heldOutSquares),
          iterations: output.iterations,
          unseen: (row) => isUnseen(row, fold),
          ...(taken.honestErrors && { honestErrors: taken.honestErrors }),
        };
      }),
    };
  };
  if (options.isOutdone === undefined || members <= scouts) return ensembleOf(await trainAll(0, members));
  const first = await trainAll(0, scouts);
  const ensemble = ensembleOf(first);
  if (!runner.stopped && (await options.isOutdone(ensemble))) return { ...ensemble, outdone: true };
  const stages = stagesWorthRunning(stageScores(first.map(({ output }) => output)));
  return ensembleOf([...first, ...(await trainAll(scouts, members, stages))]);
}

/** The supernet-draw ensemble of DENSE: architectures of the search with the supernet's weights, not trained further.
 * @param unseen rows that the supernet was not trained on */
export function supernetEnsemble(
  spaceOptions: SuperArchitectureOptions,
  architectures: readonly Architecture[],
  state: SupernetState,
  unseen: (row: number) => boolean,
): Ensemble {
  const space = superArchitecture(spaceOptions);
  const { layout } = supernet(space);
  const members = architectures.map((architecture): Member => {
    const own = compact(space, architecture).layout;
    return {
      architecture,
      weights: carryWeights(layout, state.params, own, new Float32Array(own.size)),
      logNoise: new Float32Array(),
      fitLoss: Number.NaN,
      heldOutLoss: Number.NaN,
      iterations: 0,
      unseen,
    };
  });
  return { members, stage: 0, stopped: false, outdone: false };
}

/** One array per head, scaled. */
export interface RowPredictions {
  /** With the trend. */
  readonly heads: readonly Float64Array[];
  /** Where that is known, as they would be of rows that the member was trained on, had each been left out. */
  readonly leftOut?: readonly Float64Array[];
  /** Where that is known too, without the trend: at points that nobody was trained on. */
  readonly fresh?: readonly Float64Array[];
}

/** Predictions of one member for some rows.
 * @param rows indices of the data's rows in the table   @param fresh inputs of as many new points */
export async function predictRows(
  engineName: EngineName,
  space: SuperArchitecture,
  member: Member,
  rows: Int32Array,
  data: TrainingData,
  footing: Pick<Footing, "trends" | "data">,
  fresh: Float32Array,
): Promise<RowPredictions> {
  const { honestErrors } = member;
  const predictor = await fullPredictor(getEngine(engineName), compact(space, member.architecture));
  const raws = await predictor.predict(data.x, data.rows, member.weights);
  const news = honestErrors && (await predictor.predict(fresh, data.rows, member.weights));
  await predictor.dispose();
  const heads = footing.trends.map(({ scale }, h) => {
    const target = data.targets[h]!;
    const learned = footing.data.targets[h]!;
    // The trend at a row is what the target has beyond the learned part.
    return Float64Array.from(raws[h]!, (value, i) => target[i]! + (value - learned[i]!) * scale[i % scale.length]!);
  });
  const [trend, target, head, raw] = [footing.trends[0], data.targets[0], heads[0], news?.[0]];
  if (!honestErrors || !trend || !target || !head || !raw) return { heads };
  const size = trend.scale.length;
  const leftOut = head.map((predicted, i) => {
    const row = rows[Math.floor(i / size)]!;
    if (member.unseen(row)) return predicted;
    return target[i]! + honestErrors[row * size + (i % size)]! * trend.scale[i % size]!;
  });
  return { heads, leftOut: [leftOut], fresh: [Float64Array.from(raw, (value, i) => value * trend.scale[i % size]!)] };
}
