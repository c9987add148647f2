/**
 * HLS designs with a reuse factor, RF multiplications per multiplier (hls4ml's resource strategy; spec latency 4.5).
 * Cycle rules and resource fits: public synthesis results of 16-bit designs (rule4ml, wa-hls4ml, N-TORC).
 */
const c = Math.ceil;

/** Whether a reuse factor is one that the generator builds. */
export function isLegalReuse(nIn: number, nOut: number, rf: number): boolean {
  if ((nIn * nOut) % rf !== 0) return false;
  if (rf >= nIn) return rf % nIn === 0;
  return c((nIn * nOut) / Math.min(nIn, rf)) % nOut === 0;
}

/** Legal reuse factors, ascending. */
export function legalReuse(nIn: number, nOut: number): number[] {
  const found: number[] = [];
  const size = nIn * nOut;
  for (let rf = 1; rf * rf <= size; rf++) {
    if (size % rf !== 0) continue;
    if (isLegalReuse(nIn, nOut, rf)) found.push(rf);
    if (rf * rf !== size && isLegalReuse(nIn, nOut, size / rf)) found.push(size / rf);
  }
  return found.sort((a, b) => a - b);
}

/** The legal factor closest to the one asked for; the smaller of two equally close. */
export function closestReuse(nIn: number, nOut: number, asked: number): number {
  let best = 1;
  for (const rf of legalReuse(nIn, nOut)) if (Math.abs(rf - asked) < Math.abs(best - asked)) best = rf;
  return best;
}

/** Cycles of a stack of dense layers with parallel input and no activations: exact on 76 public rows. */
export function denseStackCycles(reuse: readonly number[]): { readonly typical: number; readonly worst: number } {
  const sum = reuse.reduce((a, rf) => a + rf, 0);
  const typical = sum + 2 * reuse.length - 1;
  return { typical, worst: typical + reuse.length };
}

/** Extra cycles of one activation: 4 to 23 in public rows. */
export const ACTIVATION_CYCLES = { least: 4, usual: 12, most: 23 } as const;

/** Cycles of a dense layer fed by a stream. @param packets 0 from a register input */
export function streamedDenseCycles(nIn: number, nOut: number, rf: number, packets: number): number {
  return Math.min(rf, nIn * nOut) + packets + 6;
}

/** Overhead d per pixel of a streamed convolution: Vivado HLS 2019.1; Vitis 2024.2 has 7 (2-D) to 15 (1-D, K = 6). */
export const STREAM_OVERHEAD = 10;

/** Cycles of a streamed convolution, one pixel per step over the padded input. */
export function streamedConvCycles(paddedPixels: number, rf: number, d: number = STREAM_OVERHEAD): number {
  return paddedPixels * (rf + d) + 2;
}

/** Multipliers of a layer, one at least. @param nIn of a convolution: input channels x taps */
export function multipliers(nIn: number, nOut: number, rf: number): number {
  return Math.max(1, (nIn * nOut) / rf);
}

/** DSP blocks: one per multiplier for weights of 8 bits or more, none up to 6 bits. */
export function reuseDsp(nIn: number, nOut: number, rf: number, bits = 16): number {
  return bits >= 8 ? multipliers(nIn, nOut, rf) : 0;
}

/** 18-kbit blocks of the weights; with RF = 1 they are constants in logic. */
export function reuseBram18(nIn: number, nOut: number, rf: number, bits = 16): number {
  return rf <= 1 ? 0 : c((bits * multipliers(nIn, nOut, rf)) / 36) * c(rf / 512);
}

/** LUTs and flip-flops of a dense layer at 16 bits; other widths scale with the bits. */
export function denseLogic(
  nIn: number,
  nOut: number,
  rf: number,
  bits = 16,
): { readonly lut: number; readonly ff: number } {
  const m = multipliers(nIn, nOut, rf);
  const scale = bits / 16;
  return {
    lut: Math.round(scale * (91 + 274 * m + 93 * nOut + 48 * nIn)),
    ff: Math.round(scale * (65 + 80 * m + 60 * nOut + 67 * nIn)),
  };
}

/** LUTs and flip-flops of a convolution at 16 bits. @param inC input channels   @param taps kernel positions */
export function convLogic(
  inC: number,
  outC: number,
  taps: number,
  rf: number,
  bits = 16,
): { readonly lut: number; readonly ff: number } {
  const m = multipliers(inC * taps, outC, rf);
  const scale = bits / 16;
  return {
    lut: Math.round(scale * Math.max(300, -733 + 282 * m + 136 * outC + 63 * inC)),
    ff: Math.round(scale * (105 * m + 49 * outC + 89 * inC)),
  };
}
