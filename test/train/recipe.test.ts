/** What work a fit plans, by the size of the problem. */
import { describe, expect, it } from "vitest";
import { fieldRate, planMember, planSearch, planTrials } from "../../src/train/index.ts";

const common = { members: 8, loss: "mse", weightDecay: 1e-3, coefficients: false, engine: "onnxruntime" } as const;
const scalars = { ...common, rows: 400, outputs: 4, macs: 12_000, convolutional: false, fields: false };
const spectra = { ...common, rows: 1700, outputs: 500, macs: 70_000, convolutional: false, fields: true };
const images = { ...common, rows: 1700, outputs: 4096, macs: 60e6, convolutional: true, fields: true };

const passes = ({ adamSteps, batch }: { readonly adamSteps: number; readonly batch: number }, rows: number): number =>
  (adamSteps * batch) / rows;
const iterations = ({ path }: ReturnType<typeof planMember>): number => path.reduce((sum, s) => sum + s.iterations, 0);

describe("planMember()", () => {
  it("gives scalars, and fields of few runs, the whole decay path", () => {
    for (const problem of [scalars, { ...spectra, rows: 60 }]) {
      const { path, adamSteps } = planMember("standard", problem);
      expect(path).toHaveLength(8);
      expect(path[0]!.weightDecay).toBe(1e-3);
      expect(path.at(-1)!.weightDecay).toBeCloseTo(1e-9, 15);
      expect(iterations(planMember("standard", problem))).toBe(3040);
      expect(adamSteps).toBe(300);
    }
  });

  it("finishes few scalars by Levenberg-Marquardt, where the engine has float64", () => {
    const few = { ...scalars, outputs: 2 };
    const { finish, path } = planMember("standard", few);
    expect(finish).toBe("levenberg-marquardt");
    expect(path[0]!.weightDecay).toBe(1e-3);
    expect(path.at(-1)!.weightDecay).toBeCloseTo(1e-9, 15);
    expect(iterations(planMember("standard", few))).toBe(80);
    expect(iterations(planMember("quick", few))).toBeLessThan(80);
    for (const other of [
      scalars,
      { ...few, engine: "tfjs" },
      { ...few, loss: "huber" },
      { ...few, fields: true },
      { ...few, missed: 0.2 },
    ] as const)
      expect(planMember("standard", other).finish).toBe("lbfgs");
  });

  it("gives fields of many runs Adam for six tenths of the passes, convolutions for nine", () => {
    const linear = planMember("standard", spectra);
    const adam = passes(linear, spectra.rows);
    expect(adam / (adam + iterations(linear))).toBeCloseTo(0.6, 2);
    expect(linear.path.map(({ weightDecay }) => weightDecay)).toEqual([1e-5, 1e-7]);
    expect(linear.learningRate).toBe(fieldRate);
    const convolutional = planMember("standard", { ...spectra, convolutional: true });
    const share = passes(convolutional, spectra.rows);
    expect(share / (share + iterations(convolutional))).toBeCloseTo(0.9, 2);
    expect(convolutional.path).toHaveLength(1);
    // The same work: a convolution counts three times.
    expect((adam + iterations(linear)) / (share + iterations(convolutional))).toBeCloseTo(3, 1);
  });

  it("gives fields of components larger batches and more of Adam", () => {
    const plan = planMember("standard", { ...spectra, coefficients: true });
    const adam = passes(plan, spectra.rows);
    expect(plan.batch).toBe(64);
    expect(planMember("standard", { ...spectra, rows: 160, macs: 7e6, coefficients: true }).batch).toBe(20);
    expect(adam / (adam + iterations(plan))).toBeCloseTo(0.75, 2);
    expect(plan.path.map(({ weightDecay }) => weightDecay)).toEqual([1e-5, 1e-7]);
    // However cheap, of many runs no decay path; and no more passes than a thousand.
    const cheap = planMember("standard", { ...spectra, macs: 7000, coefficients: true });
    expect(cheap.path).toHaveLength(2);
    expect(passes(cheap, spectra.rows) + iterations(cheap)).toBeCloseTo(1000, -1);
    expect(planMember("standard", { ...spectra, rows: 400, macs: 7000, coefficients: true }).path).toHaveLength(8);
  });

  it("plans less for a quick fit, and some steps for however large a network", () => {
    const quick = planMember("quick", spectra);
    expect(quick.adamSteps / planMember("standard", spectra).adamSteps).toBeCloseTo(0.3, 2);
    expect(planMember("standard", images).adamSteps).toBeGreaterThanOrEqual(100);
  });
});

describe("planTrials()", () => {
  it("plans none where members are trained to an end, nor for scalars, and some for fields that Adam does the work for", () => {
    expect(planTrials("standard", scalars)).toBeUndefined();
    const many = { ...scalars, rows: 12_000 };
    expect(planMember("standard", many).path).toHaveLength(2);
    expect(planTrials("standard", many)).toBeUndefined();
    for (const problem of [spectra, images]) {
      const plan = planTrials("standard", problem)!;
      expect(plan.count).toBeGreaterThanOrEqual(8);
      const member = planMember("standard", problem);
      const work = 3 * member.adamSteps * member.batch * problem.macs;
      expect(plan.work).toBeLessThanOrEqual(work / 4);
      expect(plan.heatTimes * plan.work).toBeCloseTo(work / 2, -6);
    }
  });
});

describe("planSearch()", () => {
  it("keeps what a supernet of large fields costs within its share", () => {
    const small = planSearch("standard", 1700, 12_000, false);
    expect(small.rows).toBe(1700);
    const large = planSearch("standard", 1700, 60e6, true);
    expect(large.rows).toBe(256);
    // Multiply-accumulates of the drawn architectures; the supernet takes 27 times their time.
    expect(27 * large.macs).toBeLessThanOrEqual(0.25 * 3e12 * 1.001);
    expect(large.macs).toBeGreaterThan(0);
  });
});
