/**
 * Derivatives of a convolution. The input's is a convolution with the flipped, transposed kernel. The kernel's is, tap by
 * tap, a matrix product of the cotangent with the shifted input, summed over the batch. What is cheap was measured in
 * ONNX Runtime: see the comments.
 */
import type { GraphBuilder } from "./builder.ts";
import { type Node, type NodeId, allocate } from "./node.ts";

type ConvNode = Extract<Node, { readonly op: "Conv" }>;

/** Sizes of a convolution: x [batch, group * inputs, ...source], w [group * outputs, inputs, ...kernel]. */
interface ConvSizes {
  readonly batch: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly kernel: readonly number[];
  readonly source: readonly number[];
  readonly target: readonly number[];
}

/** From this many channels on, one matrix product per tap is faster than one product over all taps side by side. */
const CHANNELS_PER_PRODUCT = 16;

/** d loss / d x of shape [B, C, ...S], from the cotangent g [B, O, ...T] of the result. */
export function convInputGradient(b: GraphBuilder, node: ConvNode, g: NodeId): NodeId {
  const { inputs, outputs, kernel, target } = sizesOf(b, node, g);
  const { group, pads, dilations } = node;
  const taps = product(kernel);
  const flat = b.reshape(node.w, [group * outputs * inputs, taps]);
  const flipped = taps === 1 ? flat : b.matMul(flat, reversal(b, taps, node.w));
  const swapped = b.transpose(b.reshape(flipped, [group, outputs, inputs, taps]), [0, 2, 1, 3]);
  const w = b.reshape(swapped, [group * inputs, outputs, ...kernel]);
  const reach = kernel.map((size, i) => dilations[i]! * (size - 1));
  const begin = reach.map((r, i) => r - pads[i]!);
  const end = reach.map((r, i) => r - pads[i + kernel.length]!);
  // Padding beyond the kernel's reach made results that no input acts on: they are cut off.
  const seen = target.reduce<NodeId>(
    (x, size, i) => b.slice(x, i + 2, Math.max(0, -begin[i]!), size - Math.max(0, -end[i]!)),
    g,
  );
  return b.conv(seen, w, { pads: [...begin, ...end].map((pad) => Math.max(0, pad)), dilations, group });
}

/** d loss / d w of shape [O, C / group, ...K], from the cotangent g [B, O, ...T] of the result. */
export function convKernelGradient(b: GraphBuilder, node: ConvNode, g: NodeId): NodeId {
  const { batch, inputs, outputs, kernel, source, target } = sizesOf(b, node, g);
  const { group } = node;
  // Output t meets input t + offset. The side with fewer channels is moved, onto the positions of the other.
  const offsets = tapsOf(kernel).map((tap) => tap.map((k, i) => k * node.dilations[i]! - node.pads[i]!));
  const movesInput = inputs <= outputs;
  const [few, many] = movesInput ? [inputs, outputs] : [outputs, inputs];
  const positions = product(movesInput ? target : source);
  const stack = group === 1 ? [] : [group];
  const moved = offsets.map((offset) => {
    const begins = offset.map((by) => (movesInput ? -by : by));
    const x = movesInput ? shift(b, node.x, begins, source, target) : shift(b, g, begins, target, source);
    return b.reshape(x, [batch, ...stack, few, positions]);
  });
  const still = b.reshape(movesInput ? g : node.x, [batch, ...stack, many, positions]);
  const right = b.transpose(still, [...[batch, ...stack].map((_, i) => i), stack.length + 2, stack.length + 1]);
  const taps = offsets.length;
  // [G, taps, few, many], summed over the batch.
  const perTap = (): NodeId => {
    const products = b.concat(
      moved.map((x) => b.matMul(x, right)),
      0,
    );
    const summed = b.reduceSum(b.reshape(products, [taps, batch, ...stack, few, many]), [1]);
    return b.transpose(b.reshape(summed, [taps, group, few, many]), [1, 0, 2, 3]);
  };
  const allTaps = (): NodeId =>
    b.reshape(b.reduceSum(b.matMul(b.concat(moved, stack.length + 1), right), [0]), [group, taps, few, many]);
  const gradient = few >= CHANNELS_PER_PRODUCT ? perTap() : allTaps();
  return b.reshape(b.transpose(gradient, movesInput ? [0, 3, 2, 1] : [0, 2, 3, 1]), [
    group * outputs,
    inputs,
    ...kernel,
  ]);
}

function sizesOf(b: GraphBuilder, node: ConvNode, g: NodeId): ConvSizes {
  const [batch, , ...source] = b.shapeOf(node.x) as readonly number[];
  const [out, inputs, ...kernel] = b.shapeOf(node.w) as readonly number[];
  const [, , ...target] = b.shapeOf(g) as readonly number[];
  return { batch: batch!, inputs: inputs!, outputs: out! / node.group, kernel, source, target };
}

/** Moves the spatial axes, so that position p becomes p + begin: one Pad that adds on one side and cuts on the other. */
function shift(
  b: GraphBuilder,
  x: NodeId,
  begins: readonly number[],
  from: readonly number[],
  to: readonly number[],
): NodeId {
  const ends = begins.map((begin, i) => to[i]! - from[i]! - begin);
  if (begins.every((begin, i) => begin > -from[i]! && begin < to[i]!))
    return b.pad(x, [0, 0, ...begins, 0, 0, ...ends]);
  const shape = [...b.shapeOf(x).slice(0, 2), ...to] as readonly number[];
  const { dtype } = b.typeOf(x);
  return b.constant(allocate(dtype, product(shape)), shape, dtype);
}

/** Every tap of a kernel, the last axis fastest. */
function tapsOf(kernel: readonly number[]): readonly (readonly number[])[] {
  return kernel.reduce<number[][]>(
    (done, size) => done.flatMap((prefix) => Array.from({ length: size }, (_, k) => [...prefix, k])),
    [[]],
  );
}

/** Multiplies from the right to reverse columns, ten times faster than a Slice with step -1 along the last axis. */
function reversal(b: GraphBuilder, size: number, like: NodeId): NodeId {
  const { dtype } = b.typeOf(like);
  const data = allocate(dtype, size * size);
  for (let i = 0; i < size; i++) data[i * size + size - 1 - i] = 1;
  return b.constant(data, [size, size], dtype);
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((a, c) => a * c, 1);
}
