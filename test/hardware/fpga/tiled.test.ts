/** Golden values: the worked examples Z1 to Z4, M1, N1, N2 of Zhang et al. (FPGA 2015) and Jiang et al. (DAC 2019); toy of FNAS. */
import { describe, expect, it } from "vitest";
import { blocks18, memoryCost } from "../../../src/hardware/fpga/memory.ts";
import {
  pipelineBound,
  type PipelineLayer,
  pipelineLayer,
  type ReuseOrder,
  simulatePipeline,
  startDelay,
} from "../../../src/hardware/fpga/tile-pipeline.ts";
import {
  attainable,
  layerComputeCycles,
  layerCycles,
  taskCycles,
  tiledDsp,
  type TiledLayer,
} from "../../../src/hardware/fpga/tiled.ts";
import { fnasDesign, fnasLatency } from "../../../src/hardware/fpga/fnas-design.ts";
import { makeRng } from "../../../src/rng.ts";

function layer(M: number, N: number, R: number, K: number): TiledLayer {
  return { M, N, R, C: R, Kh: K, Kw: K, S: 1, groups: 1 };
}
const alexNet = [
  layer(48, 3, 55, 11),
  layer(128, 48, 27, 5),
  layer(192, 256, 13, 3),
  layer(192, 192, 13, 3),
  layer(128, 192, 13, 3),
];

function cyclesWith(Tm: number, Tn: number, index: number): number {
  const current = alexNet[index]!;
  return layerComputeCycles(current, { Tm, Tn, Tr: current.R, Tc: current.C }, index === 0 ? 0 : 20);
}

describe("the tiled accelerator", () => {
  it("takes the published cycles for half of AlexNet on <64, 7> (Z1)", () => {
    const cycles = alexNet.map((_, i) => cyclesWith(64, 7, i));
    expect(cycles).toEqual([366_025, 255_430, 171_051, 129_444, 86_296]);
    expect(cycles.reduce((a, c) => a + c)).toBe(1_008_246);
  });

  it("takes the published cycles on other tiles (Z2)", () => {
    expect([cyclesWith(96, 5, 2), cyclesWith(96, 5, 3), cyclesWith(32, 15, 4)]).toEqual([160_264, 120_198, 80_132]);
  });

  it("comes within 10 % of the published 21.61 ms for both halves at 100 MHz (Z3)", () => {
    const ms = (2 * 1_008_246) / 1e5;
    expect(ms).toBeCloseTo(20.16, 2);
    expect(Math.abs(ms - 21.61) / 21.61).toBeLessThan(0.1);
  });

  it("needs the published DSP blocks in float32 (Z4)", () => {
    expect(tiledDsp({ Tm: 64, Tn: 7, Tr: 1, Tc: 1 }, "xc7", 32, true)).toBe(2240);
  });

  it("packs two 8-bit products into one block on UltraScale only", () => {
    const tile = { Tm: 8, Tn: 8, Tr: 1, Tc: 1 };
    expect(tiledDsp(tile, "ultrascale", 8)).toBe(32);
    expect(tiledDsp(tile, "xc7", 8)).toBe(64);
  });

  it("is bound by memory when the bus is narrow, and by arithmetic when it is wide", () => {
    const current = alexNet[2]!;
    const tile = { Tm: 64, Tn: 7, Tr: 13, Tc: 13 };
    const narrow = layerCycles(current, tile, 16, 1);
    const wide = layerCycles(current, tile, 16, 64);
    expect(narrow.bound).toBe("memory");
    expect(wide.bound).toBe("compute");
    expect(wide.cycles).toBeGreaterThanOrEqual(171_051);
    expect(narrow.cycles).toBeGreaterThan(wide.cycles);
  });

  it("attains no more than its arithmetic allows", () => {
    const { compute, flops } = attainable(alexNet[1]!, { Tm: 64, Tn: 7, Tr: 27, Tc: 27 }, 1e8, 1e12);
    expect(flops).toBe(compute);
    expect(compute).toBe(2 * 64 * 7 * 1e8);
  });

  it("takes 8 blocks for a memory of 256 bits by 64 words forced out of LUT RAM (M1)", () => {
    expect(blocks18(256, 64)).toBe(8);
    expect(memoryCost("xc7", 256, 64)).toEqual({ lut: 256, bram18: 0 });
    expect(memoryCost("ice40", 16, 300)).toEqual({ lut: 0, bram18: 2 });
  });
});

function stage(M: number, N: number): PipelineLayer {
  return pipelineLayer(layer(M, N, 8, 3), { Tm: 4, Tn: 4, Tr: 8, Tc: 8 });
}
const noFill = { fill: 0 } as const;

describe("the pipeline over tile tasks", () => {
  it("reproduces the output-reuse example (N1)", () => {
    const chain = [stage(8, 4), stage(4, 8)];
    expect(taskCycles(chain[0]!.layer, chain[0]!.tile, 0)).toBe(576);
    expect(startDelay(chain[0]!, chain[1]!, "output", 0)).toBe(576);
    expect(simulatePipeline(chain, noFill).cycles).toBe(1728);
    expect(pipelineBound(chain, noFill)).toBe(1728);
    expect(simulatePipeline(chain, noFill).interval).toBe(1152);
  });

  it("reproduces the input-reuse example (N2)", () => {
    expect(startDelay(stage(8, 8), stage(4, 8), "input", 0)).toBe(1728);
  });

  it.each([
    [["output", "input"], 6],
    [["output", "output"], 7],
    [["input", "input"], 7],
  ] as const)(
    "takes the known cycles of the 2 x 2 toy in the orders %s when engines never reorder",
    (orders, cycles) => {
      const dense: TiledLayer = { M: 2, N: 2, R: 1, C: 1, Kh: 1, Kw: 1, S: 1, groups: 1 };
      const chain = [1, 2].map(() => pipelineLayer(dense, { Tm: 1, Tn: 1, Tr: 1, Tc: 1 }));
      expect(simulatePipeline(chain, { orders, fill: 0, policy: "fixed" }).cycles).toBe(cycles);
    },
  );

  it("never runs below its bound, and mostly close to it", () => {
    const rng = makeRng(7);
    let close = 0;
    const chains = 400;
    for (let i = 0; i < chains; i++) {
      const length = 2 + rng.int(4);
      const widths = Array.from({ length: length + 1 }, () => 4 * (1 + rng.int(8)));
      const size = 4 * (1 + rng.int(4));
      const kernel = [1, 3, 5][rng.int(3)]!;
      const chain = Array.from({ length }, (_, j) =>
        pipelineLayer(layer(widths[j + 1]!, widths[j]!, size, kernel), {
          Tm: 1 << rng.int(5),
          Tn: 1 << rng.int(5),
          Tr: size,
          Tc: size,
        }),
      );
      const orders = chain.map((): ReuseOrder => (rng.int(2) === 0 ? "output" : "input"));
      const bound = pipelineBound(chain, { orders });
      const { cycles } = simulatePipeline(chain, { orders });
      expect(bound).toBeLessThanOrEqual(cycles);
      if (bound > 0.9 * cycles) close++;
    }
    expect(close / chains).toBeGreaterThan(0.85);
  });

  it("lies between the busiest layer and the sum of all layers, with spatial tiles and halos too", () => {
    const rng = makeRng(8);
    for (let i = 0; i < 100; i++) {
      const chain = [8, 16, 8].map((M, j) =>
        pipelineLayer(layer(M, j === 1 ? 8 : 16, 12, 3), {
          Tm: 1 << rng.int(4),
          Tn: 1 << rng.int(4),
          Tr: 1 + rng.int(12),
          Tc: 1 + rng.int(12),
        }),
      );
      const { cycles, interval } = simulatePipeline(chain);
      const alone = chain.map((one) => simulatePipeline([one]).cycles);
      expect(cycles).toBeGreaterThanOrEqual(interval);
      expect(cycles).toBeLessThanOrEqual(alone.reduce((a, c) => a + c) + 1e-9);
      expect(pipelineBound(chain)).toBeLessThanOrEqual(cycles);
    }
  });

  it("adds up layers of one tile each", () => {
    const chain = [4, 4, 4].map(() => pipelineLayer(layer(4, 4, 6, 3), { Tm: 4, Tn: 4, Tr: 6, Tc: 6 }));
    const alone = simulatePipeline(chain.slice(0, 1)).cycles;
    expect(simulatePipeline(chain).cycles).toBe(3 * alone);
  });
});

describe("the FNAS design rule", () => {
  const example: TiledLayer = { M: 36, N: 18, R: 28, C: 28, Kh: 5, Kw: 5, S: 1, groups: 1 };

  it("takes the worked value, its multiply-accumulates over Tm Tn", () => {
    const { taskCycles: inner, cycles } = fnasLatency(example, { Tm: 9, Tn: 9, Tr: 14, Tc: 14 });
    expect(inner).toBe(4900);
    expect(cycles).toBe(156_800);
    expect(cycles).toBe((36 * 18 * 28 * 28 * 25) / 81);
  });

  it("is never beaten by any other tile within the same limits", () => {
    const limits = { dsp: 60, bram18: 100, bits: 16 };
    const design = fnasDesign(example, limits);
    const brute: number[] = [];
    for (let Tm = 1; Tm <= 36; Tm++)
      for (let Tn = 1; Tn <= 18; Tn++)
        for (const Tr of [1, 2, 4, 7, 14, 28])
          for (const Tc of [1, 2, 4, 7, 14, 28]) {
            const made = fnasLatency(example, { Tm, Tn, Tr, Tc });
            const bram =
              2 * (Tn + Tm) * Math.ceil((Tr * Tc * 16) / 18_000) + Tm * Tn * Math.ceil((4 * 25 * 16) / 18_000);
            if (Tm * Tn <= limits.dsp && bram <= limits.bram18) brute.push(made.cycles);
          }
    expect(design!.cycles).toBe(Math.min(...brute));
  });

  it("has no design where not even one multiplier fits", () => {
    expect(fnasDesign(example, { dsp: 0, bram18: 100, bits: 16 })).toBeUndefined();
  });
});
