import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Graph, type Op, costOf, graphBuilder, prune, simplify } from "../../src/graph/index.ts";
import { makeRng } from "../../src/rng.ts";
import { interpret } from "../support/interpret.ts";
import { randomGraph } from "../support/random-graph.ts";

const ops = (graph: Graph): readonly Op[] => graph.nodes.map(({ op }) => op);

describe("simplify()", () => {
  test("computes the same, to the bit, with no more nodes and no more cost", () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const { graph, feeds } = randomGraph(makeRng(seed));
        const simple = simplify(graph);
        expect(simple.nodes.length).toBeLessThanOrEqual(graph.nodes.length);
        expect(costOf(simple).total.flops).toBeLessThanOrEqual(costOf(graph).total.flops);
        expect(interpret(simple, feeds)).toEqual(interpret(graph, feeds));
      }),
    );
  });

  test("changes nothing the second time", () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const simple = simplify(randomGraph(makeRng(seed)).graph);
        expect(simplify(simple)).toEqual(simple);
      }),
    );
  });

  test("drops what no result depends on, inputs too unless told to keep them", () => {
    const b = graphBuilder();
    const x = b.input("x", [2]);
    const unused = b.input("unused", [3]);
    b.unary("Exp", unused);
    const graph = b.build({ y: b.unary("Exp", x) });
    expect(simplify(graph).nodes).toEqual([
      { op: "Input", name: "x", type: { dtype: "float32", shape: [2] } },
      { op: "Exp", x: 0 },
    ]);
    expect(ops(simplify(graph, { keepInputs: true }))).toEqual(["Input", "Input", "Exp"]);
    expect(ops(prune(graph, { keepInputs: true }))).toEqual(["Input", "Input", "Exp"]);
  });

  test("computes once what is computed twice, also with the operands of a sum exchanged", () => {
    const b = graphBuilder();
    const [x, y] = [b.input("x", [2]), b.input("y", [2])];
    const product = b.mul(b.sum(x, y), b.sum(y, x));
    expect(ops(simplify(b.build({ product })))).toEqual(["Input", "Input", "Add", "Mul"]);
    const difference = b.mul(b.sub(x, y), b.sub(y, x));
    expect(ops(simplify(b.build({ difference })))).toEqual(["Input", "Input", "Sub", "Sub", "Mul"]);
  });

  test("merges constants of equal content alone: not of another type, shape or sign of zero", () => {
    const b = graphBuilder();
    const constants = [
      b.constant([0, 1], [2]),
      b.constant([0, 1], [2]),
      b.constant([-0, 1], [2]),
      b.constant([0, 1], [2, 1]),
      b.constant([0, 1], [2], "float64"),
    ];
    const outputs = Object.fromEntries(constants.map((id, i) => [`c${i}`, id]));
    const simple = simplify(b.build(outputs));
    expect(simple.outputs.map(({ node }) => node)).toEqual([0, 0, 1, 2, 3]);
  });

  test("tells constants apart whose hashes are the same", () => {
    const b = graphBuilder();
    // Two words with one FNV-1a hash.
    const [a, c] = ["declinate", "macallums"].map((word) => b.constant(new TextEncoder().encode(word), [9], "bool"));
    expect(simplify(b.build({ a: a!, c: c! })).nodes).toHaveLength(2);
  });

  test("shortens chains of moves, and never merges inputs", () => {
    const b = graphBuilder();
    const x = b.input("x", ["N", 6]);
    const twice = b.transpose(b.transpose(b.reshape(b.reshape(x, ["N", 3, 2]), ["N", 2, 3]), [0, 2, 1]), [0, 2, 1]);
    const y = b.reshape(twice, ["N", 6]);
    const z = b.transpose(b.reshape(x, ["N", 6, 1]), [0, 2, 1]);
    const simple = simplify(b.build({ y, z, n: b.unary("Neg", b.unary("Neg", x)) }));
    expect(simple.nodes).toEqual([
      { op: "Input", name: "x", type: { dtype: "float32", shape: ["N", 6] } },
      { op: "Reshape", x: 0, shape: ["N", 1, 6] },
    ]);
    expect(simple.outputs).toEqual([
      { name: "y", node: 0 },
      { name: "z", node: 1 },
      { name: "n", node: 0 },
    ]);
  });

  test("leaves broadcasting to the operations, and dropped axes to the sums", () => {
    const b = graphBuilder();
    const [x, bias] = [b.input("x", ["N", 4]), b.input("bias", [4])];
    const y = b.sum(x, b.reshape(bias, [1, 4]));
    const column = b.sum(bias, b.reshape(bias, [4, 1]));
    const lone = b.unary("Neg", b.reshape(bias, [1, 4]));
    const total = b.reshape(b.reduceSum(column, [0], true), [4]);
    expect(simplify(b.build({ y, column, lone, total })).nodes.slice(2)).toEqual([
      { op: "Reshape", x: 1, shape: [1, 4] },
      { op: "Add", a: 0, b: 1 },
      { op: "Reshape", x: 1, shape: [4, 1] },
      { op: "Add", a: 1, b: 4 },
      { op: "Neg", x: 2 },
      { op: "ReduceSum", x: 5, axes: [0], keepdims: false },
    ]);
  });
});
