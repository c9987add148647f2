/** What takes part in a comparison: the emulator, its parts, and baselines. */
import type { Runs } from "../data/index.ts";
import type { Emulator, EmulatorInfo, FieldPrediction } from "../emulator/index.ts";
import type { Trained } from "../fit/assemble.ts";
import type { FitOptions } from "../fit/options.ts";

/** Something fitted that answers as an emulator does. */
export type Predictor = Pick<Emulator, "predict" | "dispose">;

/** One fold of a comparison, as a contestant sees it. */
export interface Round {
  /** The runs to learn from; what is held out is not here. */
  readonly runs: Runs;
  /** Effort, seed, runner and all that a fit may be told. */
  readonly options: FitOptions;
  /** Names of all contestants of this comparison. */
  readonly entered: readonly string[];
  /** The emulator's training, done once for all who ask. */
  trained(): Promise<Trained>;
}

/** How a contestant came out of a round. */
export type Fitted =
  | {
      readonly kind: "fitted";
      readonly predictor: Predictor;
      /** True where it is a part of a training that was done for another contestant: its time cannot be told. */
      readonly shared?: boolean;
      /** What the file says, where there is one. */
      readonly info?: EmulatorInfo;
    }
  /** It does not fit runs like these; the reason is a clause such as "there are too few runs". */
  | { readonly kind: "absent"; readonly reason: string };

export interface Contestant {
  /** As `--methods` calls it. */
  readonly name: string;
  readonly title: string;
  readonly source: string;
  /** Rough share of a round's time, for progress. */
  readonly work: number;
  fit(round: Round): Promise<Fitted>;
}

/** Predictions of one field at the rows that were asked. */
export type Predictions = readonly FieldPrediction[];
