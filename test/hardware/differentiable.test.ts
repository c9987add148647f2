/** Latency as a function of gate probabilities: additive table (P4 of the search) and regressor (L1 to L3). */
import { describe, expect, it } from "vitest";
import { expectedLatency, logitGradient, tableAround, tableLatency } from "../../src/hardware/additive.ts";
import { fitRegressor, regressorGradient, regressorLatency } from "../../src/hardware/regressor.ts";
import { makeRng } from "../../src/rng.ts";
import { readCsv } from "./read-latency-data.ts";

const softmax = (logits: readonly number[]): number[] => {
  const e = logits.map(Math.exp);
  const sum = e.reduce((a, c) => a + c, 0);
  return e.map((v) => v / sum);
};

describe("an additive table", () => {
  const table = {
    fixed: 3,
    unit: "us",
    entries: [
      [0, 1.5, 4],
      [2, 0.1],
      [0, 7, 1, 2],
    ],
  };

  it("has the gradient of finite differences with respect to logits, to 1e-8", () => {
    const rng = makeRng(2);
    const logits = table.entries.map((row) => row.map(() => rng.normal()));
    const gradient = logitGradient(table, logits.map(softmax));
    logits.forEach((row, e) =>
      row.forEach((_, o) => {
        const at = (h: number): number =>
          expectedLatency(
            table,
            logits.map((r, i) => softmax(i === e ? r.map((l, j) => l + (j === o ? h : 0)) : r)),
          );
        expect(Math.abs((at(1e-5) - at(-1e-5)) / 2e-5 - gradient[e]![o]!)).toBeLessThan(1e-8);
      }),
    );
  });

  it("gives an architecture's latency at one-hot rows exactly", () => {
    const oneHot = table.entries.map((row, e) => row.map((_, o) => (o === [2, 1, 3][e] ? 1 : 0)));
    expect(expectedLatency(table, oneHot)).toBe(tableLatency(table, [2, 1, 3]));
  });

  it("is recovered from the latencies of architectures around any base", () => {
    const found = tableAround([3, 2, 4], [1, 1, 2], (architecture) => tableLatency(table, architecture));
    for (const architecture of [
      [0, 0, 0],
      [2, 1, 3],
      [1, 0, 1],
    ])
      expect(tableLatency(found, architecture)).toBeCloseTo(tableLatency(table, architecture), 12);
  });

  it("refuses a base that does not fit the slots", () => {
    expect(() => tableAround([2, 2], [0], () => 1)).toThrow("the base architecture has 1 choices for 2 slots");
  });
});

describe("the regressor", () => {
  const data = readCsv("help/nasbench201_latency_ms.csv.gz");
  const names = ["none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"];
  const sizes = new Array<number>(6).fill(5);
  const rows = data.texts("arch_str").slice(0, 2000);
  const architectures = rows.map((text) => (text.match(/[a-z_0-9]+(?=~)/g) ?? []).map((name) => names.indexOf(name)));
  const model = fitRegressor(sizes, architectures, data.numbers("fpga").slice(0, 2000), makeRng(5), {
    width: 32,
    epochs: 60,
  });

  it("comes within 10 % on held-out networks of a public FPGA column (L1)", () => {
    expect(model.heldOutError).toBeLessThan(0.1);
  });

  it("has the gradient of central differences (L2)", () => {
    const rng = makeRng(6);
    const p = sizes.map((size) => softmax(Array.from({ length: size }, () => rng.normal())));
    const gradient = regressorGradient(model, p);
    for (const [e, o] of [
      [0, 0],
      [2, 3],
      [5, 4],
    ] as const) {
      const at = (h: number): number =>
        regressorLatency(
          model,
          p.map((row, i) => (i === e ? row.map((v, j) => v + (j === o ? h : 0)) : row)),
        );
      const difference = (at(1e-5) - at(-1e-5)) / 2e-5;
      expect(Math.abs(difference - gradient[e]![o]!)).toBeLessThan(1e-4 * Math.abs(difference));
    }
  });

  it("stays between its ends on a mixture, roughly", () => {
    const row = (o: number): number[] => names.map((_, i) => (i === o ? 1 : 0));
    const cheap = regressorLatency(
      model,
      sizes.map(() => row(1)),
    );
    const dear = regressorLatency(
      model,
      sizes.map(() => row(3)),
    );
    const half = regressorLatency(
      model,
      sizes.map(() => [0, 0.5, 0, 0.5, 0]),
    );
    expect(half).toBeGreaterThan(cheap);
    expect(half).toBeLessThan(dear);
  });

  it("is the same from the same seed", () => {
    const again = fitRegressor(sizes, architectures.slice(0, 100), data.numbers("fpga").slice(0, 100), makeRng(1), {
      width: 8,
      epochs: 3,
    });
    const once = fitRegressor(sizes, architectures.slice(0, 100), data.numbers("fpga").slice(0, 100), makeRng(1), {
      width: 8,
      epochs: 3,
    });
    expect(again.weights).toEqual(once.weights);
  });
});
