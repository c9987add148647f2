/** Multipliers in logic, signed W x W with one output register (spec latency 4.7): LUTs of open synthesis, interpolated. */
import type { FpgaDevice } from "../target.ts";

const widths = [2, 4, 6, 8, 12, 16] as const;
const xc7 = [5, 26, 83, 166, 345, 631] as const;
const lut4 = [4, 53, 151, 293, 771, 1618] as const;

/** LUTs of one multiplier: LUT6 on AMD devices, LUT4 on the others. Between the measured widths it is linear in W^2, above
 * 16 bits it grows with W^2. @param bits the wider operand; 1 takes none, that is a sign */
export function multiplierLuts(family: FpgaDevice["family"], bits: number): number {
  const table = family === "ecp5" || family === "ice40" ? lut4 : xc7;
  if (bits <= 1) return 0;
  if (bits <= 2) return table[0];
  for (let i = 1; i < widths.length; i++) {
    const [low, high] = [widths[i - 1]!, widths[i]!];
    if (bits > high) continue;
    const t = (bits * bits - low * low) / (high * high - low * low);
    return Math.round(table[i - 1]! + t * (table[i]! - table[i - 1]!));
  }
  return Math.round(table[5] * (bits / 16) ** 2);
}

/** LUTs of one reduced bit of a binary dot product, xnor included: AMD 2.4 in groups of six, ECP5 and iCE40 5.7. */
export function binaryLutsPerBit(family: FpgaDevice["family"]): number {
  return family === "ecp5" || family === "ice40" ? 5.7 : 2.4;
}

/** DSP blocks of one multiplication (spec 4.3): 5 in float32, 1 up to 18-bit fixed point, two 8-bit ones packed where the
 * block is a DSP48E2, 4 above 18 bits. */
export function dspPerMultiplier(family: FpgaDevice["family"], bits: number): number {
  if (bits > 18) return 4;
  return bits <= 8 && family === "ultrascale" ? 0.5 : 1;
}
