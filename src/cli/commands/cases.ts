/** `condense cases`: the case studies, and tables of runs of their simulators. */
import { type Case, cases as allCases } from "../../../cases/index.ts";
import { makeRuns } from "../../../cases/make.ts";
import { alignRows, type DesignName, designs, OptionError, workerPool } from "../../index.ts";
import type { CliCommand } from "../command.ts";
import { progressLine } from "../text.ts";
import { oneOf, whole } from "../values.ts";
import type { World } from "../world.ts";

interface CasesOptions {
  readonly runs?: number;
  readonly design: DesignName;
  readonly seed: number;
  readonly threads?: number;
  readonly out?: string;
  readonly json: boolean;
}

const verbs = ["list", "make"] as const;
const designNames = Object.keys(designs) as DesignName[];

export const cases: CliCommand = {
  declare(command) {
    command
      .description(
        "list names the case studies; make runs the simulator of one at a design of points and writes the table. Runs that fail are kept and marked in the column status; a campaign that was stopped goes on with the same command.",
      )
      .argument("<what>", verbs.join(", "), oneOf("cases", verbs))
      .argument("[case]", `for make: ${Object.keys(allCases).join(", ")}`)
      .option("--runs <n>", "how many (default: the case's own number)", whole("--runs", 1, 1e7, "2000"))
      .option("--design <name>", `points: ${designNames.join(", ")}`, oneOf("--design", designNames), "sobol")
      .option("--seed <n>", "seed of the design", whole("--seed", 0, 2 ** 32 - 1, "1"), 1)
      .option("--threads <n>", "runs side by side (default: one per core)", whole("--threads", 1, 256, "2"))
      .option("--out <file>", "for make: table to write, .arrow, .parquet or .csv (default: CASE.arrow)")
      .option("--json", "print one JSON document", false);
  },
  async run([what, name], options: CasesOptions, world) {
    return what === "list" ? list(options, world) : make(name, options, world);
  },
};

async function list({ json }: CasesOptions, world: World): Promise<number> {
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

async function make(name: string | undefined, options: CasesOptions, world: World): Promise<number> {
  if (name === undefined)
    throw new OptionError("OPTION_CASE", `cases make: which case? (there are: ${Object.keys(allCases).join(", ")}).`);
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
