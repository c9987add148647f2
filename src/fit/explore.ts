/** The search stage of a fit: a supernet trainer, trials and limits handed to the strategy's loop. */
import { getEngine } from "../engine/index.ts";
import {
  type History,
  makeHistory,
  search,
  type SearchResult,
  type SearchState,
  strategyTime,
  trialDefaults,
  trialUnits,
} from "../search/index.ts";
import {
  type Architecture,
  hasFields,
  macs,
  mixedArchitecture,
  outputsOf,
  randomArchitecture,
  supernet,
} from "../space/index.ts";
import { inProcess } from "../tasks/index.ts";
import { type Footing, planSearch, planTrials, runTrial, supernetTrainer, type TrialPlan } from "../train/index.ts";
import { emulatorLatency, tightestBudget } from "./constrain.ts";
import type { FitOptions } from "./options.ts";
import { type Prepared, shapeOf } from "./prepare.ts";

/** Milliseconds between checkpoints of the search. */
const checkpointEvery = 2000;

/** Milliseconds below which a trial of a signal or an image tells nothing. */
const leastTrialTime = 3000;

/** Searches architectures, or goes on from a checkpoint. */
export async function explore(
  prepared: Prepared,
  footing: Footing,
  options: FitOptions,
  control: {
    readonly shouldStop: () => boolean;
    /** Milliseconds since the epoch: now, and when the search should be done. */
    readonly now: () => number;
    readonly deadline: number;
    readonly onFraction: (fraction: number, note: string) => void;
  },
): Promise<SearchResult> {
  const begun = control.now();
  const { space, spaceOptions, strategy, effort, foldOf, isValidation, rng, members, engine, loss } = prepared;
  const { checkpoints, runner = inProcess() } = options;
  type Saved = Omit<SearchResult, "history"> & { readonly records: History["records"] };
  const done = (await checkpoints?.read("search-result")) as Saved | undefined;
  if (done !== undefined) return { ...done, history: makeHistory(done.records) };
  const state = (await checkpoints?.read("search")) as SearchState | undefined;
  const rows = Int32Array.from(foldOf.keys());
  const trainRows = rows.filter((row) => !isValidation(row));
  const typical = Array.from({ length: 32 }, (_, i) =>
    macs(space, randomArchitecture(space, rng.fork(`typical ${i}`))),
  );
  const typicalMacs = typical.reduce((a, c) => a + c, 0) / typical.length;
  const convolutional = hasFields(space);
  const plan = planSearch(effort, trainRows.length, typicalMacs, convolutional);
  const validationRows = rows.filter(isValidation);
  /** Some of the rows, as many as the search has of those to train on. */
  const sampled = (from: Int32Array, stream: string): Int32Array => {
    const count = Math.ceil((from.length * plan.rows) / trainRows.length);
    return count < from.length ? rng.fork(stream).shuffle(from.slice()).subarray(0, count) : from;
  };
  const unlimited =
    prepared.ensemble === "trained"
      ? planTrials(effort, {
          rows: trainRows.length,
          macs: typicalMacs,
          outputs: outputsOf(space),
          engine: prepared.engine,
          missed: footing.missed,
          convolutional,
          fields: convolutional,
          coefficients: false,
          members,
          loss,
          weightDecay: footing.weightDecay,
        })
      : undefined;
  const trialPlan =
    unlimited && withinTime(unlimited, (1 - strategyTime) * (control.deadline - begun) * runner.parallel);
  /** Milliseconds of a trial: all get the same part of the time that there is from the first one on. */
  let perTrial: number | undefined;
  const trials = trialPlan && {
    count: trialPlan.count,
    macs: trialPlan.work,
    heatTimes: trialPlan.heatTimes,
    known: [mixedArchitecture(space, "linear"), mixedArchitecture(space, "dense")],
    run: (architecture: Architecture, times: number) => {
      perTrial ??= ((control.deadline - control.now()) * runner.parallel) / trialUnits(trialPlan);
      return runTrial(
        {
          space: spaceOptions,
          data: footing.data,
          trainRows,
          validationRows,
          work: times * trialPlan.work,
          loss: "mse",
          seed: rng.fork("trials").seed,
          engine,
          runner,
          allowance: times * perTrial,
        },
        architecture,
      );
    },
  };
  const trainer = await supernetTrainer({
    engine: getEngine(engine),
    network: supernet(space),
    data: footing.data,
    trainRows: sampled(trainRows, "search rows"),
    validationRows: sampled(validationRows, "search validation"),
    batch: plan.batch,
    loss: "huber",
    rng: rng.fork("supernet"),
  });
  let lastWrite = performance.now();
  const result = await search({
    strategy,
    trainer,
    space,
    budget: plan.macs,
    steps: plan.steps,
    members,
    rng: rng.fork("search"),
    ...(trials === undefined ? {} : { trials, workExponent: 1 }),
    ...(state === undefined ? {} : { resume: state }),
    ...limitOf(prepared, options),
    shouldStop: control.shouldStop,
    elapsed: () => (control.now() - begun) / Math.max(1, control.deadline - begun),
    onStep: async (next, fraction) => {
      const { length: tried } = next.tried;
      control.onFraction(fraction, tried === 0 ? `step ${next.steps}` : `trial ${tried}`);
      if (checkpoints === undefined || performance.now() - lastWrite < checkpointEvery) return;
      await checkpoints.write("search", next);
      lastWrite = performance.now();
    },
  });
  await trainer.dispose();
  const { history, ...rest } = result;
  // A search cut short by the clock is not what the same command would find again: do not keep it for a resume.
  if (result.outcome !== "stopped") await checkpoints?.write("search-result", { ...rest, records: history.records });
  return result;
}

/** As many trials as so many milliseconds of one core bear; a generation of them at least. */
function withinTime(plan: TrialPlan, milliseconds: number): TrialPlan {
  const affordable = Math.floor(milliseconds / leastTrialTime - trialDefaults.heat * plan.heatTimes);
  return { ...plan, count: Math.max(trialDefaults.generation, Math.min(plan.count, affordable)) };
}

/** What the search has to keep to: a latency on devices, or the limit on multiply-accumulates. */
function limitOf(prepared: Prepared, { constraint, deployment }: FitOptions) {
  const budget = deployment && tightestBudget(deployment);
  if (deployment !== undefined && budget !== undefined) {
    const latency = emulatorLatency(deployment, shapeOf(prepared));
    const kind = deployment.soft === true ? "soft" : "hard";
    return { latency, constraint: { kind, limit: 1000 * budget } as const };
  }
  return constraint === undefined ? {} : { constraint };
}
