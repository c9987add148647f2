/**
 * One row per operation of the graph, in terms of TensorFlow.js. Rows may leave temporaries behind and may return an
 * operand as it is: the interpreter tidies up.
 */
import { EngineError } from "../errors.ts";
import type { Buffer, DType, Node, NodeId, OpTable } from "../graph/index.ts";
import { fixedShape } from "./signature.ts";
import type { Tensor, Tfjs } from "./tfjs-library.ts";

type TfjsType = "float32" | "int32" | "bool";
type ConvNode = Extract<Node, { readonly op: "Conv" }>;

const tfjsTypes = { float32: "float32", float64: "float32", int64: "int32", bool: "bool" } as const satisfies Record<
  DType,
  TfjsType
>;

/** The element type that stands for a buffer's. */
export function tfjsTypeOf(data: Buffer): TfjsType {
  if (data instanceof BigInt64Array) return "int32";
  return data instanceof Uint8Array ? "bool" : "float32";
}

/** What an operation makes of one operand before it can start: made once where the operand is a constant, and kept. */
export type Prepare = (node: Node, operand: NodeId, make: () => readonly Tensor[]) => readonly Tensor[];

/** @param get the value of a node that has run   @param rows the value of `N` */
export function makeTfjsTable(tf: Tfjs, get: (id: NodeId) => Tensor, rows: number, prepare: Prepare): OpTable<Tensor> {
  type Unary = { readonly x: NodeId };
  type Binary = { readonly a: NodeId; readonly b: NodeId };
  const unary =
    (f: (x: Tensor) => Tensor) =>
    (node: Unary): Tensor =>
      f(get(node.x));
  const binary =
    (f: (a: Tensor, b: Tensor) => Tensor) =>
    (node: Binary): Tensor =>
      f(get(node.a), get(node.b));
  const fed = (node: Node): Tensor => {
    throw new RangeError(`internal: ${node.op} has no value yet`);
  };
  return {
    Input: fed,
    Constant: fed,
    Neg: unary(tf.neg),
    Abs: unary(tf.abs),
    Exp: unary(tf.exp),
    Log: unary(tf.log),
    Sqrt: unary(tf.sqrt),
    Reciprocal: unary(tf.reciprocal),
    Tanh: unary(tf.tanh),
    Sigmoid: unary(tf.sigmoid),
    Relu: unary(tf.relu),
    Softplus: unary(tf.softplus),
    Sin: unary(tf.sin),
    Cos: unary(tf.cos),
    Erf: unary(tf.erf),
    Floor: unary(tf.floor),
    Add: binary(tf.add),
    Sub: binary(tf.sub),
    Mul: binary(tf.mul),
    Div: binary(tf.div),
    Pow: binary(tf.pow),
    Min: binary(tf.minimum),
    Max: binary(tf.maximum),
    Less: binary(tf.less),
    Greater: binary(tf.greater),
    Equal: binary(tf.equal),
    And: binary(tf.logicalAnd),
    Where: (node) => tf.where(get(node.condition), get(node.a), get(node.b)),
    // The WebAssembly backend would turn 0.5 into false.
    Cast: (node) => (node.to === "bool" ? tf.notEqual(get(node.x), 0) : tf.cast(get(node.x), tfjsTypes[node.to])),
    MatMul: (node) => matMul(tf, get(node.a), get(node.b), (make) => prepare(node, node.b, () => [make()])[0]!),
    Conv: (node) =>
      conv(
        tf,
        node,
        get(node.x),
        prepare(node, node.w, () => filtersOf(tf, node, get(node.w))),
      ),
    Transpose: (node) => tf.transpose(get(node.x), [...node.perm]),
    Reshape: (node) => tf.reshape(get(node.x), [...fixedShape(node.shape, rows)]),
    Expand: (node) => tf.broadcastTo(get(node.x), [...node.shape]),
    Concat: (node) => tf.concat(node.parts.map(get), node.axis),
    Slice: (node) => slice(tf, get(node.x), node),
    Pad: (node) => pad(tf, get(node.x), node.pads),
    ReduceSum: (node) => tf.sum(get(node.x), [...node.axes], node.keepdims),
    ReduceMax: (node) => tf.max(get(node.x), [...node.axes], node.keepdims),
  };
}

/** tfjs multiplies stacks of equal length, or one matrix by a stack, and is fast for two matrices alone. */
function matMul(tf: Tfjs, a: Tensor, b: Tensor, prepared: (make: () => Tensor) => Tensor): Tensor {
  const lead = (x: Tensor): number[] => x.shape.slice(0, -2);
  const count = (x: Tensor): number => lead(x).reduce((n, size) => n * size, 1);
  const [rows, inner] = a.shape.slice(-2) as [number, number];
  const columns = b.shape.at(-1)!;
  if (count(b) === 1 && lead(b).length <= lead(a).length) {
    // The WebAssembly backend keeps what it prepared for a right-hand side by its data alone, and would take it for
    // another shape of the same data: a clone has data of its own there.
    const right = prepared(() => tf.clone(tf.reshape(b, [inner, columns])));
    const flat = tf.matMul(tf.reshape(a, [-1, inner]), right);
    return tf.reshape(flat, [...lead(a), rows, columns]);
  }
  const stack = tf.backend_util.assertAndGetBroadcastShape(lead(a), lead(b));
  const stacked = (x: Tensor): Tensor => {
    const whole = tf.broadcastTo(x, [...stack, ...x.shape.slice(-2)]);
    return tf.reshape(whole, [-1, ...x.shape.slice(-2)]);
  };
  return tf.reshape(tf.matMul(stacked(a), stacked(b)), [...stack, rows, columns]);
}

/** Channels last and two spatial axes, as tfjs wants them, one group at a time.
 * @param filters of each group, see {@link filtersOf} */
function conv(tf: Tfjs, node: ConvNode, x: Tensor, filters: readonly Tensor[]): Tensor {
  const axes = x.rank - 2;
  const padded = pad(tf, x, [0, 0, ...node.pads.slice(0, axes), 0, 0, ...node.pads.slice(axes)]);
  const flat = axes === 1;
  const input = tf.transpose(flat ? tf.expandDims(padded, 2) : padded, [0, 2, 3, 1]);
  const dilations = (flat ? [1, ...node.dilations] : [...node.dilations]) as [number, number];
  const groups = node.group === 1 ? [input] : tf.split(input, node.group, 3);
  const parts = groups.map((channels, i) =>
    tf.conv2d(channels as Image, filters[i] as Image, 1, "valid", "NHWC", dilations),
  );
  const result = tf.transpose(tf.concat(parts, 3), [0, 3, 1, 2]);
  return flat ? tf.squeeze(result, [2]) : result;
}

/** The filters of each group: spatial axes, channels in, channels out. */
function filtersOf(tf: Tfjs, { group }: ConvNode, w: Tensor): Tensor[] {
  const axes = w.rank - 2;
  if (axes > 2)
    throw new EngineError(
      "ENGINE_CONV",
      `the tfjs engine has no convolution over ${axes} axes: use --engine onnxruntime`,
    );
  const kernel = tf.transpose(axes === 1 ? tf.expandDims(w, 2) : w, [2, 3, 1, 0]);
  return group === 1 ? [kernel] : tf.split(kernel, group, 3);
}

type Image = import("@tensorflow/tfjs").Tensor4D;

function slice(tf: Tfjs, x: Tensor, node: Extract<Node, { readonly op: "Slice" }>): Tensor {
  const { axis, start, end, step } = node;
  const size = x.shape[axis]!;
  const from = Math.min(Math.max(start < 0 ? start + size : start, 0), step < 0 ? size - 1 : size);
  const to = Math.min(Math.max(end < 0 ? end + size : end, step < 0 ? -1 : 0), size);
  const length = Math.max(0, Math.ceil((to - from) / step));
  if (step === 1) {
    const begin = x.shape.map((_, i) => (i === axis ? from : 0));
    return tf.slice(
      x,
      begin,
      x.shape.map((dim, i) => (i === axis ? length : dim)),
    );
  }
  if (step === -1 && length === size) return tf.reverse(x, axis);
  return tf.gather(
    x,
    Array.from({ length }, (_, i) => from + i * step),
    axis,
  );
}

/** Pads with zeros; a negative pad cuts. */
function pad(tf: Tfjs, x: Tensor, pads: readonly number[]): Tensor {
  if (pads.every((p) => p === 0)) return x;
  const begins = pads.slice(0, x.rank);
  const ends = pads.slice(x.rank);
  const begin = begins.map((p) => Math.max(0, -p));
  const size = x.shape.map((dim, i) => dim - begin[i]! - Math.max(0, -ends[i]!));
  const cut = pads.some((p) => p < 0) ? tf.slice(x, begin, size) : x;
  return tf.pad(
    cut,
    begins.map((p, i): [number, number] => [Math.max(0, p), Math.max(0, ends[i]!)]),
  );
}
