/**
 * A trial: an architecture trained from scratch for a stated number of multiply-accumulates and judged on rows that it
 * did not see. Adam alone, the learning rate down to nothing within the trial, so that the ranking is that of networks
 * trained to an end, however early.
 */
import type { EngineName } from "../engine/index.ts";
import {
  type Architecture,
  learnsCoefficients,
  macs,
  superArchitecture,
  type SuperArchitectureOptions,
} from "../space/index.ts";
import type { TaskRunner } from "../tasks/index.ts";
import type { TrainingData } from "./data.ts";
import type { LossName } from "./loss.ts";
import { type MemberInput, memberTask } from "./member.ts";
import { adamAlone, fieldRate, planTrial } from "./recipe.ts";
import { meanOverHeads } from "./stages.ts";

export interface TrialOptions {
  readonly space: SuperArchitectureOptions;
  readonly data: TrainingData;
  readonly trainRows: Int32Array;
  readonly validationRows: Int32Array;
  /** Multiply-accumulates of one trial: a cheaper network gets more steps. */
  readonly work: number;
  readonly loss: Exclude<LossName, "gaussian">;
  /** The same first weights' stream for all, so that luck is shared where layers are. */
  readonly seed: number;
  readonly engine: EngineName;
  readonly runner: TaskRunner;
  /** Milliseconds that it may take: the rate goes down to its end within them. Default: no limit. */
  readonly allowance?: number;
}

/** @returns mean squared error on the validation rows, mean over heads and elements, scaled units */
export async function runTrial(options: TrialOptions, architecture: Architecture): Promise<number> {
  const { space, data, work, loss, seed, engine, runner, allowance = Number.POSITIVE_INFINITY } = options;
  const layout = superArchitecture(space);
  const input: MemberInput = {
    space,
    architecture,
    data,
    fitRows: options.trainRows,
    heldOutRows: options.validationRows,
    recipe: adamAlone({
      loss,
      learningRate: fieldRate,
      ...planTrial(work, {
        rows: options.trainRows.length,
        macs: macs(layout, architecture),
        coefficients: loss === "mse" && learnsCoefficients(layout, architecture),
      }),
    }),
    seed,
    engine,
  };
  const { stages } = await runner.run(memberTask, input, { allowance });
  return meanOverHeads(stages[0]?.heldOutSquares ?? []);
}
