/** `condense cases`: the case studies, tables of runs of their simulators, their emulators and what these tell. */
import { type Case, cases as allCases } from "../../../cases/index.ts";
import { makeRuns } from "../../../cases/make.ts";
import { alignRows, type DesignName, designs, efforts, OptionError, workerPool } from "../../index.ts";
import { type CasesRunOptions, run, table } from "../cases/run.ts";
import { speedup } from "../cases/speedup.ts";
import type { CliCommand } from "../command.ts";
import { progressLine } from "../text.ts";
import { duration, oneOf, whole } from "../values.ts";
import type { World } from "../world.ts";

interface CasesOptions extends CasesRunOptions {
  readonly design: DesignName;
}

const verbs = ["list", "make", "run", "speedup", "table"] as const;
const designNames = Object.keys(designs) as DesignName[];

export const cases: CliCommand = {
  declare(command) {
    command
      .description(
        `list names the case studies.
make runs the simulator of one at a design of points and writes the table; runs that fail are kept and marked in the column status.
run does it all: makes runs, fits, tests on fresh runs, solves the inverse problem for many hidden truths, measures the speed, and writes a page with figures. "run all" does the ten and prints their table.
speedup times simulators against the emulators that run left. table prints the table again.
What was stopped goes on with the same command.`,
      )
      .argument("<what>", verbs.join(", "), oneOf("cases", verbs))
      .argument("[case...]", `${Object.keys(allCases).join(", ")}; for run also: all`)
      .option(
        "--runs <n>",
        "runs to make, or to learn from (default: the case's own number)",
        whole("--runs", 1, 1e7, "2000"),
      )
      .option("--design <name>", `make: points: ${designNames.join(", ")}`, oneOf("--design", designNames), "sobol")
      .option("--seed <n>", "seed of all that is random", whole("--seed", 0, 2 ** 32 - 1, "1"), 1)
      .option(
        "--threads <n>",
        "runs and trainings side by side (default: one per core)",
        whole("--threads", 1, 256, "2"),
      )
      .option(
        "--out <path>",
        "make: table to write (default: CASE.arrow); run: folder (default: case-CASE); speedup: page",
      )
      .option("--in <folder>", "speedup, table: where the folders case-CASE are", ".")
      .option("--from <table>", "run: training runs to read instead of making them")
      .option("--test <n>", "run: fresh runs to test on (default: the case's own)", whole("--test", 10, 1e6, "1000"))
      .option(
        "--truths <n>",
        "run: inverse problems to solve (default: the case's own)",
        whole("--truths", 1, 1e4, "50"),
      )
      .option("--effort <name>", `run: work of a fit: ${efforts.join(", ")}`, oneOf("--effort", efforts), "standard")
      .option(
        "--time <duration>",
        "run: cap on each fit, and on its inverse problems (default: the case's own, mostly 5m)",
        duration("--time"),
      )
      .option("--real", "run: solve one inverse problem with the simulator itself too (of all: xrts, ots, elms)", false)
      .option(
        "--chromium <path>",
        "run, speedup: draw the figures as PNG and SVG too, with this Chromium (or CONDENSE_CHROMIUM)",
      )
      .option("--json", "print one JSON document", false);
  },
  async run(args, options: CasesOptions, world) {
    const [what, given] = args as readonly [(typeof verbs)[number], readonly string[]];
    switch (what) {
      case "list":
        return list(options, world);
      case "make":
        return make(oneCase(given), options, world);
      case "run":
        return run(namesFrom(given), options, world);
      case "speedup":
        return speedup(given, options, world);
      case "table":
        return table(given, options, world);
      default:
        return what satisfies never;
    }
  },
};

/** @throws OptionError for none or several */
function oneCase(names: readonly string[]): string {
  const [name] = names;
  if (name !== undefined && names.length === 1) return name;
  throw new OptionError(
    "OPTION_CASE",
    `cases make: ${name === undefined ? "which case?" : "one case at a time"} (there are: ${Object.keys(allCases).join(", ")}).`,
  );
}

/** Names as given, or those of all cases. @throws OptionError for none, or an unknown one */
function namesFrom(names: readonly string[]): readonly string[] {
  const known = Object.keys(allCases);
  if (names.length === 1 && names[0] === "all") return known;
  const strange = names.find((name) => !known.includes(name));
  if (names.length > 0 && strange === undefined) return names;
  throw new OptionError(
    "OPTION_CASE",
    `cases run: ${strange === undefined ? "which case?" : `no case "${strange}"`} (there are: ${known.join(", ")}, or all).`,
  );
}

async function list({ json }: Pick<CasesOptions, "json">, world: World): Promise<number> {
  const all: readonly Case[] = Object.values(allCases);
  if (json) {
    await world.out(`${JSON.stringify(all, null, 2)}\n`);
    return 0;
  }
  const rows = all.map(({ name, title, inputs, outputs, runs }) => {
    const shown = outputs
      .slice(0, 3)
      .map(({ name: output, shape }) => output + (shape.length > 0 ? `[${shape.join(",")}]` : ""));
    const more = outputs.length > 3 ? ` and ${outputs.length - 3} more` : "";
    return [name, String(inputs.length), String(runs.train), title, shown.join(" ") + more];
  });
  await world.out(`${alignRows([["case", "inputs", "runs", "what", "outputs"], ...rows], [0, 3, 4])}\n`);
  return 0;
}

async function make(name: string, options: CasesOptions, world: World): Promise<number> {
  const out = options.out ?? `${name}.arrow`;
  await world.files.checkWritable(out);
  const started = world.now();
  const runner = workerPool(options.threads ?? world.cores);
  const progress = progressLine(world);
  const stopListening = world.onInterrupt(() => {
    runner.stop();
    progress.say("stopping: what is done is kept");
  });
  try {
    const { runs, seed, design } = options;
    const result = await makeRuns(name, {
      ...(runs === undefined ? {} : { runs }),
      ...{ seed, design, out, runner },
      onProgress(state) {
        progress.update("simulate", state.done / state.runs, `${state.done} of ${state.runs} runs`);
      },
    });
    progress.done();
    const seconds = (world.now() - started) / 1000;
    const stopped = result.outcome === "stopped";
    if (options.json) await world.out(`${JSON.stringify({ out, seconds, ...result }, null, 2)}\n`);
    else if (stopped)
      world.err(`stopped after ${result.runs} runs, kept in ${out}.parts: the same command goes on from there\n`);
    else
      await world.out(
        `${out}: ${result.runs} runs${result.failed === 0 ? "" : `, ${result.failed} of them failed (see the column status)`}\n`,
      );
    return stopped ? 1 : 0;
  } finally {
    progress.done();
    stopListening();
    await runner.dispose();
  }
}
