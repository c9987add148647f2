/**
 * A case study from end to end: runs, emulator, scores on fresh runs, inverse problems, speed, and a page with figures.
 * Edge file: it writes into a folder, and what is there from the same options is used again.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import {
  type Effort,
  type FitOptions,
  folderStore,
  loadEmulator,
  OptionError,
  type TaskRunner,
  version,
  writeWhole,
} from "../../src/index.ts";
import { type CaseName } from "../index.ts";
import { getCase } from "../simulate.ts";
import { realCases, runDefaults } from "./defaults.ts";
import { draw } from "./draw.ts";
import { posteriorFigure, testFigures } from "./figures.ts";
import { exists, files, makeFolder } from "./folder.ts";
import { invert } from "./invert.ts";
import { learn, readRuns } from "./learn.ts";
import { casePage } from "./page.ts";
import { invertForReal, type RealChain } from "./real.ts";
import { measureSpeed } from "./speed.ts";
import { stage } from "./stages.ts";
import { type CaseSummary, summarise } from "./summary.ts";
import { givenTable, runsTable } from "./tables.ts";
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
  /** Steps of each chain, and of its burn-in. Default: the case's own; half the steps with the simulator itself. */
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

  const table = { seed, store, runner };
  const made =
    options.from !== undefined
      ? await givenTable(study, options.from)
      : await runsTable(study, {
          ...{ ...table, runs: sizes.runs, design: "sobol", path: path(files.runs) },
          onProgress: progress("make"),
        });
  if (made === undefined) return undefined;
  const fitting = {
    effort: options.effort ?? "standard",
    seed,
    timeMs: options.timeMs ?? defaults.timeMs,
    ...options.fit,
  };
  const { runner: _runner, checkpoints: _checkpoints, ...fitKey } = fitting;
  const fitted = { ...made, fit: fitKey, version };
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
        options.from ?? path(files.runs),
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

  const fresh = await runsTable(study, {
    ...{ ...table, runs: sizes.test, design: "uniform", path: path(files.test) },
    onProgress: progress("test"),
  });
  if (fresh === undefined) return undefined;
  const runs = await readRuns(study, path(files.test));
  const emulator = await loadEmulator(path(files.emulator));
  try {
    progress("score")(0, `${runs.n} fresh runs`);
    const tested = await stage(store, "scores", { ...fitted, fresh }, () => testEmulator(emulator, runs));
    if (tested === undefined || runner.stopped) return undefined;
    const chain = {
      truths: sizes.truths,
      steps: options.steps ?? defaults.steps,
      burn: options.burn ?? defaults.burn,
      seed,
      errors: "calibrated modes",
    };
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
