/** What a latency model says of a network on a target (spec latency 1.2). Seconds; FPGA parts also in cycles. */
import { networkOf, type Network } from "./network.ts";
import type { Graph, NodeId } from "../graph/index.ts";
import { type Target, targetHash } from "./target.ts";

export interface LatencyInterval {
  /** Median of one call, seconds. */
  readonly p50: number;
  /** Ends of the interval that holds the latency with the stated coverage, seconds. */
  readonly lo: number;
  readonly hi: number;
  /** 0 to 1. */
  readonly coverage: number;
}

export interface OperationLatency {
  /** Graph nodes that the kernel covers. */
  readonly ids: readonly NodeId[];
  readonly kernel: string;
  /** What it adds to the latency. */
  readonly seconds: number;
  readonly cycles?: number;
  readonly bound: "compute" | "memory" | "overhead";
  readonly source: "fit" | "formula";
}

export interface FpgaResources {
  readonly lut: number;
  readonly ff: number;
  readonly dsp: number;
  readonly bram18: number;
  readonly uram: number;
}

export interface LatencyPrediction {
  readonly target: string;
  readonly targetHash: string;
  /** Samples per call. */
  readonly batch: number;
  readonly latency: LatencyInterval;
  /** Samples per second, calls back to back. */
  readonly throughput: number;
  /** With `fixed` it adds up to `latency.p50`. */
  readonly perOp: readonly OperationLatency[];
  readonly fixed: readonly { readonly name: string; readonly seconds: number }[];
  readonly resources?: FpgaResources;
  /** Whether the design fits the device; absent where nothing can fail to fit. */
  readonly fits?: boolean;
  readonly clockHz?: number;
  /** How the network was mapped, in a few words. */
  readonly mapping?: string;
  readonly warnings: readonly string[];
}

/** Latency of networks on one target. All methods are pure and take well below a millisecond for a network of a search. */
export interface LatencyModel {
  readonly target: Target;
  /** @param network a graph, or what {@link networkOf} read off it   @param batch samples per call, default 1 */
  predict(network: Graph | Network, batch?: number): LatencyPrediction;
}

/** Interval of a target that was never measured: a factor of two either way (spec latency 1.3). */
export const DATASHEET_FACTOR = 2;
export const NO_CALIBRATION =
  "not calibrated: the constants are of data sheets, the interval is a factor of two either way";

/** What a result says of its target. */
export interface TargetIdentity {
  readonly id: string;
  readonly hash: string;
}

/** Hashing takes longer than predicting: once per model. */
export function identify(target: Target): TargetIdentity {
  return { id: target.id, hash: targetHash(target) };
}

/** Puts a result together; p50 is the exact sum of its parts, in order. */
export function assemble(
  target: TargetIdentity,
  batch: number,
  parts: {
    readonly perOp: readonly OperationLatency[];
    readonly fixed: readonly { readonly name: string; readonly seconds: number }[];
    /** Seconds between results of calls back to back; default p50. */
    readonly interval?: number;
    readonly warnings: readonly string[];
    /** Factors on p50 of a measured interval; without them the target is taken as uncalibrated. */
    readonly factors?: { readonly lo: number; readonly hi: number; readonly coverage: number };
    readonly resources?: FpgaResources;
    readonly fits?: boolean;
    readonly clockHz?: number;
    readonly mapping?: string;
  },
): LatencyPrediction {
  const { perOp, fixed, interval, warnings, factors, ...rest } = parts;
  const p50 = sumOfParts(perOp, fixed);
  const { lo, hi, coverage } = factors ?? { lo: 1 / DATASHEET_FACTOR, hi: DATASHEET_FACTOR, coverage: 0.9 };
  return {
    target: target.id,
    targetHash: target.hash,
    batch,
    latency: { p50, lo: p50 * lo, hi: p50 * hi, coverage },
    throughput: batch / (interval ?? p50),
    perOp,
    fixed,
    ...rest,
    warnings: factors === undefined ? [NO_CALIBRATION, ...warnings] : warnings,
  };
}

/** The order in which p50 is summed. */
export function sumOfParts(
  perOp: readonly { readonly seconds: number }[],
  fixed: readonly { readonly seconds: number }[],
): number {
  let sum = 0;
  for (const { seconds } of perOp) sum += seconds;
  for (const { seconds } of fixed) sum += seconds;
  return sum;
}

/** Whether a prediction keeps a budget: the upper end of its interval does, and the design fits. @param seconds the budget */
export function meetsBudget({ latency, fits }: LatencyPrediction, seconds: number): boolean {
  return latency.hi <= seconds && fits !== false;
}

/** The network of a graph, or the network itself. */
export function asNetwork(network: Graph | Network): Network {
  return "operations" in network ? network : networkOf(network);
}
