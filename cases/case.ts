/**
 * What a case study is: a simulator with its inputs, outputs, ranges, defaults and sources, as plain data and one pure
 * function. The ten cases follow those of Kasim et al. (2021) in size and meaning; their simulators are stand-ins
 * written from the published physics, so no score here may be set beside that paper's as if the data were the same.
 */
import { atShare } from "../src/index.ts";

/** One input of a simulator. A simulator gets u in [0, 1]; `physicalInputs` maps u to [low, high], evenly or in log10. */
export interface CaseInput {
  readonly name: string;
  /** Unit as written in tables; "" for a pure number. */
  readonly unit: string;
  readonly low: number;
  readonly high: number;
  readonly scale: "linear" | "log";
  readonly about: string;
}

/** One axis of a field: its name, unit and the coordinate of every element. */
export interface CaseAxis {
  readonly name: string;
  readonly unit: string;
  readonly values: readonly number[];
}

/** One output quantity. A scalar has no axes; a signal has one, an image two; `channels` first where there are several. */
export interface CaseOutput {
  readonly name: string;
  readonly unit: string;
  /** [] for a scalar, [L], [H, W] or [C, H, W]. */
  readonly shape: readonly number[];
  /** True where the first of two axes counts quantities or places, not positions along a picture. */
  readonly channels?: boolean;
  /** What each channel is, with its unit, where they are different quantities. */
  readonly parts?: readonly string[];
  /** One per axis of `shape`, where the axis has coordinates. */
  readonly axes: readonly CaseAxis[];
  readonly about: string;
}

/** What one run gave: its outputs by name, row-major, in the stated units; or why it failed. */
export type Simulation =
  | { readonly status: "ok"; readonly outputs: Readonly<Record<string, Float64Array>> }
  | { readonly status: "failed"; readonly reason: string };

/** The case's inverse problem: which outputs are seen, and with what noise. */
export interface InverseProblem {
  readonly about: string;
  /** Outputs that the experiment measures. */
  readonly observed: readonly string[];
  /** Standard deviation of the noise on each element of output `name`, given the noise-free values, in their unit. */
  noise(name: string, values: Float64Array): Float64Array;
}

/** A case study. */
export interface Case {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  readonly source: readonly string[];
  readonly inputs: readonly CaseInput[];
  readonly outputs: readonly CaseOutput[];
  /** Runs by default: to learn from, and fresh ones to test on; `small` is the design of the paper's size, where it had one. */
  readonly runs: { readonly train: number; readonly test: number; readonly small?: number };
  readonly inverse: InverseProblem;
  /** One run at u in [0, 1]^d: pure and deterministic. */
  simulate(u: Float64Array): Simulation;
}

/** Physical values of the inputs at `u`: low + u (high - low), or the same in log10. */
export function physicalInputs(inputs: readonly CaseInput[], u: Float64Array): Float64Array {
  return Float64Array.from(inputs, ({ low, high, scale }, i) => atShare(low, high, scale, u[i]!));
}
