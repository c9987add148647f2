/** `condense cases run`: cases from end to end, and the table of all. */
import { realAmong, runDefaults } from "../../../cases/run/defaults.ts";
import { caseFolder, files, readSummary } from "../../../cases/run/folder.ts";
import { runCase } from "../../../cases/run/run.ts";
import { type CaseSummary, describeTable } from "../../../cases/run/summary.ts";
import { type Effort, FileError, OptionError, workerPool } from "../../index.ts";
import { listenForInterrupts, progressLine } from "../text.ts";
import type { World } from "../world.ts";

export interface CasesRunOptions {
  readonly runs?: number;
  readonly test?: number;
  readonly truths?: number;
  /** Milliseconds. */
  readonly time?: number;
  readonly effort: Effort;
  readonly seed: number;
  readonly from?: string;
  readonly real: boolean;
  readonly chromium?: string;
  readonly threads?: number;
  readonly out?: string;
  readonly in: string;
  readonly json: boolean;
}

/** The Chromium that draws pictures, where one is named. */
export function chromiumOf({ chromium }: Pick<CasesRunOptions, "chromium">, { env }: World): string | undefined {
  return [chromium, env.CONDENSE_CHROMIUM].find((path) => path !== undefined && path !== "");
}

/** Runs cases one after another. @param names at least one   @returns 1 if stopped before the end */
export async function run(names: readonly string[], options: CasesRunOptions, world: World): Promise<number> {
  const { out, effort, seed, runs, test, truths, time, from, real } = options;
  if (from !== undefined && names.length > 1)
    throw new OptionError(
      "OPTION_FROM",
      `--from names the runs of one case, not of ${names.length}. Run them one by one.`,
    );
  const withReal = real ? realAmong(names) : [];
  const chromium = chromiumOf(options, world);
  const folder = (name: string): string =>
    names.length === 1 && out !== undefined ? out : caseFolder(out ?? ".", name);
  for (const name of names) await world.files.checkWritable(`${folder(name)}.check`);
  const runner = workerPool(options.threads ?? world.cores);
  const progress = progressLine(world);
  const stopListening = listenForInterrupts(world, () => runner.stop(), progress, "what is done is kept");
  const summaries: CaseSummary[] = [];
  try {
    for (const name of names) {
      const summary = await runCase(name, {
        ...{ out: folder(name), effort, seed, real: withReal.includes(name), runner, now: () => world.now() },
        ...(runs === undefined ? {} : { runs }),
        ...(test === undefined ? {} : { test }),
        ...(truths === undefined ? {} : { truths }),
        ...(time === undefined ? {} : { timeMs: time }),
        ...(from === undefined ? {} : { from }),
        ...(chromium === undefined ? {} : { chromium }),
        onProgress: (phase, fraction, note) => {
          progress.update(phase, fraction, `${name}: ${note}`);
        },
      });
      progress.done();
      if (summary === undefined) {
        world.err(`stopped in ${name}: the same command goes on from there\n`);
        return 1;
      }
      summaries.push(summary);
      if (!options.json) world.err(`${folder(name)}/${files.page}\n`);
    }
  } finally {
    progress.done();
    stopListening();
    await runner.dispose();
  }
  await tell(summaries, options, world);
  return 0;
}

/** Prints the table of cases that were run already. */
export async function table(names: readonly string[], options: CasesRunOptions, world: World): Promise<number> {
  const summaries: CaseSummary[] = [];
  for (const name of names.length > 0 ? names : Object.keys(runDefaults)) {
    try {
      summaries.push(await readSummary(caseFolder(options.in, name)));
    } catch (error) {
      // Without names, all that there is.
      if (names.length > 0 || !(error instanceof FileError) || error.code !== "FILE_MISSING") throw error;
    }
  }
  if (summaries.length === 0)
    throw new FileError(
      "FILE_MISSING",
      `${options.in}: no case was run here (there is no case-NAME/${files.summary}). Run condense cases run all, or pass --in FOLDER.`,
    );
  await tell(summaries, options, world);
  return 0;
}

async function tell(summaries: readonly CaseSummary[], { json }: CasesRunOptions, world: World): Promise<void> {
  const [only] = summaries;
  const document = summaries.length === 1 ? only : summaries;
  await world.out(json ? `${JSON.stringify(document, null, 2)}\n` : `${describeTable(summaries)}\n`);
}
