/**
 * Kernels: what an engine runs after it has fused a network's operations. The rules are data: pairs of a kernel and the
 * operation that it absorbs, as read from the models that the engine itself optimised (spec latency 2.1).
 */
import type { NodeId, Op } from "../graph/index.ts";
import type { Network, Operation, OperationKind, Work } from "./network.ts";

export interface Kernel extends Work {
  /** Such as `Gemm+Relu`. */
  readonly name: string;
  readonly kind: OperationKind;
  readonly nodes: readonly NodeId[];
}

/** Whether `next` joins the kernel that begins with `head` and ends with `last`, whose only reader it is. */
export interface FusionRule {
  readonly name: string;
  joins(
    kernel: { readonly head: Operation; readonly last: Operation; readonly absorbed: readonly Op[] },
    next: Operation,
  ): boolean;
}

const activations = new Set<Op>(["Relu", "Sigmoid", "Tanh"]);
/** A product of one row per sample: what becomes a Gemm. */
const isRow = ({ kind, geometry }: Operation): boolean =>
  kind === "dense" && geometry?.vectors === 1 && geometry.groups === 1;
const isConv = ({ kind }: Operation): boolean => kind === "conv1d" || kind === "conv2d";

/** ONNX Runtime 1.30 on CPUs, as read from models that it optimised; a test reads them again. */
export const ortRules: readonly FusionRule[] = [
  {
    name: "a matrix product and a sum of the same size are a Gemm",
    joins: ({ head, absorbed }, next) =>
      isRow(head) && absorbed.length === 0 && next.op === "Add" && next.elements === head.elements,
  },
  {
    name: "a Gemm takes an activation in",
    joins: ({ head, absorbed }, next) =>
      isRow(head) && absorbed.length === 1 && absorbed[0] === "Add" && activations.has(next.op),
  },
  {
    name: "a convolution takes a bias in",
    joins: ({ head, absorbed }, next) =>
      isConv(head) && absorbed.length === 0 && next.op === "Add" && next.inputs.length === 1 && next.hasWeights,
  },
  {
    name: "a convolution takes an activation in",
    joins: ({ head, absorbed }, next) =>
      isConv(head) && absorbed.every((op) => op === "Add") && activations.has(next.op),
  },
  {
    name: "x * sigmoid(x) is one kernel",
    joins: ({ head, last, absorbed }, next) =>
      head.op === "Sigmoid" &&
      absorbed.length === 0 &&
      next.op === "Mul" &&
      next.inputs.length === 2 &&
      next.inputs.includes(last.inputs[0] ?? -1),
  },
];

/** TensorFlow.js runs one operation after the other. */
export const tfjsRules: readonly FusionRule[] = [];

/** Fuses a network's operations. An operation may join the kernel of one it reads if that has no other reader and is no
 * result of the network. */
export function fuseKernels(network: Network, rules: readonly FusionRule[] = ortRules): Kernel[] {
  const { operations } = network;
  const readers = new Int32Array(operations.length);
  for (const { inputs } of operations) for (const input of inputs) readers[input]!++;
  const kernelOf = new Int32Array(operations.length);
  const kernels: {
    readonly head: Operation;
    last: Operation;
    readonly absorbed: Op[];
    readonly members: Operation[];
  }[] = [];
  for (const operation of operations) {
    const host = operation.inputs.findLast((input) => {
      const kernel = kernels[kernelOf[input]!]!;
      if (
        readers[input] !== 1 ||
        operations[input]!.isOutput ||
        kernel.last.id !== input ||
        operation.viewed.includes(input)
      )
        return false;
      return rules.some((rule) => rule.joins(kernel, operation));
    });
    if (host === undefined) {
      kernelOf[operation.id] = kernels.length;
      kernels.push({ head: operation, last: operation, absorbed: [], members: [operation] });
      continue;
    }
    const kernel = kernels[kernelOf[host]!]!;
    kernel.last = operation;
    kernel.absorbed.push(operation.op);
    kernel.members.push(operation);
    kernelOf[operation.id] = kernelOf[host]!;
  }
  return kernels.map(({ members }) => kernelFrom(members));
}

function kernelFrom(operations: readonly Operation[]): Kernel {
  const head = operations[0]!;
  const last = operations.at(-1)!;
  return {
    name: operations.map(({ op }) => op).join("+"),
    kind: head.kind,
    nodes: operations.flatMap(({ nodes }) => nodes),
    ...(head.geometry === undefined ? {} : { geometry: head.geometry }),
    macs: head.macs,
    elements: last.elements,
    elementOps: operations.reduce((sum, { elementOps }) => sum + elementOps, 0),
    bytesIn: head.bytesIn,
    bytesOut: last.bytesOut,
    bytesWeights: operations.reduce((sum, { bytesWeights }) => sum + bytesWeights, 0),
    elementBytes: last.elementBytes,
  };
}
