/**
 * The verb `fit`: from a table of runs to an emulator's bytes. It composes the rooms: scale, probe, search a
 * super-architecture, train members over folds, calibrate on what each had not seen, and write one graph.
 */
import { createHash } from "node:crypto";
import { fitCompanions } from "./companions.ts";
import { checkReachable, type Deployment, emulatorLatency, latencyInfo } from "./constrain.ts";
import {
  buildRuns,
  dataHash,
  encodedWidth,
  kFolds,
  type Runs,
  type RunsLike,
  type Selection,
  toRunTables,
} from "./data/index.ts";
import {
  calibrateFields,
  type Companion,
  EMULATOR_VERSION,
  emulatorBytes,
  emulatorGraph,
  type EmulatorInfo,
  fitScalers,
  type MemberForward,
  planHeads,
  type Scalers,
  scaleRuns,
} from "./emulator/index.ts";
import { type EngineName, getEngine } from "./engine/index.ts";
import { OptionError } from "./errors.ts";
import { makeRng, type Rng } from "./rng.ts";
import {
  type Constraint,
  getStrategy,
  type History,
  makeHistory,
  search,
  type SearchResult,
  type SearchState,
  type Strategy,
} from "./search/index.ts";
import {
  type Architecture,
  architectureId,
  compact,
  describeArchitecture,
  macs,
  randomArchitecture,
  superArchitecture,
  type SuperArchitecture,
  type SuperArchitectureOptions,
  supernet,
} from "./space/index.ts";
import { inProcess, type TaskRunner } from "./tasks/index.ts";
import {
  type CheckpointStore,
  type Effort,
  efforts,
  type Ensemble,
  processAllowance,
  type Footing,
  losses,
  type LossName,
  planSearch,
  planTrials,
  predictRows,
  probe,
  runTrial,
  supernetEnsemble,
  supernetTrainer,
  trainEnsemble,
  type TrainingData,
} from "./train/index.ts";
import { version } from "./version.ts";

export const ensembles = ["trained", "supernet"] as const;

/** What a fit is doing, for progress lines. */
export interface FitProgress {
  readonly phase: "probe" | "search" | "train";
  /** Share of the whole fit's work done, 0 to 1. */
  readonly fraction: number;
  readonly note?: string;
}

export interface FitOptions extends Selection {
  /** Search strategy. Default `dense`. */
  readonly strategy?: string | Strategy;
  /** Work to spend. Default `standard`. */
  readonly effort?: Effort;
  /** Default 1. */
  readonly seed?: number;
  /** How members get their weights: `trained` finishes each by itself over folds; `supernet` takes them from the searched
   * supernet as they are, as DENSE published it: much faster, much less accurate. Default `trained`. */
  readonly ensemble?: (typeof ensembles)[number];
  /** Networks in the ensemble, at least 2. Default 8; 32 with `supernet`. */
  readonly members?: number;
  /** Whether Gaussian processes may stand beside the networks: each field takes the mixture that predicts held-out runs
   * best. Default: where `effort` affords them, no constraint limits the cost and the ensemble is `trained`. */
  readonly process?: boolean;
  /** Limit on the multiply-accumulates of one row through one member. Hard: nothing above it is ever trained. */
  readonly constraint?: Constraint;
  /** Devices to predict the latency on, and a budget to keep on all of them: then nothing slower is ever trained, and no
   * process stands beside the networks. */
  readonly deployment?: Deployment;
  /** Loss of the final training. Default: `mse`, or `gaussian` where replicate runs show noise. */
  readonly loss?: LossName;
  /** Default `onnxruntime`. */
  readonly engine?: EngineName;
  /** Level of the intervals in the file. Default 0.95. */
  readonly level?: number;
  /** Wall-clock cap in milliseconds; the best so far is returned. Default: none. */
  readonly timeMs?: number;
  /** Runs tasks. Default: one after another in this process; the command line passes a pool of threads. */
  readonly runner?: TaskRunner;
  readonly onProgress?: (progress: FitProgress) => void;
  /** Where to write checkpoints, and whether to go on from those that are there. */
  readonly checkpoints?: CheckpointStore;
  readonly resume?: boolean;
  /** Menus and sizes of the super-architecture, where the defaults are not wanted. */
  readonly space?: Partial<Omit<SuperArchitectureOptions, "inputs" | "heads">>;
  /** Milliseconds since the epoch. Default: the clock. */
  readonly now?: () => number;
}

export interface FitResult {
  /** The emulator file. */
  readonly bytes: Uint8Array;
  readonly info: EmulatorInfo;
  readonly runs: Runs;
  readonly history: History;
  /** Sentences on how the fit went, with advice where it did not go well. */
  readonly notes: readonly string[];
}

/** Fits an emulator to one table, or to an inputs' and an outputs' table paired by row. A table is a path, an Arrow
 * table, a data frame, columns or rows by name, or a `Table`: `fit("runs.csv", { outputs: ["power"] })`,
 * `fit({ inputs: settings, outputs: results })`.
 * @throws FileError for paths that cannot be read; DataError, ShapeError, OptionError for runs or options that cannot
 * be used */
export async function fit(runs: RunsLike, options: FitOptions = {}): Promise<FitResult> {
  return fitRuns(buildRuns(await toRunTables(runs), options), options);
}

/** All that is settled before any training. */
interface Prepared {
  readonly runs: Runs;
  readonly scalers: Scalers;
  readonly strategy: Strategy;
  readonly rng: Rng;
  readonly spaceOptions: SuperArchitectureOptions;
  readonly space: SuperArchitecture;
  /** Scaled targets, before any trend is taken off. */
  readonly data: TrainingData;
  readonly effort: Effort;
  readonly ensemble: (typeof ensembles)[number];
  readonly loss: LossName;
  readonly members: number;
  readonly level: number;
  readonly engine: EngineName;
  readonly foldOf: Int32Array;
  readonly folds: number;
  /** Whether the search validates on that row instead of training on it. */
  readonly isValidation: (row: number) => boolean;
}

/** Share of a wall-clock cap that processes may be expected to take; else they are left out. */
const companionShare = 0.3;

/** Shares of the progress bar. */
const shares = { probe: 0.12, search: 0.2, train: 0.68 } as const;

/** Fits an emulator to runs that are already built. */
export async function fitRuns(runs: Runs, options: FitOptions = {}): Promise<FitResult> {
  const { runner = inProcess(), now = Date.now, checkpoints } = options;
  const prepared = prepare(runs, options);
  const { spaceOptions, foldOf, folds, members, effort, loss, engine, rng } = prepared;
  if (options.deployment !== undefined) checkReachable(options.deployment, shapeOf(prepared));
  await guardCheckpoints(prepared, options);

  const started = now();
  const cap = options.timeMs ?? Number.POSITIVE_INFINITY;
  const after = (share: number): number => (Number.isFinite(cap) ? started + share * cap : cap);
  const report =
    (phase: FitProgress["phase"], before: number) =>
    (fraction: number, note?: string): void => {
      const done = before + shares[phase] * fraction;
      options.onProgress?.({ phase, fraction: done, ...(note === undefined ? {} : { note }) });
    };

  const quarters = Math.min(4, folds);
  const footing = await probe({
    space: spaceOptions,
    data: prepared.data,
    foldOf: kFolds(runs, quarters, rng.fork("probe folds")),
    folds: quarters,
    effort,
    loss,
    engine,
    rng: rng.fork("probe"),
    runner,
    deadline: after(0.15),
    checkpoints,
    onFraction: report("probe", 0),
  });
  const found = await runSearch(prepared, footing, options, {
    shouldStop: () => runner.stopped || now() > after(0.4),
    onFraction: report("search", shares.probe),
  });
  // Tasks of their own: they run beside the members.
  const unlimited = options.constraint === undefined && options.deployment?.budget === undefined;
  const companioned =
    prepared.ensemble === "trained" && (options.process ?? unlimited)
      ? fitCompanions({
          runs,
          scalers: prepared.scalers,
          data: prepared.data,
          seconds: Math.min(
            options.process === true ? Number.POSITIVE_INFINITY : processAllowance[effort],
            (companionShare * cap * runner.parallel) / 1000,
          ),
          rng: rng.fork("processes"),
          runner,
          checkpoints,
        })
      : Promise.resolve(undefined);
  companioned.catch(() => undefined);
  const ensemble =
    prepared.ensemble === "supernet"
      ? supernetEnsemble(spaceOptions, found.finals.architectures, found.supernet, prepared.isValidation)
      : await trainEnsemble({
          space: spaceOptions,
          architectures: found.finals.architectures,
          footing,
          foldOf,
          folds,
          members,
          effort,
          loss,
          engine,
          rng,
          runner,
          begun: now(),
          deadline: after(0.95),
          checkpoints,
          onFraction: report("train", shares.probe + shares.search),
        });
  // A process cannot end early: who asks to stop does not wait for it.
  const companions = runner.stopped ? undefined : await companioned;
  const cut = ensemble.stopped || found.outcome === "stopped";
  const outcome = runner.stopped ? "interrupted" : cut ? "time" : "complete";
  const { bytes, info } = await assemble(prepared, footing, found, ensemble, {
    companions,
    outcome,
    deployment: options.deployment,
  });
  await checkpoints?.clear();
  return { bytes, info, runs, history: found.history, notes: runs.report.notes };
}

function choice<Name extends string>(what: string, value: string, names: readonly Name[]): Name {
  const found = names.find((name) => name === value);
  if (found !== undefined) return found;
  throw new OptionError(`OPTION_${what.toUpperCase()}`, `unknown ${what} "${value}" (there are: ${names.join(", ")}).`);
}

function prepare(runs: Runs, options: FitOptions): Prepared {
  const { level = 0.95, engine = "onnxruntime" } = options;
  const strategy = getStrategy(options.strategy ?? "dense");
  const effort = choice("effort", options.effort ?? "standard", efforts);
  const ensemble = choice("ensemble", options.ensemble ?? "trained", ensembles);
  const noisy = runs.report.replicates > 0;
  const loss = choice("loss", options.loss ?? (noisy ? "gaussian" : "mse"), losses);
  const members = options.members ?? (ensemble === "supernet" ? 32 : 8);
  if (!(level > 0 && level < 1))
    throw new OptionError("OPTION_LEVEL", `level ${level}: must lie between 0 and 1, such as 0.95.`);
  if (!Number.isInteger(members) || members < 2 || members > 64)
    throw new OptionError("OPTION_MEMBERS", `${members} members: must be a whole number from 2 to 64.`);
  const rng = makeRng(options.seed ?? 1);
  const { heads } = planHeads(runs.schema);
  const spaceOptions: SuperArchitectureOptions = { ...options.space, inputs: encodedWidth(runs.schema), heads };
  const scalers = fitScalers(runs);
  const folds = Math.max(2, Math.min(8, members, new Set(runs.repeats).size));
  const foldOf = kFolds(runs, folds, rng.fork("folds"));
  const validationFolds = Math.max(1, Math.round(folds / 4));
  return {
    runs,
    scalers,
    strategy,
    rng,
    spaceOptions,
    space: superArchitecture(spaceOptions),
    data: scaleRuns(runs, scalers),
    effort,
    ensemble,
    loss,
    members,
    level,
    engine,
    foldOf,
    folds,
    isValidation: (row) => (foldOf[row] ?? 0) < validationFolds,
  };
}

/** Makes sure that checkpoints belong to this very fit. */
async function guardCheckpoints(prepared: Prepared, options: FitOptions): Promise<void> {
  const { checkpoints, resume = false } = options;
  if (checkpoints === undefined) return;
  const { runs, spaceOptions, strategy, rng, members, ensemble, effort, loss, engine } = prepared;
  const identity = {
    version,
    hash: dataHash(runs),
    schema: runs.schema,
    spaceOptions,
    strategy: strategy.name,
    seed: rng.seed,
    members,
    ensemble,
    constraint: options.constraint ?? null,
    deployment: options.deployment === undefined ? null : deploymentIdentity(options.deployment),
    process: options.process ?? null,
    effort,
    loss,
    engine,
  };
  const fingerprint = createHash("sha256").update(JSON.stringify(identity)).digest("hex");
  const written = await checkpoints.read("fit");
  if (resume && written !== undefined && written !== fingerprint)
    throw new OptionError(
      "OPTION_RESUME",
      "the checkpoint is of another fit (other runs, options or version). Repeat the command it was made with, or leave --resume out to start again.",
    );
  if (!resume) await checkpoints.clear();
  await checkpoints.write("fit", fingerprint);
}

function deploymentIdentity({ devices, batch, budget }: Deployment) {
  return { targets: devices.map(({ target }) => target), batch, budget };
}

/** Milliseconds between checkpoints of the search. */
const checkpointEvery = 2000;

async function runSearch(
  prepared: Prepared,
  footing: Footing,
  options: FitOptions,
  control: { readonly shouldStop: () => boolean; readonly onFraction: (fraction: number, note: string) => void },
): Promise<SearchResult> {
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
  const plan = planSearch(effort, trainRows.length, typicalMacs);
  const validationRows = rows.filter(isValidation);
  const trialPlan =
    prepared.ensemble === "trained"
      ? planTrials(effort, {
          rows: trainRows.length,
          macs: typicalMacs,
          convolutional: space.heads.some(({ kind }) => kind === "decoder"),
          members,
          loss,
          weightDecay: footing.weightDecay,
        })
      : undefined;
  const trials = trialPlan && {
    count: trialPlan.count,
    macs: trialPlan.work,
    run: (architecture: Architecture) =>
      runTrial(
        {
          space: spaceOptions,
          data: footing.data,
          trainRows,
          validationRows,
          batch: trialPlan.batch,
          work: trialPlan.work,
          loss: "mse",
          seed: rng.fork("trials").seed,
          engine,
          runner,
        },
        architecture,
      ),
  };
  const trainer = await supernetTrainer({
    engine: getEngine(engine),
    network: supernet(space),
    data: footing.data,
    trainRows,
    validationRows,
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

function shapeOf({ runs, scalers, space, members, level }: Prepared) {
  return { schema: runs.schema, columns: runs.d, scalers, space, members, level };
}

/** What the search has to keep to: a latency on devices, or the limit on multiply-accumulates. */
function limitOf(prepared: Prepared, { constraint, deployment }: FitOptions) {
  if (deployment?.budget !== undefined) {
    const latency = emulatorLatency(deployment, shapeOf(prepared));
    return { latency, constraint: { kind: "hard", limit: 1000 * deployment.budget } as const };
  }
  return constraint === undefined ? {} : { constraint };
}

/** Calibrates the ensemble and puts the emulator together. */
async function assemble(
  prepared: Prepared,
  footing: Footing,
  found: SearchResult,
  ensemble: Ensemble,
  rest: {
    readonly companions: readonly Companion[] | undefined;
    readonly outcome: string;
    readonly deployment: Deployment | undefined;
  },
): Promise<{ readonly bytes: Uint8Array; readonly info: EmulatorInfo }> {
  const { runs, scalers, space, data, level, strategy } = prepared;
  const { companions, outcome, deployment } = rest;
  const members = await Promise.all(
    ensemble.members.map(async (member) => ({
      heads: await predictRows(prepared.engine, space, member, data, footing),
      unseen: member.unseen,
    })),
  );
  const fields = calibrateFields({
    schema: runs.schema,
    scalers,
    runs: data,
    members,
    // Where one member alone had not seen a row, its residual stands for the mean of all.
    averaged: prepared.ensemble === "trained" ? ensemble.members.length : 1,
    logNoise: prepared.loss === "gaussian" ? ensemble.members.map((member) => member.logNoise) : [],
    noiseScale: footing.trends.map((trend) => trend.scale),
    ...(companions === undefined ? {} : { companions }),
  });
  const graph = emulatorGraph({
    columns: runs.d,
    inputScaler: scalers.input,
    level,
    fields,
    members: ensemble.members.map(({ architecture, weights }): MemberForward => {
      const network = compact(space, architecture);
      return (b, x) => network.forward(b, x, b.constant(weights, [network.layout.size]));
    }),
    trends: footing.trends,
    ...(companions === undefined ? {} : { companions: companions.map(({ forward }) => forward) }),
  });
  const { distribution, best } = found.finals;
  const info: EmulatorInfo = {
    format: "condense-emulator",
    version: EMULATOR_VERSION,
    schema: runs.schema,
    level,
    calibration: fields.map(({ calibration: { quantiles, networkShare = 1 } }) => ({ quantiles, networkShare })),
    data: { hash: dataHash(runs), total: runs.report.total, used: runs.n, notes: runs.report.notes },
    fit: {
      seed: prepared.rng.seed,
      effort: prepared.effort,
      engine: prepared.engine,
      ensemble: prepared.ensemble,
      loss: prepared.loss,
      folds: prepared.folds,
      trend: footing.trend,
      weightDecay: footing.weightDecay,
      stage: ensemble.stage,
      outcome,
    },
    search: {
      strategy: strategy.name,
      source: strategy.source,
      steps: found.steps,
      outcome: found.outcome,
      spentMacs: found.spent,
      architecturesTried: new Set(found.history.records.map((record) => record.architecture)).size,
      slots: space.slots.length,
      entropyBits: distribution === null ? null : entropyBits(distribution),
      best: describeArchitecture(space, best),
    },
    members: ensemble.members.map((member) => ({
      architecture: architectureId(member.architecture),
      description: describeArchitecture(space, member.architecture),
      macs: macs(space, member.architecture),
      weights: member.weights.length,
      fitLoss: member.fitLoss,
      heldOutLoss: member.heldOutLoss,
      iterations: member.iterations,
    })),
    scores: fields.map(({ scores }) => scores),
    latency: deployment === undefined ? [] : latencyInfo(deployment, graph),
    versions: { condense: version },
  };
  return { bytes: emulatorBytes(graph, info), info };
}

/** Mean entropy of the slots' distributions, in bits. */
function entropyBits(distribution: readonly (readonly number[])[]): number {
  const each = distribution.map((row) => row.reduce((sum, p) => (p > 0 ? sum - p * Math.log2(p) : sum), 0));
  return each.reduce((a, c) => a + c, 0) / Math.max(1, each.length);
}
