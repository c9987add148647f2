import { describe, expect, test } from "vitest";
import { ShapeError } from "../../src/errors.ts";
import { type Node, type Op, type Shape, broadcastShapes, graphBuilder } from "../../src/graph/index.ts";
import { sliceLength } from "../../src/graph/shape.ts";
import { makeRng } from "../../src/rng.ts";
import { opCases } from "../support/op-cases.ts";

describe("the builder infers shapes", () => {
  test("that broadcast like NumPy's, with N only against N or 1", () => {
    expect(broadcastShapes("Add", [3, 1, 5], [4, 1])).toEqual([3, 4, 5]);
    expect(broadcastShapes("Add", ["N", 5], [5])).toEqual(["N", 5]);
    expect(broadcastShapes("Add", [1, 5], ["N", 1])).toEqual(["N", 5]);
    expect(() => broadcastShapes("Add", ["N"], [3])).toThrow("Add: shapes [N] and [3] do not broadcast");
    expect(() => broadcastShapes("Mul", [2, 3], [2])).toThrow("Mul: shapes [2, 3] and [2] do not broadcast");
  });

  test("of slices as ONNX clips them", () => {
    const lengths: readonly (readonly [number, number, number, number])[] = [
      [0, 10, 1, 10],
      [2, 100, 1, 8],
      [-3, 10, 1, 3],
      [0, -1, 1, 9],
      [0, 10, 3, 4],
      [9, -11, -1, 10],
      [9, 0, -2, 5],
      [5, 5, 1, 0],
      [7, 2, 1, 0],
    ];
    for (const [start, end, step, length] of lengths) expect(sliceLength(10, start, end, step)).toBe(length);
  });

  test("for a symbolic number of rows through products, convolutions and moves", () => {
    const b = graphBuilder();
    const x = b.input("x", ["N", 6]);
    expect(b.shapeOf(b.matMul(x, b.input("w", [6, 4])))).toEqual(["N", 4]);
    const image = b.reshape(x, ["N", 2, 3]);
    expect(b.shapeOf(b.conv(image, b.input("k", [5, 2, 3]), { pads: [1, 1] }))).toEqual(["N", 5, 3]);
    expect(b.shapeOf(b.transpose(image, [2, 0, 1]))).toEqual([3, "N", 2]);
    expect(b.shapeOf(b.concat([image, image], 2))).toEqual(["N", 2, 6]);
    expect(b.shapeOf(b.pad(image, [0, 1, 0, 0, 0, 2]))).toEqual(["N", 3, 5]);
    expect(b.shapeOf(b.reduceMax(image, [1]))).toEqual(["N", 3]);
    expect(b.shapeOf(b.reduceSum(image, [0, 2], true))).toEqual([1, 2, 1]);
  });

  test("the same from every operation's operands, whatever its element type", () => {
    const ops = Object.keys(opCases) as Op[];
    for (const op of ops) {
      const [wide, narrow] = (["float64", "float32"] as const).map((floating) => {
        const { inputs, build } = opCases[op](makeRng(3));
        const b = graphBuilder();
        return b.shapeOf(
          build(
            b,
            inputs.map(({ shape, dtype = floating }, i) => b.input(`x${i}`, shape, dtype)),
          ),
        );
      });
      expect(wide).toEqual(narrow);
    }
  });
});

describe("the builder refuses what does not fit, saying which operation and which shapes", () => {
  const b = graphBuilder();
  const input = (shape: Shape, dtype: "float32" | "float64" | "int64" | "bool" = "float32") =>
    b.input(`x${b.size()}`, shape, dtype);
  const [vector, matrix, image] = [input([3]), input([2, 3]), input([1, 4, 8])];
  const [double, whole, truth, rows] = [
    input([3], "float64"),
    input([3], "int64"),
    input([3], "bool"),
    input(["N", 4]),
  ];

  const refused: readonly (readonly [string, Node])[] = [
    ["Add: element types float32 and float64 differ; insert a Cast", { op: "Add", a: vector, b: double }],
    ["Add: shapes [N, 4] and [2, 3] do not broadcast", { op: "Add", a: rows, b: matrix }],
    ["Exp: needs a floating tensor, got int64", { op: "Exp", x: whole }],
    ["And: needs bool tensors, got float32", { op: "And", a: vector, b: vector }],
    ["Where: the condition is float32, not bool", { op: "Where", condition: vector, a: vector, b: vector }],
    ["Where: element types float32 and float64 differ", { op: "Where", condition: truth, a: vector, b: double }],
    ["MatMul: [2, 3] by [2, 3]", { op: "MatMul", a: matrix, b: matrix }],
    ["MatMul: both operands need at least two axes", { op: "MatMul", a: matrix, b: vector }],
    ["Constant: 2 values for shape [3]", { op: "Constant", dtype: "float32", shape: [3], data: new Float32Array(2) }],
    ["Transpose: perm [0, 0] of [2, 3]", { op: "Transpose", x: matrix, perm: [0, 0] }],
    ["Transpose: no axis 2", { op: "Transpose", x: matrix, perm: [0, 2] }],
    ["Reshape: [2, 3] to [5]", { op: "Reshape", x: matrix, shape: [5] }],
    ["Reshape: [N, 4] to [8, 2]", { op: "Reshape", x: rows, shape: [8, 2] }],
    ["Reshape: [N, 4] to [4]", { op: "Reshape", x: rows, shape: [4] }],
    ["Expand: shapes [2, 3] and [2] do not broadcast", { op: "Expand", x: matrix, shape: [2] }],
    ["Expand: [2, 3] to [1, 3]", { op: "Expand", x: matrix, shape: [1, 3] }],
    ["Concat: nothing to join", { op: "Concat", parts: [], axis: 0 }],
    ["Concat: [2, 3] and [3] along axis 0", { op: "Concat", parts: [matrix, vector], axis: 0 }],
    ["Concat: [N, 4] and [N, 4] along axis 0", { op: "Concat", parts: [rows, rows], axis: 0 }],
    ["Slice: nothing between 2 and 2 of [2, 3]", { op: "Slice", x: matrix, axis: 1, start: 2, end: 2, step: 1 }],
    ["Slice: axis 2 of a tensor with 2 axes", { op: "Slice", x: matrix, axis: 2, start: 0, end: 1, step: 1 }],
    ["Slice: the axis must be static", { op: "Slice", x: rows, axis: 0, start: 0, end: 1, step: 1 }],
    ["Pad: 2 pads for 2 axes", { op: "Pad", x: matrix, pads: [1, 1] }],
    ["Pad: [0, -2, 0, -1] cut all of [2, 3]", { op: "Pad", x: matrix, pads: [0, -2, 0, -1] }],
    ["Pad: the padded axis must be static", { op: "Pad", x: rows, pads: [1, 0, 0, 0] }],
    ["ReduceSum: axis 5 of a tensor with 2 axes", { op: "ReduceSum", x: matrix, axes: [5], keepdims: false }],
    ["ReduceMax: axes [] are none or repeat", { op: "ReduceMax", x: matrix, axes: [], keepdims: false }],
    ["ReduceSum: axes [1, 1] are none or repeat", { op: "ReduceSum", x: matrix, axes: [1, 1], keepdims: false }],
    ["Conv: input [2, 3], kernel [2, 3]", { op: "Conv", x: matrix, w: matrix, group: 1, pads: [], dilations: [] }],
    [
      "Conv: pads or dilations do not fit",
      { op: "Conv", x: image, w: input([2, 4, 3]), group: 1, pads: [1], dilations: [1] },
    ],
    [
      "Conv: negative pads [-1, 0]: slice the input",
      { op: "Conv", x: image, w: input([2, 4, 3]), group: 1, pads: [-1, 0], dilations: [1] },
    ],
    [
      "Conv: 4 input channels, kernel [2, 3, 3], 1 groups",
      { op: "Conv", x: image, w: input([2, 3, 3]), group: 1, pads: [0, 0], dilations: [1] },
    ],
    [
      "Conv: 3 outputs in 2 groups",
      { op: "Conv", x: image, w: input([3, 2, 3]), group: 2, pads: [0, 0], dilations: [1] },
    ],
    [
      "Conv: kernel [2, 4, 5] is larger than the input",
      { op: "Conv", x: image, w: input([2, 4, 5]), group: 1, pads: [0, 0], dilations: [2] },
    ],
  ];

  test.each(refused)("%s", (message, node) => {
    expect(() => b.add(node)).toThrow(ShapeError);
    expect(() => b.add(node)).toThrow(message);
  });
});
