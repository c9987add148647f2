/** `condense compare`: the emulator, its parts and baselines on the same held-out runs; or the error by number of runs, or by
 * latency on a device. */
import {
  alignRows,
  buildRuns,
  compareRuns,
  contestants,
  contestantNames,
  describeComparison,
  describeCurve,
  type Effort,
  efforts,
  holdOut,
  learningCurveRuns,
  makeRng,
  OptionError,
  takeRuns,
  toRunTables,
  workerPool,
} from "../../index.ts";
import type { CliCommand } from "../command.ts";
import { devicesOf } from "../devices.ts";
import { checkOneTarget, runFront } from "../front.ts";
import { type ColumnOptions, declareRuns, readSelection, runsAt } from "../tables.ts";
import { listenForInterrupts, progressLine } from "../text.ts";
import { collect, duration, list, oneOf, whole } from "../values.ts";

interface CompareCommandOptions extends ColumnOptions {
  readonly methods?: readonly string[];
  readonly folds: number;
  readonly effort: Effort;
  /** Milliseconds. */
  readonly time?: number;
  readonly seed: number;
  readonly threads?: number;
  readonly learningCurve: boolean;
  readonly pareto: boolean;
  readonly target: readonly string[];
  readonly points: number;
  readonly batch: number;
  readonly chart?: string;
  readonly json: boolean;
}

const help = `
Methods:
${alignRows(
  contestantNames.map((name) => [name, contestants[name].title.trim()]),
  [0, 1],
)}

Columns are given as for condense fit. Ctrl-C prints what is done, a second one quits at once.`;

export const compare: CliCommand = {
  declare(command) {
    declareRuns(command)
      .description(
        "Fits the emulator, its parts and plain baselines on the same folds, and scores each on the runs it has not seen; or, with --learning-curve, one of them on growing numbers of runs; or, with --pareto, emulators under budgets of latency.",
      )
      .option("--methods <names>", "who takes part, with commas (default: all; of a learning curve the emulator)", list)
      .option("--learning-curve", "fit at growing numbers of runs, and say how many more would halve the error", false)
      .option("--pareto", "the front of error against latency on a --target, scored on a fifth of the runs", false)
      .option("--target <name>", "device of --pareto, see condense latency targets", collect, [])
      .option("--points <n>", "emulators of --pareto", whole("--points", 2, 20, "5"), 5)
      .option("--batch <rows>", "rows of a call, for --pareto", whole("--batch", 1, 1e6, "64"), 1)
      .option("--chart <file>", "page with the front of --pareto drawn, such as front.html")
      .option("--folds <n>", "parts of the runs, each held out once", whole("--folds", 2, 1000, "5"), 5)
      .option("--effort <name>", `work of each fit: ${efforts.join(", ")}`, oneOf("--effort", efforts), "standard")
      .option("--time <duration>", "cap on the wall clock, such as 10m: finished folds count", duration("--time"))
      .option("--seed <n>", "seed of every random choice", whole("--seed", 0, 2 ** 32 - 1, "1"), 1)
      .option("--threads <n>", "trainings side by side (default: one per core)", whole("--threads", 1, 256, "2"))
      .option("--json", "print one JSON document", false)
      .addHelpText("after", help);
  },
  async run([path = "", outputs], options: CompareCommandOptions, world) {
    const started = world.now();
    const { methods, folds, effort, time, seed, json, pareto, target, chart } = options;
    if (pareto) checkOneTarget(target);
    else if (target.length > 0 || chart !== undefined)
      throw new OptionError("OPTION_TARGET", "--target and --chart are for --pareto. Add it, or leave them out.");
    if (pareto && (options.learningCurve || methods !== undefined))
      throw new OptionError(
        "OPTION_PARETO",
        "--pareto compares emulators of different latency: it goes neither with --learning-curve nor with --methods.",
      );
    const runs = buildRuns(await toRunTables(runsAt(path, outputs)), await readSelection(options, world));
    for (const note of runs.report.notes) world.err(`note: ${note}\n`);
    const runner = workerPool(options.threads ?? world.cores);
    const progress = progressLine(world, time === undefined ? undefined : started + time);
    const stopListening = listenForInterrupts(world, () => runner.stop(), progress, "what is done is compared");
    const common = {
      ...(methods === undefined ? {} : { methods: methods.map(contestantName) }),
      effort,
      seed,
      runner,
      ...(time === undefined ? {} : { timeMs: Math.max(1, time - (world.now() - started)) }),
      onProgress: ({ fraction, note }: { readonly fraction: number; readonly note: string }) => {
        progress.update("compare", fraction, note);
      },
    };
    try {
      if (pareto) {
        const parts = holdOut(runs, heldShare, makeRng(seed).fork("front"));
        const deployment = { devices: await devicesOf(target, world), batch: options.batch, measure: true };
        const { methods: _, onProgress, ...fitting } = common;
        return await runFront(
          {
            points: options.points,
            ...(chart === undefined ? {} : { chart }),
            runs: takeRuns(runs, parts.train),
            test: takeRuns(runs, parts.test),
            json,
            options: {
              ...fitting,
              deployment,
              onProgress: ({ fraction, note = "" }) => onProgress({ fraction, note }),
            },
          },
          world,
          progress,
        );
      }
      if (options.learningCurve) {
        const curve = await learningCurveRuns(runs, common);
        progress.done();
        await world.out(json ? `${JSON.stringify(curve, null, 2)}\n` : `${describeCurve(curve)}\n`);
        return curve.methods.length > 0 ? 0 : 1;
      }
      const found = await compareRuns(runs, { ...common, folds });
      progress.done();
      await world.out(json ? `${JSON.stringify(found, null, 2)}\n` : `${describeComparison(found)}\n`);
      return found.methods.length > 0 ? 0 : 1;
    } finally {
      progress.done();
      stopListening();
      await runner.dispose();
    }
  },
};

/** Share of the runs that a front is scored on. */
const heldShare = 0.2;

const contestantName = oneOf("--methods", contestantNames);
