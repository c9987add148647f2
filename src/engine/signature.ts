/**
 * What a graph asks for and gives: its named inputs and results, and the check of the buffers that a caller brings.
 * Both engines check here, so both say the same thing.
 */
import { OptionError, ShapeError } from "../errors.ts";
import { type Buffer, type DType, type Graph, type Shape, showShape, sizeOf } from "../graph/index.ts";
import type { Tensors } from "./engine.ts";

/** A named tensor at the border of a graph. */
export interface Port {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
  readonly kind: "input" | "output";
}

export interface Signature {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
}

const arrayOf = {
  float32: Float32Array,
  float64: Float64Array,
  int64: BigInt64Array,
  bool: Uint8Array,
} as const satisfies Record<DType, unknown>;

/** Inputs in the order of their nodes, outputs in the graph's order. @throws ShapeError if a name stands twice */
export function signatureOf(graph: Graph): Signature {
  const inputs = graph.nodes.flatMap((node): Port[] =>
    node.op === "Input" ? [{ name: node.name, ...node.type, kind: "input" }] : [],
  );
  const outputs = graph.outputs.map(({ name, node }): Port => {
    const type = graph.types[node];
    if (type === undefined)
      throw new ShapeError("SHAPE_OUTPUT", `output "${name}" names node ${node}, which is not there`);
    return { name, ...type, kind: "output" };
  });
  for (const ports of [inputs, outputs]) {
    const twice = ports.find((port, i) => ports.findIndex(({ name }) => name === port.name) !== i);
    if (twice !== undefined)
      throw new ShapeError("SHAPE_NAME_TWICE", `two ${twice.kind}s of the graph are named "${twice.name}"`);
  }
  return { inputs, outputs };
}

/** Shape with `N` put in. */
export function fixedShape(shape: Shape, rows: number): readonly number[] {
  return shape.map((dim) => (dim === "N" ? rows : dim));
}

/** The value of `N`: as given, else read off the first feed that has it. 1 where the graph has no `N`.
 * @throws ShapeError if the feed is no whole number of rows */
export function rowsOf(signature: Signature, feeds: Tensors, rows: number | undefined): number {
  if (rows !== undefined) {
    if (!Number.isInteger(rows) || rows < 1)
      throw new OptionError("OPTION_ROWS", `rows is ${rows}, but must be a positive integer`);
    return rows;
  }
  const port = signature.inputs.find(({ shape }) => shape.includes("N"));
  if (port === undefined) return 1;
  const found = take(port, feeds).length / sizeOf(port.shape);
  if (!Number.isInteger(found) || found < 1)
    throw new ShapeError("SHAPE_FEED", `${say(port)} has ${take(port, feeds).length} values: no whole number of rows`);
  return found;
}

/** The buffers of `given` in the order of `ports`. @throws ShapeError that names the port that is missing, of another
 * element type or of another size, or the name in `given` that is no port */
export function buffersFor(ports: readonly Port[], given: Tensors, rows: number): Buffer[] {
  const buffers = ports.map((port) => checked(port, take(port, given), rows));
  checkNames(ports, given, "input");
  return buffers;
}

/** @throws ShapeError naming the buffer if its element type or size is not the port's */
export function checked(port: Port, buffer: Buffer, rows: number): Buffer {
  if (!(buffer instanceof arrayOf[port.dtype]))
    throw new ShapeError("SHAPE_FEED", `${say(port)} needs a ${arrayOf[port.dtype].name}, got ${nameOf(buffer)}`);
  if (buffer.buffer instanceof SharedArrayBuffer)
    throw new ShapeError("SHAPE_FEED", `${say(port)} lies in shared memory, which engines cannot use: copy it`);
  const size = sizeOf(port.shape, rows);
  if (buffer.length !== size) {
    const where = port.shape.includes("N") ? `${showShape(port.shape)} with N = ${rows}` : showShape(port.shape);
    throw new ShapeError("SHAPE_FEED", `${say(port)} needs ${size} values, shape ${where}, got ${buffer.length}`);
  }
  return buffer;
}

/** @throws ShapeError if `given` has a name that none of `ports` has */
export function checkNames(ports: readonly Port[], given: Readonly<Record<string, unknown>>, kind: Port["kind"]): void {
  for (const name of Object.keys(given)) {
    if (ports.some((port) => port.name === name)) continue;
    throw new ShapeError("SHAPE_NAME", `the graph has no ${kind} "${name}" (it has ${list(ports)})`);
  }
}

function take(port: Port, given: Tensors): Buffer {
  const buffer = given[port.name];
  if (buffer === undefined)
    throw new ShapeError("SHAPE_FEED_MISSING", `${say(port)} is missing (fed: ${list(Object.keys(given))})`);
  return buffer;
}

function say(port: Port): string {
  return `${port.kind} "${port.name}"`;
}

function list(items: readonly (string | Port)[]): string {
  return items.map((item) => (typeof item === "string" ? item : item.name)).join(", ") || "none";
}

function nameOf(value: unknown): string {
  return typeof value === "object" && value !== null ? value.constructor.name : typeof value;
}
