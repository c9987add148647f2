/** What is settled before any training: options checked, values scaled, folds dealt, checkpoints guarded. */
import { createHash } from "node:crypto";
import { dataHash, encodedWidth, kFolds, type Runs, secondFolds } from "../data/index.ts";
import { fitScalers, planHeads, type Scalers, scaleRuns } from "../emulator/index.ts";
import type { EngineName } from "../engine/index.ts";
import { OptionError } from "../errors.ts";
import { makeRng, type Rng } from "../rng.ts";
import { getStrategy, type Strategy } from "../search/index.ts";
import {
  type Candidate,
  decoderMenu,
  hasFields,
  superArchitecture,
  type SuperArchitecture,
  type SuperArchitectureOptions,
} from "../space/index.ts";
import { type Effort, efforts, losses, type LossName, type TrainingData } from "../train/index.ts";
import { version } from "../version.ts";
import type { Deployment, Shape } from "./constrain.ts";
import { ensembles, type FitOptions } from "./options.ts";

/** All that is settled before any training. */
export interface Prepared {
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
  /** A second fold of some rows, else -1: two members are trained without them, which tells how members differ there. */
  readonly secondFoldOf: Int32Array;
  readonly folds: number;
  /** Whether the search validates on that row instead of training on it. */
  readonly isValidation: (row: number) => boolean;
}

function choice<Name extends string>(what: string, value: string, names: readonly Name[]): Name {
  const found = names.find((name) => name === value);
  if (found !== undefined) return found;
  throw new OptionError(`OPTION_${what.toUpperCase()}`, `unknown ${what} "${value}" (there are: ${names.join(", ")}).`);
}

/** From so many runs one in eight has a second fold, below that one in four; with fewer folds none. */
const manyRuns = 200;
const fewestFolds = 4;

/** Nodes of the trunk where signals or images are made from it: with 3 the error of one member on spectra was twice as large. */
const fieldTrunkNodes = 5;

/** From fewer runs a hidden layer of 256 learns nothing that a linear map does not. */
const fewestForDense = 200;

/** Decoders to choose from. */
export function decodersFor(runs: number): readonly Candidate[] {
  return runs < fewestForDense ? decoderMenu.filter(({ name }) => name !== "dense") : decoderMenu;
}

export function prepare(runs: Runs, options: FitOptions): Prepared {
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
  const spaceOptions: SuperArchitectureOptions = {
    ...(hasFields({ heads }) ? { trunkNodes: fieldTrunkNodes, decoderMenu: decodersFor(runs.n) } : {}),
    ...options.space,
    inputs: encodedWidth(runs.schema),
    heads,
  };
  const scalers = fitScalers(runs);
  const folds = Math.max(2, Math.min(8, members, new Set(runs.repeats).size));
  const foldOf = kFolds(runs, folds, rng.fork("folds"));
  const every = folds < fewestFolds ? Number.POSITIVE_INFINITY : runs.n < manyRuns ? 4 : 8;
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
    secondFoldOf: secondFolds(runs, foldOf, folds, every, rng.fork("second folds")),
    folds,
    isValidation: (row) => (foldOf[row] ?? 0) < validationFolds,
  };
}

/** The same with another super-architecture: that of the fields' components. */
export function withSpace(prepared: Prepared, spaceOptions: SuperArchitectureOptions): Prepared {
  return { ...prepared, spaceOptions, space: superArchitecture(spaceOptions) };
}

/** Makes sure that checkpoints belong to this very fit. */
export async function guardCheckpoints(prepared: Prepared, options: FitOptions): Promise<void> {
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

function deploymentIdentity({ devices, batch, budget, soft = false }: Deployment) {
  return { targets: devices.map(({ target }) => target), batch, budget, soft };
}

/** What of it decides how fast its emulators can be. */
export function shapeOf({ runs, scalers, space, members, level }: Prepared): Shape {
  return { schema: runs.schema, columns: runs.d, scalers, space, members, level };
}
