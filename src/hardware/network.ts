/**
 * What a device has to do for one call, read off a tensor graph (spec latency 1.1): the operations that depend on the
 * call's inputs, in order, with their geometry and traffic. What any engine does ahead of time is left out: unused nodes,
 * operations on constants or weights alone, changes of shape. Everything is per sample; a batch multiplies it.
 */
import { elementBytes, type Graph, type NodeId, type Op, operands, sizeOf } from "../graph/index.ts";

export type OperationKind = "dense" | "conv1d" | "conv2d" | "matmul" | "elementwise" | "copy" | "reduce";

/** A product with fixed weights: `groups` independent matrices nIn x nOut, each applied to `vectors` columns a sample. */
export interface Geometry {
  /** Inputs of one output: of a convolution, channels x taps of one group. */
  readonly nIn: number;
  readonly nOut: number;
  /** Per sample: 1 for a plain dense layer, positions for a convolution. */
  readonly vectors: number;
  readonly groups: number;
  /** Of a convolution: all channels, spatial sizes (height 1 in 1-D), kernel, stride. Of a dense layer: 1 x 1. */
  readonly inC: number;
  readonly outC: number;
  readonly inSize: readonly [height: number, width: number];
  readonly outSize: readonly [height: number, width: number];
  readonly kernel: readonly [height: number, width: number];
  readonly dilation: readonly [height: number, width: number];
  readonly stride: number;
}

/** What an operation, or a kernel of several, computes and moves. */
export interface Work {
  readonly geometry?: Geometry;
  /** Bytes of an element: 8 for the float64 ends of an emulator. */
  readonly elementBytes: number;
  /** Per sample; elements are of the output. */
  readonly macs: number;
  readonly elements: number;
  readonly elementOps: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Of the whole call. */
  readonly bytesWeights: number;
}

export interface Operation extends Work {
  /** Position in the list. */
  readonly id: number;
  /** Graph nodes that it covers; ids are of the graph that was given. */
  readonly nodes: readonly NodeId[];
  readonly kind: OperationKind;
  /** ONNX's name of the operation. */
  readonly op: Op;
  /** Operations that it reads, views looked through; inputs of the network are not listed. */
  readonly inputs: readonly number[];
  /** Those of `inputs` that it reads through a change of shape only. */
  readonly viewed: readonly number[];
  /** Whether it reads an input of the network directly. */
  readonly readsInput: boolean;
  /** Whether one operand is a constant or weight, as in a bias. */
  readonly hasWeights: boolean;
  /** Whether a result of the network depends on nothing after it. */
  readonly isOutput: boolean;
}

export interface Network {
  readonly operations: readonly Operation[];
  /** Values that go in and out of one sample. */
  readonly inputElements: number;
  readonly outputElements: number;
  /** Results that a call hands over, and those of them in float64. */
  readonly results: number;
  readonly wideResults: number;
  /** Changes of shape, which compute nothing and of which an engine still makes a step. */
  readonly views: number;
}

const elementwiseMoves = new Set<Op>(["Transpose", "Expand", "Concat", "Slice", "Pad"]);

/** Reads the operations off a graph. Inputs with a dimension `"N"` are the samples; the others (a search's flat weights)
 * are fixed ahead of time. Where no input has one, all inputs count as one sample. */
export function networkOf(graph: Graph): Network {
  const { nodes, types } = graph;
  const live = liveNodes(graph);
  const hasRows = nodes.some((node, id) => node.op === "Input" && types[id]!.shape.includes("N"));
  const varies = new Uint8Array(nodes.length);
  /** The operation that makes a node's value, -1 where it is the network's input, views looked through. */
  const maker = new Int32Array(nodes.length).fill(-1);
  const operations: Operation[] = [];
  const readBy = new Uint8Array(nodes.length);
  let inputElements = 0;
  let views = 0;
  for (let id = 0; id < nodes.length; id++) {
    if (!live[id]) continue;
    const node = nodes[id]!;
    if (node.op === "Input") {
      varies[id] = !hasRows || types[id]!.shape.includes("N") ? 1 : 0;
      if (varies[id]) inputElements += sizeOf(types[id]!.shape);
      continue;
    }
    const from = operands(node);
    if (!anyOf(from, varies)) continue;
    varies[id] = 1;
    if (node.op === "Reshape") {
      views++;
      maker[id] = maker[from[0]!]!;
      continue;
    }
    const inputs: number[] = [];
    const viewed: number[] = [];
    let readsInput = false;
    let moving = 0;
    let [bytesIn, bytesWeights] = [0, 0];
    for (const o of from) {
      const bytes = bytesOf(types[o]!);
      if (!varies[o]) {
        bytesWeights += bytes;
        continue;
      }
      moving++;
      bytesIn += bytes;
      const made = maker[o]!;
      if (made < 0) readsInput = true;
      else {
        readBy[made] = 1;
        if (!inputs.includes(made)) inputs.push(made);
        if (nodes[o]!.op === "Reshape") viewed.push(made);
      }
    }
    maker[id] = operations.length;
    const type = types[id]!;
    const elements = sizeOf(type.shape);
    const bytesOut = bytesOf(type);
    const product = productOf(graph, id, varies);
    const computes = product === undefined && !elementwiseMoves.has(node.op);
    operations.push({
      id: operations.length,
      nodes: [id],
      kind: product?.kind ?? kindOf(node.op),
      op: node.op,
      inputs,
      viewed,
      readsInput,
      ...(product?.geometry === undefined ? undefined : { geometry: product.geometry }),
      elementBytes: elementBytes[type.dtype],
      macs: product?.macs ?? 0,
      elements,
      elementOps: !computes ? 0 : node.op.startsWith("Reduce") ? sizeOf(types[from[0]!]!.shape) : elements,
      bytesIn: node.op === "Slice" ? bytesOut : bytesIn,
      bytesOut,
      bytesWeights,
      hasWeights: moving < from.length,
      isOutput: false,
    });
  }
  const results = graph.outputs.filter(({ node }) => varies[node]);
  return {
    operations: operations.map((operation) => (readBy[operation.id] ? operation : { ...operation, isOutput: true })),
    inputElements,
    results: results.length,
    wideResults: results.filter(({ node }) => types[node]!.dtype === "float64").length,
    views,
    outputElements: results.reduce((sum, { node }) => sum + sizeOf(types[node]!.shape), 0),
  };
}

function anyOf(ids: readonly NodeId[], marked: Uint8Array): boolean {
  for (const id of ids) if (marked[id]) return true;
  return false;
}

/** Of one sample. */
function bytesOf({ shape, dtype }: Graph["types"][number]): number {
  return sizeOf(shape) * elementBytes[dtype];
}

function liveNodes({ nodes, outputs }: Graph): Uint8Array {
  const live = new Uint8Array(nodes.length);
  for (const { node } of outputs) live[node] = 1;
  for (let id = nodes.length - 1; id >= 0; id--) if (live[id]) for (const o of operands(nodes[id]!)) live[o] = 1;
  return live;
}

function kindOf(op: Op): OperationKind {
  if (elementwiseMoves.has(op)) return "copy";
  return op.startsWith("Reduce") ? "reduce" : "elementwise";
}

interface Product {
  readonly kind: OperationKind;
  readonly macs: number;
  readonly geometry?: Geometry;
}

function shapeOf(graph: Graph, id: NodeId): readonly number[] {
  const { shape } = graph.types[id]!;
  return shape.includes("N") ? shape.map((d) => (d === "N" ? 1 : d)) : (shape as readonly number[]);
}

/** Height and width, 1 high in 1-D. */
function pairOf(sizes: readonly number[]): readonly [number, number] {
  return sizes.length === 1 ? [1, sizes[0]!] : [sizes[0]!, sizes[1]!];
}

function productOf(graph: Graph, id: NodeId, varies: Uint8Array): Product | undefined {
  const node = graph.nodes[id]!;
  if (node.op === "Conv") {
    const w = shapeOf(graph, node.w);
    const x = shapeOf(graph, node.x);
    const y = shapeOf(graph, id);
    const taps = productOfSizes(w, 2);
    const vectors = productOfSizes(y, 2);
    const nIn = w[1]! * taps;
    const nOut = w[0]! / node.group;
    const members = x[0]!;
    const geometry: Geometry = {
      nIn,
      nOut,
      vectors: vectors * members,
      groups: node.group,
      inC: x[1]!,
      outC: w[0]!,
      inSize: pairOf(x.slice(2)),
      outSize: pairOf(y.slice(2)),
      kernel: pairOf(w.slice(2)),
      dilation: pairOf(node.dilations),
      stride: 1,
    };
    return { kind: w.length === 3 ? "conv1d" : "conv2d", macs: nIn * nOut * node.group * vectors * members, geometry };
  }
  if (node.op !== "MatMul") return undefined;
  const a = shapeOf(graph, node.a);
  const b = shapeOf(graph, node.b);
  const nIn = a.at(-1)!;
  const macs = sizeOf(graph.types[id]!.shape) * nIn;
  if (varies[node.a] && varies[node.b]) return { kind: "matmul", macs };
  const weights = varies[node.a] ? b : a;
  const nOut = varies[node.a] ? b.at(-1)! : a.at(-2)!;
  const groups = productOfSizes(weights, 0, weights.length - 2);
  const vectors = macs / (nIn * nOut * groups);
  return { kind: "dense", macs, geometry: denseGeometry(nIn, nOut, vectors, groups) };
}

function productOfSizes(sizes: readonly number[], from: number, to = sizes.length): number {
  let product = 1;
  for (let i = from; i < to; i++) product *= sizes[i]!;
  return product;
}

/** Geometry of a dense layer. */
export function denseGeometry(nIn: number, nOut: number, vectors = 1, groups = 1): Geometry {
  const one = [1, 1] as const;
  return {
    nIn,
    nOut,
    vectors,
    groups,
    inC: nIn * groups,
    outC: nOut * groups,
    inSize: one,
    outSize: one,
    kernel: one,
    dilation: one,
    stride: 1,
  };
}

/** Multiply-accumulates of one sample. */
export function networkMacs({ operations }: Network): number {
  return operations.reduce((sum, { macs }) => sum + macs, 0);
}
