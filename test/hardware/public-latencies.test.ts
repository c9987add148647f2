/** Public measurements (latency-data/help, latency-data/proxylessnas): C4 and G2 of the latency models, five seeds each. */
import { describe, expect, it } from "vitest";
import { fitTable, tableLatency } from "../../src/hardware/additive.ts";
import { batchLatency, fitCounts, predictCounts } from "../../src/hardware/counts.ts";
import { mean, scorePredictions, type PredictionScores } from "../../src/hardware/metrics.ts";
import { makeRng } from "../../src/rng.ts";
import { readCsv, readText } from "./read-latency-data.ts";

const nasBench = readCsv("help/nasbench201_latency_ms.csv.gz");
const fbNet = readCsv("help/fbnet_latency_ms.csv.gz");
const operators = ["skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"];
/** Of each NAS-Bench-201 cell, unpruned: how often each operator occurs on its six edges. */
const counts = nasBench.texts("arch_str").map((text) => {
  const edges = text.match(/[a-z_0-9]+(?=~)/g) ?? [];
  return operators.map((operator) => edges.filter((edge) => edge === operator).length);
});
const fbNetChoices = fbNet.texts("op_idx_list").map((text) => text.split(" ").map(Number));
const seeds = [1, 2, 3, 4, 5];

/** Scores of `predict`, fitted to `train` rows drawn at random, on all other rows. */
function held(
  y: readonly number[],
  train: number,
  seed: number,
  fit: (rows: readonly number[]) => (row: number) => number,
): PredictionScores {
  const order = makeRng(seed).shuffle(y.map((_, i) => i));
  const predict = fit(order.slice(0, train));
  const rest = order.slice(train);
  return scorePredictions(
    rest.map(predict),
    rest.map((i) => y[i]!),
  );
}

function countFit(y: readonly number[]) {
  return (rows: readonly number[]): ((row: number) => number) => {
    const model = fitCounts(
      rows.map((i) => counts[i]!),
      rows.map((i) => y[i]!),
    );
    return (i) => predictCounts(model, counts[i]!);
  };
}

describe("200 networks of NAS-Bench-201 and their operator counts (C4)", () => {
  it.each([
    ["gold_6226", 0.92],
    ["silver_4210r", 0.94],
    ["silver_4114", 0.68],
    ["gold_6240", 0.68],
    ["titan_rtx_1", 0.93],
    ["titan_rtx_256", 0.99],
  ])("predict %s within 10 % on at least %f of the rest", (device, least) => {
    const y = nasBench.numbers(device);
    const within = seeds.map((seed) => held(y, 200, seed, countFit(y)).within10);
    expect(mean(within)).toBeGreaterThanOrEqual(least);
  });

  it.each(["fpga", "eyeriss"])("reproduce the exactly additive column %s", (device) => {
    const y = nasBench.numbers(device);
    expect(held(y, 200, 1, countFit(y)).mape).toBeLessThan(1e-3);
  });
});

describe("900 networks of FBNet and a table of their slots (C4)", () => {
  const sizes = new Array<number>(22).fill(9);
  const tableFit = (y: readonly number[]) => (rows: readonly number[]) => {
    const table = fitTable(
      sizes,
      rows.map((i) => fbNetChoices[i]!),
      rows.map((i) => y[i]!),
    );
    return (i: number): number => tableLatency(table, fbNetChoices[i]!);
  };

  it.each([
    ["gold_6226", 0.93],
    ["silver_4210r", 0.98],
    ["silver_4114", 0.98],
    ["gold_6240", 0.98],
  ])("predict %s within 10 % on at least %f of the rest", (device, least) => {
    const y = fbNet.numbers(device);
    const within = seeds.map((seed) => held(y, 900, seed, tableFit(y)).within10);
    expect(mean(within)).toBeGreaterThanOrEqual(least);
  });

  it.each(["fpga", "eyeriss", "pixel3", "raspi4"])("reproduce the exactly additive column %s", (device) => {
    const y = fbNet.numbers(device);
    expect(held(y, 900, 1, tableFit(y)).mape).toBeLessThan(1e-3);
  });
});

describe("the batch rule between launches and work (G2)", () => {
  it.each([
    ["2080ti", 0.04],
    ["titan_rtx", 0.07],
    ["titanx", 0.15],
    ["1080ti", 0.15],
    ["titanxp", 0.15],
  ])("predicts batch 32 on %s from batches 1 and 256, far better than interpolation", (device, most) => {
    const [one, some, many] = ["1", "32", "256"].map((batch) => nasBench.numbers(`${device}_${batch}`));
    const errors = seeds.map((seed) => {
      const fitBoth = (combine: (a: number, b: number) => number) => (rows: readonly number[]) => {
        const [atOne, atMany] = [countFit(one!)(rows), countFit(many!)(rows)];
        return (i: number): number => combine(atOne(i), atMany(i));
      };
      const rule = held(
        some!,
        200,
        seed,
        fitBoth((a, b) => batchLatency(a, b, 256, 32)),
      );
      const line = held(
        some!,
        200,
        seed,
        fitBoth((a, b) => a + ((b - a) * 31) / 255),
      );
      return { rule: rule.mape, line: line.mape };
    });
    const rule = mean(errors.map((each) => each.rule));
    expect(rule).toBeLessThan(most);
    expect(rule).toBeLessThan(0.6 * mean(errors.map((each) => each.line)));
  });
});

describe("the published lookup table of a phone (C4)", () => {
  it("has 72 blocks whose means add up over a network", () => {
    const blocks = new Map<string, number>();
    let name = "";
    for (const line of readText("proxylessnas/pixel_trim.yaml").split("\n")) {
      const value = /^ {2}mean: (\S+)/.exec(line)?.[1];
      if (value !== undefined) blocks.set(name, Number(value));
      else if (/^\S/.test(line)) name = line.replace(/:$/, "");
    }
    expect(blocks.size).toBe(72);
    const network = [
      "Conv-input:224x224x3-output:112x112x32",
      "Conv_1-input:7x7x320-output:7x7x1280",
      "Logits-input:7x7x1280-output:1000",
    ];
    const table = { fixed: 0, unit: "ms", entries: network.map((block) => [blocks.get(block)!]) };
    // Summed by hand from the file's means.
    expect(Math.abs(tableLatency(table, [0, 0, 0]) - 11.616859852476288)).toBeLessThan(1e-9);
  });
});
