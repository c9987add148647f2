/**
 * Reads back the ONNX models that {@link writeOnnx} writes, to the same nodes under the same ids. Models by others are
 * read as far as they keep to the operations, attributes and constant operands that graphs know; any other is refused.
 */
import { CondenseError, FileError } from "../../errors.ts";
import { graphBuilder } from "../builder.ts";
import { elementBytes } from "../cost.ts";
import { type Buffer, type DType, type Dim, type Graph, type Node, type NodeId } from "../node.ts";
import { type IdOf, type NodeFields, nodeFields, readNode } from "./read-node.ts";
import {
  type GraphMessage,
  IR_VERSION,
  type ModelMessage,
  type NodeMessage,
  OPSET_VERSION,
  type TensorMessage,
  type ValueInfoMessage,
  decodeModel,
  dtypeOf,
  typeCodes,
} from "./schema.ts";
import { INTS_PREFIX } from "./write.ts";

export interface OnnxModel {
  readonly graph: Graph;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The graph and metadata of an ONNX model.
 * @param source what the bytes are, for messages; usually the file's path
 * @throws FileError `FILE_FOREIGN` if they are no ONNX model or one with operations that graphs do not have,
 *   `FILE_DAMAGED` if they are cut off or contradict themselves, `FILE_NEWER` if they are of a later ONNX version */
export function readOnnx(bytes: Uint8Array, source = "the model"): OnnxModel {
  try {
    const model = decode(bytes);
    checkVersions(model);
    if (!model.graph) throw new FileError("FILE_DAMAGED", "there is no graph in it. Copy or write it again");
    const graph = readGraph(model.graph);
    const metadata = (model.metadataProps ?? []).map(({ key = "", value = "" }) => [key, value] as const);
    return { graph, metadata: Object.fromEntries(metadata) };
  } catch (cause) {
    if (cause instanceof FileError)
      throw new FileError(cause.code, `${source}: ${cause.message}.`, { cause: cause.cause });
    if (!(cause instanceof CondenseError)) throw cause;
    throw new FileError("FILE_DAMAGED", `${source}: its graph does not fit together: ${cause.message}`, { cause });
  }
}

function decode(bytes: Uint8Array): ModelMessage {
  // Field 1, a number: how every ONNX model starts.
  if (bytes[0] !== 0x08)
    throw new FileError("FILE_FOREIGN", "it is not an ONNX model. Give a file that Condense wrote");
  try {
    return decodeModel(bytes);
  } catch (cause) {
    throw new FileError("FILE_DAMAGED", "it is cut off or damaged. Copy or write it again", { cause });
  }
}

function checkVersions({ irVersion = 0, opsetImport = [] }: ModelMessage): void {
  if (opsetImport.length === 0) throw new FileError("FILE_DAMAGED", "it ends early. Copy or write it again");
  for (const { domain = "", version = 0 } of opsetImport) {
    if (domain !== "" && domain !== "ai.onnx")
      throw new FileError("FILE_FOREIGN", `it needs operations of "${domain}", which Condense does not have`);
    checkNotNewer("opset", Number(version), OPSET_VERSION);
    if (Number(version) < 13)
      throw new FileError("FILE_FOREIGN", `it is of ONNX opset ${Number(version)}; 13 to ${OPSET_VERSION} can be read`);
  }
  checkNotNewer("IR version", Number(irVersion), IR_VERSION);
}

function checkNotNewer(what: string, found: number, known: number): void {
  if (found > known)
    throw new FileError("FILE_NEWER", `it is of ONNX ${what} ${found}; up to ${known} can be read. Update Condense`);
}

/** A node to be: its id where the file tells, the name of its tensor, and how to make it once its operands are there. */
interface Item {
  readonly id?: NodeId;
  readonly tensor: string;
  make(idOf: IdOf): Node;
}

function readGraph(message: GraphMessage): Graph {
  const { node = [], initializer = [], input = [], output = [] } = message;
  const constants = new Map(initializer.map((tensor) => [tensor.name ?? "", tensor]));
  const ints = (name: string): readonly number[] | undefined => {
    const tensor = constants.get(name);
    return tensor?.dataType === typeCodes.int64 ? Array.from(constantNode(tensor).data, Number) : undefined;
  };
  const aliases = new Map<string, string>();
  const items: Item[] = [
    ...input.filter(({ name }) => !constants.has(name ?? "")).map(inputItem),
    ...initializer.filter(({ name = "" }) => !name.startsWith(INTS_PREFIX)).map(constantItem),
  ];
  for (const one of node) {
    const fields = nodeFields(one, ints);
    if (one.opType === "Identity") aliases.set(fields.tensor(), fields.operand(0));
    else if (one.opType === "Split") items.push(...splitItems(fields));
    else items.push(nodeItem(one, fields));
    fields.checkAllUsed();
  }
  return assemble(inOrder(items, input.length), aliases, output);
}

function assemble(
  items: readonly Item[],
  aliases: ReadonlyMap<string, string>,
  output: readonly ValueInfoMessage[],
): Graph {
  const b = graphBuilder();
  const ids = new Map<string, NodeId>();
  const idOf = (tensor: string): NodeId => {
    const id = ids.get(aliases.get(tensor) ?? tensor);
    if (id === undefined) throw new FileError("FILE_DAMAGED", `its tensor "${tensor}" is used but not computed before`);
    return id;
  };
  for (const item of items) {
    if (ids.has(item.tensor)) throw new FileError("FILE_DAMAGED", `its tensor "${item.tensor}" is computed twice`);
    ids.set(item.tensor, b.add(item.make(idOf)));
  }
  return { ...b.build({}), outputs: output.map(({ name = "" }) => ({ name, node: idOf(name) })) };
}

/** By the ids in the names of nodes and constants, inputs taking the ids that are free; without such ids as in the file. */
function inOrder(items: readonly Item[], inputs: number): readonly Item[] {
  const placed = new Array<Item | undefined>(items.length).fill(undefined);
  for (const item of items.slice(inputs)) {
    if (item.id === undefined || item.id >= items.length || placed[item.id] !== undefined) return items;
    placed[item.id] = item;
  }
  let next = 0;
  return placed.map((item) => item ?? items[next++]!);
}

/** 12 from `Slice_12`. */
function idIn(name: string, op: string): { readonly id?: NodeId } {
  const digits = name.startsWith(`${op}_`) ? name.slice(op.length + 1) : "";
  return /^(0|[1-9]\d{0,8})$/.test(digits) ? { id: Number(digits) } : {};
}

function inputItem({ name = "", type }: ValueInfoMessage): Item {
  const { elemType = 0, shape } = type?.tensorType ?? {};
  const dims = (shape?.dim ?? []).map(({ dimValue = 0, dimParam = "" }): Dim => {
    if (dimParam !== "" && dimParam !== "N")
      throw new FileError("FILE_FOREIGN", `its input "${name}" has a dimension "${dimParam}"; only "N" is known`);
    return dimParam === "N" ? "N" : Number(dimValue);
  });
  const node: Node = { op: "Input", name, type: { dtype: dtypeOf(elemType, name), shape: dims } };
  return { tensor: name, make: () => node };
}

function constantItem(tensor: TensorMessage): Item {
  const { name = "" } = tensor;
  return { ...idIn(name, "Constant"), tensor: name, make: () => constantNode(tensor) };
}

function constantNode({
  name = "",
  dataType = 0,
  dims = [],
  rawData,
}: TensorMessage): Extract<Node, { op: "Constant" }> {
  const dtype = dtypeOf(dataType, name);
  const shape = dims.map(Number);
  const size = shape.reduce((a, c) => a * c, 1);
  const bytes = Uint8Array.from(rawData ?? []).buffer;
  const data = viewOf(dtype, bytes);
  if (data?.length !== size) throw new FileError("FILE_DAMAGED", `its tensor "${name}" does not hold ${size} values`);
  return { op: "Constant", dtype, shape, data };
}

function viewOf(dtype: DType, bytes: ArrayBuffer): Buffer | undefined {
  if (bytes.byteLength % elementBytes[dtype] !== 0) return undefined;
  switch (dtype) {
    case "float32":
      return new Float32Array(bytes);
    case "float64":
      return new Float64Array(bytes);
    case "int64":
      return new BigInt64Array(bytes);
    case "bool":
      return new Uint8Array(bytes);
    default:
      return dtype satisfies never;
  }
}

function splitItems(fields: NodeFields): Item[] {
  const lengths = fields.ints(1);
  const axis = fields.int("axis", 0);
  const x = fields.operand(0);
  let end = 0;
  return fields.tensors().map((tensor, i) => {
    const start = end;
    end += lengths[i] ?? 0;
    const cut = { op: "Slice", axis, start, end, step: 1 } as const;
    return { ...idIn(tensor, "Slice"), tensor, make: (idOf) => ({ ...cut, x: idOf(x) }) };
  });
}

function nodeItem(message: NodeMessage, fields: NodeFields): Item {
  const { opType = "", name = "" } = message;
  return { ...idIn(name, opType), tensor: fields.tensor(), make: readNode(message, fields) };
}
