import fc from "fast-check";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { FileError } from "../../src/errors.ts";
import {
  type Buffer,
  type DType,
  type Graph,
  type Node,
  type Op,
  allocate,
  graphBuilder,
  readOnnx,
  simplify,
  writeOnnx,
} from "../../src/graph/index.ts";
import { encodeModel } from "../../src/graph/onnx/schema.ts";
import { makeRng } from "../../src/rng.ts";
import { interpret, toNumbers } from "../support/interpret.ts";
import { type OpCase, opCases } from "../support/op-cases.ts";
import { randomGraph } from "../support/random-graph.ts";

const allOps = Object.keys(opCases) as Op[];

function caseGraph({ inputs, build }: OpCase, floating: DType): Graph {
  const b = graphBuilder();
  const ids = inputs.map(({ shape, dtype = floating }, i) => b.input(`x${i}`, shape, dtype));
  return b.build({ y: build(b, ids) });
}

function bufferOf(dtype: DType, values: Float64Array): Buffer {
  const buffer = allocate(dtype, values.length);
  values.forEach((value, i) => {
    if (buffer instanceof BigInt64Array) buffer[i] = BigInt(value);
    else buffer[i] = value;
  });
  return buffer;
}

async function runOnnx(bytes: Uint8Array, feeds: Readonly<Record<string, Tensor>>) {
  const session = await InferenceSession.create(bytes, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  const results = await session.run(feeds);
  await session.release();
  return results;
}

function feedOf(dtype: DType, shape: readonly number[], values: Float64Array): Tensor {
  const data = bufferOf(dtype, values);
  return new Tensor(dtype, data as Float32Array, shape);
}

/** ONNX Runtime's CPU provider has no float64 kernels for these. */
const float32Only: ReadonlySet<Op> = new Set<Op>(["Softplus", "Erf", "Conv"]);

describe("ONNX Runtime agrees with the interpreter", () => {
  test.each(allOps.filter((op) => !float32Only.has(op)))("%s in float64", (op) => agree(op, "float64"));
  test.each(allOps)("%s in float32", (op) => agree(op, "float32"));

  test.each([...float32Only])("%s in float64 is refused (where it is not, it belongs above)", async (op) => {
    const graph = caseGraph(opCases[op](makeRng(1)), "float64");
    await expect(InferenceSession.create(writeOnnx(graph), { logSeverityLevel: 4 })).rejects.toThrow(
      "Could not find an implementation",
    );
  });

  async function agree(op: Op, floating: "float32" | "float64"): Promise<void> {
    for (let seed = 1; seed <= 8; seed++) {
      const one = opCases[op](makeRng(seed));
      const graph = caseGraph(one, floating);
      const buffers = one.inputs.map(({ dtype = floating, values }) => bufferOf(dtype, values));
      const tensors = one.inputs.map(({ dtype = floating, shape, values }) => feedOf(dtype, shape, values));
      const named = <T>(items: readonly T[]) => Object.fromEntries(items.map((item, i) => [`x${i}`, item]));
      const expected = interpret(graph, named(buffers.map(toNumbers)))["y"]!;
      const { y } = await runOnnx(writeOnnx(graph), named(tensors));
      const type = graph.types[graph.outputs[0]!.node]!;
      const tolerance = floating === "float64" && type.dtype !== "float32" ? 1e-12 : 2e-5;
      expect(y!.type).toBe(type.dtype);
      expect(y!.dims).toEqual(type.shape);
      const found = toNumbers(y!.data as Buffer);
      expect(found).toHaveLength(expected.length);
      found.forEach((value, i) => {
        expect(Math.abs(value - expected[i]!)).toBeLessThanOrEqual(tolerance * (1 + Math.abs(expected[i]!)));
      });
    }
  }
});

describe("writeOnnx() and readOnnx()", () => {
  test("read what was written: the same nodes under the same ids, the same types, names and metadata", () => {
    fc.assert(
      fc.property(fc.integer(), fc.dictionary(fc.string(), fc.string()), (seed, metadata) => {
        const { graph, feeds } = randomGraph(makeRng(seed));
        const simple = simplify(graph, { keepInputs: true });
        const read = readOnnx(writeOnnx(simple, { metadata }));
        expect(read.graph.types).toEqual(simple.types);
        expect(read.graph.outputs).toEqual(simple.outputs);
        expect(read.graph.nodes.map(({ op }) => op)).toEqual(simple.nodes.map(({ op }) => op));
        expect(Object.entries(read.metadata)).toEqual(Object.entries(metadata));
        expect(interpret(read.graph, feeds)).toEqual(interpret(simple, feeds));
      }),
    );
  });

  test("write the same bytes again", () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const { graph } = randomGraph(makeRng(seed));
        const bytes = writeOnnx(graph, { metadata: { seed: String(seed) } });
        const { graph: again, metadata } = readOnnx(bytes);
        expect(writeOnnx(again, { metadata })).toEqual(bytes);
      }),
    );
  });

  test.each(allOps)("keep every attribute: %s", (op) => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const graph = caseGraph(opCases[op](makeRng(seed)), "float32");
        const { nodes } = readOnnx(writeOnnx(graph)).graph;
        // Pieces of a Split come back with plain bounds.
        if (op !== "Slice" && op !== "Concat") expect(nodes).toEqual(graph.nodes);
        else expect(writeOnnx(readOnnx(writeOnnx(graph)).graph)).toEqual(writeOnnx(graph));
      }),
    );
  });

  test("cut a vector with one Split, also where a piece is a result", async () => {
    const b = graphBuilder();
    const flat = b.input("flat", [6]);
    const [first, rest, last] = [b.slice(flat, 0, 0, 2), b.slice(flat, 0, 2, 5), b.slice(flat, 0, -1, 6)];
    const later = b.input("later", [2]);
    const sum = b.sum(b.sum(first, later), b.slice(flat, 0, 3, 5));
    const graph = b.build({ sum, rest, last, twice: last });
    const bytes = writeOnnx(graph);
    expect(countOf(bytes, "Split_1")).toBe(1);
    const feeds = {
      flat: feedOf("float32", [6], Float64Array.from([1, 2, 3, 4, 5, 6])),
      later: feedOf("float32", [2], Float64Array.from([10, 20])),
    };
    const results = await runOnnx(bytes, feeds);
    const values = Object.entries(results).map(([name, { data }]) => [name, [...(data as Float32Array)]]);
    expect(Object.fromEntries(values)).toEqual({ sum: [15, 27], rest: [3, 4, 5], last: [6], twice: [6] });
    const plain = { op: "Slice", x: 0, axis: 0, start: 5, end: 6, step: 1 };
    expect(readOnnx(bytes).graph).toEqual({ ...graph, nodes: graph.nodes.with(3, plain as Node) });
  });

  test("cut into slices what is more pieces than a Split may have, with the same values", async () => {
    const b = graphBuilder();
    const [x, few] = [b.input("x", ["N", 20]), b.input("few", ["N", 3])];
    const pieces = [
      ...Array.from({ length: 20 }, (_, i) => b.slice(x, 1, i, i + 1)),
      ...Array.from({ length: 3 }, (_, i) => b.slice(few, 1, i, i + 1)),
    ];
    const graph = b.build(Object.fromEntries(pieces.map((piece, i) => [`y${i}`, piece])));
    const [plain, limited] = [writeOnnx(graph), writeOnnx(graph, { mostPieces: 19 })];
    expect([plain, limited].map((bytes) => countOf(bytes, "Split_"))).toEqual([2, 1]);
    expect(writeOnnx(graph, { mostPieces: 20 })).toEqual(plain);
    const feeds = {
      x: feedOf(
        "float32",
        [2, 20],
        Float64Array.from({ length: 40 }, (_, i) => i),
      ),
      few: feedOf("float32", [2, 3], Float64Array.from([7, 8, 9, 10, 11, 12])),
    };
    const values = async (bytes: Uint8Array) =>
      Object.entries(await runOnnx(bytes, feeds)).map(([name, { data }]) => [name, [...(data as Float32Array)]]);
    expect(await values(limited)).toEqual(await values(plain));
  });

  test("write slices that leave gaps, overlap or stride as slices", () => {
    const b = graphBuilder();
    const flat = b.input("flat", [6]);
    const cuts = [b.slice(flat, 0, 0, 4, 2), b.slice(flat, 0, 2, 6), b.slice(flat, 0, 0, 3), b.slice(flat, 0, 4, 6)];
    const bytes = writeOnnx(b.build(Object.fromEntries(cuts.map((cut, i) => [`y${i}`, cut]))));
    expect(countOf(bytes, "Split")).toBe(0);
  });

  test("keep a symbolic number of rows", async () => {
    const b = graphBuilder();
    const x = b.input("x", ["N", 6]);
    const y = b.reduceSum(b.reshape(x, ["N", 2, 3]), [2]);
    const graph = b.build({ y, x_again: x });
    const bytes = writeOnnx(graph);
    expect(readOnnx(bytes).graph).toEqual(graph);
    for (const rows of [1, 4]) {
      const results = await runOnnx(bytes, { x: feedOf("float32", [rows, 6], new Float64Array(6 * rows).fill(1)) });
      expect(results["y"]!.dims).toEqual([rows, 2]);
      expect(results["x_again"]!.dims).toEqual([rows, 6]);
    }
  });

  test("read a model whose nodes carry other names, in the order of the file", () => {
    const { graph } = readOnnx(foreign({ opType: "Add", name: "sum", input: ["a", "b"], output: ["y"] }));
    expect(graph.nodes.map(({ op }) => op)).toEqual(["Input", "Input", "Add"]);
    expect(graph.outputs).toEqual([{ name: "y", node: 2 }]);
  });

  test("read nodes whose names tell no order, or tell a wrong one, in the order of the file", () => {
    const [first, second] = ["t", "y"].map((output, i) => ({
      opType: "Add",
      name: "Add_2",
      input: [i === 0 ? "a" : "t", "b"],
      output: [output],
    }));
    const { graph } = readOnnx(foreign([first!, second!]));
    expect(graph.nodes.slice(2)).toEqual([
      { op: "Add", a: 0, b: 1 },
      { op: "Add", a: 2, b: 1 },
    ]);
  });

  test("refuse names that stand twice, or are those of nodes", () => {
    const b = graphBuilder();
    const x = b.input("x", [1]);
    const y = b.unary("Neg", x);
    expect(() => writeOnnx(b.build({ x: y }))).toThrow('two inputs or outputs of the graph are named "x"');
    expect(() => writeOnnx(b.build({ Neg_1: x, y }))).toThrow('"Neg_1" is the name of a node');
    const z = b.reshape(b.input("Ints_1_1", [1]), [1, 1]);
    expect(() => writeOnnx(b.build({ z }))).toThrow('"Ints_1_1" is the name of a node');
  });
});

/** How often a word stands in a file. */
function countOf(bytes: Uint8Array, word: string): number {
  return new TextDecoder("latin1").decode(bytes).split(word).length - 1;
}

type NodeMessage = NonNullable<NonNullable<NonNullable<Parameters<typeof encodeModel>[0]["graph"]>["node"]>[number]>;

/** A model with one node between inputs a, b and the output y, all float32 [2]. */
function foreign(
  node: NodeMessage | readonly NodeMessage[],
  { opset = 17, domain = "", irVersion = 8, elemType = 1 } = {},
): Uint8Array {
  const info = (name: string) => ({ name, type: { tensorType: { elemType, shape: { dim: [{ dimValue: 2 }] } } } });
  return encodeModel({
    irVersion,
    opsetImport: [{ domain, version: opset }],
    graph: {
      name: "foreign",
      node: ([] as NodeMessage[]).concat(node),
      input: [info("a"), info("b")],
      output: [info("y")],
    },
  });
}

describe("readOnnx() refuses", () => {
  const sum = { opType: "Add", name: "sum", input: ["a", "b"], output: ["y"] };
  const codeOf = (bytes: Uint8Array): { readonly code: string; readonly message: string } => {
    try {
      readOnnx(bytes, "runs.onnx");
    } catch (error) {
      if (error instanceof FileError) return { code: error.code, message: error.message };
      throw error;
    }
    return { code: "none", message: "was read" };
  };

  test("a file that is cut off anywhere", () => {
    const b = graphBuilder();
    const x = b.input("x", ["N", 3]);
    const y = b.matMul(x, b.constant([1, 2, 3], [3, 1]));
    const bytes = writeOnnx(b.build({ y }), { metadata: { schema: "{}", seed: "1" }, doc: "an emulator" });
    expect(codeOf(bytes).code).toBe("none");
    for (let length = 1; length < bytes.length; length++)
      expect(codeOf(bytes.subarray(0, length)).code).toBe("FILE_DAMAGED");
    expect(codeOf(bytes.subarray(0, 0)).code).toBe("FILE_FOREIGN");
  });

  test("bytes gone wrong, always as an error of the file", () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 255 }), fc.nat(), (seed, flip, where) => {
        const bytes = writeOnnx(randomGraph(makeRng(seed)).graph, { metadata: { seed: String(seed) } });
        bytes[where % bytes.length]! ^= flip;
        expect(["none", "FILE_DAMAGED", "FILE_FOREIGN", "FILE_NEWER"]).toContain(codeOf(bytes).code);
      }),
      { numRuns: 1000 },
    );
  });

  test("a file of another kind", () => {
    const csv = new TextEncoder().encode("a,b\n1,2\n");
    expect(codeOf(csv)).toEqual({
      code: "FILE_FOREIGN",
      message: "runs.onnx: it is not an ONNX model. Give a file that Condense wrote.",
    });
  });

  test.each([
    [{ ...sum, opType: "BatchNormalization" }, 'node "sum": op BatchNormalization is not one of ours'],
    [{ ...sum, opType: "toString" }, 'node "sum": op toString is not one of ours'],
    [{ ...sum, input: ["a", "b", "a"] }, 'node "sum" (Add) has an operand 2, which graphs do not know'],
    [{ ...sum, input: ["a"] }, 'node "sum" (Add) lacks operand 1'],
    [{ ...sum, output: ["y", "z"] }, 'node "sum" (Add) has 2 results'],
    [
      { ...sum, attribute: [{ name: "broadcast", i: 1, type: 2 }] },
      'node "sum" (Add) has an attribute broadcast, which graphs do not know',
    ],
    [{ ...sum, opType: "Reshape" }, 'node "sum" (Reshape) computes operand 1, which must be constant'],
    [{ ...sum, opType: "Transpose", input: ["a"] }, 'node "sum" (Transpose) lacks its attribute perm'],
  ])("operations that graphs do not have, and unknown ways to use those they have: %#", (node, why) => {
    const { code, message } = codeOf(foreign(node));
    expect(code).toBe("FILE_FOREIGN");
    expect(message).toContain(`runs.onnx: ${why}`);
  });

  test("element types, operator sets and versions it does not know", () => {
    expect(codeOf(foreign(sum, { elemType: 10 })).message).toBe(
      'runs.onnx: "a" has ONNX element type 10; known are float32, float64, int64, bool.',
    );
    expect(codeOf(foreign(sum, { domain: "com.microsoft" })).message).toContain('needs operations of "com.microsoft"');
    expect(codeOf(foreign(sum, { opset: 11 })).message).toContain("it is of ONNX opset 11; 13 to 17 can be read");
    expect(codeOf(foreign(sum, { opset: 18 }))).toEqual({
      code: "FILE_NEWER",
      message: "runs.onnx: it is of ONNX opset 18; up to 17 can be read. Update Condense.",
    });
    expect(codeOf(foreign(sum, { irVersion: 9 })).code).toBe("FILE_NEWER");
  });

  test("graphs that contradict themselves", () => {
    const outOfOrder = codeOf(foreign({ ...sum, input: ["a", "c"] }));
    expect(outOfOrder).toEqual({
      code: "FILE_DAMAGED",
      message: 'runs.onnx: its tensor "c" is used but not computed before.',
    });
    expect(codeOf(foreign({ ...sum, output: ["a"] })).message).toContain('its tensor "a" is computed twice');
    expect(codeOf(foreign({ ...sum, opType: "MatMul" }))).toEqual({
      code: "FILE_DAMAGED",
      message: "runs.onnx: its graph does not fit together: MatMul: both operands need at least two axes",
    });
  });
});
