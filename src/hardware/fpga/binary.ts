/**
 * Binary networks, fully mapped (Li et al. 2017, arXiv 1702.06392; spec latency 4.6): values of -1 and +1 as bits, a dot
 * product is a count of equal bits, norm and sign are one comparison.
 */
import type { FpgaDevice } from "../target.ts";
import { binaryLutsPerBit } from "./multiplier.ts";

/** Dot product of n values of -1 and +1, given as 0 and 1. @param equal how many pairs are equal, popcount of xnor */
export function binaryDot(equal: number, n: number): number {
  return 2 * equal - n;
}

/** Batch norm and sign as one comparison of the popcount: `p >= at` where gamma > 0, `p <= at` where gamma < 0, constant
 * where gamma = 0. @param sigma square root of the variance, with its epsilon */
export function threshold(
  n: number,
  norm: { readonly mu: number; readonly sigma: number; readonly gamma: number; readonly beta: number },
): { readonly kind: "least" | "most"; readonly at: number } | { readonly kind: "constant"; readonly value: boolean } {
  const { mu, sigma, gamma, beta } = norm;
  if (gamma === 0) return { kind: "constant", value: beta >= 0 };
  const at = (n + mu - (beta * sigma) / gamma) / 2;
  return gamma > 0 ? { kind: "least", at: Math.ceil(at) } : { kind: "most", at: Math.floor(at) };
}

/** Cycles of a layer. @param bits of one dot product   @param unfold UF: bits reduced per cycle in one unit
 * @param parallel Pp: units */
export function binaryCycles(outputs: number, bits: number, unfold: number, parallel: number): number {
  return (outputs * bits) / (unfold * parallel);
}

/** Share of the slowest layer's cycles that the hand-over between phases costs: 14,474 / 12,288 - 1 in the published design. */
export const HAND_OVER = 0.178;

/** Cycles between samples: all layers work in phases as long as the slowest. */
export function phaseInterval(cycles: readonly number[], handOver = HAND_OVER): number {
  return (1 + handOver) * Math.max(0, ...cycles);
}

/** Cycles of a batch: one phase per sample, and the depth of the pipeline once. */
export function batchCycles(batch: number, depth: number, interval: number): number {
  return (batch + depth - 1) * interval;
}

/** LUTs of one layer: xnor and count per reduced bit, and a comparator per unit as wide as the count. */
export function binaryLuts(family: FpgaDevice["family"], bits: number, unfold: number, parallel: number): number {
  return Math.ceil(binaryLutsPerBit(family) * unfold * parallel + parallel * Math.ceil(Math.log2(bits + 1)));
}
