/** `condense simulate`: the user's own simulator, run at a design of points, as a table of runs. */
import {
  type CampaignPoints,
  commandSimulator,
  type DesignName,
  designPoints,
  designs,
  FIRST_RUNS,
  moduleSimulator,
  OptionError,
  parseInputs,
  readTable,
  showShape,
  simulate as simulateRuns,
  type Simulator,
  splitNames,
  tablePoints,
  writerFor,
} from "../../index.ts";
import type { CliCommand } from "../command.ts";
import { listenForInterrupts, progressLine, showTime } from "../text.ts";
import { collect, duration, list, oneOf, whole } from "../values.ts";
import type { World } from "../world.ts";

interface SimulateOptions {
  readonly command?: string;
  readonly module?: string;
  readonly inputs?: string;
  readonly points?: string;
  readonly runs?: number;
  readonly design?: DesignName;
  readonly seed?: number;
  readonly template: readonly string[];
  readonly read: readonly string[];
  readonly outputs?: readonly string[];
  readonly shell: boolean;
  readonly keepFailed: boolean;
  readonly workers?: number;
  /** Milliseconds. */
  readonly timeout?: number;
  readonly retries: number;
  readonly restart: boolean;
  readonly keepGoing: boolean;
  readonly dryRun: boolean;
  readonly out: string;
  readonly json: boolean;
}

const designNames = Object.keys(designs) as DesignName[];
const DEFAULTS = { runs: 100, design: "sobol", seed: 1 } as const;
/** Runs that --dry-run shows. */
const SHOWN = 3;

const help = `
Examples:
  condense simulate --command './sim --te {te} --ne {ne}' --inputs 'te[eV]=200:2000:log,ne=5e18:1e20:log' --runs 500 --out runs.arrow
  condense simulate --command 'python3 model.py input.json' --template input.in=input.json --read out.csv --inputs a=0:1,n=1:10:int,kind=x|y
  condense simulate --module ./sim.mjs --points points.csv --out runs.csv
  condense fit runs.arrow --inputs te,ne

A command runs in a fresh folder of its own. {name} stands for an input's value, {run} for the number of the run, {dir} for its
folder, {here} for this one. The program, and scripts (*.py, *.sh, ...) and ./programs of this folder, are found by themselves;
name other files as {here}/file. It is run without a shell unless --shell is given. A --template FILE=DEST has its placeholders
filled and is written to DEST in the run's folder.

Outputs come from --read files (CSV, JSON, NPY, NPZ, Arrow, Parquet) or standard output (JSON, name = value lines, or CSV). One row
is scalars; several rows make each column a signal; nested lists are fields. A module exports
default async function (inputs, { run, signal }) that returns outputs by name.

A run fails with a non-zero exit code, past --timeout, without its outputs, with one that is not finite, or with another shape than the
first run. It stays in the table, its reason in the column status; condense fit leaves it out. OUT.log.csv holds attempts and
seconds. A campaign that was stopped or killed goes on with the same command.`;

export const simulate: CliCommand = {
  declare(command) {
    command
      .description(
        "Runs your own simulator, a command or a JavaScript module, at a design of points and writes the table of runs.",
      )
      .option("--command <template>", "command with {name} where an input's value goes")
      .option("--module <file>", "module that exports the simulator as a function, for --command")
      .option("--inputs <list>", "name=low:high, with :log or :int after it, or name=a|b|c; names alone with --points")
      .option("--points <file>", "table of points to run at, for a design")
      .option("--runs <n>", `how many (default: ${DEFAULTS.runs})`, whole("--runs", 1, 1e7, "500"))
      .option(
        "--design <name>",
        `points: ${designNames.join(", ")} (default: ${DEFAULTS.design})`,
        oneOf("--design", designNames),
      )
      .option("--seed <n>", `seed of the design (default: ${DEFAULTS.seed})`, whole("--seed", 0, 2 ** 32 - 1, "1"))
      .option("--template <file=dest>", "file to fill and write into the run's folder (may repeat)", collect, [])
      .option(
        "--read <file>",
        "file in the run's folder with the outputs (may repeat; default: standard output)",
        collect,
        [],
      )
      .option("--outputs <names>", "outputs to take, with commas; * and ? match (default: all)", list)
      .option("--shell", "let a shell run the command: pipes, redirections", false)
      .option("--workers <n>", "runs side by side (default: one per core)", whole("--workers", 1, 256, "2"))
      .option("--timeout <duration>", "longest that a run may take, such as 60s", duration("--timeout"))
      .option("--retries <n>", "how often to repeat a run that failed", whole("--retries", 0, 100, "2"), 0)
      .option("--keep-failed", "keep the folders of failed runs in OUT.failed", false)
      .option("--keep-going", `go on though the first ${FIRST_RUNS} runs all failed`, false)
      .option("--restart", "begin anew, whatever is left of a campaign beside OUT", false)
      .option("--dry-run", `print the first ${SHOWN} commands and run nothing`, false)
      .option("--out <file>", "table to write: .arrow, .parquet or .csv", "runs.arrow")
      .option("--json", "print one JSON document", false)
      .addHelpText("after", help);
  },
  async run(_args, options: SimulateOptions, world) {
    const { out, command, module } = options;
    if ((command === undefined) === (module === undefined))
      throw new OptionError(
        "OPTION_SIMULATOR",
        "simulate: what is the simulator? Give either --command './sim --a {a}' or --module ./sim.mjs.",
      );
    writerFor(out);
    const points = await pointsOf(options);
    const simulator = await simulatorOf(options, points.names, world);
    try {
      if (options.dryRun) return await dryRun(simulator, points, options, world);
      await world.files.checkWritable(out);
      return await campaign(simulator, points, options, world);
    } finally {
      await simulator.dispose();
    }
  },
};

async function campaign(
  simulator: Simulator,
  points: CampaignPoints,
  options: SimulateOptions,
  world: World,
): Promise<number> {
  const { out, retries, restart, keepGoing, json } = options;
  const started = world.now();
  const progress = progressLine(world);
  const stop = new AbortController();
  const stopListening = listenForInterrupts(world, () => stop.abort(), progress, "what is done is kept");
  try {
    const result = await simulateRuns(simulator, points, {
      ...{ out, retries, restart, keepGoing, signal: stop.signal },
      onProgress({ done, runs, failed, kept }) {
        const note = `${done} of ${runs} runs${failed === 0 ? "" : `, ${failed} failed`}`;
        progress.update("simulate", done === runs ? 1 : (done - kept) / (runs - kept), note);
      },
    });
    progress.done();
    const seconds = (world.now() - started) / 1000;
    if (json) await world.out(`${JSON.stringify({ out, seconds, ...result }, null, 2)}\n`);
    const { failed, runs, firstFailure } = result;
    switch (result.outcome) {
      case "gave up":
        world.err(
          `condense: the first ${runs} runs all failed. ${firstFailureText(firstFailure)}. Mend it and give the command again; --keep-failed shows what a run leaves, --keep-going goes on all the same.\n`,
        );
        return 1;
      case "stopped":
        world.err(
          `stopped after ${runs} of ${points.runs} runs${runs === 0 ? "" : `, kept in ${out}.parts: the same command goes on from there`}\n`,
        );
        return 1;
      case "made":
        break;
    }
    if (!json) {
      const outputs = result.outputs.map(({ name, shape }) =>
        shape.length === 0 ? name : `${name} (${showShape(shape)})`,
      );
      const shown = outputs.length > 8 ? [...outputs.slice(0, 8), `${outputs.length - 8} more`] : outputs;
      await world.out(
        `${out}: ${runs} runs in ${showTime(1000 * seconds)}${failed === 0 ? "" : `, ${failed} of them failed (see the column status)`}\n` +
          (failed === runs
            ? ""
            : `Outputs: ${shown.join(", ")}\n\nNext: condense fit ${out} --inputs ${points.names.join(",")}\n`),
      );
    }
    if (failed > 0) world.err(`${firstFailureText(result.failures[0])}\n`);
    return failed === runs ? 1 : 0;
  } finally {
    progress.done();
    stopListening();
  }
}

function firstFailureText(failure: { readonly run: number; readonly reason: string } | undefined): string {
  return failure === undefined ? "" : `The first to fail was run ${failure.run}: ${failure.reason}`;
}

async function pointsOf({ inputs, points, runs, design, seed }: SimulateOptions): Promise<CampaignPoints> {
  if (points !== undefined) {
    const [option] = Object.entries({ runs, design, seed }).find(([, value]) => value !== undefined) ?? [];
    if (option !== undefined)
      throw new OptionError(
        "OPTION_POINTS",
        `--${option}: --points says where to run, row by row. Leave one of the two out.`,
      );
    if (inputs?.includes("=") === true)
      throw new OptionError(
        "OPTION_POINTS",
        `--inputs ${inputs}: with --points give names alone, such as --inputs te,ne.`,
      );
    return tablePoints(await readTable(points), inputs === undefined ? undefined : splitNames(inputs));
  }
  if (inputs === undefined)
    throw new OptionError(
      "OPTION_INPUTS",
      "--inputs: what varies? Write name=low:high, such as --inputs te=200:2000:log,n=1:10:int, or give --points.",
    );
  return designPoints(parseInputs(inputs), runs ?? DEFAULTS.runs, design ?? DEFAULTS.design, seed ?? DEFAULTS.seed);
}

async function simulatorOf(options: SimulateOptions, inputs: readonly string[], world: World): Promise<Simulator> {
  const { command, module, template, read, shell, keepFailed, out, outputs, timeout } = options;
  const common = {
    inputs,
    workers: options.workers ?? world.cores,
    ...(outputs === undefined ? {} : { outputs }),
    ...(timeout === undefined ? {} : { timeoutMs: timeout }),
  };
  if (command !== undefined) {
    const templates = template.map(parseTemplate);
    return commandSimulator({
      ...common,
      ...{ command, shell, templates, read },
      ...(keepFailed ? { keepFailed: `${out}.failed` } : {}),
    });
  }
  const strange = Object.entries({
    template: template.length > 0,
    read: read.length > 0,
    shell,
    "keep-failed": keepFailed,
  });
  const [given] = strange.find(([, is]) => is) ?? [];
  if (given !== undefined)
    throw new OptionError("OPTION_SIMULATOR", `--${given}: goes with --command only. Leave it out with --module.`);
  return moduleSimulator({ ...common, module: module ?? "" });
}

function parseTemplate(text: string): { readonly from: string; readonly to: string } {
  const at = text.lastIndexOf("=");
  if (at < 1 || at === text.length - 1)
    throw new OptionError(
      "OPTION_TEMPLATE",
      `--template ${text}: write FILE=DEST, such as --template input.in=input.txt.`,
    );
  return { from: text.slice(0, at), to: text.slice(at + 1) };
}

async function dryRun(
  simulator: Simulator,
  points: CampaignPoints,
  { json }: SimulateOptions,
  world: World,
): Promise<number> {
  const shown = Array.from({ length: Math.min(SHOWN, points.runs) }, (_, run) => ({
    run: run + 1,
    inputs: points.at(run),
    does: simulator.describe(run, points.at(run)),
  }));
  if (json) await world.out(`${JSON.stringify({ runs: points.runs, first: shown }, null, 2)}\n`);
  else await world.out(`${shown.map(({ does }) => does).join("\n")}\n${points.runs} runs in all; nothing was run\n`);
  return 0;
}
