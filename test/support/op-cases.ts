/**
 * Random uses of every operation, in one table: tests of derivatives, of engines and of files all go through it, so an
 * operation that is added without a case does not compile.
 */
import type { BinaryOp, CompareOp, DType, GraphBuilder, NodeId, Op, UnaryOp } from "../../src/graph/index.ts";
import type { Rng } from "../../src/rng.ts";

/** An input of a case and its values. */
export interface CaseInput {
  readonly shape: readonly number[];
  readonly values: Float64Array;
  /** Default: the floating type that the test runs in. */
  readonly dtype?: DType;
}

/** A small graph around one operation. Its values keep away from kinks and poles. */
export interface OpCase {
  readonly inputs: readonly CaseInput[];
  build(b: GraphBuilder, inputs: readonly NodeId[]): NodeId;
}

type MakeCase = (rng: Rng) => OpCase;

const pick = <T>(rng: Rng, items: readonly T[]): T => items[rng.int(items.length)]!;
const between = (rng: Rng, low: number, high: number): number => low + rng.int(high - low + 1);
const count = (shape: readonly number[]): number => shape.reduce((a, c) => a * c, 1);

/** Up to three axes of one to four. */
function anyShape(rng: Rng, least = 0): readonly number[] {
  return Array.from({ length: between(rng, least, 3) }, () => between(rng, 1, 4));
}

/** Drops leading axes of a shape and sets some to one. */
function shrunk(rng: Rng, shape: readonly number[]): readonly number[] {
  return shape.slice(rng.int(shape.length + 1)).map((size) => (rng.uniform() < 0.4 ? 1 : size));
}

/** Two shapes that broadcast, either of which may be the smaller. */
function broadcastPair(rng: Rng): readonly [readonly number[], readonly number[]] {
  const shape = anyShape(rng);
  return [shrunk(rng, shape), shrunk(rng, shape)];
}

type Values = (rng: Rng, size: number) => Float64Array;
const drawn =
  (draw: (rng: Rng) => number): Values =>
  (rng, size) =>
    Float64Array.from({ length: size }, () => draw(rng));
const real = drawn((rng) => 4 * rng.uniform() - 2);
const positive = drawn((rng) => 0.3 + 2 * rng.uniform());
const nonzero = drawn((rng) => (0.3 + 2 * rng.uniform()) * (rng.uniform() < 0.5 ? -1 : 1));
const truth = drawn((rng) => rng.int(2));
/** Halves, and halves between them: never close to one another. */
const halves = drawn((rng) => rng.int(9) / 2 - 2);
const quarters = drawn((rng) => rng.int(9) / 2 - 1.75);
/** All different, none close to a whole number. */
const distinct: Values = (rng, size) =>
  Float64Array.from(
    rng.shuffle(Array.from({ length: size }, (_, i) => i)),
    (i) => 0.4 * (i - size / 2) + 0.15 * (i % 2 === 0 ? 1 : -1) + 0.01,
  );
const awayFromWhole = drawn((rng) => rng.int(5) - 2 + 0.2 + 0.6 * rng.uniform());

function input(rng: Rng, shape: readonly number[], values: Values = real, dtype?: DType): CaseInput {
  return { shape, values: values(rng, count(shape)), ...(dtype !== undefined && { dtype }) };
}

const unary =
  (op: UnaryOp, values: Values): MakeCase =>
  (rng) => ({ inputs: [input(rng, anyShape(rng), values)], build: (b, [x]) => b.unary(op, x!) });

const binary =
  (op: BinaryOp, left: Values, right: Values): MakeCase =>
  (rng) => {
    const [p, q] = broadcastPair(rng);
    return { inputs: [input(rng, p, left), input(rng, q, right)], build: (b, [x, y]) => b.binary(op, x!, y!) };
  };

const compare =
  (op: CompareOp): MakeCase =>
  (rng) => {
    const [p, q] = broadcastPair(rng);
    return { inputs: [input(rng, p, halves), input(rng, q, quarters)], build: (b, [x, y]) => b.compare(op, x!, y!) };
  };

/** One to two spatial axes, groups, dilations, pads on either side, also larger than the kernel's reach. */
function conv(rng: Rng): OpCase {
  const axes = between(rng, 1, 2);
  const group = between(rng, 1, 2);
  const [perGroup, outPerGroup, batch] = [between(rng, 1, 2), between(rng, 1, 2), between(rng, 1, 2)];
  const kernel = Array.from({ length: axes }, () => between(rng, 1, 3));
  const dilations = kernel.map(() => between(rng, 1, 2));
  const pads = Array.from({ length: 2 * axes }, () => rng.int(4));
  const spatial = kernel.map((size, i) => dilations[i]! * (size - 1) + between(rng, 1, 3));
  return {
    inputs: [input(rng, [batch, group * perGroup, ...spatial]), input(rng, [group * outPerGroup, perGroup, ...kernel])],
    build: (b, [x, w]) => b.conv(x!, w!, { pads, dilations, group }),
  };
}

function matMul(rng: Rng): OpCase {
  const [rows, inner, columns] = [between(rng, 1, 3), between(rng, 1, 3), between(rng, 1, 3)];
  const [p, q] = broadcastPair(rng);
  return {
    inputs: [input(rng, [...p, rows, inner]), input(rng, [...q, inner, columns])],
    build: (b, [x, y]) => b.matMul(x!, y!),
  };
}

/** Forwards and backwards, with gaps, up to either edge. */
function slice(rng: Rng): OpCase {
  const any = anyShape(rng, 1);
  const axis = rng.int(any.length);
  const [length, stride, before, after] = [between(rng, 1, 4), between(rng, 1, 2), rng.int(3), rng.int(3)];
  const extent = (length - 1) * stride + 1;
  const size = before + extent + after;
  const forwards = rng.uniform() < 0.6;
  const asNegative = rng.uniform() < 0.3 ? size : 0;
  // Backwards up to the first element: ONNX writes the end as -1 - size.
  const [start, end] = forwards
    ? [before - asNegative, before + extent + rng.int(Math.min(stride, after + 1))]
    : [before + extent - 1, before === 0 ? -1 - size : before - 1];
  return {
    inputs: [input(rng, any.with(axis, size))],
    build: (b, [x]) => b.slice(x!, axis, start, end, forwards ? stride : -stride),
  };
}

function reduce(op: "ReduceSum" | "ReduceMax"): MakeCase {
  return (rng) => {
    const shape = anyShape(rng, 1);
    const axes = shape.map((_, i) => i).filter(() => rng.uniform() < 0.5);
    const chosen = axes.length > 0 ? axes : [rng.int(shape.length)];
    const keepdims = rng.uniform() < 0.5;
    return {
      inputs: [input(rng, shape, distinct)],
      build: (b, [x]) => b.add({ op, x: x!, axes: chosen, keepdims }),
    };
  };
}

export const opCases: Readonly<Record<Op, MakeCase>> = {
  Input: (rng) => ({ inputs: [input(rng, anyShape(rng))], build: (_, [x]) => x! }),
  Constant: (rng) => {
    const shape = anyShape(rng);
    const values = real(rng, count(shape));
    const x = input(rng, shape);
    return { inputs: [x], build: (b, [y]) => b.mul(y!, b.constant([...values], shape, b.typeOf(y!).dtype)) };
  },
  Neg: unary("Neg", real),
  Abs: unary("Abs", nonzero),
  Exp: unary("Exp", real),
  Log: unary("Log", positive),
  Sqrt: unary("Sqrt", positive),
  Reciprocal: unary("Reciprocal", nonzero),
  Tanh: unary("Tanh", real),
  Sigmoid: unary("Sigmoid", real),
  Relu: unary("Relu", nonzero),
  Softplus: unary("Softplus", real),
  Sin: unary("Sin", real),
  Cos: unary("Cos", real),
  Erf: unary("Erf", real),
  Floor: unary("Floor", awayFromWhole),
  Add: binary("Add", real, real),
  Sub: binary("Sub", real, real),
  Mul: (rng) =>
    rng.uniform() < 0.2
      ? { inputs: [input(rng, anyShape(rng))], build: (b, [x]) => b.square(x!) }
      : binary("Mul", real, real)(rng),
  Div: binary("Div", real, nonzero),
  Pow: binary("Pow", positive, real),
  Min: binary("Min", halves, quarters),
  Max: binary("Max", halves, quarters),
  Less: compare("Less"),
  Greater: compare("Greater"),
  Equal: compare("Equal"),
  And: (rng) => {
    const [p, q] = broadcastPair(rng);
    return {
      inputs: [input(rng, p, truth, "bool"), input(rng, q, truth, "bool")],
      build: (b, [x, y]) => b.add({ op: "And", a: x!, b: y! }),
    };
  },
  Where: (rng) => {
    const [p, q] = broadcastPair(rng);
    const inputs = [input(rng, shrunk(rng, p), truth, "bool"), input(rng, p), input(rng, q)];
    return { inputs, build: (b, [condition, x, y]) => b.where(condition!, x!, y!) };
  },
  Cast: (rng) => {
    const to = pick(rng, ["float32", "float64", "int64", "bool"] as const);
    return {
      inputs: [input(rng, anyShape(rng), awayFromWhole)],
      build: (b, [x]) => b.add({ op: "Cast", x: x!, to }),
    };
  },
  MatMul: matMul,
  Conv: conv,
  Transpose: (rng) => {
    const shape = anyShape(rng, 1);
    const perm = rng.shuffle(shape.map((_, i) => i));
    return { inputs: [input(rng, shape)], build: (b, [x]) => b.transpose(x!, perm) };
  },
  Reshape: (rng) => {
    const shape = anyShape(rng);
    const to = pick(rng, [[count(shape)], [1, ...shape], [...shape].reverse()]);
    return { inputs: [input(rng, shape)], build: (b, [x]) => b.reshape(x!, to) };
  },
  Expand: (rng) => {
    const shape = anyShape(rng);
    return { inputs: [input(rng, shrunk(rng, shape))], build: (b, [x]) => b.expand(x!, shape) };
  },
  Concat: (rng) => {
    const shape = anyShape(rng, 1);
    const axis = rng.int(shape.length);
    const parts = Array.from({ length: between(rng, 1, 3) }, () => input(rng, shape.with(axis, between(rng, 1, 3))));
    return { inputs: parts, build: (b, ids) => b.concat([...ids, ids[0]!], axis) };
  },
  Slice: slice,
  Pad: (rng) => {
    const shape = anyShape(rng, 1);
    const begins = shape.map((size) => between(rng, 1 - size, 2));
    const pads = [...begins, ...shape.map((size, i) => between(rng, 1 - size - Math.min(0, begins[i]!), 2))];
    return { inputs: [input(rng, shape)], build: (b, [x]) => b.pad(x!, pads) };
  },
  ReduceSum: reduce("ReduceSum"),
  ReduceMax: reduce("ReduceMax"),
};
