import { describe, expect, it } from "vitest";
import { believedForward, type Companion, stackField } from "../../src/emulator/companion.ts";
import { type FieldCalibration, quantileFactor } from "../../src/emulator/index.ts";
import { getEngine } from "../../src/engine/index.ts";
import { graphBuilder } from "../../src/graph/index.ts";
import { makeRng } from "../../src/rng.ts";

/** Held-out errors: of the networks with standard deviation a, of the companion with b, and the share of both's variance
 * that they have in common. */
function world(rows: number, a: number, b: number, common: number, seed: number) {
  const rng = makeRng(seed);
  const truth = Float64Array.from({ length: rows }, () => rng.normal());
  const shared = truth.map(() => rng.normal());
  const own = (std: number) =>
    truth.map((t, i) => t + std * (Math.sqrt(common) * shared[i]! + Math.sqrt(1 - common) * rng.normal()));
  const [networks, companion] = [own(a), own(b)];
  return { truth, networks, companion };
}

const calibration = (std: number): FieldCalibration => ({
  spreadFactor: [1],
  floor: [std],
  noise: [0],
  quantiles: [{ level: 0.9, factor: 1.645 }],
});

function stack(rows: number, a: number, b: number, common = 0, statedB = b): FieldCalibration {
  const { truth, networks, companion } = world(rows, a, b, common, 31);
  const judged = Array.from(truth.keys());
  return stackField({
    held: { rows, judged, truth, mean: networks, averaged: 1, spread: new Float64Array(rows) },
    size: 1,
    networks: calibration(a),
    shrink: 1,
    mean: companion,
    variance: truth.map(() => statedB ** 2),
    noise: [0],
  });
}

describe("stackField()", () => {
  it("leaves the networks alone where the companion knows nothing", () => {
    expect(stack(400, 0.1, 2)).toMatchObject(calibration(0.1));
  });

  it("takes the companion alone where the networks know nothing", () => {
    expect(stack(400, 2, 0.1).networkShare).toBe(0);
  });

  it("mixes equals with independent errors half and half", () => {
    const { networkShare = 1 } = stack(2000, 0.3, 0.3);
    expect(Math.abs(networkShare - 0.5)).toBeLessThanOrEqual(0.1);
  });

  it("does not mix what errs alike", () => {
    expect([0, 1, undefined]).toContain(stack(1000, 0.3, 0.3, 1).networkShare);
  });

  it("mends a companion that is too sure of itself, and its intervals cover new runs", () => {
    const [a, b] = [0.5, 0.3];
    const { networkShare = 1, unit = 1, quantiles } = stack(1000, a, b, 0.5, b / 4);
    const fresh = world(4000, a, b, 0.5, 32);
    const half = (level: number, i: number): number => {
      const apart = fresh.networks[i]! - fresh.companion[i]!;
      const w = networkShare;
      const variance = w * a * a + (1 - w) * (b / 4) ** 2 + w * (1 - w) * apart * apart;
      return quantileFactor({ quantiles }, level) * unit * Math.sqrt(variance);
    };
    for (const level of [0.5, 0.8, 0.95]) {
      let inside = 0;
      fresh.truth.forEach((truth, i) => {
        const mean = networkShare * fresh.networks[i]! + (1 - networkShare) * fresh.companion[i]!;
        if (Math.abs(truth - mean) <= half(level, i)) inside++;
      });
      // Both the quantile of 1000 and the share of 4000 are random: four standard errors.
      const error = Math.sqrt(level * (1 - level) * (1 / 1000 + 1 / 4000));
      expect(Math.abs(inside / 4000 - level), `level ${level}`).toBeLessThan(4 * error);
    }
  });

  it("keeps the simulator's noise out of the uncertainty about the simulator", () => {
    const rng = makeRng(33);
    const normals = (std: number) => Float64Array.from({ length: 2000 }, () => std * rng.normal());
    const truth = normals(1);
    // The noise is in the truths, so both miss by it.
    const noise = normals(0.4);
    const [own, other] = [normals(0.9), normals(0.3)];
    const networks = truth.map((t, i) => t + noise[i]! + own[i]!);
    const companion = truth.map((t, i) => t + noise[i]! + other[i]!);
    const result = stackField({
      held: {
        rows: 2000,
        judged: Array.from(truth.keys()),
        truth,
        mean: networks,
        averaged: 1,
        spread: new Float64Array(2000),
      },
      size: 1,
      networks: { ...calibration(1), floor: [0.9], noise: [0.4] },
      shrink: 1,
      mean: companion,
      variance: truth.map(() => 0.25),
      noise: [0.4],
    });
    expect(result.noise).toEqual([0.4]);
    const { networkShare: w = 1, unit = 1, floor } = result;
    expect(w).toBeLessThan(0.4);
    // Means over the runs, without the noise: what is stated and what is true.
    let [stated, missed] = [0, 0];
    truth.forEach((_, i) => {
      const mixture = w * floor[0]! ** 2 + (1 - w) * 0.09 + w * (1 - w) * (own[i]! - other[i]!) ** 2;
      stated += (unit * unit * mixture) / truth.length;
      missed += (w * own[i]! + (1 - w) * other[i]!) ** 2 / truth.length;
    });
    expect(stated / missed).toBeGreaterThan(0.7);
    expect(stated / missed).toBeLessThan(1.4);
  });

  it("does not take noise that drowns the error, and is stated a little too large, for certainty about the simulator", () => {
    const rng = makeRng(34);
    const normals = (std: number) => Float64Array.from({ length: 500 }, () => std * rng.normal());
    const truth = normals(3);
    const [noise, own, other] = [normals(1), normals(0.3), normals(0.2)];
    const result = stackField({
      held: {
        rows: 500,
        judged: Array.from(truth.keys()),
        averaged: 1,
        truth,
        mean: truth.map((t, i) => t + noise[i]! + own[i]!),
        spread: new Float64Array(500).fill(0.5),
      },
      size: 1,
      networks: { ...calibration(1), spreadFactor: [1], floor: [0.9], noise: [0] },
      shrink: 1,
      mean: truth.map((t, i) => t + noise[i]! + other[i]!),
      variance: truth.map(() => 0.2 ** 2 + 1.05 ** 2),
      noise: [1.05],
    });
    const { networkShare: w = 1, unit = 1, floor, spreadFactor } = result;
    const networks = floor[0]! ** 2 + (0.5 * spreadFactor[0]!) ** 2;
    let stated = 0;
    truth.forEach((_, i) => {
      const apart = own[i]! - other[i]!;
      stated += (unit ** 2 * (w * networks + (1 - w) * 0.2 ** 2 + w * (1 - w) * apart ** 2)) / 500;
    });
    expect(Math.sqrt(stated)).toBeGreaterThan(0.17);
    expect(Math.sqrt(stated)).toBeLessThan(0.35);
    expect(result.noise).toEqual([1.05]);
  });
});

describe("stackField() under noise", () => {
  /** Shares of networks that miss by `own` beside a companion that misses by `other`, with noise of 1. */
  function shares(own: number, other: number, seed: number): { best: number; told: number } {
    const rng = makeRng(seed);
    const normals = (std: number) => Float64Array.from({ length: 500 }, () => std * rng.normal());
    const truth = normals(3);
    const [noise, ours, theirs] = [normals(1), normals(own), normals(other)];
    const input = {
      held: {
        rows: 500,
        judged: Array.from(truth.keys()),
        averaged: 1,
        truth,
        mean: truth.map((t, i) => t + noise[i]! + ours[i]!),
        spread: new Float64Array(500),
      },
      size: 1,
      networks: { ...calibration(1), floor: [Math.hypot(own, 1)], noise: [1] },
      shrink: 1,
      mean: truth.map((t, i) => t + noise[i]! + theirs[i]!),
      variance: truth.map(() => other ** 2 + 1),
      noise: [1],
    };
    return { best: stackField({ ...input, share: "best" }).networkShare!, told: stackField(input).networkShare! };
  }

  it("takes no more of the networks than held-out runs can tell", () => {
    const found = Array.from({ length: 8 }, (_, i) => shares(0.2, 0.2, 41 + i));
    for (const { best, told } of found) expect(told).toBeLessThanOrEqual(best);
    const sum = (of: "best" | "told"): number => found.reduce((total, each) => total + each[of], 0);
    expect(sum("best")).toBeGreaterThan(2);
    expect(sum("told")).toBeLessThan(0.5 * sum("best"));
  });

  it("takes most of them where they are better by far", () => {
    for (const seed of [45, 46]) expect(shares(0.2, 1, seed).told).toBeGreaterThan(0.6);
  });
});

describe("believedForward()", () => {
  it("counts noise that is not believed as uncertainty about the simulator", async () => {
    const companion: Companion = {
      forward: (b, x) => ({ mean: b.scale(x, 2), variance: b.square(x) }),
      heldOutMean: new Float64Array(0),
      heldOutVariance: new Float64Array(0),
      noise: Float64Array.of(0.25, 0.25),
    };
    const b = graphBuilder();
    const { mean, variance } = believedForward(companion, [0.3, 0.5])(b, b.input("x", ["N", 2], "float64"));
    const executable = await getEngine("onnxruntime").compile(b.build({ mean, variance }));
    const into = { mean: new Float64Array(4), variance: new Float64Array(4) };
    await executable.run({ x: Float64Array.of(1, 2, 3, 4) }, { rows: 2, into });
    await executable.dispose();
    expect([...into.mean]).toEqual([2, 4, 6, 8]);
    // 0.25 - 0.3^2 is added to the first element's variance.
    expect([...into.variance]).toEqual([1.16, 4, 9.16, 16]);
  });
});
