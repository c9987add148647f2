/**
 * The tile model of FNAS's published code (Jiang et al., DAC 2019; spec search 7.2): an engine per layer behind ports of
 * two words a cycle, every tile within the limits tried. What the FNAS strategy prunes by; the tiled back end has its own.
 */
import { divisors } from "./dataflow.ts";
import type { Tile, TiledLayer } from "./tiled.ts";

const c = Math.ceil;
/** Words per cycle of each of the three ports. */
const PORT = 2;
/** Bits of a block memory as the published code counts them. */
const BLOCK_BITS = 18_000;

export interface FnasDesign {
  readonly tile: Tile;
  readonly cycles: number;
  readonly dsp: number;
  readonly bram18: number;
}

export interface FnasLimits {
  readonly dsp: number;
  readonly bram18: number;
  readonly bits: number;
}

/** Cycles of a layer on a tile: loads, stores and arithmetic overlap. */
export function fnasLatency(
  layer: TiledLayer,
  { Tm, Tn, Tr, Tc }: Tile,
): { readonly taskCycles: number; readonly cycles: number } {
  const taps = layer.Kh * layer.Kw;
  const inner = Math.max((Tn * Tr * Tc) / PORT, (Tm * Tn * taps) / PORT, taps * Tr * Tc);
  const outer = Math.max(c(layer.N / Tn) * inner, (Tm * Tr * Tc) / PORT);
  return { taskCycles: inner, cycles: layer.groups * c(layer.R / Tr) * c(layer.C / Tc) * c(layer.M / Tm) * outer };
}

/** The fastest tile within the limits, or undefined if none fits. Tr and Tc divide R and C. */
export function fnasDesign(layer: TiledLayer, { dsp, bram18, bits }: FnasLimits): FnasDesign | undefined {
  const taps = layer.Kh * layer.Kw;
  const perLane = bits > 18 ? 5 : 1;
  const weightBlocks = bits > 18 ? 2 * c((taps * bits) / BLOCK_BITS) : c((4 * taps * bits) / BLOCK_BITS);
  let best: FnasDesign | undefined;
  for (let Tm = 1; Tm <= layer.M; Tm++)
    for (let Tn = 1; Tn <= layer.N && perLane * Tm * Tn <= dsp; Tn++)
      for (const Tr of divisors(layer.R))
        for (const Tc of divisors(layer.C)) {
          const blocks = 2 * (Tn + Tm) * c((Tr * Tc * bits) / BLOCK_BITS) + Tm * Tn * weightBlocks;
          if (blocks > bram18) continue;
          const { cycles } = fnasLatency(layer, { Tm, Tn, Tr, Tc });
          if (best === undefined || cycles < best.cycles)
            best = { tile: { Tm, Tn, Tr, Tc }, cycles, dsp: perLane * Tm * Tn, bram18: blocks };
        }
  return best;
}
