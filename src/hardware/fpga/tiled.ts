/**
 * Tiled accelerators (Zhang et al., FPGA 2015; tile tasks as in FNAS, Jiang et al., DAC 2019; spec latency 4.3): a layer
 * is cut into tasks of Tm outputs x Tn inputs x Tr x Tc positions. Letters are the papers'.
 */
import type { Geometry } from "../network.ts";
import type { FpgaDevice } from "../target.ts";
import { LUT_RAM_DEPTH, memoryCost } from "./memory.ts";
import { dspPerMultiplier } from "./multiplier.ts";

const c = Math.ceil;

/** A convolution of M outputs and N inputs onto R x C positions; a dense layer has R = C = 1 and one tap. */
export interface TiledLayer {
  readonly M: number;
  readonly N: number;
  readonly R: number;
  readonly C: number;
  readonly Kh: number;
  readonly Kw: number;
  readonly S: number;
  /** Independent layers of this shape, one after the other on the same engine. */
  readonly groups: number;
}

export interface Tile {
  readonly Tm: number;
  readonly Tn: number;
  readonly Tr: number;
  readonly Tc: number;
}

/** Cycles to fill the pipeline of a task. */
export const PIPELINE_FILL = 20;

/** The layer of an operation's geometry. */
export function tiledLayer(geometry: Geometry): TiledLayer {
  const { nIn, nOut, vectors, groups, outSize, kernel, stride } = geometry;
  const taps = kernel[0] * kernel[1];
  const isConv = taps > 1 || outSize[0] * outSize[1] > 1;
  if (!isConv) return { M: nOut, N: nIn, R: 1, C: vectors, Kh: 1, Kw: 1, S: 1, groups };
  return { M: nOut, N: nIn / taps, R: outSize[0], C: outSize[1], Kh: kernel[0], Kw: kernel[1], S: stride, groups };
}

/** The same tile cut to the layer's size. */
export function fitTile(layer: TiledLayer, tile: Tile): Tile {
  return {
    Tm: Math.min(tile.Tm, layer.M),
    Tn: Math.min(tile.Tn, layer.N),
    Tr: Math.min(tile.Tr, layer.R),
    Tc: Math.min(tile.Tc, layer.C),
  };
}

/** Tasks by direction: output-channel tiles O, input-channel tiles H, spatial tiles X. */
export function tileCounts(
  layer: TiledLayer,
  { Tm, Tn, Tr, Tc }: Tile,
): { readonly O: number; readonly H: number; readonly X: number } {
  return { O: c(layer.M / Tm), H: c(layer.N / Tn), X: c(layer.R / Tr) * c(layer.C / Tc) * layer.groups };
}

/** Cycles of one task's arithmetic, ET. @param fill cycles to fill the pipeline, P */
export function taskCycles(layer: TiledLayer, { Tr, Tc }: Tile, fill = PIPELINE_FILL): number {
  return Tr * Tc * layer.Kh * layer.Kw + fill;
}

/** Arithmetic alone: tasks x ET. */
export function layerComputeCycles(layer: TiledLayer, tile: Tile, fill = PIPELINE_FILL): number {
  const { O, H, X } = tileCounts(layer, tile);
  return O * H * X * taskCycles(layer, tile, fill);
}

/** Values that one task keeps on chip. */
export function tileBuffers(
  layer: TiledLayer,
  { Tm, Tn, Tr, Tc }: Tile,
): { readonly input: number; readonly weights: number; readonly output: number } {
  const { Kh, Kw, S } = layer;
  return {
    input: Tn * (S * Tr + Kh - S) * (S * Tc + Kw - S),
    weights: Tm * Tn * Kh * Kw,
    output: Tm * Tr * Tc,
  };
}

export interface LayerTime {
  readonly cycles: number;
  readonly bound: "compute" | "memory";
}

/** One layer on an engine that streams weights and values from external memory, double-buffered: tasks x the slower of
 * arithmetic and traffic, plus the first load and the last store. */
export function layerCycles(
  layer: TiledLayer,
  tile: Tile,
  bits: number,
  bytesPerCycle: number,
  fill = PIPELINE_FILL,
): LayerTime {
  const { O, H, X } = tileCounts(layer, tile);
  const { input, weights, output } = tileBuffers(layer, tile);
  const perCycle = (8 * bytesPerCycle) / bits;
  const load = (input + weights) / perCycle;
  const store = output / perCycle;
  const compute = taskCycles(layer, tile, fill);
  const memory = load + store / H;
  const cycles = c(O * H * X * Math.max(compute, memory) + load + store);
  return { cycles, bound: memory > compute ? "memory" : "compute" };
}

/** Roofline of a layer (FPGA 2015): FLOP/s that arithmetic and memory allow.
 * @param bandwidth values per second   @param partialSumsOnChip default true */
export function attainable(
  layer: TiledLayer,
  tile: Tile,
  clockHz: number,
  bandwidth: number,
  partialSumsOnChip = true,
): { readonly compute: number; readonly ratio: number; readonly flops: number } {
  const { O, H, X } = tileCounts(layer, tile);
  const tasks = O * H * X;
  const { input, weights, output } = tileBuffers(layer, tile);
  const stores = partialSumsOnChip ? tasks / H : 2 * tasks;
  const work = 2 * layer.M * layer.N * layer.R * layer.C * layer.Kh * layer.Kw * layer.groups;
  const ratio = work / (tasks * input + tasks * weights + stores * output);
  const compute = 2 * tile.Tm * tile.Tn * clockHz;
  return { compute, ratio, flops: Math.min(compute, ratio * bandwidth) };
}

/** DSP blocks of an engine. @param float whether it computes in float32: 3 for the product and 2 for the sum */
export function tiledDsp({ Tm, Tn }: Tile, family: FpgaDevice["family"], bits: number, float = false): number {
  return c(Tm * Tn * (float ? 5 : dspPerMultiplier(family, bits)));
}

/** Double buffers of an engine in block memory, shallow ones in LUT RAM. @param weightWords depth of one weight memory */
export function tiledMemory(
  layer: TiledLayer,
  tile: Tile,
  device: FpgaDevice,
  bits: number,
  weightWords = layer.Kh * layer.Kw,
): { readonly lut: number; readonly bram18: number } {
  const { Tm, Tn, Tr, Tc } = tile;
  const { input } = tileBuffers(layer, tile);
  const parts = [
    { copies: 2 * Tn, depth: c(input / Tn) },
    { copies: (weightWords > LUT_RAM_DEPTH ? 1 : 2) * Tm * Tn, depth: weightWords },
    { copies: 2 * Tm, depth: Tr * Tc },
  ];
  let lut = 0;
  let bram18 = 0;
  for (const { copies, depth } of parts) {
    const cost = memoryCost(device.family, bits, depth);
    lut += copies * cost.lut;
    bram18 += copies * cost.bram18;
  }
  return { lut, bram18 };
}
