/** The reuse-factor rules against public synthesis results (latency-data/n-torc: hls4ml, Vivado HLS 2019.1, 16 bits). */
import { describe, expect, it } from "vitest";
import {
  convLogic,
  denseLogic,
  multipliers,
  reuseBram18,
  reuseDsp,
  streamedConvCycles,
} from "../../../src/hardware/fpga/reuse.ts";
import { scorePredictions } from "../../../src/hardware/metrics.ts";
import { ridgeRegression } from "../../../src/hardware/nnls.ts";
import { readCsv } from "../read-latency-data.ts";

interface Row {
  readonly rf: number;
  readonly nIn: number;
  readonly nOut: number;
  readonly bram: number;
  readonly lut: number;
  readonly ff: number;
  readonly dsp: number;
}

/** Rows that reuse: with a factor of 1 the weights are constants in logic. */
function rowsOf(file: string, rf: string, outputs: string): Row[] {
  const table = readCsv(file);
  const [r, nIn, nOut] = [table.numbers(rf), table.numbers("n_inputs_resources"), table.numbers(outputs)];
  const [bram, lut, ff, dsp] = [
    table.numbers("bram_18k"),
    table.numbers("lut"),
    table.numbers("ff"),
    table.numbers("dsp48e"),
  ];
  const rows = r.map((_, i) => ({
    rf: r[i]!,
    nIn: nIn[i]!,
    nOut: nOut[i]!,
    bram: bram[i]!,
    lut: lut[i]!,
    ff: ff[i]!,
    dsp: dsp[i]!,
  }));
  return rows.filter((row) => row.rf > 1);
}

const conv = rowsOf("n-torc/collapsed_conv_resources.csv.gz", "correct_reuse_factor_resource", "cnn_filters_resources");
const dense = rowsOf(
  "n-torc/dense_resources_collapsed.csv.gz",
  "correct_reuse_factor_dense_resource",
  "dense_size_resource",
);
/** Taps of the convolutions. */
const k = 3;

function share(rows: readonly Row[], isRight: (row: Row) => boolean): number {
  return rows.filter(isRight).length / rows.length;
}

describe("public synthesis results", () => {
  it("give the cycles of streamed convolutions within 10 %, 1.5 % on average (F3)", () => {
    const table = readCsv("n-torc/conv_latency_collapsed.csv.gz");
    const rf = table.numbers("correct_reuse_factor_latency");
    const channels = table.numbers("n_inputs_latency");
    const length = table.numbers("sequence_length_latency");
    const measured = table.numbers("latency_max");
    const rows = rf.map((_, i) => i).filter((i) => rf[i]! >= 2);
    const scores = scorePredictions(
      rows.map((i) => streamedConvCycles((channels[i] === 1 ? length[i]! : length[i]! / 2) + 2, rf[i]!) - 2),
      rows.map((i) => measured[i]!),
    );
    expect(scores.count).toBeGreaterThan(3900);
    expect(scores.mape).toBeLessThan(0.015);
    expect(scores.within10).toBe(1);
  });

  it("give DSP blocks exactly on 99.5 % and block memories within one on 99 % (F4)", () => {
    expect(share(conv, ({ nIn, nOut, rf, dsp }) => reuseDsp(k * nIn, nOut, rf) === dsp)).toBeGreaterThan(0.995);
    expect(share(dense, ({ nIn, nOut, rf, dsp }) => reuseDsp(nIn, nOut, rf) === dsp)).toBeGreaterThan(0.995);
    const near = ({ nIn, nOut, rf, bram }: Row): boolean => Math.abs(reuseBram18(k * nIn, nOut, rf) - bram) <= 1;
    expect(share(conv, near)).toBeGreaterThan(0.99);
  });

  it.each([
    ["dense flip-flops", dense, 1, "ff", 0.05],
    ["dense LUTs", dense, 1, "lut", 0.13],
    ["convolution flip-flops", conv, k, "ff", 0.1],
    ["convolution LUTs", conv, k, "lut", 0.2],
  ] as const)("give %s no further off than the stated fit plus three points (F6)", (_, rows, taps, what, stated) => {
    const features = ({ nIn, nOut, rf }: Row): number[] => [1, multipliers(taps * nIn, nOut, rf), nOut, nIn];
    expect(foldedMape(rows, features, what)).toBeLessThan(stated + 0.03);
    const built = rows.map(({ nIn, nOut, rf }) =>
      taps === 1 ? denseLogic(nIn, nOut, rf)[what] : convLogic(nIn, nOut, taps, rf)[what],
    );
    const scores = scorePredictions(
      built,
      rows.map((row) => row[what]),
    );
    expect(scores.mape).toBeLessThan(stated + 0.03);
  });
});

/** Mean relative error of a linear fit with weights 1 / y, each fold held out once. */
function foldedMape(rows: readonly Row[], features: (row: Row) => readonly number[], what: "ff" | "lut"): number {
  let error = 0;
  for (let fold = 0; fold < 5; fold++) {
    const train = rows.filter((_, i) => i % 5 !== fold);
    const coefficients = ridgeRegression(
      train.map(features),
      train.map((row) => row[what]),
      { weights: train.map((row) => 1 / row[what]) },
    );
    for (const row of rows.filter((_, i) => i % 5 === fold)) {
      const p = features(row).reduce((sum, f, j) => sum + f * coefficients[j]!, 0);
      error += Math.abs(p - row[what]) / row[what];
    }
  }
  return error / rows.length;
}
