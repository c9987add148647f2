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
  liveDenseMenu,
  superArchitecture,
  type SuperArchitecture,
  type SuperArchitectureOptions,
} from "../space/index.ts";
import { type Effort, efforts, type Footing, losses, type LossName, type TrainingData } from "../train/index.ts";
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
  /** Runs with different inputs. */
  readonly distinct: number;
  readonly level: number;
  readonly engine: EngineName;
  readonly foldOf: Int32Array;
  /** A second fold of some rows, else -1: two members are trained without them, which tells how members differ there. */
  readonly secondFoldOf: Int32Array;
  readonly folds: number;
  /** How many of them members hold out: the first ones. */
  readonly heldOut: number;
  /** Whether the search validates on that row instead of training on it. */
  readonly isValidation: (row: number) => boolean;
}

function choice<Name extends string>(what: string, value: string, names: readonly Name[]): Name {
  const found = names.find((name) => name === value);
  if (found !== undefined) return found;
  throw new OptionError(`OPTION_${what.toUpperCase()}`, `unknown ${what} "${value}" (there are: ${names.join(", ")}).`);
}

/** Folds at most, and runs that members hold out together at least, where each holds out its own fold. */
const mostFolds = 8;
const leastHeldOut = 100;
/** Fewer members, or members of so many runs, hold out the same fold: a fold of 25 runs at least, or of a sixteenth of them. What members
 * predict of runs that none had seen is what the emulator does at new points. With folds of their own, most had seen any one run: how far
 * these are apart there tells little where they follow their runs closely, and of two it is what the other misses the run by. */
const fewestMembers = 4;
const manyForShared = 1600;
const sharedFolds = { runs: 25, least: 3, most: 16 } as const;

/** Folds of the runs, and how many of them members hold out: one each, or all the same one. Of many runs there are more folds than
 * members, so that these are trained on most of the runs. @param distinct runs with different inputs */
export function planFolds(members: number, distinct: number): { readonly folds: number; readonly heldOut: number } {
  const atLeastTwo = (folds: number): number => Math.max(2, Math.min(folds, distinct));
  if (members < fewestMembers || distinct >= manyForShared) {
    const most = distinct >= manyForShared ? sharedFolds.most : mostFolds;
    const wanted = Math.max(sharedFolds.least, Math.floor(distinct / sharedFolds.runs));
    return { folds: atLeastTwo(Math.min(most, wanted)), heldOut: 1 };
  }
  const wanted = Math.max(members, Math.floor((members * distinct) / leastHeldOut));
  const folds = atLeastTwo(Math.min(mostFolds, wanted));
  return { folds, heldOut: Math.min(folds, members) };
}

/** From so many runs one in eight has a second fold, below that one in four. */
const manyRuns = 200;

/** Networks of an ensemble: usually; of signals and images of so many runs that members hold out the same ones, where members share the
 * passes that a budget bears, and few that had more of them miss less than many; drawn from a supernet, where they cost nothing. */
const ensembleSizes = { usual: 8, manyFields: 4, supernet: 32 } as const;

/** Nodes of the trunk where signals or images are made from it: with 3 the error of one member on spectra was twice as large. */
const fieldTrunkNodes = 5;

/** Where plain networks miss this share of the variance of scalars of so many runs, larger ones learn more: every connection is live. */
const leastMissed = 5e-3;
const manyForLarger = 1600;
const largerTrunk = { trunkNodes: 5, widths: [64], denseMenu: liveDenseMenu } as const;

/** The super-architecture to search, by what the probe found. With a device or a limit in view the usual one stays: it has cheaper
 * networks. */
export function searchSpace(
  { space, missed }: Pick<Footing, "space" | "missed">,
  rows: number,
  { constraint, deployment, space: own }: FitOptions,
): SuperArchitectureOptions {
  const isFree = constraint === undefined && deployment === undefined;
  if (!isFree || hasFields(space) || rows < manyForLarger || missed < leastMissed) return space;
  return { ...space, ...largerTrunk, ...own };
}

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
  if (!(level > 0 && level < 1))
    throw new OptionError("OPTION_LEVEL", `level ${level}: must lie between 0 and 1, such as 0.95.`);
  const { heads } = planHeads(runs.schema);
  const distinct = new Set(runs.repeats).size;
  const kind = hasFields({ heads }) && distinct >= manyForShared ? "manyFields" : "usual";
  const members = options.members ?? ensembleSizes[ensemble === "supernet" ? ensemble : kind];
  if (!Number.isInteger(members) || members < 2 || members > 64)
    throw new OptionError("OPTION_MEMBERS", `${members} members: must be a whole number from 2 to 64.`);
  const rng = makeRng(options.seed ?? 1);
  const spaceOptions: SuperArchitectureOptions = {
    ...(hasFields({ heads }) ? { trunkNodes: fieldTrunkNodes, decoderMenu: decodersFor(runs.n) } : {}),
    ...options.space,
    inputs: encodedWidth(runs.schema),
    heads,
  };
  const scalers = fitScalers(runs);
  const { folds, heldOut } = planFolds(members, distinct);
  const foldOf = kFolds(runs, folds, rng.fork("folds"));
  const every = heldOut < fewestMembers ? Number.POSITIVE_INFINITY : runs.n < manyRuns ? 4 : 8;
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
    distinct,
    level,
    engine,
    foldOf,
    secondFoldOf: secondFolds(runs, foldOf, heldOut, every, rng.fork("second folds")),
    folds,
    heldOut,
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
