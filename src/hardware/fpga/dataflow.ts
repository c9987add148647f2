/**
 * Dataflow designs: a matrix-vector unit of PE x SIMD lanes per layer, all running at once (FINN, Umuroglu et al. 2017;
 * FINN-R, Blott et al. 2018; spec latency 4.4).
 */
import type { FpgaDevice } from "../target.ts";
import { memoryCost } from "./memory.ts";

const c = Math.ceil;

/** A matrix of MW inputs and MH outputs, applied to V vectors a sample. */
export interface MatrixUnit {
  readonly MW: number;
  readonly MH: number;
  readonly V: number;
}

export interface Folding {
  readonly pe: number;
  readonly simd: number;
}

/** Cycles of one sample through a matrix-vector unit. SIMD divides MW, PE divides MH. */
export function matrixCycles({ MW, MH, V }: MatrixUnit, { pe, simd }: Folding): number {
  return (MH / pe) * (MW / simd) * V;
}

/** Cycles of a depthwise convolution onto `pixels` positions. */
export function depthwiseCycles(channels: number, taps: number, pixels: number, { pe, simd }: Folding): number {
  return ((channels * taps) / (pe * simd)) * pixels;
}

/** Cycles of an elementwise unit of `pe` lanes. */
export function elementwiseCycles(channels: number, pixels: number, pe: number): number {
  return (channels / pe) * pixels;
}

/** Cycles of a pooling unit onto `pixels` positions. */
export function poolCycles(channels: number, window: number, pixels: number, pe: number): number {
  return ((channels * window) / pe) * pixels;
}

/** Cycles of the sliding-window unit in front of a convolution. @param fold cf, input channels / SIMD */
export function windowCycles(
  fold: number,
  size: {
    readonly Kh: number;
    readonly Kw: number;
    readonly Wi: number;
    readonly Ho: number;
    readonly Wo: number;
    readonly S: number;
  },
): number {
  const { Kh, Kw, Wi, Ho, Wo, S } = size;
  if (Kh === 1 && Ho === 1) return Wo * Kw * fold + 2;
  return ((Kh - 1) * Wi + (Kw - 1) + 1) * fold + Ho * Math.max(Wo * Kw * Kh * fold, S * Wi * fold);
}

/** Cycles of a chain's busiest unit are its interval; `n` vectors through one unit of three stages take n x ideal + 3. */
export const UNIT_STAGES = 3;

/** Pipeline stages of a unit whose adder tree is registered at every level. */
export function unitDepth(simd: number): number {
  return UNIT_STAGES + c(Math.log2(Math.max(1, simd)));
}

/** Accumulator bits of a dot product of MW products of W and A bits (FINN-R). */
export function accumulatorBits(MW: number, weightBits: number, activationBits: number, signed = true): number {
  const al = Math.log2(MW) + weightBits + activationBits - 1 - (signed ? 1 : 0);
  return c(al + Math.log2(1 + 2 ** -al) + 1);
}

export interface UnitCost {
  readonly lut: number;
  readonly ff: number;
  readonly dsp: number;
  readonly bram18: number;
}

export interface UnitOptions {
  readonly weightBits: number;
  readonly activationBits: number;
  readonly signed?: boolean;
  /** Bits of a thresholded output; 0 (default) where there are no thresholds. */
  readonly outputBits?: number;
  /** Multiply in DSP blocks, else in logic. */
  readonly inDsp: boolean;
  /** `block` forces weights into block memory. Default `auto`: shallow ones in LUT RAM. */
  readonly weightMemory?: "auto" | "block";
}

/** Resources of a matrix-vector unit by FINN-R's formulas; flip-flops, for which it has none, by the datapath's width. */
export function matrixUnitCost(
  family: FpgaDevice["family"],
  { MW, MH }: Omit<MatrixUnit, "V">,
  { pe: P, simd: Q }: Folding,
  { weightBits: W, activationBits: A, signed = true, outputBits = 0, inDsp, weightMemory = "auto" }: UnitOptions,
): UnitCost {
  const mult = inDsp ? 0 : Q * (2 * c((W + A) / 6) - 1) * (W + A);
  const add = (W + A) * (2 * Q - 1);
  const acc = accumulatorBits(MW, W, A, signed);
  const thresholds = 2 ** outputBits - 1;
  const thr = outputBits === 0 ? 0 : thresholds * acc * c(MH / P / 64) + thresholds * acc;
  const width = P * Q * W;
  const depth = c((MW * MH) / (P * Q));
  const weights =
    weightMemory === "block" && depth <= 64
      ? { lut: 0, bram18: memoryCost(family, width, 65).bram18 }
      : memoryCost(family, width, depth);
  return {
    lut: Math.floor(300 + 1.1 * P * (mult + add + acc + thr)) + weights.lut,
    ff: 200 + P * (acc + Q * (W + A)),
    dsp: inDsp ? P * Q * c((W + A) / 48) : 0,
    bram18: weights.bram18,
  };
}

/** DSP blocks of the packed RTL unit: 4-bit products four to a DSP48E, 8-bit ones three to a DSP58. */
export function packedDsp({ pe, simd }: Folding, kind: "dsp48-4bit" | "dsp58-8bit"): number {
  return kind === "dsp48-4bit" ? c(pe / 4) * simd : pe * c(simd / 3);
}

/** Resources of a window unit: 300 LUTs and a line buffer of (Kh - 1) rows. */
export function windowCost(
  family: FpgaDevice["family"],
  channels: number,
  Kh: number,
  Kw: number,
  Wi: number,
  bits: number,
): UnitCost {
  const depth = Math.max((Kh - 1) * Wi, Kw);
  const memory = memoryCost(family, channels * bits, depth);
  return { lut: 300 + memory.lut, ff: 300, dsp: 0, bram18: memory.bram18 };
}

/** Divisors of n, ascending. */
export function divisors(n: number): number[] {
  const low: number[] = [];
  const high: number[] = [];
  for (let i = 1; i * i <= n; i++)
    if (n % i === 0) {
      low.push(i);
      if (i * i !== n) high.unshift(n / i);
    }
  return [...low, ...high];
}
