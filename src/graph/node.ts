/**
 * The tensor graph: a list of nodes in topological order, from a closed set of operations that exist in ONNX. Training
 * steps, emulators, costs and hardware models are all read off this one structure. Every table over operations
 * ({@link OpTable}) has one row per operation: forget one and it does not compile.
 */

/** Element types. `bool` tensors hold 0 or 1 in a `Uint8Array`. */
export type DType = "float32" | "float64" | "int64" | "bool";

/** A dimension: a size, or `"N"`, the number of rows that is only known when the graph runs. */
export type Dim = number | "N";
export type Shape = readonly Dim[];

/** What is known of a tensor before anything runs. */
export interface TensorType {
  readonly dtype: DType;
  readonly shape: Shape;
}

/** The buffer that holds a tensor of each element type. */
export interface Buffers {
  readonly float32: Float32Array;
  readonly float64: Float64Array;
  readonly int64: BigInt64Array;
  readonly bool: Uint8Array;
}
export type Buffer = Buffers[DType];

/** Position of a node in its graph; operands always have a lower one. */
export type NodeId = number & { readonly brand?: "NodeId" };

export const unaryOps = [
  "Neg",
  "Abs",
  "Exp",
  "Log",
  "Sqrt",
  "Reciprocal",
  "Tanh",
  "Sigmoid",
  "Relu",
  "Softplus",
  "Sin",
  "Cos",
  "Erf",
  "Floor",
] as const;
export type UnaryOp = (typeof unaryOps)[number];

/** Elementwise with NumPy broadcasting; the result has the operands' element type. */
export const binaryOps = ["Add", "Sub", "Mul", "Div", "Pow", "Min", "Max"] as const;
export type BinaryOp = (typeof binaryOps)[number];

/** Elementwise with NumPy broadcasting; the result is `bool`. */
export const compareOps = ["Less", "Greater", "Equal"] as const;
export type CompareOp = (typeof compareOps)[number];

type Unary = { readonly [K in UnaryOp]: { readonly op: K; readonly x: NodeId } }[UnaryOp];
type Binary = { readonly [K in BinaryOp]: { readonly op: K; readonly a: NodeId; readonly b: NodeId } }[BinaryOp];
type Compare = { readonly [K in CompareOp]: { readonly op: K; readonly a: NodeId; readonly b: NodeId } }[CompareOp];

/** One operation. Attributes are numbers and lists of numbers; operands are node ids. */
export type Node =
  | { readonly op: "Input"; readonly name: string; readonly type: TensorType }
  | { readonly op: "Constant"; readonly dtype: DType; readonly shape: readonly number[]; readonly data: Buffer }
  | Unary
  | Binary
  | Compare
  /** Both conditions, elementwise on `bool`. */
  | { readonly op: "And"; readonly a: NodeId; readonly b: NodeId }
  | { readonly op: "Where"; readonly condition: NodeId; readonly a: NodeId; readonly b: NodeId }
  | { readonly op: "Cast"; readonly x: NodeId; readonly to: DType }
  /** Matrix product over the last two axes; leading axes broadcast. */
  | { readonly op: "MatMul"; readonly a: NodeId; readonly b: NodeId }
  /** Convolution of x [B, C, ...S] with w [O, C / group, ...K], stride 1, cross-correlation as in ONNX. `pads` lists
   * the begins of all spatial axes, then their ends. */
  | {
      readonly op: "Conv";
      readonly x: NodeId;
      readonly w: NodeId;
      readonly group: number;
      readonly pads: readonly number[];
      readonly dilations: readonly number[];
    }
  | { readonly op: "Transpose"; readonly x: NodeId; readonly perm: readonly number[] }
  | { readonly op: "Reshape"; readonly x: NodeId; readonly shape: Shape }
  /** Broadcasts x to a static shape. Costly in some engines: let elementwise operations broadcast instead. */
  | { readonly op: "Expand"; readonly x: NodeId; readonly shape: readonly number[] }
  | { readonly op: "Concat"; readonly parts: readonly NodeId[]; readonly axis: number }
  /** Elements start, start + step, ... along one axis, up to but without `end`. A step of -1 reverses: then start is
   * the last index and end is -1 - size, as in ONNX. */
  | {
      readonly op: "Slice";
      readonly x: NodeId;
      readonly axis: number;
      readonly start: number;
      readonly end: number;
      readonly step: number;
    }
  /** Pads with zeros: the begins of all axes, then their ends. A negative pad cuts. */
  | { readonly op: "Pad"; readonly x: NodeId; readonly pads: readonly number[] }
  | { readonly op: "ReduceSum"; readonly x: NodeId; readonly axes: readonly number[]; readonly keepdims: boolean }
  | { readonly op: "ReduceMax"; readonly x: NodeId; readonly axes: readonly number[]; readonly keepdims: boolean };

export type Op = Node["op"];

/** One row per operation. @typeParam Rest arguments after the node */
export type OpTable<Row, Rest extends readonly unknown[] = []> = {
  readonly [K in Op]: (node: Extract<Node, { readonly op: K }>, ...rest: Rest) => Row;
};

/** A finished graph: nodes in topological order, the type of each, and the named results. */
export interface Graph {
  readonly nodes: readonly Node[];
  readonly types: readonly TensorType[];
  readonly outputs: readonly { readonly name: string; readonly node: NodeId }[];
}

/** Operand ids of a node, in order. */
export function operands(node: Node): readonly NodeId[] {
  switch (node.op) {
    case "Input":
    case "Constant":
      return [];
    case "Where":
      return [node.condition, node.a, node.b];
    case "Concat":
      return node.parts;
    case "Conv":
      return [node.x, node.w];
    default:
      return "x" in node ? [node.x] : [node.a, node.b];
  }
}

/** The same node with its operands replaced. */
export function withOperands(node: Node, replace: (id: NodeId) => NodeId): Node {
  switch (node.op) {
    case "Input":
    case "Constant":
      return node;
    case "Where":
      return { ...node, condition: replace(node.condition), a: replace(node.a), b: replace(node.b) };
    case "Concat":
      return { ...node, parts: node.parts.map(replace) };
    case "Conv":
      return { ...node, x: replace(node.x), w: replace(node.w) };
    default:
      return "x" in node ? { ...node, x: replace(node.x) } : { ...node, a: replace(node.a), b: replace(node.b) };
  }
}

/** Number of elements of a static shape, or with `N` rows. @param rows size to use for `"N"` */
export function sizeOf(shape: Shape, rows = 1): number {
  let size = 1;
  for (const dim of shape) size *= dim === "N" ? rows : dim;
  return size;
}

/** A zeroed buffer for `size` elements. */
export function allocate(dtype: DType, size: number): Buffer {
  switch (dtype) {
    case "float32":
      return new Float32Array(size);
    case "float64":
      return new Float64Array(size);
    case "int64":
      return new BigInt64Array(size);
    case "bool":
      return new Uint8Array(size);
    default:
      return dtype satisfies never;
  }
}
