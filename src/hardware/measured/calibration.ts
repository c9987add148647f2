/** What a calibration of a processor or of a graphics processor leaves behind: plain data, stored in the target file (spec
 * latency 1.3, 2.2 to 2.4). A call is a session, its kernels, and what is counted around them, such as further results. */
import type { Residuals } from "../conformal.ts";

export const CALIBRATION_VERSION = 6;

/** The fitted time of one kind of kernel. */
export interface KindFit {
  /** Non-negative coefficients on the features of the device's scheme, seconds. */
  readonly coefficients: readonly number[];
  /** Least and largest of every feature in the calibration: outside, predictions warn and widen. */
  readonly low: readonly number[];
  readonly high: readonly number[];
  /** Mean relative error over five folds of the chains of such kernels or, without chains, of the networks that have some. */
  readonly mape: number;
  /** Chains or networks. */
  readonly points: number;
}

/** Rows and columns that products are padded to. */
export interface Padding {
  readonly columns: number;
  readonly rows: number;
}

export interface Calibration {
  readonly version: typeof CALIBRATION_VERSION;
  /** ISO date of the end. */
  readonly date: string;
  /** Processor and cores: `Intel(R) Xeon(R) ..., 2 cores`. */
  readonly host: string;
  /** ONNX Runtime's version. */
  readonly engine: string;
  /** Reference network, seconds. On a processor the tenth percentile of its blocks, the machine left to itself; on a graphics
   * processor the median over all measurements of its blocks beside them. */
  readonly referenceSeconds: number;
  /** Coefficient of variation of repeated networks. */
  readonly noiseCv: number;
  /** Cost of a call around its kernels, one result included. */
  readonly sessionSeconds: number;
  /** Seconds for each of what the device's scheme counts around kernels, in its order: first results beyond one, or on a graphics
   * processor values beyond one that come back from it. */
  readonly aroundSeconds: readonly number[];
  readonly padding: Padding;
  readonly kinds: Readonly<Record<string, KindFit>>;
  /** Of networks, each predicted from the others, for the interval. */
  readonly residuals: Residuals;
  /** Batches that were measured. */
  readonly batches: readonly number[];
}

export interface CpuCalibration extends Calibration {
  readonly threads: number;
}
