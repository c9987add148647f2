/**
 * Builds tensor graphs: each call appends one node (or a named composition of nodes) and returns its id. Shapes are
 * checked as nodes are added.
 */
import type {
  BinaryOp,
  Buffer,
  CompareOp,
  DType,
  Dim,
  Graph,
  Node,
  NodeId,
  Shape,
  TensorType,
  UnaryOp,
} from "./node.ts";
import { allocate } from "./node.ts";
import { inferType } from "./shape.ts";

/** An open graph. Methods named after operations append exactly that operation. */
export interface GraphBuilder {
  /** Appends `node` as it is. */
  add(node: Node): NodeId;
  node(id: NodeId): Node;
  typeOf(id: NodeId): TensorType;
  shapeOf(id: NodeId): Shape;
  /** How many nodes there are so far. */
  size(): number;
  /** Closes the graph under named results. The builder may go on and be closed again. */
  build(outputs: Readonly<Record<string, NodeId>>): Graph;

  input(name: string, shape: Shape, dtype?: DType): NodeId;
  constant(data: Buffer | readonly number[], shape: readonly number[], dtype?: DType): NodeId;
  /** A constant of no axes with the element type of `like`. */
  scalar(value: number, like: NodeId): NodeId;
  unary(op: UnaryOp, x: NodeId): NodeId;
  binary(op: BinaryOp, a: NodeId, b: NodeId): NodeId;
  compare(op: CompareOp, a: NodeId, b: NodeId): NodeId;
  sum(a: NodeId, b: NodeId): NodeId;
  sub(a: NodeId, b: NodeId): NodeId;
  mul(a: NodeId, b: NodeId): NodeId;
  div(a: NodeId, b: NodeId): NodeId;
  /** x times a number. */
  scale(x: NodeId, factor: number): NodeId;
  /** x plus a number. */
  shift(x: NodeId, offset: number): NodeId;
  square(x: NodeId): NodeId;
  where(condition: NodeId, a: NodeId, b: NodeId): NodeId;
  cast(x: NodeId, to: DType): NodeId;
  matMul(a: NodeId, b: NodeId): NodeId;
  conv(
    x: NodeId,
    w: NodeId,
    options: { readonly pads: readonly number[]; readonly dilations?: readonly number[]; readonly group?: number },
  ): NodeId;
  transpose(x: NodeId, perm: readonly number[]): NodeId;
  reshape(x: NodeId, shape: Shape): NodeId;
  expand(x: NodeId, shape: readonly number[]): NodeId;
  concat(parts: readonly NodeId[], axis: number): NodeId;
  slice(x: NodeId, axis: number, start: number, end: number, step?: number): NodeId;
  /** Reverses one axis. */
  flip(x: NodeId, axis: number): NodeId;
  pad(x: NodeId, pads: readonly number[]): NodeId;
  reduceSum(x: NodeId, axes: readonly number[], keepdims?: boolean): NodeId;
  reduceMax(x: NodeId, axes: readonly number[], keepdims?: boolean): NodeId;
  /** Mean over static axes: a sum and one product. */
  mean(x: NodeId, axes: readonly number[], keepdims?: boolean): NodeId;
}

function asBuffer(data: Buffer | readonly number[], dtype: DType): Buffer {
  if (ArrayBuffer.isView(data)) return data;
  const buffer = allocate(dtype, data.length);
  data.forEach((value, i) => {
    if (buffer instanceof BigInt64Array) buffer[i] = BigInt(value);
    else buffer[i] = value;
  });
  return buffer;
}

/** Starts an empty graph, or goes on from `base` (whose ids stay valid). */
export function graphBuilder(base?: Graph): GraphBuilder {
  const nodes: Node[] = [...(base?.nodes ?? [])];
  const types: TensorType[] = [...(base?.types ?? [])];
  const typeOf = (id: NodeId): TensorType => {
    const type = types[id];
    if (type === undefined) throw new RangeError(`internal: node ${id} does not exist yet`);
    return type;
  };
  const b: GraphBuilder = {
    add(node) {
      types.push(inferType(node, typeOf));
      nodes.push(node);
      return nodes.length - 1;
    },
    node(id) {
      typeOf(id);
      return nodes[id] as Node;
    },
    typeOf,
    shapeOf: (id) => typeOf(id).shape,
    size: () => nodes.length,
    build: (outputs) => ({
      nodes: [...nodes],
      types: [...types],
      outputs: Object.entries(outputs).map(([name, node]) => ({ name, node })),
    }),
    input: (name, shape, dtype = "float32") => b.add({ op: "Input", name, type: { dtype, shape } }),
    constant: (data, shape, dtype = "float32") => b.add({ op: "Constant", dtype, shape, data: asBuffer(data, dtype) }),
    scalar: (value, like) => b.constant([value], [], typeOf(like).dtype),
    unary: (op, x) => b.add({ op, x }),
    binary: (op, left, right) => b.add({ op, a: left, b: right }),
    compare: (op, left, right) => b.add({ op, a: left, b: right }),
    sum: (left, right) => b.binary("Add", left, right),
    sub: (left, right) => b.binary("Sub", left, right),
    mul: (left, right) => b.binary("Mul", left, right),
    div: (left, right) => b.binary("Div", left, right),
    scale: (x, factor) => (factor === 1 ? x : b.mul(x, b.scalar(factor, x))),
    shift: (x, offset) => (offset === 0 ? x : b.sum(x, b.scalar(offset, x))),
    square: (x) => b.mul(x, x),
    where: (condition, left, right) => b.add({ op: "Where", condition, a: left, b: right }),
    cast: (x, to) => (typeOf(x).dtype === to ? x : b.add({ op: "Cast", x, to })),
    matMul: (left, right) => b.add({ op: "MatMul", a: left, b: right }),
    conv(x, w, { pads, dilations = pads.slice(pads.length / 2).map(() => 1), group = 1 }) {
      return b.add({ op: "Conv", x, w, group, pads, dilations });
    },
    transpose: (x, perm) => (perm.every((p, i) => p === i) ? x : b.add({ op: "Transpose", x, perm })),
    reshape: (x, shape) => (sameShape(typeOf(x).shape, shape) ? x : b.add({ op: "Reshape", x, shape })),
    expand: (x, shape) => (sameShape(typeOf(x).shape, shape) ? x : b.add({ op: "Expand", x, shape })),
    concat: (parts, axis) =>
      parts.length === 1 && parts[0] !== undefined ? parts[0] : b.add({ op: "Concat", parts, axis }),
    slice(x, axis, start, end, step = 1) {
      const whole = start === 0 && end === typeOf(x).shape[axis] && step === 1;
      return whole ? x : b.add({ op: "Slice", x, axis, start, end, step });
    },
    flip(x, axis) {
      const size = typeOf(x).shape[axis];
      if (size === 1) return x;
      if (typeof size !== "number") throw new RangeError("internal: flip needs a static axis");
      return b.add({ op: "Slice", x, axis, start: size - 1, end: -1 - size, step: -1 });
    },
    pad: (x, pads) => (pads.every((p) => p === 0) ? x : b.add({ op: "Pad", x, pads })),
    reduceSum: (x, axes, keepdims = false) => (axes.length === 0 ? x : b.add({ op: "ReduceSum", x, axes, keepdims })),
    reduceMax: (x, axes, keepdims = false) => (axes.length === 0 ? x : b.add({ op: "ReduceMax", x, axes, keepdims })),
    mean(x, axes, keepdims = false) {
      const { shape } = typeOf(x);
      let count = 1;
      for (const axis of axes) {
        const dim: Dim | undefined = shape[axis];
        if (typeof dim !== "number") throw new RangeError("internal: mean needs static axes");
        count *= dim;
      }
      return b.scale(b.reduceSum(x, axes, keepdims), 1 / count);
    },
  };
  return b;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, i) => dim === b[i]);
}
