import { describe, expect, test } from "vitest";
import { type Op, costOf, graphBuilder, macsOf } from "../../src/graph/index.ts";
import { makeRng } from "../../src/rng.ts";
import { opCases } from "../support/op-cases.ts";

describe("costOf()", () => {
  test("counts a dense layer: rows x inputs x outputs multiply-accumulates, and the bytes of its tensors", () => {
    const b = graphBuilder();
    const y = b.sum(b.matMul(b.input("x", ["N", 5]), b.input("w", [5, 7])), b.input("bias", [7]));
    const graph = b.build({ y });
    const { nodes, total } = costOf(graph, 32);
    expect(nodes[2]).toEqual({
      flops: 2 * 32 * 5 * 7,
      macs: 32 * 5 * 7,
      bytesRead: 4 * (32 * 5 + 5 * 7),
      bytesWritten: 4 * 32 * 7,
    });
    expect(nodes[4]).toEqual({ flops: 32 * 7, macs: 0, bytesRead: 4 * (32 * 7 + 7), bytesWritten: 4 * 32 * 7 });
    expect(total.flops).toBe(2 * 32 * 5 * 7 + 32 * 7);
    expect(macsOf(graph, 32)).toBe(32 * 5 * 7);
    expect(macsOf(graph)).toBe(5 * 7);
  });

  test("counts a grouped convolution by the channels that each output reads, and float64 as eight bytes", () => {
    const b = graphBuilder();
    const x = b.input("x", [2, 6, 10], "float64");
    const y = b.conv(x, b.input("w", [8, 3, 5], "float64"), { pads: [2, 2], group: 2 });
    const { total } = costOf(b.build({ y }));
    expect(total).toEqual({
      flops: 2 * (2 * 8 * 10) * (3 * 5),
      macs: 2 * 8 * 10 * (3 * 5),
      bytesRead: 8 * (2 * 6 * 10 + 8 * 3 * 5),
      bytesWritten: 8 * 2 * 8 * 10,
    });
  });

  test("counts a slice by what it takes, a sum by what it reads, a reshape as nothing", () => {
    const b = graphBuilder();
    const x = b.input("x", [100]);
    const cut = b.slice(x, 0, 10, 30);
    const sum = b.reduceSum(b.reshape(cut, [4, 5]), [1]);
    const { nodes } = costOf(b.build({ sum }));
    expect(nodes[cut]).toEqual({ flops: 0, macs: 0, bytesRead: 80, bytesWritten: 80 });
    expect(nodes[cut + 1]).toEqual({ flops: 0, macs: 0, bytesRead: 0, bytesWritten: 0 });
    expect(nodes[sum]).toEqual({ flops: 20, macs: 0, bytesRead: 80, bytesWritten: 16 });
  });

  test.each(Object.keys(opCases) as Op[])("is finite and never negative: %s", (op) => {
    for (let seed = 0; seed < 10; seed++) {
      const { inputs, build } = opCases[op](makeRng(seed));
      const b = graphBuilder();
      const y = build(
        b,
        inputs.map(({ shape, dtype = "float32" }, i) => b.input(`x${i}`, shape, dtype)),
      );
      const { total } = costOf(b.build({ y }));
      for (const part of Object.values(total)) expect(Number.isInteger(part) && part >= 0).toBe(true);
    }
  });
});
