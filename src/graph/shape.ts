/**
 * Shape and element type of every operation, from those of its operands. Called once per node by the builder, so a
 * graph that exists is well-formed. Rules are ONNX's (opset 17), restricted to what the node's own comment says.
 */
import { ShapeError } from "../errors.ts";
import type { Dim, Node, NodeId, OpTable, Shape, TensorType } from "./node.ts";
import { sizeOf } from "./node.ts";

/** `[3, N]`, for messages. */
export function showShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

function fail(op: string, why: string): never {
  throw new ShapeError("SHAPE_MISMATCH", `${op}: ${why}`);
}

/** NumPy broadcasting of two shapes. @throws ShapeError if they do not broadcast */
export function broadcastShapes(op: string, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  const out: Dim[] = [];
  for (let i = 0; i < rank; i++) {
    const p = a[a.length - rank + i] ?? 1;
    const q = b[b.length - rank + i] ?? 1;
    if (p === q || q === 1) out.push(p);
    else if (p === 1) out.push(q);
    else fail(op, `shapes ${showShape(a)} and ${showShape(b)} do not broadcast`);
  }
  return out;
}

function checkAxis(op: string, axis: number, rank: number): void {
  if (!Number.isInteger(axis) || axis < 0 || axis >= rank) fail(op, `axis ${axis} of a tensor with ${rank} axes`);
}

/** Length of a strided range, as ONNX Slice clips it. */
export function sliceLength(size: number, start: number, end: number, step: number): number {
  const from = start < 0 ? start + size : start;
  const to = end < 0 ? end + size : end;
  if (step > 0) {
    const lo = Math.min(Math.max(from, 0), size);
    const hi = Math.min(Math.max(to, 0), size);
    return Math.max(0, Math.ceil((hi - lo) / step));
  }
  const hi = Math.min(Math.max(from, -1), size - 1);
  const lo = Math.min(Math.max(to, -1), size - 1);
  return Math.max(0, Math.ceil((hi - lo) / -step));
}

function reduced(op: string, x: TensorType, axes: readonly number[], keepdims: boolean): TensorType {
  for (const axis of axes) checkAxis(op, axis, x.shape.length);
  if (axes.length === 0 || new Set(axes).size < axes.length) fail(op, `axes [${axes.join(", ")}] are none or repeat`);
  const shape: Dim[] = [];
  x.shape.forEach((dim, i) => {
    if (!axes.includes(i)) shape.push(dim);
    else if (keepdims) shape.push(1);
  });
  return { dtype: x.dtype, shape };
}

type TypeOf = (id: NodeId) => TensorType;

const same = (node: { readonly x: NodeId }, typeOf: TypeOf): TensorType => typeOf(node.x);

function floating(node: { readonly op: string; readonly x: NodeId }, typeOf: TypeOf): TensorType {
  const x = typeOf(node.x);
  if (x.dtype !== "float32" && x.dtype !== "float64") fail(node.op, `needs a floating tensor, got ${x.dtype}`);
  return x;
}

function broadcast(node: { readonly op: string; readonly a: NodeId; readonly b: NodeId }, typeOf: TypeOf): TensorType {
  const a = typeOf(node.a);
  const b = typeOf(node.b);
  if (a.dtype !== b.dtype) fail(node.op, `element types ${a.dtype} and ${b.dtype} differ; insert a Cast`);
  return { dtype: a.dtype, shape: broadcastShapes(node.op, a.shape, b.shape) };
}

const compare: typeof broadcast = (node, typeOf) => ({ dtype: "bool", shape: broadcast(node, typeOf).shape });

const shapeTable: OpTable<TensorType, [typeOf: TypeOf]> = {
  Input: (node) => node.type,
  Constant: (node) => {
    if (node.data.length !== sizeOf(node.shape))
      fail("Constant", `${node.data.length} values for shape ${showShape(node.shape)}`);
    return { dtype: node.dtype, shape: node.shape };
  },
  Neg: same,
  Abs: same,
  Exp: floating,
  Log: floating,
  Sqrt: floating,
  Reciprocal: floating,
  Tanh: floating,
  Sigmoid: floating,
  Relu: floating,
  Softplus: floating,
  Sin: floating,
  Cos: floating,
  Erf: floating,
  Floor: floating,
  Add: broadcast,
  Sub: broadcast,
  Mul: broadcast,
  Div: broadcast,
  Pow: broadcast,
  Min: broadcast,
  Max: broadcast,
  Less: compare,
  Greater: compare,
  Equal: compare,
  And: (node, typeOf) => {
    const type = broadcast(node, typeOf);
    return type.dtype === "bool" ? type : fail("And", `needs bool tensors, got ${type.dtype}`);
  },
  Where: (node, typeOf) => {
    const condition = typeOf(node.condition);
    const a = typeOf(node.a);
    const b = typeOf(node.b);
    if (condition.dtype !== "bool") fail("Where", `the condition is ${condition.dtype}, not bool`);
    if (a.dtype !== b.dtype) fail("Where", `element types ${a.dtype} and ${b.dtype} differ; insert a Cast`);
    const shape = broadcastShapes("Where", broadcastShapes("Where", a.shape, b.shape), condition.shape);
    return { dtype: a.dtype, shape };
  },
  Cast: (node, typeOf) => ({ dtype: node.to, shape: typeOf(node.x).shape }),
  MatMul: (node, typeOf) => {
    const a = typeOf(node.a);
    const b = typeOf(node.b);
    if (a.dtype !== b.dtype) fail("MatMul", `element types ${a.dtype} and ${b.dtype} differ; insert a Cast`);
    if (a.shape.length < 2 || b.shape.length < 2) fail("MatMul", "both operands need at least two axes");
    const inner = a.shape.at(-1);
    if (inner !== b.shape.at(-2)) fail("MatMul", `${showShape(a.shape)} by ${showShape(b.shape)}`);
    const lead = broadcastShapes("MatMul", a.shape.slice(0, -2), b.shape.slice(0, -2));
    return { dtype: a.dtype, shape: [...lead, ...a.shape.slice(-2, -1), ...b.shape.slice(-1)] };
  },
  Conv: (node, typeOf) => {
    const x = typeOf(node.x);
    const w = typeOf(node.w);
    const axes = x.shape.length - 2;
    const [batch = 1, channels] = x.shape;
    const [out = 0, perGroup] = w.shape;
    if (axes < 1 || w.shape.length !== axes + 2)
      fail("Conv", `input ${showShape(x.shape)}, kernel ${showShape(w.shape)}`);
    if (node.pads.length !== 2 * axes || node.dilations.length !== axes) fail("Conv", "pads or dilations do not fit");
    if (node.pads.some((pad) => pad < 0)) fail("Conv", `negative pads [${node.pads.join(", ")}]: slice the input`);
    if (typeof channels !== "number" || typeof perGroup !== "number" || channels !== perGroup * node.group)
      fail("Conv", `${channels} input channels, kernel ${showShape(w.shape)}, ${node.group} groups`);
    if (typeof out !== "number" || out % node.group !== 0) fail("Conv", `${out} outputs in ${node.group} groups`);
    const spatial = node.dilations.map((dilation, i) => {
      const size = x.shape[i + 2];
      const kernel = w.shape[i + 2];
      if (typeof size !== "number" || typeof kernel !== "number") return fail("Conv", "spatial axes must be static");
      const length = size + (node.pads[i] ?? 0) + (node.pads[i + axes] ?? 0) - dilation * (kernel - 1);
      return length > 0 ? length : fail("Conv", `kernel ${showShape(w.shape)} is larger than the input`);
    });
    return { dtype: x.dtype, shape: [batch, out, ...spatial] };
  },
  Transpose: (node, typeOf) => {
    const x = typeOf(node.x);
    const seen = new Set(node.perm);
    if (node.perm.length !== x.shape.length || seen.size !== node.perm.length)
      fail("Transpose", `perm [${node.perm.join(", ")}] of ${showShape(x.shape)}`);
    return { dtype: x.dtype, shape: node.perm.map((i) => x.shape[i] ?? fail("Transpose", `no axis ${i}`)) };
  },
  Reshape: (node, typeOf) => {
    const x = typeOf(node.x);
    const symbols = (shape: Shape): number => shape.filter((dim) => dim === "N").length;
    if (sizeOf(x.shape) !== sizeOf(node.shape) || symbols(x.shape) !== symbols(node.shape) || symbols(x.shape) > 1)
      fail("Reshape", `${showShape(x.shape)} to ${showShape(node.shape)}`);
    return { dtype: x.dtype, shape: node.shape };
  },
  Expand: (node, typeOf) => {
    const x = typeOf(node.x);
    const shape = broadcastShapes("Expand", x.shape, node.shape);
    if (showShape(shape) !== showShape(node.shape)) fail("Expand", `${showShape(x.shape)} to ${showShape(node.shape)}`);
    return { dtype: x.dtype, shape };
  },
  Concat: (node, typeOf) => {
    const [first, ...rest] = node.parts.map((part) => typeOf(part));
    if (first === undefined) return fail("Concat", "nothing to join");
    checkAxis("Concat", node.axis, first.shape.length);
    let size = 0;
    for (const part of [first, ...rest]) {
      const dim = part.shape[node.axis];
      const fits =
        part.dtype === first.dtype &&
        part.shape.length === first.shape.length &&
        part.shape.every((d, i) => i === node.axis || d === first.shape[i]);
      if (!fits || typeof dim !== "number")
        return fail("Concat", `${showShape(first.shape)} and ${showShape(part.shape)} along axis ${node.axis}`);
      size += dim;
    }
    return { dtype: first.dtype, shape: first.shape.map((dim, i) => (i === node.axis ? size : dim)) };
  },
  Slice: (node, typeOf) => {
    const x = typeOf(node.x);
    checkAxis("Slice", node.axis, x.shape.length);
    const size = x.shape[node.axis];
    if (typeof size !== "number") return fail("Slice", "the axis must be static");
    const length = sliceLength(size, node.start, node.end, node.step);
    if (length === 0 || node.step === 0)
      fail("Slice", `nothing between ${node.start} and ${node.end} of ${showShape(x.shape)}`);
    return { dtype: x.dtype, shape: x.shape.map((dim, i) => (i === node.axis ? length : dim)) };
  },
  Pad: (node, typeOf) => {
    const x = typeOf(node.x);
    const rank = x.shape.length;
    if (node.pads.length !== 2 * rank) fail("Pad", `${node.pads.length} pads for ${rank} axes`);
    const shape = x.shape.map((dim, i) => {
      const [begin, end] = [node.pads[i] ?? 0, node.pads[i + rank] ?? 0];
      if (begin === 0 && end === 0) return dim;
      if (typeof dim !== "number") return fail("Pad", "the padded axis must be static");
      const left = dim + Math.min(0, begin) + Math.min(0, end);
      return left > 0 ? dim + begin + end : fail("Pad", `[${node.pads.join(", ")}] cut all of ${showShape(x.shape)}`);
    });
    return { dtype: x.dtype, shape };
  },
  ReduceSum: (node, typeOf) => reduced("ReduceSum", typeOf(node.x), node.axes, node.keepdims),
  ReduceMax: (node, typeOf) => reduced("ReduceMax", typeOf(node.x), node.axes, node.keepdims),
};

/** Element type and shape of `node`. @throws ShapeError if its operands do not fit */
export function inferType(node: Node, typeOf: TypeOf): TensorType {
  const row = shapeTable[node.op] as (node: Node, typeOf: TypeOf) => TensorType;
  return row(node, typeOf);
}
