/** What can be asked of a fit. */
import type { Selection } from "../data/index.ts";
import type { EngineName } from "../engine/index.ts";
import type { Constraint, Strategy } from "../search/index.ts";
import type { SuperArchitectureOptions } from "../space/index.ts";
import type { CheckpointStore, TaskRunner } from "../tasks/index.ts";
import type { Effort, LossName } from "../train/index.ts";
import type { Deployment } from "./constrain.ts";

export const ensembles = ["trained", "supernet"] as const;

/** What a fit is doing, for progress lines. */
export interface FitProgress {
  readonly phase: "probe" | "search" | "train";
  /** Share of the whole fit's work done, 0 to 1. */
  readonly fraction: number;
  readonly note?: string;
}

export interface FitOptions extends Selection {
  /** Search strategy. Default `dense`. */
  readonly strategy?: string | Strategy;
  /** Work to spend. Default `standard`. */
  readonly effort?: Effort;
  /** Default 1. */
  readonly seed?: number;
  /** How members get their weights: `trained` finishes each by itself over folds; `supernet` takes them from the searched
   * supernet as they are, as DENSE published it: much faster, much less accurate. Default `trained`. */
  readonly ensemble?: (typeof ensembles)[number];
  /** Networks in the ensemble, at least 2. Default 8, of signals and images of 1600 runs or more 4; 32 with `supernet`. */
  readonly members?: number;
  /** Whether Gaussian processes may stand beside the networks: each field takes the mixture that predicts held-out runs
   * best. Default: where `effort` affords them, no constraint limits the cost and the ensemble is `trained`. */
  readonly process?: boolean;
  /** Whether all members are trained even where processes predict so much better than the first of them that networks get no
   * share. Default: false. */
  readonly allMembers?: boolean;
  /** Limit on the multiply-accumulates of one row through one member. Hard: nothing above it is ever trained. */
  readonly constraint?: Constraint;
  /** Devices to predict the latency on, and a budget to keep on all of them: then nothing slower is ever trained (or, with
   * a soft one, it is ranked behind), and no process stands beside the networks. */
  readonly deployment?: Deployment;
  /** Loss of the final training. Default: `mse`, or `gaussian` where replicate runs show noise. */
  readonly loss?: LossName;
  /** Default `onnxruntime`. */
  readonly engine?: EngineName;
  /** Level of the intervals in the file. Default 0.95. */
  readonly level?: number;
  /** Wall-clock cap in milliseconds; the best so far is returned. Default: none. */
  readonly timeMs?: number;
  /** Runs tasks. Default: one after another in this process; the command line passes a pool of threads. */
  readonly runner?: TaskRunner;
  readonly onProgress?: (progress: FitProgress) => void;
  /** Hears at once of what the notes of the result will say as well. */
  readonly onNote?: (note: string) => void;
  /** Where to write checkpoints, and whether to go on from those that are there. */
  readonly checkpoints?: CheckpointStore;
  readonly resume?: boolean;
  /** Menus and sizes of the super-architecture, where the defaults are not wanted. */
  readonly space?: Partial<Omit<SuperArchitectureOptions, "inputs" | "heads">>;
  /** Milliseconds since the epoch. Default: the clock. */
  readonly now?: () => number;
}
