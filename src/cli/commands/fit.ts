/** `condense fit`: from a table of runs to an emulator file. */
import { basename, extname } from "node:path";
import {
  alignRows,
  buildRuns,
  type CheckpointStore,
  type Deployment,
  describeLatency,
  describeMember,
  describePredictors,
  hasNetworks,
  type Effort,
  efforts,
  type EmulatorInfo,
  type EngineName,
  engineNames,
  ensembles,
  examplePoint,
  type FitProgress,
  fitRuns,
  type FitResult,
  folderStore,
  holdOut,
  losses,
  type LossName,
  makeRng,
  OptionError,
  parseBudget,
  type Runs,
  showNumber,
  strategies,
  takeRuns,
  toRunTables,
  validateRuns,
  type Validation,
  workerPool,
} from "../../index.ts";
import type { CliCommand } from "../command.ts";
import { devicesOf } from "../devices.ts";
import { checkOneTarget, runFront } from "../front.ts";
import { type ColumnOptions, declareRuns, readSelection, runsAt } from "../tables.ts";
import { listenForInterrupts, progressLine, showTime } from "../text.ts";
import { collect, duration, number, oneOf, whole } from "../values.ts";
import type { World } from "../world.ts";
import { describeValidation } from "./validate.ts";

interface FitCommandOptions extends ColumnOptions {
  readonly out?: string;
  readonly strategy: string;
  readonly effort: Effort;
  /** Milliseconds. */
  readonly time?: number;
  readonly seed: number;
  readonly members?: number;
  readonly ensemble: (typeof ensembles)[number];
  readonly loss?: LossName;
  readonly level: number;
  readonly engine: EngineName;
  readonly threads?: number;
  readonly holdOut?: number;
  readonly maxMacs?: number;
  readonly target: readonly string[];
  /** Seconds. */
  readonly budget: readonly number[];
  readonly soft: boolean;
  /** False with --no-measure. */
  readonly measure: boolean;
  readonly batch: number;
  readonly pareto: boolean;
  readonly chart?: string;
  readonly points: number;
  /** False with --no-process. */
  readonly process: boolean;
  readonly resume: boolean;
  readonly json: boolean;
}

const help = `
Strategies:
${alignRows(
  Object.values(strategies).map(({ name, summary }) => [name, summary]),
  [0, 1],
)}

Columns: one table needs --inputs or --outputs; two tables are paired by row. Columns name[i] or name[i,j] make a field.
Ctrl-C writes the best so far, a second one quits at once. A fit that was killed or interrupted leaves <out>.checkpoint
behind, and the same command with --resume goes on from it.`;

export const fit: CliCommand = {
  declare(command) {
    declareRuns(command)
      .description(
        "Makes an emulator from a table of runs (CSV, Arrow, Parquet, NPY): searches a super-architecture, trains an ensemble, calibrates its uncertainty and writes one .onnx file.",
      )
      .option("--out <file>", "emulator file (default: name of the runs, .onnx)")
      .option("--strategy <name>", "search strategy", oneOf("--strategy", Object.keys(strategies)), "dense")
      .option("--effort <name>", `work to spend: ${efforts.join(", ")}`, oneOf("--effort", efforts), "standard")
      .option("--time <duration>", "cap on the wall clock, such as 5m: the best so far is kept", duration("--time"))
      .option("--seed <n>", "seed of every random choice", whole("--seed", 0, 2 ** 32 - 1, "1"), 1)
      .option(
        "--members <n>",
        "networks in the ensemble (default: 8, of signals and images of 1600 runs or more 4)",
        whole("--members", 2, 64, "8"),
      )
      .option(
        "--ensemble <how>",
        `members' weights: ${ensembles.join(", ")}`,
        oneOf("--ensemble", ensembles),
        "trained",
      )
      .option("--loss <name>", `loss: ${losses.join(", ")} (default: by the runs)`, oneOf("--loss", losses))
      .option("--level <share>", "level of the intervals", number("--level", 0.01, 0.999, "0.95"), 0.95)
      .option(
        "--engine <name>",
        `what runs the networks: ${engineNames.join(", ")}`,
        oneOf("--engine", engineNames),
        "onnxruntime",
      )
      .option("--threads <n>", "trainings side by side (default: one per core)", whole("--threads", 1, 256, "2"))
      .option(
        "--hold-out <share>",
        "keep a share of the runs apart and score on them",
        number("--hold-out", 0.01, 0.9, "0.2"),
      )
      .option("--max-macs <n>", "most multiply-accumulates of one member", number("--max-macs", 1, 1e15, "20000"))
      .option("--target <name>", "device to run on, see condense latency targets (may repeat)", collect, [])
      .option(
        "--budget <latency>",
        "most that a call may take on every --target, such as 50us; or one for each, in their order",
        (text: string, before: readonly number[]) => [...before, parseBudget(text)],
        [],
      )
      .option("--soft", "prefer what keeps the --budget instead of ruling out what does not", false)
      .option("--no-measure", "do not time the emulator on a --target that is this machine (the same bytes every time)")
      .option("--batch <rows>", "rows of a call, for --target", whole("--batch", 1, 1e6, "64"), 1)
      .option(
        "--pareto",
        "a front of error against latency on one --target: several emulators, <out>-1.onnx the fastest",
        false,
      )
      .option("--points <n>", "emulators of --pareto", whole("--points", 2, 20, "5"), 5)
      .option("--chart <file>", "page with the front of --pareto drawn, such as front.html")
      .option("--no-process", "networks alone: no Gaussian processes beside them (also with --max-macs and --budget)")
      .option("--resume", "go on from the checkpoint of the same command", false)
      .option("--json", "print one JSON document", false)
      .addHelpText("after", help);
  },
  async run([path = "", outputs], options: FitCommandOptions, world) {
    const started = world.now();
    const out = options.out ?? defaultOut(path);
    if (!options.pareto) await world.files.checkWritable(out);
    const deployment = await deploymentOf(options, world);
    const all = buildRuns(await toRunTables(runsAt(path, outputs)), await readSelection(options, world));
    for (const note of all.report.notes) world.err(`note: ${note}\n`);
    const parts = options.holdOut === undefined ? undefined : holdOut(all, options.holdOut, makeRng(options.seed));
    const runs = parts === undefined ? all : takeRuns(all, parts.train);
    world.err(
      `${runs.n} runs${parts === undefined ? "" : ` (and ${parts.test.length} kept apart)`}, ${runs.d} inputs, ${all.schema.fields.length} outputs; ${options.effort} effort, seed ${options.seed}\n`,
    );

    const checkpoints = folderStore(`${out}.checkpoint`);
    if (options.resume && !options.pareto && (await checkpoints.read("fit")) === undefined)
      world.err(`note: no checkpoint in ${out}.checkpoint, so this fit starts at its beginning\n`);
    const runner = workerPool(options.threads ?? world.cores);
    const progress = progressLine(world, options.time === undefined ? undefined : started + options.time);
    const stopListening = listenForInterrupts(world, () => runner.stop(), progress, "the best so far is kept");
    const said = new Set(all.report.notes);
    let result: FitResult;
    try {
      const common = {
        ...settings(options, world.now() - started),
        runner,
        onProgress: ({ phase, fraction, note }: FitProgress) => {
          progress.update(phase, fraction, note);
        },
        onNote: (note: string) => {
          said.add(note);
          progress.say(`note: ${note}`);
        },
      };
      if (options.pareto && deployment !== undefined) {
        const test = parts === undefined ? undefined : takeRuns(all, parts.test);
        const { points, chart, json } = options;
        const front = { out, points, runs, test, json, keep: untilWritten, ...(chart === undefined ? {} : { chart }) };
        return await runFront({ ...front, options: { ...common, deployment } }, world, progress);
      }
      result = await fitRuns(runs, {
        ...common,
        ...(deployment === undefined ? {} : { deployment }),
        checkpoints: untilWritten(checkpoints),
      });
      progress.done();
      if (result.info.scores.every(({ rmse }) => !Number.isFinite(rmse))) {
        world.err(
          "condense: no usable emulator: no network learned anything from these runs. Check the outputs for outliers, or try --loss huber.\n",
        );
        return 1;
      }
      await world.files.write(out, result.bytes);
      if (result.info.fit.outcome !== "interrupted") await checkpoints.clear();
    } finally {
      progress.done();
      stopListening();
      await runner.dispose();
    }
    const held = parts === undefined ? undefined : await scores(result.bytes, takeRuns(all, parts.test), options);
    const seconds = (world.now() - started) / 1000;
    const notes = result.notes.filter((note) => !said.has(note));
    for (const note of notes) world.err(`note: ${note}\n`);
    if (options.json)
      await world.out(
        `${JSON.stringify({ out, seconds, heldOut: held ?? null, notes: result.notes, ...result.info }, null, 2)}\n`,
      );
    else await world.out(summary(out, seconds, result.info, held));
    return 0;
  },
};

/** @throws OptionError for a budget without a device, and for devices that do not exist */
async function deploymentOf(
  { target, budget, soft, measure, batch, pareto, chart }: FitCommandOptions,
  world: World,
): Promise<Deployment | undefined> {
  if (pareto) checkOneTarget(target);
  if (pareto && budget.length > 0)
    throw new OptionError(
      "OPTION_BUDGET",
      "--pareto chooses its own budgets, from the fastest emulator to the unlimited one. Leave --budget out, or --pareto.",
    );
  if (chart !== undefined && !pareto)
    throw new OptionError("OPTION_CHART", "--chart draws a front. Add --pareto, or leave it out.");
  if (soft && budget.length === 0)
    throw new OptionError("OPTION_BUDGET", "--soft: which budget? Add --budget, such as --budget 50us.");
  if (budget.length > 0 && target.length === 0)
    throw new OptionError(
      "OPTION_TARGET",
      "--budget: on which device? Add --target, such as --target cpu; condense latency targets lists them.",
    );
  if (target.length === 0) return undefined;
  const devices = await devicesOf(target, world, { check: measure });
  const [first, ...others] = budget;
  if (first === undefined) return { devices, batch, measure };
  return { devices, batch, measure, budget: others.length === 0 ? first : budget, soft };
}

function defaultOut(runs: string): string {
  const name = basename(runs).replace(/\.gz$/, "");
  return `${name.slice(0, name.length - extname(name).length)}.onnx`;
}

/** The options of the library, less those that the command line adds. @param spentMs since the command began */
function settings(options: FitCommandOptions, spentMs: number) {
  const { strategy, effort, seed, ensemble, level, engine, resume, members, loss, time, maxMacs } = options;
  return {
    strategy,
    effort,
    seed,
    ensemble,
    level,
    engine,
    resume,
    ...(options.process ? {} : { process: false }),
    ...(members === undefined ? {} : { members }),
    ...(loss === undefined ? {} : { loss }),
    ...(time === undefined ? {} : { timeMs: Math.max(1, time - spentMs) }),
    ...(maxMacs === undefined ? {} : { constraint: { limit: maxMacs, kind: "hard" as const } }),
  };
}

/** Checkpoints that outlive the fit: it clears them once it has its bytes, but they are of use until those are a file. */
function untilWritten(store: CheckpointStore): CheckpointStore {
  let begun = false;
  return {
    read: (key) => store.read(key),
    async write(key, value) {
      begun = true;
      await store.write(key, value);
    },
    async clear() {
      if (!begun) await store.clear();
    },
  };
}

function scores(bytes: Uint8Array, runs: Runs, { engine }: FitCommandOptions): Promise<Validation> {
  return validateRuns(bytes, runs, { engine });
}

const advice: Readonly<Record<string, string>> = {
  time: "The time was up before the work was done: more --time, or a lower --effort, gives a better emulator.",
  interrupted: "Interrupted: this is the best so far. The same command with --resume goes on from here.",
};

/** Outputs that are shown; the rest is counted. */
const mostRows = 12;

function summary(out: string, seconds: number, info: EmulatorInfo, held: Validation | undefined): string {
  const { schema, search, members, fit: how } = info;
  const [first] = members;
  const at = Object.entries(examplePoint(info)).map(([name, value]) => `${name}=${value}`);
  const hint = advice[how.outcome];
  return [
    `${out}: ${describePredictors(info)} in ${showTime(1000 * seconds)} (${search.strategy} search: ${search.architecturesTried} architectures tried in ${search.steps} steps)`,
    "",
    ...(held === undefined ? foldScores(info) : ["Scores on the runs kept apart:", describeValidation(held, schema)]),
    "",
    ...(first === undefined || !hasNetworks(info) ? [] : [`Found, among others: ${describeMember(first)}`]),
    ...(info.latency.length === 0 ? [] : ["", ...describeLatency(info)]),
    ...(hint === undefined ? [] : ["", hint]),
    "",
    `Next: condense inspect ${out}`,
    `      condense query ${out} --at ${at.join(",")}`,
    "",
  ].join("\n");
}

function foldScores({ schema, scores: fields }: EmulatorInfo): string[] {
  const rows = fields.map((score) => [
    score.field,
    schema.fields.find((each) => each.name === score.field)?.unit ?? "",
    showNumber(score.fvu, 3),
    showNumber(score.rmse, 3),
    showNumber(score.mae, 3),
  ]);
  const more = rows.length > mostRows ? [[`... and ${rows.length - mostRows} more`]] : [];
  return [
    "Scores on held-out runs (each predicted without it; the emulator, made of all, is better; --hold-out scores the emulator):",
    alignRows([["output", "unit", "FVU", "RMSE", "MAE"], ...rows.slice(0, mostRows), ...more], [0, 1]),
  ];
}
