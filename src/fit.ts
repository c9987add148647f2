/**
 * The verb `fit`: from a table of runs to an emulator's bytes. It composes the rooms: scale, probe, search a
 * super-architecture, train members over folds, calibrate on what each had not seen, and write one graph.
 */
import { buildRuns, kFolds, type Runs, type RunsLike, toRunTables } from "./data/index.ts";
import type { EmulatorInfo } from "./emulator/index.ts";
import { assemble, isOutdone, type Trained } from "./fit/assemble.ts";
import { fitCompanions } from "./fit/companions.ts";
import { checkReachable } from "./fit/constrain.ts";
import { explore } from "./fit/explore.ts";
import { type Front, type FrontOptions, traceFront } from "./fit/front.ts";
import type { FitOptions, FitProgress } from "./fit/options.ts";
import { guardCheckpoints, prepare, searchSpace, shapeOf, withSpace } from "./fit/prepare.ts";
import { scaleTrainings, settleScales } from "./fit/scales.ts";
import { settleWarps } from "./fit/warps.ts";
import type { History } from "./search/index.ts";
import { inProcess } from "./tasks/index.ts";
import { processAllowance, probe, probeTrainings, supernetEnsemble, trainEnsemble } from "./train/index.ts";

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

/** Fits several emulators to one table, from the fastest on a device to the one that no budget limits: what accuracy
 * costs there. @throws as {@link fit} */
export async function fitFront(runs: RunsLike, options: FrontOptions<FitResult>): Promise<Front<FitResult>> {
  return fitFrontRuns(buildRuns(await toRunTables(runs), options), options);
}

/** The same for runs that are already built. */
export async function fitFrontRuns(runs: Runs, options: FrontOptions<FitResult>): Promise<Front<FitResult>> {
  return traceFront(runs, options, async (point) => {
    const trained = await train(runs, point);
    return { result: await finish(trained, runs, point), shape: shapeOf(trained.prepared) };
  });
}

/** Share of a wall-clock cap that processes may be expected to take; else they are left out. */
const companionShare = 0.3;

/** Shares of the progress bar. */
const shares = { probe: 0.12, search: 0.2, train: 0.68 } as const;

/** Fits an emulator to runs that are already built. */
export async function fitRuns(runs: Runs, options: FitOptions = {}): Promise<FitResult> {
  return finish(await train(runs, options), runs, options);
}

/** The emulator file of what was trained, and what belongs to it. */
async function finish(trained: Trained, runs: Runs, options: FitOptions): Promise<FitResult> {
  const { bytes, info } = await assemble(trained);
  await options.checkpoints?.clear();
  const { found } = trained;
  const notes = [...runs.report.notes, ...trained.notes];
  return { bytes, info, runs, history: found.history, notes };
}

/** All of a fit up to the point where its parts are put together. */
export async function train(given: Runs, options: FitOptions = {}): Promise<Trained> {
  const { runner = inProcess(), now = Date.now, checkpoints } = options;
  const first = prepare(given, options);
  const { foldOf, folds, heldOut, members, effort, loss, engine, rng } = first;
  const notes: string[] = [];
  const note = (text: string): void => {
    notes.push(text);
    options.onNote?.(text);
  };
  const warning = checkReachable(options, shapeOf(first));
  if (warning !== undefined) note(warning);
  await guardCheckpoints(first, options);

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
  const scaling = scaleTrainings(given);
  const trainings = scaling + probeTrainings;
  let done = 0;
  const plain = {
    space: first.spaceOptions,
    data: first.data,
    foldOf: kFolds(given, quarters, rng.fork("probe folds")),
    folds: quarters,
    effort,
    loss,
    engine,
    rng: rng.fork("probe"),
    runner,
    now,
    checkpoints,
    onTrained: () => report("probe", 0)(++done / trainings),
  };
  const between = after((0.15 * scaling) / trainings);
  const { runs: rooted, notes: scaled } = await settleScales(given, { ...plain, deadline: between });
  const { runs, notes: warped } = await settleWarps(rooted, {
    rng: rng.fork("warps"),
    runner,
    deadline: after(0.1),
    checkpoints,
  });
  for (const text of [...scaled, ...warped]) note(text);
  const begun = runs === given ? first : prepare(runs, options);
  const probed = await probe({ ...plain, data: begun.data, deadline: after(0.15) });
  const footing = { ...probed, space: searchSpace(probed, runs.n, options) };
  const prepared = withSpace(begun, footing.space);
  // Roots and components make an emulator slower than it looked at first.
  const slower = checkReachable(options, shapeOf(prepared));
  if (slower !== undefined && warning === undefined) note(slower);
  // Tasks of their own: they run beside the search.
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
          deadline: after(0.95),
          rng: rng.fork("processes"),
          runner,
          checkpoints,
        })
      : Promise.resolve(undefined);
  companioned.catch(() => undefined);
  const found = await explore(prepared, footing, options, {
    shouldStop: () => runner.stopped || now() > after(0.4),
    now,
    deadline: after(0.4),
    onFraction: report("search", shares.probe),
  });
  const ensemble =
    prepared.ensemble === "supernet"
      ? supernetEnsemble(footing.space, found.finals.architectures, found.supernet, prepared.isValidation)
      : await trainEnsemble({
          space: footing.space,
          architectures: found.finals.architectures,
          footing,
          foldOf,
          secondFoldOf: prepared.secondFoldOf,
          folds,
          heldOut,
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
          ...(options.allMembers === true
            ? {}
            : {
                isOutdone: async (first) =>
                  isOutdone({ prepared, footing, ensemble: first, companions: await companioned }),
              }),
        });
  const companions = await companioned;
  const late = companions === undefined && now() > after(0.95);
  const cut = ensemble.stopped || found.outcome === "stopped" || late;
  const outcome = runner.stopped ? "interrupted" : cut ? "time" : "complete";
  const { deployment } = options;
  return { prepared, footing, found, ensemble, companions, outcome, deployment, notes };
}
