/**
 * Reverse-mode derivatives as more nodes of the same graph (Griewank & Walther 2008, ch. 3): one table row per
 * operation says how the cotangent of its result becomes cotangents of its operands.
 *
 * A cotangent has as many axes as its primal, but some may be of length one where the primal's are longer: the cotangent
 * of a sum over rows is one row, and stays one row until an operation needs it whole. That saves most of the Expand nodes
 * that a textbook backward pass would insert.
 */
import { InternalError, ShapeError } from "../errors.ts";
import type { GraphBuilder } from "./builder.ts";
import { convInputGradient, convKernelGradient } from "./conv-derivative.ts";
import { type Span, gatherCotangents } from "./cotangents.ts";
import type { Node, NodeId, Op, OpTable, Shape } from "./node.ts";
import { operands, sizeOf } from "./node.ts";

/** What flows back to one operand, made only if that operand is on the way to a parameter. A `span` says that it
 * belongs to a part of the operand alone. */
type Flow = readonly [operand: NodeId, cotangent: () => NodeId, span?: Span];

/**
 * Appends the backward pass of `loss` to an open graph.
 * @param loss a floating node of one element
 * @param params the nodes to differentiate by (inputs, or any node the loss depends on)
 * @returns for each of `params`, a node of its shape holding d loss / d param (zeros where the loss does not depend on it)
 * @throws ShapeError if the loss has more than one element or a shape on the way is symbolic
 */
export function differentiate(b: GraphBuilder, loss: NodeId, params: readonly NodeId[]): NodeId[] {
  const lossType = b.typeOf(loss);
  if (lossType.dtype !== "float32" && lossType.dtype !== "float64")
    throw new ShapeError("SHAPE_LOSS", `differentiate needs a floating loss, got ${lossType.dtype}`);
  const lossShape = staticShape(lossType.shape);
  if (lossShape.some((size) => size !== 1))
    throw new ShapeError("SHAPE_LOSS", "differentiate needs a loss of one element: reduce it first");
  const cotangents = gatherCotangents(b);
  const wanted = dependents(b, loss, params);
  if (wanted.has(loss)) cotangents.add(loss, b.expand(b.scalar(1, loss), lossShape));
  for (let id = loss; id >= 0; id--) {
    const node = b.node(id);
    if (!wanted.has(id) || !operands(node).some((operand) => wanted.has(operand))) continue;
    const g = cotangents.total(id);
    if (g === undefined) continue;
    const row = makeDerivativeTable(b, id, g, params)[node.op] as (node: Node) => readonly Flow[];
    for (const [operand, cotangent, span] of row(node))
      if (wanted.has(operand)) cotangents.add(operand, cotangent(), span);
  }
  return params.map((param) => {
    const shape = staticShape(b.shapeOf(param));
    const g = cotangents.total(param);
    if (g === undefined) return b.expand(b.scalar(0, param), shape);
    if (b.typeOf(g).dtype !== b.typeOf(param).dtype) throw new InternalError("a cotangent changed its element type");
    return whole(b, g, shape);
  });
}

/** Operations that pass no derivative on. */
const flatOps: ReadonlySet<Op> = new Set<Op>(["Less", "Greater", "Equal", "And", "Floor"]);

/** Nodes on some path along which `params` act on `loss`, and the parameters themselves. */
function dependents(b: GraphBuilder, loss: NodeId, params: readonly NodeId[]): ReadonlySet<NodeId> {
  const wanted = new Set<NodeId>(params);
  for (let id = 0; id <= loss; id++) {
    const node = b.node(id);
    if (!flatOps.has(node.op) && operands(node).some((operand) => wanted.has(operand))) wanted.add(id);
  }
  return wanted;
}

/** Sizes of a static shape. @throws ShapeError where it holds `"N"` */
function staticShape(shape: Shape): readonly number[] {
  return shape.map((dim) => {
    if (dim === "N")
      throw new ShapeError(
        "SHAPE_SYMBOLIC",
        "differentiate needs static shapes: build the training graph for a fixed number of rows",
      );
    return dim;
  });
}

/** The cotangent with all of its elements present. */
function whole(b: GraphBuilder, g: NodeId, shape: Shape): NodeId {
  return b.expand(g, staticShape(shape));
}

/** Sums a cotangent of a broadcast result down to the operand's shape, counting rows it stands for but does not hold. */
function unbroadcast(b: GraphBuilder, g: NodeId, resultShape: Shape, operandShape: Shape): NodeId {
  const result = staticShape(resultShape);
  const operand = staticShape(operandShape);
  const lead = result.length - operand.length;
  const axes: number[] = [];
  let copies = 1;
  result.forEach((size, i) => {
    if (size === 1 || (i >= lead && operand[i - lead] === size)) return;
    if (b.shapeOf(g)[i] === size) axes.push(i);
    else copies *= size;
  });
  const summed = b.scale(sumKept(b, g, axes), copies);
  return lead > 0 ? b.reshape(summed, b.shapeOf(summed).slice(lead)) : summed;
}

/** Sums axes and keeps them as ones. Leading axes are summed by a product with ones, which costs ONNX Runtime less. */
function sumKept(b: GraphBuilder, x: NodeId, axes: readonly number[]): NodeId {
  const shape = staticShape(b.shapeOf(x));
  const rows = sizeOf(shape.slice(0, axes.length));
  const columns = sizeOf(shape.slice(axes.length));
  if (axes.length === 0 || columns === 1 || axes.some((axis, i) => axis !== i)) return b.reduceSum(x, axes, true);
  const ones = b.constant(new Array<number>(rows).fill(1), [1, rows], b.typeOf(x).dtype);
  const kept = shape.map((size, i) => (i < axes.length ? 1 : size));
  return b.reshape(b.matMul(ones, b.reshape(x, [rows, columns])), kept);
}

function makeDerivativeTable(
  b: GraphBuilder,
  id: NodeId,
  g: NodeId,
  params: readonly NodeId[],
): OpTable<readonly Flow[]> {
  const none = (): readonly Flow[] => [];
  const one = (x: NodeId, cotangent: () => NodeId): readonly Flow[] => [[x, cotangent]];
  const times = (x: NodeId, factor: () => NodeId): readonly Flow[] => [[x, () => b.mul(g, factor())]];
  const neg = (x: NodeId): NodeId => b.unary("Neg", x);
  const zero = (): NodeId => b.scalar(0, g);
  const shape = b.shapeOf(id);
  const full = once(() => whole(b, g, shape));
  const side = (operand: NodeId, cotangent: () => NodeId): Flow => [
    operand,
    () => unbroadcast(b, cotangent(), shape, b.shapeOf(operand)),
  ];
  const choose = (node: { readonly a: NodeId; readonly b: NodeId }, isA: () => NodeId): readonly Flow[] => [
    side(node.a, () => b.where(isA(), g, zero())),
    side(node.b, () => b.where(isA(), zero(), g)),
  ];
  return {
    Input: none,
    Constant: none,
    Less: none,
    Greater: none,
    Equal: none,
    And: none,
    Floor: none,
    Neg: (node) => one(node.x, () => neg(g)),
    Abs: (node) => one(node.x, () => b.where(b.compare("Greater", node.x, b.scalar(0, node.x)), g, neg(g))),
    Exp: (node) => times(node.x, () => id),
    Log: (node) => one(node.x, () => b.div(g, node.x)),
    Sqrt: (node) => one(node.x, () => b.div(b.scale(g, 0.5), id)),
    Reciprocal: (node) => one(node.x, () => b.mul(neg(g), b.square(id))),
    Tanh: (node) => times(node.x, () => b.sub(b.scalar(1, id), b.square(id))),
    Sigmoid: (node) => times(node.x, () => b.sub(id, b.square(id))),
    // Asks the result, not the operand: the runtime may then fuse Relu with what comes before it. A product with zeros
    // and ones takes a fifth less time than Where.
    Relu: (node) => times(node.x, () => b.cast(b.cast(id, "bool"), b.typeOf(g).dtype)),
    Softplus: (node) => times(node.x, () => b.unary("Sigmoid", node.x)),
    Sin: (node) => times(node.x, () => b.unary("Cos", node.x)),
    Cos: (node) => one(node.x, () => b.mul(neg(g), b.unary("Sin", node.x))),
    Erf: (node) => one(node.x, () => b.mul(b.scale(g, 2 / Math.sqrt(Math.PI)), b.unary("Exp", neg(b.square(node.x))))),
    Add: (node) => [side(node.a, () => g), side(node.b, () => g)],
    Sub: (node) => [side(node.a, () => g), side(node.b, () => neg(g))],
    Mul: (node) => {
      if (node.a === node.b) return one(node.a, () => b.mul(b.scale(g, 2), node.a));
      const silu = siluOf(b, node);
      if (silu !== undefined && !params.includes(silu.sigmoid))
        return times(silu.x, () => siluSlope(b, id, silu.sigmoid));
      return [side(node.a, () => b.mul(g, node.b)), side(node.b, () => b.mul(g, node.a))];
    },
    Div: (node) => {
      const overB = once(() => b.div(g, node.b));
      return [side(node.a, overB), side(node.b, () => b.mul(neg(overB()), id))];
    },
    Pow: (node) => [
      side(node.a, () => b.mul(g, b.mul(node.b, b.binary("Pow", node.a, b.shift(node.b, -1))))),
      side(node.b, () => b.mul(g, b.mul(id, b.unary("Log", node.a)))),
    ],
    Min: (node) =>
      choose(
        node,
        once(() => b.compare("Less", node.a, node.b)),
      ),
    Max: (node) =>
      choose(
        node,
        once(() => b.compare("Greater", node.a, node.b)),
      ),
    Where: (node) => choose(node, () => node.condition),
    Cast: (node) => {
      const { dtype } = b.typeOf(node.x);
      return dtype === "float32" || dtype === "float64" ? one(node.x, () => b.cast(g, dtype)) : [];
    },
    MatMul: (node) => matMulFlows(b, node, full),
    Conv: (node) => [
      [node.x, () => convInputGradient(b, node, full())],
      [node.w, () => convKernelGradient(b, node, full())],
    ],
    Transpose: (node) => {
      const inverse = node.perm.map((_, i) => node.perm.indexOf(i));
      return one(node.x, () => b.transpose(g, inverse));
    },
    Reshape: (node) => one(node.x, () => b.reshape(full(), b.shapeOf(node.x))),
    Expand: (node) => [side(node.x, () => g)],
    Concat: (node) => {
      let start = 0;
      return node.parts.map((part): Flow => {
        const from = start;
        start += b.shapeOf(part)[node.axis] as number;
        const to = start;
        return [part, () => b.slice(full(), node.axis, from, to)];
      });
    },
    Slice: (node) => sliceFlows(b, node, shape[node.axis] as number, full),
    Pad: (node) =>
      one(node.x, () =>
        b.pad(
          full(),
          node.pads.map((pad) => -pad),
        ),
      ),
    ReduceSum: (node) => one(node.x, () => b.reshape(g, keptShape(b, node, g))),
    ReduceMax: (node) => {
      const kept = b.shapeOf(node.x).map((dim, i) => (node.axes.includes(i) ? 1 : dim));
      return one(node.x, () => {
        const hit = b.compare("Equal", node.x, b.reshape(id, kept));
        return b.where(hit, b.reshape(g, keptShape(b, node, g)), zero());
      });
    },
  };
}

/** Whether a product is x times the sigmoid of x. */
function siluOf(
  b: GraphBuilder,
  node: { readonly a: NodeId; readonly b: NodeId },
): { readonly x: NodeId; readonly sigmoid: NodeId } | undefined {
  for (const [x, sigmoid] of [
    [node.a, node.b],
    [node.b, node.a],
  ] as const) {
    const of = b.node(sigmoid);
    if (of.op === "Sigmoid" && of.x === x) return { x, sigmoid };
  }
  return undefined;
}

/** The slope s + y - y s of y = x s, in fewer steps than by way of the product and of the sigmoid s. */
function siluSlope(b: GraphBuilder, y: NodeId, s: NodeId): NodeId {
  return b.sum(s, b.sub(y, b.mul(y, s)));
}

/** Shape of a reduction's cotangent with the reduced axes back as ones (it may be smaller than the result). */
function keptShape(b: GraphBuilder, node: Extract<Node, { op: "ReduceSum" | "ReduceMax" }>, g: NodeId): Shape {
  const input = b.shapeOf(node.x);
  const held = b.shapeOf(g);
  if (node.keepdims) return held;
  let next = 0;
  return input.map((_, i) => (node.axes.includes(i) ? 1 : held[next++]!));
}

/** With c = a b: g bᵀ for a, aᵀ g for b. One matrix b under a stack of a is one product over all rows of the stack. */
function matMulFlows(
  b: GraphBuilder,
  node: Extract<Node, { readonly op: "MatMul" }>,
  full: () => NodeId,
): readonly Flow[] {
  const side = (operand: NodeId, cotangent: () => NodeId): Flow => [
    operand,
    () => {
      const product = cotangent();
      return unbroadcast(b, product, b.shapeOf(product), b.shapeOf(operand));
    },
  ];
  const rowsOf = (x: NodeId): NodeId => {
    const sizes = staticShape(b.shapeOf(x));
    const rows = sizes.slice(0, -1).reduce((a, c) => a * c, 1);
    return b.reshape(x, [rows, sizes.at(-1)!]);
  };
  const a = b.shapeOf(node.a);
  const oneMatrix =
    b
      .shapeOf(node.b)
      .slice(0, -2)
      .every((size) => size === 1) && b.shapeOf(node.b).length <= a.length;
  return [
    side(node.a, () => b.matMul(full(), transposeLast(b, node.b))),
    oneMatrix && a.length > 2
      ? [node.b, () => b.reshape(b.matMul(transposeLast(b, rowsOf(node.a)), rowsOf(full())), b.shapeOf(node.b))]
      : side(node.b, () => b.matMul(transposeLast(b, node.a), full())),
  ];
}

function transposeLast(b: GraphBuilder, x: NodeId): NodeId {
  const rank = b.shapeOf(x).length;
  return b.transpose(
    x,
    Array.from({ length: rank }, (_, i) => (i < rank - 2 ? i : 2 * rank - 3 - i)),
  );
}

/** The cotangent lies on the part that was cut out, with zeros between its elements where the step was larger than one. */
function sliceFlows(
  b: GraphBuilder,
  { x, axis, start, step }: Extract<Node, { readonly op: "Slice" }>,
  length: number,
  full: () => NodeId,
): readonly Flow[] {
  const size = b.shapeOf(x)[axis] as number;
  const stride = Math.abs(step);
  const extent = (length - 1) * stride + 1;
  const first = Math.min(Math.max(start < 0 ? start + size : start, 0), size - 1);
  const spread = (): NodeId => {
    const g = step < 0 ? b.flip(full(), axis) : full();
    if (extent === length) return g;
    const shape = staticShape(b.shapeOf(g));
    const apart = b.reshape(g, shape.toSpliced(axis + 1, 0, 1));
    const gaps = shape.toSpliced(axis + 1, 0, 1).map((_, i) => (i === axis + 1 ? stride - 1 : 0));
    const padded = b.pad(apart, [...gaps.map(() => 0), ...gaps]);
    return b.slice(b.reshape(padded, shape.with(axis, length * stride)), axis, 0, extent);
  };
  return [[x, spread, { axis, start: step < 0 ? first - extent + 1 : first }]];
}

function once(make: () => NodeId): () => NodeId {
  let made: NodeId | undefined;
  return () => (made ??= make());
}
