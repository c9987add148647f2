/**
 * The second engine: the graph interpreted with TensorFlow.js, one operation per node. It runs on the TensorFlow library
 * where the optional package `@tensorflow/tfjs-node` is installed and works, else on tfjs's WebAssembly backend (one
 * thread), else on its plain JavaScript one; `describe()` says which.
 *
 * TensorFlow.js has no float64 and no int64: float64 graphs run in float32 (expect 1e-6 relative), int64 in int32.
 */
import { EngineError } from "../errors.ts";
import { type Buffer, type Graph, type Node, type NodeId, operands, simplify } from "../graph/index.ts";
import type { Engine } from "./engine.ts";
import { type Backend, makeExecutable } from "./executable.ts";
import { fixedShape, signatureOf } from "./signature.ts";
import { type Tensor, type Tfjs, loadTfjs } from "./tfjs-library.ts";
import { makeTfjsTable, type Prepare, tfjsTypeOf } from "./tfjs-operations.ts";

/** TensorFlow.js. `threads` does not apply: tfjs-node takes all cores, the other backends one. */
export const tfjs: Engine = {
  name: "tfjs",
  async describe() {
    return (await loadTfjs()).description;
  },
  async compile(graph, { provider = "cpu" } = {}) {
    if (provider !== "cpu")
      throw new EngineError(
        "ENGINE_PROVIDER",
        `the tfjs engine has no provider "${provider}", only cpu. Use --engine onnxruntime for ${provider}.`,
      );
    const { tf } = await loadTfjs();
    return makeExecutable(signatureOf(graph), interpret(tf, simplify(graph, { keepInputs: true })));
  },
};

interface Step {
  readonly node: Node;
  readonly id: NodeId;
  /** Nodes whose last reader this step is. */
  readonly release: readonly NodeId[];
}

/** Nodes that some output depends on, in order, and when each tensor can go. */
function plan(graph: Graph): readonly Step[] {
  const lastReader = new Map<NodeId, NodeId>();
  const kept = new Set(graph.outputs.map(({ node }) => node));
  const needed = new Set(kept);
  for (let id = graph.nodes.length - 1; id >= 0; id--) {
    if (!needed.has(id)) continue;
    for (const operand of operands(graph.nodes[id]!)) {
      needed.add(operand);
      if (!lastReader.has(operand)) lastReader.set(operand, id);
    }
  }
  const release = new Map<NodeId, NodeId[]>();
  for (const [id, reader] of lastReader) if (!kept.has(id)) release.set(reader, [...(release.get(reader) ?? []), id]);
  return graph.nodes.flatMap((node, id) => (needed.has(id) ? [{ node, id, release: release.get(id) ?? [] }] : []));
}

function interpret(tf: Tfjs, graph: Graph): Backend {
  const inputs = graph.nodes.flatMap((node, id) => (node.op === "Input" ? [{ id, type: node.type }] : []));
  const { constants, steps } = fold(tf, graph);
  const prepared = new Map<Node, readonly Tensor[]>();
  const prepare: Prepare = (node, operand, make) => {
    if (!constants.has(operand)) return make();
    let made = prepared.get(node);
    if (made === undefined) prepared.set(node, (made = make().map((tensor) => tf.keep(tensor))));
    return made;
  };

  const execute = (feeds: readonly Buffer[], rows: number): Tensor[] => {
    const values: (Tensor | undefined)[] = [];
    inputs.forEach(({ id, type }, i) => {
      values[id] = toTensor(tf, feeds[i]!, fixedShape(type.shape, rows));
    });
    for (const [id, tensor] of constants) values[id] = tensor;
    const table = makeTfjsTable(tf, (id) => values[id]!, rows, prepare);
    for (const { node, id, release } of steps) {
      const compute = table[node.op] as (node: Node) => Tensor;
      values[id] ??= tf.tidy(() => {
        const result = compute(node);
        const isOperand = operands(node).some((operand) => values[operand] === result);
        return isOperand ? tf.clone(result) : result; // else the operand's disposal would take it along
      });
      for (const done of release) values[done]!.dispose();
    }
    return graph.outputs.map(({ node }) => values[node]!);
  };

  return {
    bind: (feeds, results, rows) => () => {
      tf.tidy(() => {
        execute(feeds, rows).forEach((tensor, i) => readInto(results[i]!, tensor));
      });
    },
    async dispose() {
      for (const tensor of [...constants.values(), ...[...prepared.values()].flat()]) tensor.dispose();
      constants.clear();
      prepared.clear();
    },
  };
}

/** Computes what depends on constants alone, such as weights cut out of one long vector: kept, with the steps that are left. */
function fold(tf: Tfjs, graph: Graph): { readonly constants: Map<NodeId, Tensor>; readonly steps: readonly Step[] } {
  const constants = new Map<NodeId, Tensor>();
  const table = makeTfjsTable(
    tf,
    (id) => constants.get(id)!,
    1,
    (_node, _operand, make) => make(),
  );
  const isFixed = (node: Node, id: NodeId): boolean =>
    node.op !== "Input" &&
    operands(node).every((operand) => constants.has(operand)) &&
    fixedShape(graph.types[id]!.shape, 1).every((size, axis) => size === graph.types[id]!.shape[axis]);
  const all = plan(graph);
  const compute = (node: Node): Tensor =>
    node.op === "Constant"
      ? toTensor(tf, node.data, node.shape)
      : tf.tidy(() => tf.clone((table[node.op] as (node: Node) => Tensor)(node)));
  for (const { node, id } of all) if (isFixed(node, id)) constants.set(id, tf.keep(compute(node)));
  const steps = all
    .filter(({ id }) => !constants.has(id))
    .map((step) => ({ ...step, release: step.release.filter((id) => !constants.has(id)) }));
  const read = new Set([...steps.flatMap(({ node }) => operands(node)), ...graph.outputs.map(({ node }) => node)]);
  for (const [id, tensor] of constants)
    if (!read.has(id)) {
      tensor.dispose();
      constants.delete(id);
    }
  return { constants, steps };
}

function toTensor(tf: Tfjs, data: Buffer, shape: readonly number[]): Tensor {
  return tf.tensor(tfjsValues(data), [...shape], tfjsTypeOf(data));
}

/** A copy in an element type of tfjs. (Its plain JavaScript backend would keep the caller's buffer, not a copy.) */
function tfjsValues(data: Buffer): Float32Array | Int32Array | Uint8Array {
  if (data instanceof Float64Array) return Float32Array.from(data);
  if (!(data instanceof BigInt64Array)) return data.slice();
  const large = data.find((value) => BigInt.asIntN(32, value) !== value);
  if (large !== undefined)
    throw new EngineError(
      "ENGINE_INT64",
      `the tfjs engine has 32-bit integers only: ${large} does not fit. Use --engine onnxruntime.`,
    );
  return Int32Array.from(data, Number);
}

function readInto(buffer: Buffer, tensor: Tensor): void {
  const values = tensor.dataSync();
  if (buffer instanceof BigInt64Array) for (let i = 0; i < buffer.length; i++) buffer[i] = BigInt(values[i]!);
  else buffer.set(values);
}
