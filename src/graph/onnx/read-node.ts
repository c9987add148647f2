/**
 * From an ONNX node to a node of a graph: one row per operation. A row names every attribute and constant operand it
 * understands; what is left over would change the result, so it refuses the model.
 */
import { FileError } from "../../errors.ts";
import type { Dim, Node, NodeId, Op } from "../node.ts";
import { type AttributeMessage, type NodeMessage, attributeCodes, dtypeOf } from "./schema.ts";

/** What an ONNX node says, ticked off as it is read. */
export interface NodeFields {
  /** The only result's name. */
  tensor(): string;
  /** The names of all results. */
  tensors(): readonly string[];
  /** How many operands there are. */
  readonly count: number;
  /** Name of an operand. */
  operand(index: number): string;
  /** Values of an operand that is a constant list of integers. */
  ints(index: number, fallback?: readonly number[]): readonly number[];
  int(attribute: string, fallback: number): number;
  intList(attribute: string, fallback?: readonly number[]): readonly number[];
  /** @throws FileError `FILE_FOREIGN` if the node has an operand or attribute that nobody asked for */
  checkAllUsed(): void;
}

/** @param constantInts the values of a constant tensor of integers, by name */
export function nodeFields(
  message: NodeMessage,
  constantInts: (name: string) => readonly number[] | undefined,
): NodeFields {
  const { name = "", opType = "", input = [], output = [], attribute = [] } = message;
  const used = new Set<number | string>();
  const refuse = (why: string): never => {
    throw new FileError("FILE_FOREIGN", `node "${name}" (${opType}) ${why}. Give a file that Condense wrote`);
  };
  const attributeOf = (key: string, type: number): AttributeMessage | undefined => {
    used.add(key);
    const found = attribute.find((one) => one.name === key);
    return found === undefined || found.type === type ? found : refuse(`has an attribute ${key} of another type`);
  };
  const operand = (index: number): string => {
    used.add(index);
    return input[index] ?? refuse(`lacks operand ${index}`);
  };
  return {
    tensors: () => output,
    tensor: () => (output.length === 1 ? output[0]! : refuse(`has ${output.length} results`)),
    count: input.length,
    operand,
    ints(index, fallback) {
      if (fallback !== undefined && (input[index] ?? "") === "") return fallback;
      return constantInts(operand(index)) ?? refuse(`computes operand ${index}, which must be constant`);
    },
    int: (key, fallback) => Number(attributeOf(key, attributeCodes.int)?.i ?? fallback),
    intList: (key, fallback) =>
      attributeOf(key, attributeCodes.ints)?.ints?.map(Number) ?? fallback ?? refuse(`lacks its attribute ${key}`),
    checkAllUsed() {
      const operandLeft = input.findIndex((one, i) => one !== "" && !used.has(i));
      if (operandLeft >= 0) refuse(`has an operand ${operandLeft}, which graphs do not know`);
      const attributeLeft = attribute.find((one) => !used.has(one.name ?? ""));
      if (attributeLeft !== undefined) refuse(`has an attribute ${attributeLeft.name ?? ""}, which graphs do not know`);
    },
  };
}

export type IdOf = (tensor: string) => NodeId;

/** Reads what a node needs at once, and gives the node when the operands have ids. */
type Row<K> = (fields: NodeFields) => (idOf: IdOf) => Extract<Node, { readonly op: K }>;
type ComputedOp = Exclude<Op, "Input" | "Constant">;
type UnaryLike = Extract<Node, { readonly x: NodeId }>["op"];
type BinaryLike = Exclude<Extract<Node, { readonly a: NodeId }>["op"], "Where">;

/** @throws FileError `FILE_FOREIGN` if the operation, or how it is used, is not one of ours */
export function readNode({ opType = "", name = "" }: NodeMessage, fields: NodeFields): (idOf: IdOf) => Node {
  if (!Object.hasOwn(rows, opType))
    throw new FileError(
      "FILE_FOREIGN",
      `node "${name}": op ${opType} is not one of ours. Give a file that Condense wrote`,
    );
  return rows[opType as ComputedOp](fields);
}

const rows: { readonly [K in ComputedOp]: Row<K> } = {
  Neg: unary("Neg"),
  Abs: unary("Abs"),
  Exp: unary("Exp"),
  Log: unary("Log"),
  Sqrt: unary("Sqrt"),
  Reciprocal: unary("Reciprocal"),
  Tanh: unary("Tanh"),
  Sigmoid: unary("Sigmoid"),
  Relu: unary("Relu"),
  Softplus: unary("Softplus"),
  Sin: unary("Sin"),
  Cos: unary("Cos"),
  Erf: unary("Erf"),
  Floor: unary("Floor"),
  Add: binary("Add"),
  Sub: binary("Sub"),
  Mul: binary("Mul"),
  Div: binary("Div"),
  Pow: binary("Pow"),
  Min: binary("Min"),
  Max: binary("Max"),
  Less: binary("Less"),
  Greater: binary("Greater"),
  Equal: binary("Equal"),
  And: binary("And"),
  Where: (fields) => {
    const [condition, a, b] = [fields.operand(0), fields.operand(1), fields.operand(2)];
    return (idOf) => ({ op: "Where", condition: idOf(condition), a: idOf(a), b: idOf(b) });
  },
  Cast: (fields) => {
    const [x, to] = [fields.operand(0), dtypeOf(fields.int("to", 0), fields.tensor())];
    return (idOf) => ({ op: "Cast", x: idOf(x), to });
  },
  MatMul: binary("MatMul"),
  Conv: (fields) => {
    const [x, w] = [fields.operand(0), fields.operand(1)];
    const [pads, dilations, group] = [fields.intList("pads"), fields.intList("dilations"), fields.int("group", 1)];
    return (idOf) => ({ op: "Conv", x: idOf(x), w: idOf(w), group, pads, dilations });
  },
  Transpose: (fields) => {
    const [x, perm] = [fields.operand(0), fields.intList("perm")];
    return (idOf) => ({ op: "Transpose", x: idOf(x), perm });
  },
  Reshape: (fields) => {
    const x = fields.operand(0);
    const shape = fields.ints(1).map((size): Dim => (size === -1 ? "N" : size));
    return (idOf) => ({ op: "Reshape", x: idOf(x), shape });
  },
  Expand: (fields) => {
    const [x, shape] = [fields.operand(0), fields.ints(1)];
    return (idOf) => ({ op: "Expand", x: idOf(x), shape });
  },
  Concat: (fields) => {
    const parts = Array.from({ length: fields.count }, (_, i) => fields.operand(i));
    const axis = fields.int("axis", 0);
    return (idOf) => ({ op: "Concat", parts: parts.map(idOf), axis });
  },
  Slice: (fields) => {
    const x = fields.operand(0);
    const start = only(fields, 1);
    const end = only(fields, 2);
    const axis = only(fields, 3, 0);
    const step = only(fields, 4, 1);
    return (idOf) => ({ op: "Slice", x: idOf(x), axis, start, end, step });
  },
  Pad: (fields) => {
    const [x, pads] = [fields.operand(0), fields.ints(1)];
    return (idOf) => ({ op: "Pad", x: idOf(x), pads });
  },
  ReduceSum: (fields) => {
    const [x, axes, keepdims] = [fields.operand(0), fields.ints(1), fields.int("keepdims", 1) === 1];
    return (idOf) => ({ op: "ReduceSum", x: idOf(x), axes, keepdims });
  },
  ReduceMax: (fields) => {
    const [x, axes, keepdims] = [fields.operand(0), fields.intList("axes"), fields.int("keepdims", 1) === 1];
    return (idOf) => ({ op: "ReduceMax", x: idOf(x), axes, keepdims });
  },
};

function unary<K extends UnaryLike>(op: K): Row<K> {
  return (fields) => {
    const x = fields.operand(0);
    return (idOf) => ({ op, x: idOf(x) }) as Extract<Node, { readonly op: K }>;
  };
}

function binary<K extends BinaryLike>(op: K): Row<K> {
  return (fields) => {
    const [a, b] = [fields.operand(0), fields.operand(1)];
    return (idOf) => ({ op, a: idOf(a), b: idOf(b) }) as Extract<Node, { readonly op: K }>;
  };
}

/** The value of an operand that is a list of one integer: graphs slice along one axis. */
function only(fields: NodeFields, index: number, fallback?: number): number {
  const [value, ...more] = fields.ints(index, fallback === undefined ? undefined : [fallback]);
  if (value !== undefined && more.length === 0) return value;
  throw new FileError(
    "FILE_FOREIGN",
    `node of "${fields.tensor()}" slices more than one axis. Give a file that Condense wrote`,
  );
}
