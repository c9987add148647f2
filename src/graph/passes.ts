/**
 * Rewrites of finished graphs that leave every result as it is, to the bit: what nobody uses goes, what is computed twice is
 * computed once, and moves that cancel or chain become one.
 */
import { type GraphBuilder, graphBuilder, sameShape } from "./builder.ts";
import type { Buffer, Graph, Node, NodeId, Op, Shape, TensorType } from "./node.ts";
import { binaryOps, compareOps, operands, withOperands } from "./node.ts";
import { inferType } from "./shape.ts";

export interface SimplifyOptions {
  /** Keep inputs that no result depends on, so that callers may go on feeding them. Default false. */
  readonly keepInputs?: boolean;
}

/** The same results from fewer nodes. Those that stay keep their order; ids change. */
export function simplify(graph: Graph, options: SimplifyOptions = {}): Graph {
  return prune(merge(graph), options);
}

/** Drops the nodes that no result depends on. */
export function prune(graph: Graph, { keepInputs = false }: SimplifyOptions = {}): Graph {
  const live = new Set<NodeId>(graph.outputs.map(({ node }) => node));
  for (let id = graph.nodes.length - 1; id >= 0; id--)
    if (live.has(id)) for (const operand of operands(graph.nodes[id]!)) live.add(operand);
  const ids = new Map<NodeId, NodeId>();
  const nodes: Node[] = [];
  const types: TensorType[] = [];
  graph.nodes.forEach((node, id) => {
    if (!live.has(id) && !(keepInputs && node.op === "Input")) return;
    ids.set(id, nodes.length);
    nodes.push(withOperands(node, (old) => ids.get(old)!));
    types.push(graph.types[id]!);
  });
  return { nodes, types, outputs: graph.outputs.map(({ name, node }) => ({ name, node: ids.get(node)! })) };
}

/** Points equal nodes at the first of them. */
function merge(graph: Graph): Graph {
  const b = graphBuilder();
  const ids: NodeId[] = [];
  const seen = new Map<string, NodeId[]>();
  for (const original of graph.nodes) {
    const node = shorten(
      b,
      withoutLeadingOnes(
        b,
        withOperands(original, (old) => ids[old]!),
      ),
    );
    if (typeof node === "number") {
      ids.push(node);
      continue;
    }
    const key = keyOf(node);
    const candidates = seen.get(key) ?? [];
    const known = candidates.find((id) => equalContent(b.node(id), node));
    ids.push(known ?? b.add(node));
    if (known === undefined) seen.set(key, [...candidates, ids.at(-1)!]);
  }
  return { ...b.build({}), outputs: graph.outputs.map(({ name, node }) => ({ name, node: ids[node]! })) };
}

/** The node without detours through its operand: a shorter equivalent, or the earlier node that it equals. */
function shorten(b: GraphBuilder, node: Node): Node | NodeId {
  if (!("x" in node)) return node;
  const from = b.node(node.x);
  const shape = b.shapeOf(node.x);
  switch (node.op) {
    case "Reshape": {
      if (sameShape(shape, node.shape)) return node.x;
      if (from.op === "Reshape") return shorten(b, { ...node, x: from.x });
      if (from.op === "ReduceSum" || from.op === "ReduceMax") {
        const other = { ...from, keepdims: !from.keepdims };
        if (sameShape(inferType(other, b.typeOf).shape, node.shape)) return other;
      }
      return from.op === "Constant" && isStatic(node.shape) ? { ...from, shape: node.shape } : node;
    }
    case "Transpose": {
      if (node.perm.every((axis, i) => axis === i)) return node.x;
      if (from.op === "Transpose") return shorten(b, { ...node, x: from.x, perm: node.perm.map((i) => from.perm[i]!) });
      // Moving axes of one element past the others moves no data.
      return movesNothing(shape, node.perm)
        ? shorten(b, { op: "Reshape", x: node.x, shape: node.perm.map((i) => shape[i]!) })
        : node;
    }
    case "Neg":
      return from.op === "Neg" ? from.x : node;
    case "Expand":
      return sameShape(shape, node.shape) ? node.x : node;
    case "Pad":
      return node.pads.every((pad) => pad === 0) ? node.x : node;
    case "Slice":
      return node.step === 1 && node.start === 0 && node.end === shape[node.axis] ? node.x : node;
    case "Cast":
      return b.typeOf(node.x).dtype === node.to ? node.x : node;
    default:
      return node;
  }
}

/** Operations that read [3] like [1, 3]. */
const broadcastingOps: ReadonlySet<Op> = new Set<Op>([...binaryOps, ...compareOps, "And", "Where"]);

/** The node with operands that a Reshape gave leading axes of one replaced by what they were. */
function withoutLeadingOnes(b: GraphBuilder, node: Node): Node {
  if (!broadcastingOps.has(node.op)) return node;
  const { shape } = inferType(node, b.typeOf);
  return operands(node).reduce((shorter, operand) => {
    const from = b.node(operand);
    if (from.op !== "Reshape") return shorter;
    const inner = b.shapeOf(from.x);
    const lead = from.shape.slice(0, Math.max(0, from.shape.length - inner.length));
    if (!sameShape(from.shape, [...lead, ...inner])) return shorter;
    const next = withOperands(shorter, (id) => (id === operand ? from.x : id));
    return sameShape(inferType(next, b.typeOf).shape, shape) ? next : shorter;
  }, node);
}

function isStatic(shape: Shape): shape is readonly number[] {
  return !shape.includes("N");
}

/** Whether the axes longer than one keep their order. */
function movesNothing(shape: Shape, perm: readonly number[]): boolean {
  const long = perm.filter((axis) => shape[axis] !== 1);
  return long.every((axis, i) => i === 0 || axis > long[i - 1]!);
}

/** Operations whose operands may change places without changing a bit. */
const symmetricOps: ReadonlySet<Op> = new Set<Op>(["Add", "Mul", "Equal", "And"]);

/** Equal for nodes that compute the same; constants are told apart by {@link equalContent}. */
function keyOf(node: Node): string {
  if (node.op === "Constant") return `Constant ${node.dtype} [${node.shape.join()}] ${hash(node.data)}`;
  if ("a" in node && symmetricOps.has(node.op))
    return JSON.stringify({ ...node, a: Math.min(node.a, node.b), b: Math.max(node.a, node.b) });
  return JSON.stringify(node);
}

function equalContent(known: Node, node: Node): boolean {
  if (known.op !== "Constant" || node.op !== "Constant") return true;
  if (known.data === node.data) return true;
  const [a, c] = [bytesOf(known.data), bytesOf(node.data)];
  return a.length === c.length && a.every((byte, i) => byte === c[i]);
}

function bytesOf({ buffer, byteOffset, byteLength }: Buffer): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** 32-bit FNV-1a, over words where the bytes are such. */
function hash(data: Buffer): number {
  const { buffer, byteOffset, byteLength } = data;
  const isWords = byteOffset % 4 === 0 && byteLength % 4 === 0;
  let h = 0x811c9dc5;
  for (const part of isWords ? new Uint32Array(buffer, byteOffset, byteLength / 4) : bytesOf(data))
    h = Math.imul(h ^ part, 0x01000193);
  return h >>> 0;
}
