/** Block memories (spec latency 4.2): how many 18-kbit blocks, or how many LUTs, a memory of given width and depth takes. */
import type { FpgaDevice } from "../target.ts";

const c = Math.ceil;

/** Depths up to this live in LUT RAM. */
export const LUT_RAM_DEPTH = 64;

/** 18-kbit blocks of AMD devices in simple dual port (FINN-R); ECP5 uses the same table. @param width bits   @param depth words */
export function blocks18(width: number, depth: number): number {
  if (width <= 0 || depth <= 0) return 0;
  if (width === 1) return c(depth / 16384);
  if (width === 2) return c(depth / 8192);
  if (width <= 4) return c(depth / 4096);
  if (width <= 9) return c(depth / 2048);
  if (width <= 18 || depth > 512) return c(depth / 1024) * c(width / 18);
  return c(depth / 512) * c(width / 36);
}

export interface MemoryCost {
  readonly lut: number;
  readonly bram18: number;
}

/** What one memory takes: LUT RAM up to 64 words, else blocks. */
export function memoryCost(family: FpgaDevice["family"], width: number, depth: number): MemoryCost {
  if (width <= 0 || depth <= 0) return { lut: 0, bram18: 0 };
  if (depth <= LUT_RAM_DEPTH) return { lut: width * c(depth / 64), bram18: 0 };
  if (family === "ice40") return { lut: 0, bram18: c(width / 16) * c(depth / 256) };
  return { lut: 0, bram18: blocks18(width, depth) };
}

/** UltraRAM blocks of 72 x 4096 bits. */
export function ultraBlocks(width: number, depth: number): number {
  return c(width / 72) * c(depth / 4096);
}
