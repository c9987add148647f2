/**
 * What a graph costs whichever machine runs it: arithmetic and memory traffic, one row per operation. Latency models
 * weigh these numbers by device and operation; here an elementwise function counts one operation per element, a cosine
 * like a sum.
 */
import type { DType, Graph, Node, NodeId, OpTable, TensorType } from "./node.ts";
import { operands, sizeOf } from "./node.ts";

export interface Cost {
  /** Arithmetic operations; a multiply-accumulate is two. */
  readonly flops: number;
  /** Multiply-accumulates of matrix products and convolutions. */
  readonly macs: number;
  /** Bytes of the operands as far as they are read, every operand once. */
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

/** Bytes per element. */
export const elementBytes = { float32: 4, float64: 8, int64: 8, bool: 1 } as const satisfies Record<DType, number>;

/** Bytes of a tensor. @param rows size to use for `"N"` */
export function bytesOfType({ dtype, shape }: TensorType, rows = 1): number {
  return sizeOf(shape, rows) * elementBytes[dtype];
}

/** Cost of each node and of all together, every node counted whether a result depends on it or not: simplify first.
 * Inputs and constants cost nothing themselves, reading them is counted with the reader; a Reshape is free.
 * @param rows the value of `"N"`, default 1 */
export function costOf(graph: Graph, rows = 1): { readonly total: Cost; readonly nodes: readonly Cost[] } {
  const typeOf = (id: NodeId): TensorType => graph.types[id]!;
  const nodes = graph.nodes.map((node, id) => {
    const row = makeCostTable(typeOf, id, rows)[node.op] as (node: Node) => Cost;
    return row(node);
  });
  const sum = (part: (cost: Cost) => number): number => nodes.reduce((total, cost) => total + part(cost), 0);
  const total = {
    flops: sum((cost) => cost.flops),
    macs: sum((cost) => cost.macs),
    bytesRead: sum((cost) => cost.bytesRead),
    bytesWritten: sum((cost) => cost.bytesWritten),
  };
  return { total, nodes };
}

/** Multiply-accumulates of the matrix products and convolutions of a graph. @param rows the value of `"N"`, default 1 */
export function macsOf(graph: Graph, rows = 1): number {
  return costOf(graph, rows).total.macs;
}

const FREE: Cost = { flops: 0, macs: 0, bytesRead: 0, bytesWritten: 0 };

function makeCostTable(typeOf: (id: NodeId) => TensorType, id: NodeId, rows: number): OpTable<Cost> {
  const free = (): Cost => FREE;
  const size = (of: NodeId): number => sizeOf(typeOf(of).shape, rows);
  const bytesWritten = bytesOfType(typeOf(id), rows);
  const traffic = (node: Node): Pick<Cost, "bytesRead" | "bytesWritten"> => ({
    bytesRead: operands(node).reduce((sum, operand) => sum + bytesOfType(typeOf(operand), rows), 0),
    bytesWritten,
  });
  const elementwise = (node: Node): Cost => ({ flops: size(id), macs: 0, ...traffic(node) });
  const reduction = (node: Extract<Node, { readonly x: NodeId }>): Cost => ({
    flops: size(node.x),
    macs: 0,
    ...traffic(node),
  });
  const move = (node: Node): Cost => ({ flops: 0, macs: 0, ...traffic(node) });
  const product = (node: Node, macs: number): Cost => ({ flops: 2 * macs, macs, ...traffic(node) });
  return {
    Input: free,
    Constant: free,
    Neg: elementwise,
    Abs: elementwise,
    Exp: elementwise,
    Log: elementwise,
    Sqrt: elementwise,
    Reciprocal: elementwise,
    Tanh: elementwise,
    Sigmoid: elementwise,
    Relu: elementwise,
    Softplus: elementwise,
    Sin: elementwise,
    Cos: elementwise,
    Erf: elementwise,
    Floor: elementwise,
    Add: elementwise,
    Sub: elementwise,
    Mul: elementwise,
    Div: elementwise,
    Pow: elementwise,
    Min: elementwise,
    Max: elementwise,
    Less: elementwise,
    Greater: elementwise,
    Equal: elementwise,
    And: elementwise,
    Where: elementwise,
    Cast: elementwise,
    MatMul: (node) => product(node, size(id) * (typeOf(node.a).shape.at(-1) as number)),
    Conv: (node) => product(node, size(id) * sizeOf(typeOf(node.w).shape.slice(1))),
    Transpose: move,
    Reshape: free,
    Expand: move,
    Concat: move,
    Slice: () => ({ flops: 0, macs: 0, bytesRead: bytesWritten, bytesWritten }),
    Pad: move,
    ReduceSum: reduction,
    ReduceMax: reduction,
  };
}
