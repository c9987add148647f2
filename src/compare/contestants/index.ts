/** The contestants, in the order of the table: the emulator, its parts, the baselines. A new one is a file and a line here. */
import type { Contestant } from "../contestant.ts";
import { emulator } from "./emulator.ts";
import { gaussianProcess } from "./gaussian-process.ts";
import { networks } from "./networks.ts";
import { nullModel } from "./null.ts";
import { processes } from "./processes.ts";
import { quadratic } from "./quadratic.ts";

export const contestants = {
  emulator,
  networks,
  processes,
  "gaussian-process": gaussianProcess,
  quadratic,
  null: nullModel,
} as const satisfies Readonly<Record<string, Contestant>>;

export type ContestantName = keyof typeof contestants;
export const contestantNames = Object.keys(contestants) as readonly ContestantName[];
