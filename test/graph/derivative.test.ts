import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Graph,
  type GraphBuilder,
  type NodeId,
  type Op,
  differentiate,
  graphBuilder,
  simplify,
} from "../../src/graph/index.ts";
import { type Rng, makeRng } from "../../src/rng.ts";
import { interpret } from "../support/interpret.ts";
import { type CaseInput, type OpCase, opCases } from "../support/op-cases.ts";
import { composites } from "./composites.ts";

/** A loss that weighs every element of the result differently, and its gradient by every floating input. */
function gradientGraph({ inputs, build }: OpCase, rng: Rng): Graph {
  const b = graphBuilder();
  const ids = inputs.map(({ shape, dtype = "float64" }, i) => b.input(`x${i}`, shape, dtype));
  const loss = weighted(b, build(b, ids), rng);
  const params = ids.filter((id) => b.typeOf(id).dtype === "float64");
  const gradients = differentiate(b, loss, params);
  return b.build({ loss, ...Object.fromEntries(gradients.map((g, i) => [`d_${nameOf(b, params[i]!)}`, g])) });
}

function nameOf(b: GraphBuilder, id: NodeId): string {
  const node = b.node(id);
  return node.op === "Input" ? node.name : "";
}

/** Weights may be fewer than elements: then the result's cotangent is smaller than the result. */
function weighted(b: GraphBuilder, result: NodeId, rng: Rng): NodeId {
  const full = b.shapeOf(result) as readonly number[];
  const shape = full.slice(rng.int(full.length + 1)).map((size) => (rng.uniform() < 0.4 ? 1 : size));
  const size = shape.reduce((a, c) => a * c, 1);
  const weights = Array.from({ length: size }, () => rng.normal());
  return b.reduceSum(
    b.mul(b.cast(result, "float64"), b.constant(weights, shape, "float64")),
    full.map((_, i) => i),
  );
}

function feedsOf(inputs: readonly CaseInput[]): Record<string, Float64Array> {
  return Object.fromEntries(inputs.map(({ values }, i) => [`x${i}`, values]));
}

/** The gradient along a random direction, against central differences whose error must fall fourfold as the step halves. */
function checkGradient(graph: Graph, inputs: readonly CaseInput[], rng: Rng): void {
  const feeds = feedsOf(inputs);
  const { loss, ...gradients } = interpret(graph, feeds);
  const directions = Object.fromEntries(
    Object.keys(gradients).map((name) => {
      const input = name.slice("d_".length);
      return [input, feeds[input]!.map(() => 2 * rng.uniform() - 1)];
    }),
  );
  let slope = 0;
  let scale = Math.abs(loss![0]!) + 1;
  for (const [input, direction] of Object.entries(directions))
    gradients[`d_${input}`]!.forEach((g, i) => {
      slope += g * direction[i]!;
      scale += Math.abs(g * direction[i]!);
    });
  const lossAt = (t: number): number => {
    const moved = { ...feeds };
    for (const [input, direction] of Object.entries(directions))
      moved[input] = feeds[input]!.map((value, i) => value + t * direction[i]!);
    return interpret(graph, moved)["loss"]![0]!;
  };
  const errorOf = (h: number): number => Math.abs((lossAt(h) - lossAt(-h)) / (2 * h) - slope);
  const [coarse, fine] = [errorOf(0.02), errorOf(0.01)];
  // Second order: a quarter, up to terms of fourth order. The floor is what rounding alone leaves.
  expect(fine, `errors ${coarse} and ${fine} of slope ${slope}`).toBeLessThan(Math.max(coarse / 3, 1e-11 * scale));
}

const numRuns = 25;

describe("differentiate", () => {
  test.each(Object.keys(opCases) as Op[])("agrees with central differences to second order: %s", (op) => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const rng = makeRng(seed);
        const one = opCases[op](rng);
        const graph = gradientGraph(one, rng);
        checkGradient(graph, one.inputs, rng);
        checkGradient(simplify(graph), one.inputs, rng);
      }),
      { numRuns },
    );
  });

  test.each(Object.keys(composites))("agrees with central differences to second order: %s", (name) => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const rng = makeRng(seed);
        const one = composites[name]!(rng);
        const graph = gradientGraph(one, rng);
        checkGradient(graph, one.inputs, rng);
        checkGradient(simplify(graph), one.inputs, rng);
      }),
      { numRuns: 8 },
    );
  });
});

describe("differentiate", () => {
  const paramsAndLoss = (): { b: GraphBuilder; x: NodeId; y: NodeId; loss: NodeId } => {
    const b = graphBuilder();
    const x = b.input("x", [2, 3], "float64");
    const y = b.input("y", [2], "float64");
    return { b, x, y, loss: b.reduceSum(b.square(x), [0, 1]) };
  };

  test("gives zeros of the parameter's shape where the loss does not depend on it", () => {
    const { b, y, loss } = paramsAndLoss();
    const [dy] = differentiate(b, loss, [y]);
    expect(b.shapeOf(dy!)).toEqual([2]);
    expect(interpret(b.build({ dy: dy! }), { x: new Float64Array(6), y: [1, 2] })["dy"]).toEqual(new Float64Array(2));
  });

  test("gives zeros where the loss depends on the parameter through comparisons alone", () => {
    const { b, y } = paramsAndLoss();
    const steps = b.cast(b.compare("Less", y, b.scalar(0, y)), "float64");
    const [dy] = differentiate(b, b.reduceSum(steps, [0]), [y]);
    expect(interpret(b.build({ dy: dy! }), { x: new Float64Array(6), y: [1, -2] })["dy"]).toEqual(new Float64Array(2));
  });

  test("takes an intermediate value as a parameter, beside the input it comes from", () => {
    const { b, x } = paramsAndLoss();
    const cube = b.mul(x, b.square(x));
    const [dCube, dx] = differentiate(b, b.reduceSum(b.scale(cube, 5), [0, 1]), [cube, x]);
    const values = Float64Array.from([1, 2, 3, 4, 5, 6]);
    const results = interpret(b.build({ dCube: dCube!, dx: dx! }), { x: values, y: [0, 0] });
    expect(results["dCube"]).toEqual(values.map(() => 5));
    expect(results["dx"]).toEqual(values.map((value) => 15 * value ** 2));
  });

  test("takes the sigmoid inside a SiLU as a parameter", () => {
    const { b, x } = paramsAndLoss();
    const sigmoid = b.unary("Sigmoid", x);
    const loss = b.reduceSum(b.mul(x, sigmoid), [0, 1]);
    const [dSigmoid, dx] = differentiate(b, loss, [sigmoid, x]);
    const values = Float64Array.from([1, 2, 3, 4, 5, 6]);
    const results = interpret(b.build({ dSigmoid: dSigmoid!, dx: dx! }), { x: values, y: [0, 0] });
    expect(results["dSigmoid"]).toEqual(values);
    const slopes = values.map((v) => 1 / (1 + Math.exp(-v))).map((s, i) => s + values[i]! * s * (1 - s));
    results["dx"]!.forEach((slope, i) => {
      expect(slope).toBeCloseTo(slopes[i]!, 12);
    });
  });

  test("takes the loss itself as a parameter", () => {
    const { b, loss } = paramsAndLoss();
    const [one] = differentiate(b, loss, [loss]);
    expect(interpret(b.build({ one: one! }), { x: new Float64Array(6), y: [0, 0] })["one"]).toEqual(Float64Array.of(1));
  });

  test("refuses a loss of several elements, of integers, and symbolic shapes", () => {
    const { b, x, loss } = paramsAndLoss();
    expect(() => differentiate(b, x, [x])).toThrow("differentiate needs a loss of one element: reduce it first");
    const whole = b.cast(loss, "int64");
    expect(() => differentiate(b, whole, [x])).toThrow("differentiate needs a floating loss, got int64");
    const rows = b.input("rows", ["N", 3], "float64");
    const sum = b.reduceSum(rows, [0, 1]);
    expect(() => differentiate(b, sum, [rows])).toThrow(/needs static shapes: build the training graph for a fixed/);
  });

  test("lays the gradients of weights in a flat vector side by side: one Concat, no Pad, no sum", () => {
    const b = graphBuilder();
    const flat = b.input("flat", [24]);
    const x = b.input("x", [5, 3]);
    const weight = b.reshape(b.slice(flat, 0, 0, 12), [3, 4]);
    const second = b.reshape(b.slice(flat, 0, 12, 24), [4, 3]);
    const loss = b.mean(b.matMul(b.matMul(x, weight), second), [0, 1]);
    const before = b.size();
    const [gradient] = differentiate(b, loss, [flat]);
    const ops = b
      .build({ gradient: gradient! })
      .nodes.slice(before)
      .map(({ op }) => op);
    expect(ops.filter((op) => op === "Concat")).toHaveLength(1);
    expect(ops.filter((op) => op === "Pad" || op === "Add")).toEqual([]);
  });

  test("adds no nodes for operands that lead to no parameter", () => {
    const b = graphBuilder();
    const x = b.input("x", [2, 3, 8]);
    const w = b.input("w", [4, 3, 3]);
    const loss = b.mean(b.square(b.conv(x, w, { pads: [1, 1] })), [0, 1, 2]);
    const before = b.size();
    differentiate(b, loss, [w]);
    const ops = b
      .build({})
      .nodes.slice(before)
      .map(({ op }) => op);
    expect(ops).toContain("MatMul");
    expect(ops).not.toContain("Conv");
  });
});
