/**
 * A slow and plain executor of graphs in float64, which shares no code with the engines or with ONNX: the judge of both.
 * Every element type is held as numbers: `bool` as 0 and 1, and float32 is not rounded.
 */
import type { Buffer, Graph, Node, NodeId, OpTable, Shape } from "../../src/graph/index.ts";

interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

type Feeds = Readonly<Record<string, ArrayLike<number | bigint>>>;

/** Results of a graph by name. @param rows the value of `"N"` */
export function interpret(graph: Graph, feeds: Feeds, rows = 1): Readonly<Record<string, Float64Array>> {
  const values: Tensor[] = [];
  graph.nodes.forEach((node, id) => {
    const table = makeTable((operand) => values[operand]!, feeds, rows);
    const value = (table[node.op] as (node: Node) => Tensor)(node);
    const declared = fixed(graph.types[id]!.shape, rows);
    if (declared.join() !== value.shape.join())
      throw new Error(`node ${id} (${node.op}): computed [${value.shape.join()}], declared [${declared.join()}]`);
    values.push(value);
  });
  return Object.fromEntries(graph.outputs.map(({ name, node }) => [name, values[node]!.data]));
}

/** A buffer of any element type as numbers. */
export function toNumbers(data: Buffer | ArrayLike<number | bigint>): Float64Array {
  return Float64Array.from(data as ArrayLike<number>, Number);
}

function makeTable(get: (id: NodeId) => Tensor, feeds: Feeds, rows: number): OpTable<Tensor> {
  const unary =
    (f: (x: number) => number) =>
    (node: { readonly x: NodeId }): Tensor => {
      const { shape, data } = get(node.x);
      return { shape, data: data.map(f) };
    };
  const binary =
    (f: (a: number, b: number) => number) =>
    (node: { readonly a: NodeId; readonly b: NodeId }): Tensor => {
      const [a, b] = [get(node.a), get(node.b)];
      return fill(broadcast(a.shape, b.shape), (at) => f(peek(a, at), peek(b, at)));
    };
  const reduce =
    (start: number, f: (a: number, b: number) => number) =>
    (node: { readonly x: NodeId; readonly axes: readonly number[]; readonly keepdims: boolean }): Tensor => {
      const x = get(node.x);
      const kept = x.shape.map((size, i) => (node.axes.includes(i) ? 1 : size));
      const data = new Float64Array(product(kept)).fill(start);
      eachIndex(x.shape, (at, flat) => {
        const to = offset(
          kept,
          at.map((i, axis) => (node.axes.includes(axis) ? 0 : i)),
        );
        data[to] = f(data[to]!, x.data[flat]!);
      });
      return { shape: node.keepdims ? kept : x.shape.filter((_, i) => !node.axes.includes(i)), data };
    };
  return {
    Input: (node) => {
      const data = feeds[node.name];
      if (data === undefined) throw new Error(`no feed "${node.name}"`);
      const shape = fixed(node.type.shape, rows);
      if (data.length !== product(shape)) throw new Error(`feed "${node.name}" has ${data.length} values`);
      return { shape, data: toNumbers(data) };
    },
    Constant: (node) => ({ shape: node.shape, data: toNumbers(node.data) }),
    Neg: unary((x) => -x),
    Abs: unary(Math.abs),
    Exp: unary(Math.exp),
    Log: unary(Math.log),
    Sqrt: unary(Math.sqrt),
    Reciprocal: unary((x) => 1 / x),
    Tanh: unary(Math.tanh),
    Sigmoid: unary((x) => 1 / (1 + Math.exp(-x))),
    Relu: unary((x) => Math.max(x, 0)),
    Softplus: unary((x) => (x > 0 ? x + Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x)))),
    Sin: unary(Math.sin),
    Cos: unary(Math.cos),
    Erf: unary(erf),
    Floor: unary(Math.floor),
    Add: binary((a, b) => a + b),
    Sub: binary((a, b) => a - b),
    Mul: binary((a, b) => a * b),
    Div: binary((a, b) => a / b),
    Pow: binary((a, b) => a ** b),
    Min: binary(Math.min),
    Max: binary(Math.max),
    Less: binary((a, b) => Number(a < b)),
    Greater: binary((a, b) => Number(a > b)),
    Equal: binary((a, b) => Number(a === b)),
    And: binary((a, b) => a * b),
    Where: (node) => {
      const [condition, a, b] = [get(node.condition), get(node.a), get(node.b)];
      return fill(broadcast(condition.shape, broadcast(a.shape, b.shape)), (at) =>
        peek(condition, at) === 1 ? peek(a, at) : peek(b, at),
      );
    },
    Cast: (node) => {
      const casts = {
        float32: (x: number) => x,
        float64: (x: number) => x,
        int64: Math.trunc,
        bool: (x: number) => Number(x !== 0),
      };
      return unary(casts[node.to])(node);
    },
    MatMul: (node) => {
      const [a, b] = [get(node.a), get(node.b)];
      const inner = a.shape.at(-1)!;
      const lead = broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2));
      return fill([...lead, a.shape.at(-2)!, b.shape.at(-1)!], (at) => {
        const [stack, i, j] = [at.slice(0, -2), at.at(-2)!, at.at(-1)!];
        let sum = 0;
        for (let k = 0; k < inner; k++) sum += peek(a, [...stack, i, k]) * peek(b, [...stack, k, j]);
        return sum;
      });
    },
    Conv: (node) => {
      const [x, w] = [get(node.x), get(node.w)];
      const [out, perGroup, ...kernel] = w.shape as [number, number, ...number[]];
      const spatial = kernel.map(
        (size, i) => x.shape[i + 2]! + node.pads[i]! + node.pads[i + kernel.length]! - node.dilations[i]! * (size - 1),
      );
      return fill([x.shape[0]!, out, ...spatial], ([row, o, ...at]) => {
        const group = Math.floor(o! / (out / node.group));
        let sum = 0;
        eachIndex([perGroup, ...kernel], ([channel, ...k]) => {
          const from = at.map((position, i) => position - node.pads[i]! + k[i]! * node.dilations[i]!);
          if (from.some((position, i) => position < 0 || position >= x.shape[i + 2]!)) return;
          const value = x.data[offset(x.shape, [row!, group * perGroup + channel!, ...from])]!;
          sum += value * w.data[offset(w.shape, [o!, channel!, ...k])]!;
        });
        return sum;
      });
    },
    Transpose: (node) => {
      const x = get(node.x);
      return fill(
        node.perm.map((axis) => x.shape[axis]!),
        (at) =>
          x.data[
            offset(
              x.shape,
              x.shape.map((_, axis) => at[node.perm.indexOf(axis)]!),
            )
          ]!,
      );
    },
    Reshape: (node) => ({ shape: fixed(node.shape, rows), data: get(node.x).data }),
    Expand: (node) => {
      const x = get(node.x);
      return fill(node.shape, (at) => peek(x, at));
    },
    Concat: (node) => {
      const parts = node.parts.map(get);
      const sizes = parts.map((part) => part.shape[node.axis]!);
      const shape = parts[0]!.shape.with(
        node.axis,
        sizes.reduce((a, c) => a + c, 0),
      );
      return fill(shape, (at) => {
        let index = at[node.axis]!;
        let part = 0;
        while (index >= sizes[part]!) index -= sizes[part++]!;
        return peek(parts[part]!, at.with(node.axis, index));
      });
    },
    Slice: (node) => {
      const x = get(node.x);
      const size = x.shape[node.axis]!;
      const wrap = (i: number): number => (i < 0 ? i + size : i);
      const picked: number[] = [];
      const end = wrap(node.end);
      for (let i = wrap(node.start); node.step > 0 ? i < end : i > end; i += node.step)
        if (i >= 0 && i < size) picked.push(i);
      return fill(x.shape.with(node.axis, picked.length), (at) => peek(x, at.with(node.axis, picked[at[node.axis]!]!)));
    },
    Pad: (node) => {
      const x = get(node.x);
      const rank = x.shape.length;
      return fill(
        x.shape.map((size, i) => size + node.pads[i]! + node.pads[i + rank]!),
        (at) => {
          const from = at.map((index, i) => index - node.pads[i]!);
          const inside = from.every((index, i) => index >= 0 && index < x.shape[i]!);
          return inside ? x.data[offset(x.shape, from)]! : 0;
        },
      );
    },
    ReduceSum: reduce(0, (a, b) => a + b),
    ReduceMax: reduce(-Infinity, Math.max),
  };
}

function fixed(shape: Shape, rows: number): readonly number[] {
  return shape.map((dim) => (dim === "N" ? rows : dim));
}

function product(shape: readonly number[]): number {
  return shape.reduce((a, c) => a * c, 1);
}

function offset(shape: readonly number[], at: readonly number[]): number {
  return shape.reduce((sum, size, i) => sum * size + at[i]!, 0);
}

function eachIndex(shape: readonly number[], visit: (at: readonly number[], flat: number) => void): void {
  const at = shape.map(() => 0);
  const size = product(shape);
  for (let flat = 0; flat < size; flat++) {
    visit(at, flat);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at[axis]!++;
      if (at[axis]! < shape[axis]!) break;
      at[axis] = 0;
    }
  }
}

function fill(shape: readonly number[], value: (at: readonly number[]) => number): Tensor {
  const data = new Float64Array(product(shape));
  eachIndex(shape, (at, flat) => (data[flat] = value(at)));
  return { shape, data };
}

/** The element at an index of a shape that the tensor broadcasts to. */
function peek({ shape, data }: Tensor, at: readonly number[]): number {
  const lead = at.length - shape.length;
  return data[
    offset(
      shape,
      shape.map((size, i) => (size === 1 ? 0 : at[i + lead]!)),
    )
  ]!;
}

function broadcast(a: readonly number[], b: readonly number[]): readonly number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const [p, q] = [a[i - rank + a.length] ?? 1, b[i - rank + b.length] ?? 1];
    if (p !== q && p !== 1 && q !== 1) throw new Error(`[${a.join()}] and [${b.join()}] do not broadcast`);
    return Math.max(p, q);
  });
}

/** Series 7.6.2 of the Digital Library of Mathematical Functions; beyond 6 the result is one to the last bit. */
function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}
