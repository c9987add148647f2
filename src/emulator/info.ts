/**
 * What an emulator file says about itself: versioned JSON in the ONNX metadata. It holds nothing that depends on when or
 * where the fit ran, so that the same command gives the same bytes.
 */
import { FileError } from "../errors.ts";
import type { Schema } from "../data/index.ts";
import type { FieldCalibration } from "./emulator-graph.ts";

/** Version of this format. */
export const EMULATOR_VERSION = 1;
/** Key of the metadata property. */
export const METADATA_KEY = "condense";

/** Scores of one field on held-out folds: each run predicted by the members that had not seen it. The emulator, the mean
 * of all members, is better than that. */
export interface FieldScores {
  readonly field: string;
  /** Fraction of variance unexplained: mean squared error over the variance of the truth, median over the elements. */
  readonly fvu: number;
  /** Root mean squared error and mean absolute error, in the field's unit. */
  readonly rmse: number;
  readonly mae: number;
}

export interface MemberInfo {
  readonly architecture: string;
  /** The operations by name. */
  readonly description: string;
  /** Multiply-accumulates of one row, and number of weights. */
  readonly macs: number;
  readonly weights: number;
  /** Mean squared error in scaled units on its own rows and on its held-out fold. */
  readonly fitLoss: number;
  readonly heldOutLoss: number;
  /** Iterations of L-BFGS over the whole path. */
  readonly iterations: number;
}

export interface LatencyInfo {
  readonly target: string;
  /** Version of the target's constants. */
  readonly targetHash: string;
  /** Rows per call. */
  readonly batch: number;
  /** Milliseconds of a call: median, and the interval that holds it with the stated coverage. */
  readonly predictedMs: {
    readonly p50: number;
    readonly low: number;
    readonly high: number;
    readonly coverage: number;
  };
  /** Measured on the device itself, where it was at hand. */
  readonly measuredMs?: { readonly p50: number; readonly p95: number; readonly host: string };
  /** Whether the design fits the device, where something can fail to fit. */
  readonly fits?: boolean;
  /** The budget that the search kept to, and whether the emulator does. */
  readonly budgetMs?: number;
  readonly meetsBudget?: boolean;
}

export interface EmulatorInfo {
  readonly format: "condense-emulator";
  readonly version: number;
  readonly schema: Schema;
  /** Nominal level of `_lower` and `_upper`. */
  readonly level: number;
  /** Per field: half-widths of the interval and of the band by level, the networks' share of the prediction (absent: all)
   * and what it was chosen by. The spread's calibration itself is inside the graph. */
  readonly calibration: readonly Pick<FieldCalibration, "quantiles" | "bands" | "networkShare" | "heldOutCrps">[];
  readonly data: {
    /** SHA-256 of the runs that were learned from. */
    readonly hash: string;
    readonly total: number;
    readonly used: number;
    readonly notes: readonly string[];
  };
  readonly fit: {
    readonly seed: number;
    readonly effort: string;
    readonly engine: string;
    readonly ensemble: string;
    readonly loss: string;
    readonly folds: number;
    /** Whether networks learned what a linear trend leaves, the decay the path started from, and its chosen stage. */
    readonly trend: string;
    readonly weightDecay: number;
    readonly stage: number;
    /** What ended it: `complete`, `time` or `interrupted`. */
    readonly outcome: string;
  };
  readonly search: {
    readonly strategy: string;
    readonly source: string;
    readonly steps: number;
    readonly outcome: string;
    /** Multiply-accumulates spent. */
    readonly spentMacs: number;
    readonly architecturesTried: number;
    readonly slots: number;
    /** Mean over slots of the entropy of the searched distribution, in bits; null where the strategy has none. */
    readonly entropyBits: number | null;
    /** The single architecture that the strategy prefers. */
    readonly best: string;
  };
  readonly members: readonly MemberInfo[];
  /** Scores on held-out folds; never on runs a predicting member was trained on. */
  readonly scores: readonly FieldScores[];
  readonly latency: readonly LatencyInfo[];
  readonly versions: Readonly<Record<string, string>>;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Reads the metadata of a file.
 * @throws FileError if it is not an emulator's, from a newer version, or damaged */
export function parseInfo(metadata: Readonly<Record<string, string>>, source: string): EmulatorInfo {
  const text = metadata[METADATA_KEY];
  if (text === undefined)
    throw new FileError(
      "FILE_FOREIGN",
      `${source}: an ONNX model, but not a Condense emulator (it has no "${METADATA_KEY}" metadata). Pass a file made by condense fit.`,
    );
  let info: unknown;
  try {
    info = JSON.parse(text);
  } catch (cause) {
    throw new FileError(
      "FILE_DAMAGED",
      `${source}: its metadata is not valid JSON. Make the emulator again with condense fit.`,
      { cause },
    );
  }
  if (!isRecord(info) || info.format !== "condense-emulator" || typeof info.version !== "number")
    throw new FileError(
      "FILE_DAMAGED",
      `${source}: its metadata is incomplete. Make the emulator again with condense fit.`,
    );
  if (info.version > EMULATOR_VERSION)
    throw new FileError(
      "FILE_NEWER",
      `${source}: made by a newer Condense (format ${info.version}, this one reads up to ${EMULATOR_VERSION}). Update condense.`,
    );
  for (const key of ["schema", "calibration", "members", "scores", "fit", "search", "data"])
    if (!(key in info))
      throw new FileError(
        "FILE_DAMAGED",
        `${source}: its metadata lacks "${key}". Make the emulator again with condense fit.`,
      );
  return info as unknown as EmulatorInfo;
}
