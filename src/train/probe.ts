/**
 * The probe: short trainings of two plain networks, judged on held-out quarters, decide whether networks learn the outputs
 * or what a linear trend leaves, and how strong the decay path starts.
 */
import { type EngineName, getEngine } from "../engine/index.ts";
import type { Rng } from "../rng.ts";
import {
  type Architecture,
  compact,
  hasFields,
  macs,
  outputsOf,
  superArchitecture,
  type SuperArchitecture,
  type SuperArchitectureOptions,
} from "../space/index.ts";
import { type CheckpointStore, keep, type TaskRunner } from "../tasks/index.ts";
import { type FieldComponents, fieldComponents } from "./components.ts";
import { takeRows, type TrainingData } from "./data.ts";
import type { LossName } from "./loss.ts";
import { type MemberOutput, memberTask } from "./member.ts";
import { fullPredictor } from "./objective.ts";
import { type Effort, planProbe, probeGrid } from "./recipe.ts";
import { finiteOrWorst } from "./path.ts";
import { chooseStage, stageOf, stageScores } from "./stages.ts";
import { fitTrend, noTrend, type Trend, withoutTrend } from "./trend.ts";

/** What the probe decided. */
export interface Footing {
  /** The super-architecture to search: long fields have their components. */
  readonly space: SuperArchitectureOptions;
  readonly trend: "none" | "linear";
  /** One per head. */
  readonly trends: readonly Trend[];
  readonly weightDecay: number;
  /** Share of the outputs' variance that the plain networks missed on held-out runs, geometric mean; 0 before it is known. */
  readonly missed: number;
  /** What networks learn: the targets without the trend, of long fields as coefficients too. */
  readonly data: TrainingData;
}

/** What plain networks are trained for a question on, and how long. */
export interface PlainOptions {
  readonly space: SuperArchitectureOptions;
  readonly data: TrainingData;
  /** Fold of each row, 0 to `folds` - 1; the first two are held out in turn. */
  readonly foldOf: Int32Array;
  readonly folds: number;
  readonly effort: Effort;
  readonly loss: LossName;
  readonly engine: EngineName;
  readonly rng: Rng;
  readonly runner: TaskRunner;
  /** Milliseconds since the epoch: now, and when it should be done. */
  readonly now: () => number;
  readonly deadline: number;
  readonly checkpoints?: CheckpointStore | undefined;
  /** Told after each training. */
  readonly onTrained: () => void;
}

/** @param rng for the components' start */
export async function footingOf(
  { space, data, engine }: Pick<PlainOptions, "space" | "data" | "engine">,
  trend: Footing["trend"],
  rng: Rng,
): Promise<Omit<Footing, "weightDecay" | "missed">> {
  const rows = Int32Array.from({ length: data.rows }, (_, i) => i);
  const fits = data.targets.map((target) =>
    trend === "linear" ? fitTrend(data.x, target, data.inputs, rows) : noTrend(data.inputs, target.length / data.rows),
  );
  const targets = data.targets.map((target, h) =>
    trend === "none" ? target : withoutTrend(fits[h]!, data.x, target, data.inputs),
  );
  const found: (FieldComponents | undefined)[] = [];
  for (const [h, head] of space.heads.entries())
    found.push(
      head.kind === "decoder"
        ? await fieldComponents(getEngine(engine), targets[h]!, data.rows, rng.fork(head.name))
        : undefined,
    );
  const heads = space.heads.map((head, h) => {
    const components = found[h]?.components;
    return components === undefined ? head : { ...head, components };
  });
  const coefficients = found.map((each) => each?.coefficients);
  return { space: { ...space, heads }, trend, trends: fits, data: { ...data, targets, coefficients } };
}

/** The plain networks: their activation and how many nodes of the trunk they use. */
const plainChains = [
  ["silu", 2],
  ["tanh", 3],
] as const;

/** A plain chain of one activation, full width, with linear decoders. */
export function chain(space: SuperArchitecture, activation: string, nodes: number): Architecture {
  return space.slots.map((slot) => {
    if (slot.candidates[0]?.kind === "width") return slot.candidates.length - 1;
    const inChain = slot.stage === "trunk" && slot.from === slot.to - 1 && slot.to <= nodes;
    const named = slot.candidates.findIndex((candidate) => candidate.name === (inChain ? activation : "zero"));
    return Math.max(0, named);
  });
}

/** Log of the scale that a trend's residuals are learned in, mean over outputs: brings scores back to one unit. */
function unitOf(trends: readonly Trend[]): number {
  const logs = trends.flatMap((trend) => Array.from(trend.scale, (value) => 2 * Math.log(value)));
  return logs.reduce((a, c) => a + c, 0) / logs.length;
}

/** One plain network, trained without one fold. */
export interface PlainNetwork {
  readonly architecture: Architecture;
  readonly output: MemberOutput;
  readonly heldOutRows: Int32Array;
}

/** Trains the plain networks on one footing, each without a fold, as tasks.
 * @param key names them among checkpoints @param allowance milliseconds of a core for each */
export async function trainPlain(
  options: PlainOptions,
  footing: Footing,
  key: string,
  allowance: number,
): Promise<readonly PlainNetwork[]> {
  const { foldOf, effort, engine, rng, runner, deadline } = options;
  const space = superArchitecture(footing.space);
  return Promise.all(
    plainChains.map(async ([activation, nodes], k) => {
      const architecture = chain(space, activation, nodes);
      const held = k % options.folds;
      const rows = Int32Array.from(foldOf.keys());
      const fitRows = rows.filter((row) => foldOf[row] !== held);
      const heldOutRows = rows.filter((row) => foldOf[row] === held);
      const input = {
        space: footing.space,
        architecture,
        data: footing.data,
        fitRows,
        heldOutRows,
        recipe: planProbe(effort, {
          rows: fitRows.length,
          macs: macs(space, architecture),
          outputs: outputsOf(space),
          fields: hasFields(space),
          engine,
          loss: options.loss === "gaussian" ? "mse" : options.loss,
          weightDecay: footing.weightDecay,
        }),
        seed: rng.fork(k).seed,
        engine,
      };
      const output = await keep(
        options.checkpoints,
        `${key}-${k}`,
        () => runner.run(memberTask, input, { deadline, allowance }),
        (result) => !result.stopped,
      );
      options.onTrained();
      return { architecture, output, heldOutRows };
    }),
  );
}

/** What a plain network says of the rows that it had not seen, by the stage that says it best: rows x size per head, what networks
 * learn. */
export async function heldOutPredictions(
  engineName: EngineName,
  { space, data }: Pick<Footing, "space" | "data">,
  { architecture, output, heldOutRows }: PlainNetwork,
): Promise<readonly Float32Array[]> {
  const network = compact(superArchitecture(space), architecture);
  const predictor = await fullPredictor(getEngine(engineName), network);
  const { weights } = stageOf(output, chooseStage([output]));
  const predictions = await predictor.predict(takeRows(data, heldOutRows).x, heldOutRows.length, weights);
  await predictor.dispose();
  return predictions;
}

/** Trainings that {@link probe} runs. */
export const probeTrainings = probeGrid.length * plainChains.length;
/** Trainings of {@link trainPlain}. */
export const plainTrainings = plainChains.length;

/** What starting a training takes of its share of the time. */
const starting = 0.1;

/** Milliseconds of a core for each of so many trainings from now to the deadline: all get the same, what came last would look
 * worst. */
export function allowanceOf({ now, deadline, runner }: PlainOptions, trainings: number): number {
  return ((1 - starting) * (deadline - now()) * runner.parallel) / trainings;
}

/** Decides. All trainings run side by side. */
export async function probe(options: PlainOptions): Promise<Footing> {
  const { rng } = options;
  const footings = {
    none: await footingOf(options, "none", rng.fork("components")),
    linear: await footingOf(options, "linear", rng.fork("components")),
  };
  const choices = probeGrid.map(({ trend, weightDecay }) => ({ ...footings[trend], weightDecay, missed: 0 }));
  const allowance = allowanceOf(options, probeTrainings);
  const scores = await Promise.all(
    choices.map(async (choice, c) => {
      const networks = await trainPlain(options, choice, `probe-${c}`, allowance);
      const outputs = networks.map(({ output }) => output);
      return Math.min(...stageScores(outputs).map(finiteOrWorst)) + unitOf(choice.trends);
    }),
  );
  const least = Math.min(...scores);
  return { ...(choices[scores.indexOf(least)] ?? choices[0]!), missed: Math.exp(least) };
}
