/** What a calibration of a processor leaves behind: plain data, stored in the target file (spec latency 1.3, 2.2 to 2.4). */
import type { Residuals } from "../conformal.ts";

export const CPU_CALIBRATION_VERSION = 3;

/** The fitted time of one kind of kernel. */
export interface KindFit {
  /** Non-negative coefficients on {@link kernelFeatures}, seconds. */
  readonly coefficients: readonly number[];
  /** Least and largest of every feature in the calibration: outside, predictions warn and widen. */
  readonly low: readonly number[];
  readonly high: readonly number[];
  /** Mean relative error over five folds of the chains. */
  readonly mape: number;
  readonly points: number;
}

export interface CpuCalibration {
  readonly version: typeof CPU_CALIBRATION_VERSION;
  /** ISO date of the end. */
  readonly date: string;
  /** Processor and cores: `Intel(R) Xeon(R) ..., 2 cores`. */
  readonly host: string;
  /** ONNX Runtime's version. */
  readonly engine: string;
  readonly threads: number;
  /** Reference network, seconds: the tenth percentile of its blocks, the machine left to itself. */
  readonly referenceSeconds: number;
  /** Coefficient of variation of repeated networks. */
  readonly noiseCv: number;
  /** Cost of a call around its kernels, one result included, and of every further result. */
  readonly sessionSeconds: number;
  readonly resultSeconds: number;
  /** Rows and columns that products are padded to. */
  readonly padding: { readonly columns: number; readonly rows: number };
  readonly kinds: Readonly<Record<string, KindFit>>;
  /** Of networks, each predicted from the others, for the interval. */
  readonly residuals: Residuals;
  /** Batches that were measured. */
  readonly batches: readonly number[];
}
