/**
 * Writes a graph as an ONNX model (IR version 8, opset 17) that any runtime opens. Same graph, same bytes. Node names
 * are `Op_id`, so a runtime's profile can be read against the graph; inputs and outputs keep their own names.
 */
import { InternalError, ShapeError } from "../../errors.ts";
import type { Buffer, Graph, Node, NodeId, OpTable, Shape, TensorType } from "../node.ts";
import {
  type AttributeMessage,
  IR_VERSION,
  type NodeMessage,
  OPSET_VERSION,
  type TensorMessage,
  type ValueInfoMessage,
  attributeCodes,
  encodeModel,
  typeCodes,
} from "./schema.ts";
import { type Tiling, findTilings } from "./split.ts";

export interface OnnxWriteOptions {
  /** Key-value pairs kept beside the graph, in this order. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Who wrote it. Default `condense`, no version. */
  readonly producer?: { readonly name: string; readonly version?: string };
  /** Text for people who open the file. */
  readonly doc?: string;
  /** Most pieces of a Split: where there would be more they are written as Slices. Default: no limit. */
  readonly mostPieces?: number;
}

/** Prefix of the lists of integers that ONNX operations take as tensors: `Ints_4_-1`. */
export const INTS_PREFIX = "Ints";

/** The bytes of an ONNX model.
 * @throws ShapeError if two inputs or outputs share a name, or one is named like a node (`Add_7`) */
export function writeOnnx(graph: Graph, options: OnnxWriteOptions = {}): Uint8Array {
  const { metadata = {}, producer = { name: "condense" }, doc, mostPieces } = options;
  const head = encodeModel({
    irVersion: IR_VERSION,
    producerName: producer.name,
    ...(producer.version !== undefined && { producerVersion: producer.version }),
    ...(doc !== undefined && { docString: doc }),
    metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
  });
  const body = encodeModel({ graph: graphMessage(graph, mostPieces) });
  // Messages that follow one another are one message. The operator set comes last, so a file cut off anywhere lacks it.
  const tail = encodeModel({ opsetImport: [{ domain: "", version: OPSET_VERSION }] });
  const bytes = new Uint8Array(head.length + body.length + tail.length);
  bytes.set(head);
  bytes.set(body, head.length);
  bytes.set(tail, head.length + body.length);
  return bytes;
}

function graphMessage(graph: Graph, mostPieces?: number) {
  const tilings = findTilings(graph, mostPieces);
  const naming = nameNodes(graph, tilings);
  const lists = new Map<string, TensorMessage>();
  const listName = (values: readonly number[]): string => {
    const name = naming.own([INTS_PREFIX, ...values].join("_"));
    if (!lists.has(name))
      lists.set(name, tensorMessage(name, "int64", [values.length], BigInt64Array.from(values, BigInt)));
    return name;
  };
  const table = makeOnnxTable(naming.nameOf, listName);
  const nodes: NodeMessage[] = [];
  const constants: TensorMessage[] = [];
  const inputs: ValueInfoMessage[] = [];
  graph.nodes.forEach((node, id) => {
    const tiling = tilings.get(id);
    if (node.op === "Input") inputs.push(valueInfo(node.name, node.type));
    else if (node.op === "Constant")
      constants.push(tensorMessage(naming.nameOf(id), node.dtype, node.shape, node.data));
    else if (tiling !== undefined) {
      if (id === Math.min(...tiling.pieces)) nodes.push(splitMessage(id, tiling, naming.nameOf, listName));
    } else {
      const row = table[node.op] as (node: Node) => Emitted;
      nodes.push(nodeMessage(node.op, `${node.op}_${id}`, row(node), [naming.nameOf(id)]));
    }
  });
  for (const { name, node } of naming.aliases)
    nodes.push(nodeMessage("Identity", `Identity_${name}`, { input: [naming.nameOf(node)] }, [name]));
  return {
    name: "condense",
    node: nodes,
    initializer: [...constants, ...lists.values()],
    input: inputs,
    output: graph.outputs.map(({ name, node }) => valueInfo(name, graph.types[node]!)),
  };
}

/** A node that is a result carries the result's name. A second name needs an Identity, and so does a result that is an
 * input, or whose own name tells the reader its id: a constant or a piece of a Split. */
function nameNodes(graph: Graph, tilings: ReadonlyMap<NodeId, Tiling>) {
  const taken = new Set<string>();
  const claim = (name: string): void => {
    if (taken.has(name))
      throw new ShapeError("SHAPE_NAME_TWICE", `two inputs or outputs of the graph are named "${name}"`);
    taken.add(name);
  };
  for (const node of graph.nodes) if (node.op === "Input") claim(node.name);
  for (const { name } of graph.outputs) claim(name);
  const own = (name: string): string => {
    if (!taken.has(name)) return name;
    throw new ShapeError(
      "SHAPE_NAME_RESERVED",
      `"${name}" is the name of a node: call the input or output something else`,
    );
  };
  const names = graph.nodes.map((node, id) => (node.op === "Input" ? node.name : own(`${node.op}_${id}`)));
  const aliases = graph.outputs.filter(({ name, node }) => {
    const { op } = graph.nodes[node]!;
    const named = op === "Input" || op === "Constant" || tilings.has(node);
    if (named || names[node] !== `${op}_${node}`) return true;
    names[node] = name;
    return false;
  });
  const nameOf = (id: NodeId): string => names[id] ?? fail(`node ${id} does not exist`);
  return { nameOf, own, aliases };
}

function fail(why: string): never {
  throw new InternalError(why);
}

/** Inputs and attributes of an ONNX node. */
interface Emitted {
  readonly input: readonly string[];
  readonly attributes?: Readonly<Record<string, number | readonly number[]>>;
}

function makeOnnxTable(nameOf: (id: NodeId) => string, ints: (values: readonly number[]) => string): OpTable<Emitted> {
  const unary = (node: { readonly x: NodeId }): Emitted => ({ input: [nameOf(node.x)] });
  const binary = (node: { readonly a: NodeId; readonly b: NodeId }): Emitted => ({
    input: [nameOf(node.a), nameOf(node.b)],
  });
  const none = (node: Node): never => fail(`${node.op} is no ONNX node`);
  const sizes = (shape: Shape): readonly number[] => shape.map((dim) => (dim === "N" ? -1 : dim));
  return {
    Input: none,
    Constant: none,
    Neg: unary,
    Abs: unary,
    Exp: unary,
    Log: unary,
    Sqrt: unary,
    Reciprocal: unary,
    Tanh: unary,
    Sigmoid: unary,
    Relu: unary,
    Softplus: unary,
    Sin: unary,
    Cos: unary,
    Erf: unary,
    Floor: unary,
    Add: binary,
    Sub: binary,
    Mul: binary,
    Div: binary,
    Pow: binary,
    Min: binary,
    Max: binary,
    Less: binary,
    Greater: binary,
    Equal: binary,
    And: binary,
    Where: (node) => ({ input: [nameOf(node.condition), nameOf(node.a), nameOf(node.b)] }),
    Cast: (node) => ({ ...unary(node), attributes: { to: typeCodes[node.to] } }),
    MatMul: binary,
    Conv: (node) => ({
      input: [nameOf(node.x), nameOf(node.w)],
      attributes: { dilations: node.dilations, group: node.group, pads: node.pads },
    }),
    Transpose: (node) => ({ ...unary(node), attributes: { perm: node.perm } }),
    Reshape: (node) => ({ input: [nameOf(node.x), ints(sizes(node.shape))] }),
    Expand: (node) => ({ input: [nameOf(node.x), ints(node.shape)] }),
    Concat: (node) => ({ input: node.parts.map(nameOf), attributes: { axis: node.axis } }),
    Slice: (node) => ({
      input: [nameOf(node.x), ints([node.start]), ints([node.end]), ints([node.axis]), ints([node.step])],
    }),
    Pad: (node) => ({ input: [nameOf(node.x), ints(node.pads)] }),
    ReduceSum: (node) => ({
      input: [nameOf(node.x), ints(node.axes)],
      attributes: { keepdims: Number(node.keepdims) },
    }),
    ReduceMax: (node) => ({ ...unary(node), attributes: { axes: node.axes, keepdims: Number(node.keepdims) } }),
  };
}

function splitMessage(
  id: NodeId,
  { x, axis, pieces, lengths }: Tiling,
  nameOf: (id: NodeId) => string,
  ints: (values: readonly number[]) => string,
): NodeMessage {
  return nodeMessage(
    "Split",
    `Split_${id}`,
    { input: [nameOf(x), ints(lengths)], attributes: { axis } },
    pieces.map(nameOf),
  );
}

function nodeMessage(
  opType: string,
  name: string,
  { input, attributes = {} }: Emitted,
  output: readonly string[],
): NodeMessage {
  const attribute = Object.entries(attributes).map(([key, value]): AttributeMessage =>
    typeof value === "number"
      ? { name: key, i: value, type: attributeCodes.int }
      : { name: key, ints: value, type: attributeCodes.ints },
  );
  return { input, output, name, opType, attribute };
}

function tensorMessage(
  name: string,
  dtype: keyof typeof typeCodes,
  dims: readonly number[],
  data: Buffer,
): TensorMessage {
  const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { name, dataType: typeCodes[dtype], dims, rawData };
}

function valueInfo(name: string, { dtype, shape }: TensorType): ValueInfoMessage {
  const dim = shape.map((size) => (size === "N" ? { dimParam: "N" } : { dimValue: size }));
  return { name, type: { tensorType: { elemType: typeCodes[dtype], shape: { dim } } } };
}
