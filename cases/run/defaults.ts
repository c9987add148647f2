/**
 * What `cases run` does unless told otherwise. The ten together are to be made, fitted and tested from nothing in 90
 * minutes on two cores: simulators take 0.02 to 0.9 s a run, so the slow ones get fewer runs, and each fit has a cap.
 */
import type { CaseName } from "../index.ts";

export interface RunDefaults {
  /** Runs to learn from, and fresh ones to test on. */
  readonly runs: number;
  readonly test: number;
  /** Cap on the fit, milliseconds. */
  readonly timeMs: number;
  /** Inverse problems that are solved. */
  readonly truths: number;
  /** Steps of each chain, and of its burn-in. */
  readonly steps: number;
  readonly burn: number;
}

const minutes = (count: number): number => count * 60_000;
const usual: RunDefaults = { runs: 2000, test: 1000, timeMs: minutes(5), truths: 50, steps: 360, burn: 120 };

export const runDefaults: Readonly<Record<CaseName, RunDefaults>> = {
  xrts: usual,
  // Sharp lines that move far: networks of these still get better after five minutes.
  ots: { ...usual, timeMs: minutes(12) },
  // Many narrow lines in eight inputs: what limits its networks is how many runs they see.
  xes: { ...usual, runs: 4000 },
  elms: usual,
  halo: usual,
  // Images of 4 x 64 x 64 with edges that move, and one run in ten fails: more runs, and time. A draw from the posterior costs a hundred
  // times that of a spectrum.
  jag: { ...usual, runs: 4000, timeMs: minutes(8), truths: 10, steps: 120, burn: 40 },
  "jag-scalars": usual,
  seistomo: { ...usual, runs: 1000 },
  mops: { ...usual, runs: 410, test: 300 },
  gcm: { ...usual, runs: 200, test: 300, truths: 20 },
};

/** Cases whose chain `--real` repeats with the simulator itself. */
export const realCases: readonly CaseName[] = ["xrts", "ots", "elms"];

/** Which of `names` `--real` means: those that are quick enough, or all where none is, for each to refuse. */
export function realAmong(names: readonly string[]): readonly string[] {
  const quick = names.filter((name) => (realCases as readonly string[]).includes(name));
  return quick.length > 0 ? quick : names;
}
