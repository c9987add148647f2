/**
 * The convolutional decoder of a signal or an image: trunk features become a coarse field, which stages of gated
 * convolutions refine and double until it has the field's size (spec 2.1).
 *
 * A choice between convolutions that read the same input is linear: with open gates, the kernels of a node's candidates
 * are padded to one canvas, added with their gates, and all edges into the node are one convolution over the joined
 * inputs. With fixed gates each live candidate keeps its own small kernel.
 */
import type { GraphBuilder, NodeId } from "../graph/index.ts";
import type { Candidate } from "./candidates.ts";
import { type Gate, type Gates, gated, liveConnections, zeroGate } from "./gates.ts";
import type { ParameterSource } from "./parameters.ts";
import type { Head, Stage, SuperArchitecture } from "./super-architecture.ts";
import { activate, isLive, scaleByConnections } from "./trunk.ts";

export type DecoderHead = Extract<Head, { readonly kind: "decoder" }>;

/** Width of the dense layer between the trunk and the coarse field, or the field itself. */
export const decoderStemWidth = 256;

function product(sizes: readonly number[]): number {
  return sizes.reduce((a, c) => a * c, 1);
}

function samePads(reach: number, axes: number): number[] {
  return new Array<number>(2 * axes).fill(reach / 2);
}

/** Where each tap of the candidates' kernels, side by side, lies on a canvas of `canvas` taps per axis: one row of
 * [taps of all, canvas ^ axes] zeros and ones per candidate of the slot, flattened. */
function placement(
  candidates: readonly Candidate[],
  axes: number,
  canvas: number,
): { readonly rows: Float32Array; readonly taps: number } {
  const cells = canvas ** axes;
  const taps = candidates.reduce((sum, candidate) => sum + (candidate.kind === "conv" ? candidate.size ** axes : 0), 0);
  const rows = new Float32Array(candidates.length * taps * cells);
  let tap = 0;
  candidates.forEach((candidate, o) => {
    if (candidate.kind !== "conv") return;
    const { size, dilation } = candidate;
    const margin = (canvas - (dilation * (size - 1) + 1)) / 2;
    for (let t = 0; t < size ** axes; t++, tap++) {
      let cell = 0;
      for (let axis = axes - 1, rest = t, stride = 1; axis >= 0; axis--, stride *= canvas) {
        cell += (margin + dilation * (rest % size)) * stride;
        rest = Math.floor(rest / size);
      }
      rows[(o * taps + tap) * cells + cell] = 1;
    }
  });
  return { rows, taps };
}

/** The slot's effective kernel sum_o g_o pad(W_o), [C, C, canvas, ...], as one product of all kernels side by side with
 * the gated placements. @param kernels one per convolution of the slot, in order, [C, C, taps] */
function effectiveKernel(
  b: GraphBuilder,
  candidates: readonly Candidate[],
  kernels: readonly NodeId[],
  gates: readonly NodeId[],
  canvas: number,
  axes: number,
): NodeId {
  const { rows, taps } = placement(candidates, axes, canvas);
  const cells = canvas ** axes;
  const all = b.concat(kernels, 2);
  const [out = 1, channels = 1] = b.shapeOf(all);
  const row = b.reshape(b.concat(gates, 0), [1, gates.length]);
  const placed = b.matMul(row, b.constant(rows, [candidates.length, taps * cells]));
  const flat = b.matMul(
    b.reshape(all, [(out as number) * (channels as number), taps]),
    b.reshape(placed, [taps, cells]),
  );
  return b.reshape(flat, [out, channels, ...new Array<number>(axes).fill(canvas)]);
}

/** Linear interpolation matrix [size, 2 * size]: each value becomes two, at -1/4 and +1/4 of a cell, edges held. */
export function doublingMatrix(size: number): Float32Array {
  const matrix = new Float32Array(size * 2 * size);
  const put = (row: number, column: number, value: number): void => {
    const at = Math.min(Math.max(row, 0), size - 1) * 2 * size + column;
    matrix[at] = (matrix[at] ?? 0) + value;
  };
  for (let i = 0; i < size; i++) {
    put(i, 2 * i, 0.75);
    put(i - 1, 2 * i, 0.25);
    put(i, 2 * i + 1, 0.75);
    put(i + 1, 2 * i + 1, 0.25);
  }
  return matrix;
}

/** Doubles every spatial axis of x [N, C, ...S] by linear interpolation, one matrix product per axis. */
function double(b: GraphBuilder, x: NodeId): NodeId {
  const [batch = 1, channels = 1, ...spatial] = b.shapeOf(x);
  const sizes = spatial as number[];
  let y = x;
  const last = sizes.at(-1) ?? 1;
  y = b.matMul(y, b.constant(doublingMatrix(last), [last, 2 * last]));
  if (sizes.length === 2) {
    const [height = 1] = sizes;
    const across = doublingMatrix(height);
    const transposed = new Float32Array(across.length);
    for (let i = 0; i < height; i++)
      for (let j = 0; j < 2 * height; j++) transposed[j * height + i] = across[i * 2 * height + j] ?? 0;
    y = b.matMul(b.constant(transposed, [2 * height, height]), y);
  }
  return b.reshape(y, [batch, channels, ...sizes.map((size) => 2 * size)]);
}

/** One stage: nodes of the stage's channels and size under the node rule. @param x N x C x ...S */
function stageNodes(
  b: GraphBuilder,
  space: SuperArchitecture,
  stage: Stage,
  x: NodeId,
  parameter: ParameterSource,
  gates: Gates,
): NodeId {
  const { channels } = stage;
  const axes = stage.size.length;
  const ones = new Array<number>(axes).fill(1);
  const nodes = [x];
  const rectified = new Map<number, NodeId>();
  const relu = (u: number): NodeId => {
    const known = rectified.get(u) ?? b.unary("Relu", nodes[u] as NodeId);
    rectified.set(u, known);
    return known;
  };
  let slot = stage.firstSlot;
  for (let v = 1; v <= space.stageNodes; v++) {
    const added: NodeId[] = [];
    const zeroGates: Gate[] = [];
    const openInputs: NodeId[] = [];
    const openKernels: NodeId[] = [];
    const canvas = canvasOf(space, slot, v);
    for (let u = 0; u < v; u++, slot++) {
      zeroGates.push(zeroGate(space, slot, gates));
      const candidates = space.slots[slot]?.candidates ?? [];
      const open: { readonly kernels: NodeId[]; readonly gates: NodeId[] } = { kernels: [], gates: [] };
      for (const [o, candidate] of candidates.entries()) {
        const gate = gates(slot, o);
        if (typeof gate === "object") open.gates.push(gate.node);
        if (gate === 0) continue;
        if (candidate.kind === "identity") {
          const passed = gated(b, gate, nodes[u] as NodeId);
          if (passed !== undefined) added.push(passed);
        } else if (candidate.kind === "conv") {
          const { size, dilation } = candidate;
          const taps = new Array<number>(axes).fill(size);
          const shape = typeof gate === "object" ? [product(taps)] : taps;
          const w = parameter({
            name: `${stage.name}/${u}-${v}/${candidate.name}`,
            shape: [channels, channels, ...shape],
            spread: 0.3 * Math.sqrt(2 / (channels * product(taps))),
            owner: { slot, candidate: o },
          });
          if (gate === 1) {
            const pads = samePads(dilation * (size - 1), axes);
            added.push(b.conv(relu(u), w, { pads, dilations: ones.map(() => dilation) }));
          } else open.kernels.push(w);
        }
      }
      if (open.kernels.length > 0) {
        openInputs.push(relu(u));
        openKernels.push(effectiveKernel(b, candidates, open.kernels, open.gates, canvas, axes));
      }
    }
    if (openKernels.length > 0)
      added.push(b.conv(b.concat(openInputs, 1), b.concat(openKernels, 1), { pads: samePads(canvas - 1, axes) }));
    const k = liveConnections(b, zeroGates);
    const live = isLive(b, k);
    let y = nodes[v - 1] as NodeId;
    if (live !== 0) {
      const bias = parameter({ name: `${stage.name}/${v}/bias`, shape: [channels, ...ones], spread: 0 });
      const total = [...added, gated(b, live, bias) as NodeId].reduce((sum, part) => b.sum(sum, part));
      y = b.sum(y, scaleByConnections(b, total, k));
    }
    nodes.push(y);
  }
  return nodes.at(-1) as NodeId;
}

/** Taps per axis of the largest candidate into node v, whose first slot is `slot`. */
function canvasOf(space: SuperArchitecture, slot: number, v: number): number {
  let canvas = 1;
  for (let i = slot; i < slot + v; i++)
    for (const candidate of space.slots[i]?.candidates ?? [])
      if (candidate.kind === "conv") canvas = Math.max(canvas, candidate.dilation * (candidate.size - 1) + 1);
  return canvas;
}

/** A dense layer with bias. */
export function linear(
  b: GraphBuilder,
  h: NodeId,
  parameter: ParameterSource,
  layer: {
    readonly name: string;
    readonly from: number;
    readonly to: number;
    readonly spread: number;
    readonly scales?: Float32Array;
  },
): NodeId {
  const { name, from, to, spread } = layer;
  const scales = layer.scales === undefined ? {} : { scales: layer.scales };
  const product = b.matMul(h, parameter({ name: `${name}/weight`, shape: [from, to], spread, ...scales }));
  return b.sum(product, parameter({ name: `${name}/bias`, shape: [1, to], spread: 0, ...scales }));
}

export interface DecoderInput {
  /** N x width, the trunk's last node. */
  readonly features: NodeId;
  readonly width: number;
  /** N x d scaled inputs. */
  readonly x: NodeId;
}

/** Stages of convolutions from a coarse field to the whole. @returns N x channels x ...spatial */
export function convolutionalField(
  b: GraphBuilder,
  space: SuperArchitecture,
  head: DecoderHead,
  input: DecoderInput,
  parameter: ParameterSource,
  gates: Gates,
): NodeId {
  const [first] = head.stages;
  const batch = b.shapeOf(input.features)[0] ?? 1;
  if (first === undefined) throw new RangeError("internal: a decoder without stages");
  const axes = head.spatial.length;
  const coarse = first.channels * product(first.size);
  let y = activate(b, "silu", input.features);
  const spread0 = Math.sqrt(2 / input.width);
  y = linear(b, y, parameter, { name: `${head.name}/stem0`, from: input.width, to: decoderStemWidth, spread: spread0 });
  y = activate(b, "silu", y);
  const spread1 = Math.sqrt(2 / decoderStemWidth);
  y = linear(b, y, parameter, { name: `${head.name}/stem1`, from: decoderStemWidth, to: coarse, spread: spread1 });
  y = b.reshape(y, [batch, first.channels, ...first.size]);
  let channels = first.channels;
  for (const [i, stage] of head.stages.entries()) {
    if (i > 0) {
      const taps = new Array<number>(axes).fill(3);
      const spread = Math.sqrt(2 / (channels * product(taps)));
      const w = parameter({ name: `${stage.name}/up/weight`, shape: [stage.channels, channels, ...taps], spread });
      const bias = parameter({
        name: `${stage.name}/up/bias`,
        shape: [stage.channels, ...taps.map(() => 1)],
        spread: 0,
      });
      y = b.unary("Relu", b.sum(b.conv(double(b, y), w, { pads: samePads(2, axes) }), bias));
      channels = stage.channels;
    }
    y = stageNodes(b, space, stage, y, parameter, gates);
  }
  head.spatial.forEach((size, i) => {
    const have = b.shapeOf(y)[i + 2] as number;
    const start = Math.floor((have - size) / 2);
    y = b.slice(y, i + 2, start, start + size);
  });
  const shape = [head.channels, channels, ...head.spatial.map(() => 1)];
  const w = parameter({ name: `${head.name}/out/weight`, shape, spread: 0.3 * Math.sqrt(1 / channels) });
  return b.conv(y, w, { pads: samePads(0, axes) });
}
