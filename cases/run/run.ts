/**
 * A case study from end to end: runs, emulator, scores on fresh runs, inverse problems, speed, and a page with figures.
 * Edge file: it writes into a folder, and what is there from the same options is used again.
 */
import { createHash } from "node:crypto";
import { mkdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import {
  type Effort,
  FileError,
  type FitOptions,
  folderStore,
  loadEmulator,
  OptionError,
  pictures,
  plotlyScript,
  type TaskRunner,
  version,
  writeWhole,
} from "../../src/index.ts";
import type { Case } from "../case.ts";
import { type CaseName } from "../index.ts";
import { makeRuns } from "../make.ts";
import { getCase } from "../simulate.ts";
import { realCases, runDefaults } from "./defaults.ts";
import { type NamedFigure, posteriorFigure, testFigures } from "./figures.ts";
import { invert } from "./invert.ts";
import { learn, readRuns } from "./learn.ts";
import { casePage } from "./page.ts";
import { invertForReal, type RealChain } from "./real.ts";
import { measureSpeed } from "./speed.ts";
import { stage } from "./stages.ts";
import { type CaseSummary, summarise } from "./summary.ts";
import { testEmulator } from "./test.ts";

export interface CaseRunOptions {
  /** Folder for all that is made. */
  readonly out: string;
  /** Default: those of `runDefaults`. */
  readonly runs?: number;
  readonly test?: number;
  readonly truths?: number;
  /** Cap on the fit, and on the inverse problems: no more are begun after it. */
  readonly timeMs?: number;
  /** Table of training runs to read instead of making one. */
  readonly from?: string;
  /** Default 1. */
  readonly seed?: number;
  /** Default `standard`. */
  readonly effort?: Effort;
  /** Repeats one inverse problem with the simulator itself. Default false. */
  readonly real?: boolean;
  /** Steps of each chain, and of its burn-in. Default 120 and 40; half the steps with the simulator itself. */
  readonly steps?: number;
  readonly burn?: number;
  /** More for the fit. */
  readonly fit?: FitOptions;
  /** Path of a Chromium to draw figures as PNG and SVG. Default: none are drawn. */
  readonly chromium?: string;
  readonly runner: TaskRunner;
  readonly onProgress?: (phase: string, fraction: number, note: string) => void;
  /** Milliseconds. Default: the clock. */
  readonly now?: () => number;
}

/** Files of a case's folder. */
export const files = {
  runs: "runs.arrow",
  test: "test.arrow",
  emulator: "emulator.onnx",
  summary: "summary.json",
  page: "index.html",
} as const;

/** Folder of a case under another. */
export function caseFolder(parent: string, name: string): string {
  return join(parent, `case-${name}`);
}

/** Runs a case. @returns undefined if the runner was told to stop: the same call goes on from there
 * @throws OptionError for an unknown case, `real` where the simulator is too slow for it; FileError, DataError for `from` */
export async function runCase(name: string, options: CaseRunOptions): Promise<CaseSummary | undefined> {
  const study = getCase(name);
  const { out, seed = 1, real = false, runner, onProgress, now = Date.now, chromium } = options;
  if (real && !realCases.includes(name as CaseName))
    throw new OptionError(
      "OPTION_REAL",
      `${name}: --real repeats the inference with the simulator itself, which is for ${realCases.join(", ")} only.`,
    );
  const defaults = runDefaults[name as CaseName];
  const sizes = {
    runs: options.runs ?? defaults.runs,
    test: options.test ?? defaults.test,
    truths: options.truths ?? defaults.truths,
  };
  const path = (file: string): string => join(out, file);
  await makeFolder(out);
  const store = folderStore(path("stages"));
  const progress = (phase: string) => (fraction: number, note: string) => onProgress?.(phase, fraction, note);

  const made = await runsOf(study, sizes.runs, options, path(files.runs), store);
  if (made === undefined) return undefined;
  const fitting = {
    effort: options.effort ?? "standard",
    seed,
    timeMs: options.timeMs ?? defaults.timeMs,
    ...options.fit,
  };
  const { runner: _runner, checkpoints: _checkpoints, ...fitKey } = fitting;
  const fitted = { ...made.key, fit: fitKey, version };
  const fit = await stage(
    store,
    "fit",
    fitted,
    async () => {
      const hash = createHash("sha256").update(JSON.stringify(fitted)).digest("hex").slice(0, 12);
      const checkpoints = folderStore(path(join("stages", `fit-${hash}`)));
      const resume = (await checkpoints.read("fit")) !== undefined;
      const learnt = await learn(
        study,
        made.path,
        {
          ...fitting,
          runner,
          checkpoints,
          resume,
          onProgress: ({ fraction, note }) => onProgress?.("fit", fraction, note ?? ""),
        },
        now,
      );
      if (runner.stopped) return undefined;
      const { bytes, ...rest } = learnt;
      await writeWhole(path(files.emulator), bytes);
      return { ...rest, bytes: bytes.length };
    },
    !(await exists(path(files.emulator))),
  );
  if (fit === undefined) return undefined;

  const fresh = { case: name, runs: sizes.test, design: "uniform", seed };
  const freshMade = await stage(
    store,
    "test",
    fresh,
    () => makeTable(study, sizes.test, "uniform", seed, path(files.test), runner, progress("test")),
    !(await exists(path(files.test))),
  );
  if (freshMade === undefined) return undefined;
  const runs = await readRuns(study, path(files.test));
  const emulator = await loadEmulator(path(files.emulator));
  try {
    progress("score")(0, `${runs.n} fresh runs`);
    const tested = await stage(store, "scores", { ...fitted, fresh }, () => testEmulator(emulator, runs));
    if (tested === undefined || runner.stopped) return undefined;
    const chain = { truths: sizes.truths, steps: options.steps ?? 120, burn: options.burn ?? 40, seed };
    const inversions = await stage(store, "inverse", { ...fitted, fresh, chain }, async () => {
      const observer = await loadEmulator(path(files.emulator), {
        fields: study.inverse.observed,
        threads: runner.parallel,
      });
      try {
        return await invert(study, observer, runs, {
          ...chain,
          timeMs: fitting.timeMs,
          now,
          onProgress: (fraction) => onProgress?.("infer", fraction, `${chain.truths} posteriors`),
          shouldStop: () => runner.stopped,
        });
      } finally {
        await observer.dispose();
      }
    });
    if (inversions === undefined) return undefined;
    let realChain: RealChain | undefined;
    if (real) {
      const fewer = { seed, steps: Math.ceil(chain.steps / 2), burn: chain.burn };
      realChain = await stage(store, "real", { ...fitted, fresh, chain }, () =>
        invertForReal(study, runs, inversions.walkers, {
          ...fewer,
          runner,
          now,
          onProgress: (fraction) => onProgress?.("infer", fraction, "with the simulator itself"),
        }),
      );
      if (realChain === undefined) return undefined;
    }
    progress("speed")(0, "simulator against emulator");
    const speed = await stage(store, "speed", fitted, () => measureSpeed(study, emulator, seed));
    if (speed === undefined || runner.stopped) return undefined;
    const threads = runner.parallel;
    const { used, leftOut, ...rest } = fit;
    const summary = summarise(study, {
      options: { ...sizes, ...fitKey, from: options.from ?? null, steps: chain.steps, burn: chain.burn },
      threads,
      fit: { runs: used, failed: leftOut, threads, ...rest },
      tested,
      inversions,
      speed,
      real: realChain,
    });
    const figures = {
      test: await testFigures(study, emulator, runs, tested),
      posterior: posteriorFigure(study, inversions, realChain),
    };
    await writeWhole(path(files.summary), new TextEncoder().encode(`${JSON.stringify(summary, null, 2)}\n`));
    await writeWhole(path(files.page), new TextEncoder().encode(await casePage(study, summary, figures)));
    if (chromium !== undefined) await draw([...figures.test, figures.posterior], chromium, out);
    return summary;
  } finally {
    await emulator.dispose();
  }
}

/** The summary of a case that was run. @throws FileError if it was not, or the file is damaged */
export async function readSummary(folder: string): Promise<CaseSummary> {
  const path = join(folder, files.summary);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw new FileError("FILE_MISSING", `${path}: no such file. Make it with condense cases run.`, { cause });
  }
  try {
    const summary = JSON.parse(text) as CaseSummary;
    if (typeof summary.case === "string" && typeof summary.speed === "object") return summary;
  } catch {
    // Said below.
  }
  throw new FileError("FILE_DAMAGED", `${path}: not the summary of a case. Make it again with condense cases run.`);
}

/** The training runs: made, or read where they are. */
async function runsOf(
  study: Case,
  count: number,
  { from, seed = 1, runner, onProgress }: CaseRunOptions,
  path: string,
  store: ReturnType<typeof folderStore>,
): Promise<{ readonly path: string; readonly key: Readonly<Record<string, unknown>> } | undefined> {
  if (from !== undefined) {
    const found = await stat(from).catch(() => undefined);
    if (found === undefined)
      throw new FileError("FILE_MISSING", `${from}: no such file. Make it with condense cases make ${study.name}.`);
    return { path: from, key: { from, bytes: found.size, written: found.mtimeMs } };
  }
  const key = { case: study.name, runs: count, design: "sobol", seed };
  const made = await stage(
    store,
    "runs",
    key,
    () =>
      makeTable(study, count, "sobol", seed, path, runner, (fraction, note) => onProgress?.("make", fraction, note)),
    !(await exists(path)),
  );
  return made === undefined ? undefined : { path, key };
}

async function makeTable(
  study: Case,
  runs: number,
  design: "sobol" | "uniform",
  seed: number,
  out: string,
  runner: TaskRunner,
  onProgress: (fraction: number, note: string) => void,
): Promise<{ readonly failed: number } | undefined> {
  const result = await makeRuns(study.name, {
    ...{ runs, design, seed, out, runner },
    onProgress: ({ done }) => {
      onProgress(done / runs, `${done} of ${runs} runs`);
    },
  });
  return result.outcome === "stopped" ? undefined : { failed: result.failed };
}

async function draw(figures: readonly NamedFigure[], chromium: string, out: string): Promise<void> {
  const folder = join(out, "figures");
  await makeFolder(folder);
  const drawn = await pictures(
    figures.map(({ figure }) => figure),
    chromium,
    await plotlyScript(),
  );
  for (const [i, { png, svg }] of drawn.entries()) {
    await writeWhole(join(folder, `${figures[i]!.name}.png`), png);
    await writeWhole(join(folder, `${figures[i]!.name}.svg`), new TextEncoder().encode(svg));
  }
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    throw new FileError("FILE_WRITE", `${folder}: cannot make this folder. Choose another --out.`, { cause });
  }
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
