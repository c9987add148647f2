/** Golden values: worked examples D1 to D5 (FINN, FINN-R), H1 to H6 (public hls4ml results), B1 to B3 (Li et al. 2017). */
import { describe, expect, it } from "vitest";
import {
  batchCycles,
  binaryCycles,
  binaryDot,
  HAND_OVER,
  phaseInterval,
  threshold,
} from "../../../src/hardware/fpga/binary.ts";
import {
  accumulatorBits,
  matrixCycles,
  matrixUnitCost,
  packedDsp,
  UNIT_STAGES,
  windowCycles,
} from "../../../src/hardware/fpga/dataflow.ts";
import { multiplierLuts } from "../../../src/hardware/fpga/multiplier.ts";
import {
  ACTIVATION_CYCLES,
  closestReuse,
  denseStackCycles,
  isLegalReuse,
  legalReuse,
  multipliers,
  reuseDsp,
  streamedConvCycles,
} from "../../../src/hardware/fpga/reuse.ts";
import { makeRng } from "../../../src/rng.ts";

describe("the dataflow design", () => {
  it("takes the published cycles of FINN's CNV network (D1)", () => {
    const convs = [
      [3, 64, 30],
      [64, 64, 28],
      [64, 128, 12],
      [128, 128, 10],
      [128, 256, 3],
      [256, 256, 1],
    ] as const;
    const foldings = [
      [16, 3],
      [32, 32],
      [16, 32],
      [16, 32],
      [4, 32],
      [1, 32],
    ] as const;
    const cycles = convs.map(([inC, outC, size], i) =>
      matrixCycles({ MW: 9 * inC, MH: outC, V: size * size }, { pe: foldings[i]![0], simd: foldings[i]![1] }),
    );
    const dense = [
      matrixCycles({ MW: 256, MH: 512, V: 1 }, { pe: 1, simd: 4 }),
      matrixCycles({ MW: 512, MH: 512, V: 1 }, { pe: 1, simd: 8 }),
      matrixCycles({ MW: 512, MH: 10, V: 1 }, { pe: 5, simd: 1 }),
    ];
    const all = [...cycles, ...dense];
    expect(all).toEqual([32_400, 28_224, 20_736, 28_800, 20_736, 18_432, 32_768, 32_768, 1024]);
    expect(1e8 / Math.max(...all)).toBeCloseTo(3051.8, 1);
  });

  it("takes the published cycles of FINN's TFC and LFC networks (D2)", () => {
    const tfc = [
      [784, 64, 16, 49],
      [64, 64, 8, 8],
      [64, 64, 8, 8],
      [64, 10, 10, 8],
    ] as const;
    const lfc = [
      [784, 1024, 32, 49],
      [1024, 1024, 64, 32],
      [1024, 1024, 32, 64],
      [1024, 10, 10, 8],
    ] as const;
    const cycles = (net: readonly (readonly [number, number, number, number])[]): number[] =>
      net.map(([MW, MH, pe, simd]) => matrixCycles({ MW, MH, V: 1 }, { pe, simd }));
    expect(cycles(tfc)).toEqual([64, 64, 64, 8]);
    expect(cycles(lfc)).toEqual([512, 512, 512, 128]);
  });

  it("takes the published cycles of sliding windows in 2-D and 1-D (D3)", () => {
    expect(windowCycles(4, { Kh: 3, Kw: 3, Wi: 8, Ho: 6, Wo: 6, S: 1 })).toBe(1372);
    expect(windowCycles(4, { Kh: 1, Kw: 3, Wi: 8, Ho: 1, Wo: 6, S: 1 })).toBe(74);
  });

  it("needs the published resources of a matrix-vector unit (D4)", () => {
    const options = { weightBits: 8, activationBits: 8, weightMemory: "block" } as const;
    const folding = { pe: 4, simd: 8 };
    expect(matrixCycles({ MW: 64, MH: 32, V: 1 }, folding)).toBe(64);
    expect(accumulatorBits(64, 8, 8)).toBe(22);
    expect(matrixUnitCost("xc7", { MW: 64, MH: 32 }, folding, { ...options, inDsp: false })).toMatchObject({
      lut: 4268,
      dsp: 0,
      bram18: 8,
    });
    expect(matrixUnitCost("xc7", { MW: 64, MH: 32 }, folding, { ...options, inDsp: true })).toMatchObject({
      lut: 1452,
      dsp: 32,
    });
  });

  it("finishes 20 vectors in the simulated cycles of a three-stage unit (D5)", () => {
    const shapes = [
      [64, 32, 8, 4],
      [27, 16, 3, 16],
      [128, 64, 16, 1],
      [256, 10, 8, 5],
      [64, 64, 64, 64],
    ] as const;
    const totals = shapes.map(([MW, MH, simd, pe]) => matrixCycles({ MW, MH, V: 20 }, { pe, simd }) + UNIT_STAGES);
    expect(totals).toEqual([1283, 183, 10_243, 1283, 23]);
  });

  it("packs four 4-bit products into a block, and three 8-bit ones", () => {
    expect(packedDsp({ pe: 8, simd: 4 }, "dsp48-4bit")).toBe(8);
    expect(packedDsp({ pe: 8, simd: 4 }, "dsp58-8bit")).toBe(16);
  });
});

describe("the reuse-factor design", () => {
  it.each([
    [[80, 24, 120], 1024, [960, 960], 1923],
    [[80, 24, 120], 2047, [1920, 1440], 3363],
    [[80, 24, 120], 4093, [1920, 2880], 4803],
    [[104, 48, 104, 104], 1024, [832, 1248, 832], 2917],
    [[40, 88, 112], 1024, [880, 1232], 2115],
  ])(
    "takes the synthesised cycles of the stack %s at a reuse factor of %i (H1 to H3)",
    (sizes, asked, legal, cycles) => {
      const reuse = sizes.slice(1).map((nOut, i) => closestReuse(sizes[i]!, nOut, asked));
      expect(reuse).toEqual(legal);
      expect(denseStackCycles(reuse).typical).toBe(cycles);
    },
  );

  it("states the worst case, one cycle a layer above (H2), and 12 DSP blocks (H3)", () => {
    expect(denseStackCycles([832, 1248, 832]).worst).toBe(2920);
    expect(reuseDsp(40, 88, 880) + reuseDsp(88, 112, 1232)).toBe(12);
  });

  it("takes the reported cycles of streamed convolutions, and within 3 % with the default overhead (H4, H5)", () => {
    const reported = [
      [128, 1824, 15, 235_394],
      [41 * 11, 1152, 7, 522_711],
      [54 * 22, 1600, 7, 1_909_118],
    ] as const;
    for (const [pixels, rf, d, cycles] of reported) {
      expect(streamedConvCycles(pixels, rf, d)).toBe(cycles);
      expect(Math.abs(streamedConvCycles(pixels, rf) - cycles) / cycles).toBeLessThan(0.03);
    }
  });

  it("brackets the reported cycles of seven layers with activations (H6)", () => {
    expect(7 * 1024 + 7 * ACTIVATION_CYCLES.least).toBeLessThanOrEqual(7327);
    expect(7 * 1024 + 7 * ACTIVATION_CYCLES.most).toBeGreaterThanOrEqual(7327);
  });

  it("lists exactly the factors that are legal", () => {
    const rng = makeRng(3);
    for (let i = 0; i < 30; i++) {
      const nIn = 1 + rng.int(40);
      const nOut = 1 + rng.int(40);
      const all = Array.from({ length: nIn * nOut }, (_, k) => k + 1).filter((rf) => isLegalReuse(nIn, nOut, rf));
      expect(legalReuse(nIn, nOut)).toEqual(all);
      for (const rf of all) expect(Number.isInteger(multipliers(nIn, nOut, rf))).toBe(true);
    }
  });
});

describe("the binary design", () => {
  it("takes equal cycles in the balanced layers of the published network (B1)", () => {
    expect(binaryCycles(32 * 32 * 128, 1152, 384, 32)).toBe(12_288);
    expect(binaryCycles(16 * 16 * 256, 2304, 768, 16)).toBe(12_288);
    expect(binaryCycles(8 * 8 * 512, 4608, 1536, 8)).toBe(12_288);
    expect(phaseInterval([12_288, 12_288], HAND_OVER)).toBeCloseTo(90e6 / 6218, -1);
  });

  it("turns norm and sign into the published threshold (B2)", () => {
    expect(threshold(1152, { mu: 10, sigma: 20, gamma: 2, beta: 0.5 })).toEqual({ kind: "least", at: 579 });
  });

  it("reaches the published arithmetic rate (B3)", () => {
    expect(1.234e9 * 6218).toBeCloseTo(7.67e12, -10);
  });

  it("decides as batch norm and sign do, on 20,000 random cases", () => {
    const rng = makeRng(11);
    let wrong = 0;
    for (let i = 0; i < 20_000; i++) {
      const n = 1 + rng.int(70);
      const equal = rng.int(n + 1);
      const norm = {
        mu: 8 * rng.normal(),
        sigma: 0.1 + 5 * rng.uniform(),
        gamma: i % 50 === 0 ? 0 : rng.normal(),
        beta: rng.normal(),
      };
      const value = (norm.gamma * (binaryDot(equal, n) - norm.mu)) / norm.sigma + norm.beta;
      const rule = threshold(n, norm);
      const bit = rule.kind === "constant" ? rule.value : rule.kind === "least" ? equal >= rule.at : equal <= rule.at;
      if (bit !== value >= 0) wrong++;
    }
    expect(wrong).toBe(0);
  });

  it("serves a batch in the cycles that the pipeline's events take", () => {
    for (const [batch, depth, interval] of [
      [1, 4, 10],
      [7, 3, 12_288],
      [512, 9, 64],
    ] as const) {
      const free = new Array<number>(depth).fill(0);
      let done = 0;
      for (let sample = 0; sample < batch; sample++) {
        done = 0;
        for (let layer = 0; layer < depth; layer++) {
          done = Math.max(done, free[layer]!) + interval;
          free[layer] = done;
        }
      }
      expect(batchCycles(batch, depth, interval)).toBe(done);
    }
  });

  it("serves a batch in one phase per sample and the depth once", () => {
    expect(batchCycles(1, 9, 100)).toBe(900);
    expect(batchCycles(100, 9, 100)).toBe(10_800);
  });
});

describe("a multiplier in logic", () => {
  it("takes the synthesised LUTs at the measured widths and lies between them elsewhere", () => {
    expect([2, 4, 6, 8, 12, 16].map((w) => multiplierLuts("xc7", w))).toEqual([5, 26, 83, 166, 345, 631]);
    expect([2, 4, 6, 8, 12, 16].map((w) => multiplierLuts("ecp5", w))).toEqual([4, 53, 151, 293, 771, 1618]);
    expect(multiplierLuts("xc7", 10)).toBeGreaterThan(166);
    expect(multiplierLuts("xc7", 10)).toBeLessThan(345);
  });
});
