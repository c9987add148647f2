import { describe, expect, it } from "vitest";
import { type Case, cases, type Simulation } from "../../cases/index.ts";
import { makeRng } from "../../src/rng.ts";

const sizeOf = (shape: readonly number[]): number => shape.reduce((size, extent) => size * extent, 1);

for (const [key, study] of Object.entries(cases as Readonly<Record<string, Case>>)) {
  describe(`case ${key}`, () => {
    const d = study.inputs.length;
    const rng = makeRng(17);
    const points = [
      new Float64Array(d).fill(0.5),
      Float64Array.from({ length: d }, () => rng.uniform()),
      Float64Array.from({ length: d }, () => rng.uniform()),
    ];
    const runs: readonly Simulation[] = points.map((u) => study.simulate(u));

    it("is listed under its own name and names its sources", () => {
      expect(study.name).toBe(key);
      expect(study.source.length).toBeGreaterThan(0);
      expect(study.runs.train).toBeGreaterThan(study.runs.test);
    });

    it("has inputs with different names and real ranges", () => {
      expect(new Set(study.inputs.map(({ name }) => name)).size).toBe(d);
      for (const { low, high, scale } of study.inputs) {
        expect(high).toBeGreaterThan(low);
        if (scale === "log") expect(low).toBeGreaterThan(0);
      }
    });

    it("gives a coordinate for every element of each axis that it describes", () => {
      for (const { shape, axes } of study.outputs) {
        const described = shape.slice(shape.length - axes.length);
        expect(axes.map(({ values }) => values.length)).toEqual(described);
      }
    });

    it("fills every output with finite numbers, at the middle of its box for sure", () => {
      expect(runs[0]!.status).toBe("ok");
      for (const run of runs) {
        if (run.status === "failed") {
          expect(run.reason).not.toBe("");
          continue;
        }
        expect(Object.keys(run.outputs).sort()).toEqual(study.outputs.map(({ name }) => name).sort());
        for (const { name, shape } of study.outputs) {
          expect(run.outputs[name]).toHaveLength(sizeOf(shape));
          expect(run.outputs[name]!.every(Number.isFinite)).toBe(true);
        }
      }
    });

    it("gives the same bytes for the same point, other numbers for another, and leaves the point alone", () => {
      const u = points[0]!.slice();
      const again = study.simulate(u);
      expect(u).toEqual(points[0]);
      expect(again).toEqual(runs[0]);
      expect(runs[1]).not.toEqual(runs[0]);
    });

    it("states a positive noise on what it observes", () => {
      const run = runs[0]!;
      if (run.status === "failed") throw new Error(run.reason);
      expect(study.inverse.observed.length).toBeGreaterThan(0);
      for (const name of study.inverse.observed) {
        const noise = study.inverse.noise(name, run.outputs[name]!);
        expect(noise).toHaveLength(run.outputs[name]!.length);
        expect(noise.every((value) => value >= 0)).toBe(true);
        expect(noise.some((value) => value > 0 && value < Infinity)).toBe(true);
      }
    });
  });
}
