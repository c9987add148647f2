/**
 * Kernels: what an engine runs after it has fused a network's operations. The rules are data: pairs of a kernel and the
 * operation that it absorbs, as read from the models that the engine itself optimised (spec latency 2.1).
 */
import type { NodeId, Op } from "../graph/index.ts";
import type { Geometry, Network, Operation, OperationKind } from "./network.ts";

export interface Kernel {
  /** Such as `Gemm+Relu`. */
  readonly name: string;
  readonly kind: OperationKind;
  readonly nodes: readonly NodeId[];
  readonly geometry?: Geometry;
  readonly macs: number;
  /** Of the output, per sample. */
  readonly elements: number;
  readonly elementOps: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly bytesWeights: number;
  readonly elementBytes: number;
}

/** Whether `next`, the only reader of `before`, joins its kernel. */
export interface FusionRule {
  readonly name: string;
  joins(before: Operation, next: Operation, absorbed: readonly Op[]): boolean;
}

const activations = new Set<Op>(["Relu", "Sigmoid", "Tanh"]);
const isProduct = ({ geometry }: Operation): boolean => geometry !== undefined;
const isPlain = ({ geometry }: Operation): boolean =>
  geometry !== undefined && geometry.vectors === 1 && geometry.groups === 1;

/** ONNX Runtime on CPUs: a bias joins a matrix product of one row per sample (Gemm) and a convolution; an activation of
 * Relu, Sigmoid, Tanh joins either. */
export const ortRules: readonly FusionRule[] = [
  {
    name: "bias",
    joins: (before, next, absorbed) =>
      absorbed.length === 0 &&
      next.op === "Add" &&
      next.hasWeights &&
      isProduct(before) &&
      (before.kind !== "dense" || isPlain(before)),
  },
  {
    name: "activation",
    joins: (before, next, absorbed) =>
      activations.has(next.op) &&
      isProduct(before) &&
      (before.kind === "dense"
        ? isPlain(before) && absorbed[0] === "Add" && absorbed.length === 1
        : absorbed.every((op) => op === "Add")),
  },
];

/** Fuses a network's operations. An operation joins the one it reads if that has no other reader and is no result. */
export function fuseKernels(network: Network, rules: readonly FusionRule[] = ortRules): Kernel[] {
  const { operations } = network;
  const readers = new Int32Array(operations.length);
  for (const { inputs } of operations) for (const input of inputs) readers[input]!++;
  const kernelOf = new Int32Array(operations.length);
  const heads: Operation[] = [];
  const members: Operation[][] = [];
  const absorbed: Op[][] = [];
  for (const operation of operations) {
    const [only] = operation.inputs;
    if (
      only !== undefined &&
      operation.inputs.length === 1 &&
      !operation.readsInput &&
      readers[only] === 1 &&
      !operations[only]!.isOutput
    ) {
      const kernel = kernelOf[only]!;
      const isLast = members[kernel]!.at(-1)!.id === only;
      if (isLast && rules.some((rule) => rule.joins(heads[kernel]!, operation, absorbed[kernel]!))) {
        members[kernel]!.push(operation);
        absorbed[kernel]!.push(operation.op);
        kernelOf[operation.id] = kernel;
        continue;
      }
    }
    kernelOf[operation.id] = heads.length;
    heads.push(operation);
    members.push([operation]);
    absorbed.push([]);
  }
  return members.map(kernelFrom);
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
