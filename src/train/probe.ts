/**
 * The probe: short trainings of two plain networks, judged on held-out quarters, decide whether networks learn the outputs
 * or what a linear trend leaves, and how strong the decay path starts.
 */
import { type EngineName, getEngine } from "../engine/index.ts";
import type { Rng } from "../rng.ts";
import {
  type Architecture,
  macs,
  superArchitecture,
  type SuperArchitecture,
  type SuperArchitectureOptions,
} from "../space/index.ts";
import { type CheckpointStore, keep, type TaskRunner } from "../tasks/index.ts";
import { type FieldComponents, fieldComponents } from "./components.ts";
import type { TrainingData } from "./data.ts";
import type { LossName } from "./loss.ts";
import { memberTask } from "./member.ts";
import { type Effort, planProbe, probeGrid } from "./recipe.ts";
import { finiteOrWorst, stageScores } from "./stages.ts";
import { fitTrend, noTrend, type Trend, withoutTrend } from "./trend.ts";

/** What the probe decided. */
export interface Footing {
  /** The super-architecture to search: long fields have their components. */
  readonly space: SuperArchitectureOptions;
  readonly trend: "none" | "linear";
  /** One per head. */
  readonly trends: readonly Trend[];
  readonly weightDecay: number;
  /** What networks learn: the targets without the trend, of long fields as coefficients too. */
  readonly data: TrainingData;
}

export interface ProbeOptions {
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
  readonly begun: number;
  readonly deadline: number;
  readonly checkpoints?: CheckpointStore | undefined;
  readonly onFraction: (fraction: number) => void;
}

/** @param rng for the components' start */
async function footing(
  { space, data, engine }: ProbeOptions,
  trend: Footing["trend"],
  rng: Rng,
): Promise<Omit<Footing, "weightDecay">> {
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

/** Decides. All trainings run as tasks, side by side. */
export async function probe(options: ProbeOptions): Promise<Footing> {
  const { foldOf, effort, engine, rng, runner, deadline } = options;
  const nets = (
    [
      ["silu", 2],
      ["tanh", 3],
    ] as const
  ).map(([activation, nodes]) => chain(superArchitecture(options.space), activation, nodes));
  const footings = {
    none: await footing(options, "none", rng.fork("components")),
    linear: await footing(options, "linear", rng.fork("components")),
  };
  const choices = probeGrid.map(({ trend, weightDecay }) => ({ ...footings[trend], weightDecay }));
  let done = 0;
  // All the same part of the time that there is: what came last would look worst.
  const allowance = ((deadline - options.begun) * runner.parallel) / (choices.length * nets.length);
  const train = async (c: number, k: number, choice: Footing, architecture: Architecture) => {
    const held = k % options.folds;
    const fitRows = Int32Array.from(foldOf.keys()).filter((row) => foldOf[row] !== held);
    const input = {
      space: choice.space,
      architecture,
      data: choice.data,
      fitRows,
      heldOutRows: Int32Array.from(foldOf.keys()).filter((row) => foldOf[row] === held),
      recipe: planProbe(effort, {
        rows: fitRows.length,
        macs: macs(superArchitecture(choice.space), architecture),
        loss: options.loss === "gaussian" ? "mse" : options.loss,
        weightDecay: choice.weightDecay,
      }),
      seed: rng.fork(k).seed,
      engine,
    };
    const output = await keep(
      options.checkpoints,
      `probe-${c}-${k}`,
      () => runner.run(memberTask, input, { deadline, allowance }),
      (result) => !result.stopped,
    );
    options.onFraction(++done / (choices.length * nets.length));
    return output;
  };
  const scores = await Promise.all(
    choices.map(async (choice, c) => {
      const outputs = await Promise.all(nets.map((net, k) => train(c, k, choice, net)));
      return Math.min(...stageScores(outputs).map(finiteOrWorst)) + unitOf(choice.trends);
    }),
  );
  return choices[scores.indexOf(Math.min(...scores))] ?? choices[0]!;
}
