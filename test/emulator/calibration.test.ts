import { describe, expect, it } from "vitest";
import {
  calibrateField,
  calibrationLevels,
  conformalQuantile,
  type FieldCalibration,
  type OutOfFold,
  quantileFactor,
} from "../../src/emulator/index.ts";
import { makeRng, type Rng } from "../../src/rng.ts";

const members = 8;

/** What makes the errors: a part that all members share, a part that each has of its own, and sizes that vary by run. */
interface World {
  readonly shared: number;
  readonly own: number;
  readonly uneven: boolean;
  readonly size: number;
}

interface Simulated extends OutOfFold {
  /** Error of the mean of all members. */
  readonly ensemble: Float64Array;
}

/** Runs of a world, truth 0: the out-of-fold mean is one member's. */
function simulate({ shared, own, uneven, size }: World, rows: number, rng: Rng): Simulated {
  const [mean, spread, ensemble] = [0, 1, 2].map(() => new Float64Array(rows * size)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  for (let i = 0; i < rows * size; i++) {
    const unit = (1 + (i % size)) * (uneven ? Math.exp(rng.normal()) : 1);
    const common = shared * unit * rng.normal();
    const each = Array.from({ length: members }, () => own * unit * rng.normal());
    const centre = each.reduce((a, c) => a + c, 0) / members;
    mean[i] = common + each[0]!;
    ensemble[i] = common + centre;
    spread[i] = Math.sqrt(each.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (members - 1));
  }
  return {
    rows,
    size,
    members,
    truth: new Float64Array(rows * size),
    mean,
    spread,
    noise: new Array<number>(size).fill(0),
    ensemble,
  };
}

/** Standard deviation that the emulator would report. */
function stdOf({ spreadFactor, floor, noise }: FieldCalibration, spread: number, j: number): number {
  return Math.hypot(spreadFactor[0]! * spread, floor[j]!, noise[j]!);
}

/** Share of new runs within the interval, per level, and root mean square error over that of the stated std. */
function measure(world: World): { readonly coverage: number[]; readonly ratio: number } {
  const repetitions = 30;
  const coverage = calibrationLevels.map(() => 0);
  let ratio = 0;
  for (let r = 0; r < repetitions; r++) {
    const rng = makeRng(r).fork(JSON.stringify(world));
    const calibration = calibrateField(simulate(world, 200, rng));
    const { ensemble, spread } = simulate(world, 1000, rng);
    let squares = 0;
    let variances = 0;
    ensemble.forEach((error, i) => {
      const std = stdOf(calibration, spread[i]!, i % world.size);
      squares += error ** 2;
      variances += std ** 2;
      calibrationLevels.forEach((level, k) => {
        if (Math.abs(error) <= quantileFactor(calibration, level) * std)
          coverage[k]! += 1 / ensemble.length / repetitions;
      });
    });
    ratio += Math.sqrt(squares / variances) / repetitions;
  }
  return { coverage, ratio };
}

describe("conformalQuantile()", () => {
  it("is the ceil((n + 1) level)-th smallest score", () => {
    // Vovk et al. 2005; with scores 1..n the value is the rank.
    const scores = (n: number): Float64Array => Float64Array.from({ length: n }, (_, i) => i + 1);
    expect(conformalQuantile(scores(9), 0.5)).toBe(5);
    expect(conformalQuantile(scores(19), 0.95)).toBe(19);
    expect(conformalQuantile(scores(99), 0.9)).toBe(90);
    expect(conformalQuantile(scores(100), 0.9)).toBe(91);
  });

  it("is the largest score where there are too few, and 0 where there is none", () => {
    expect(conformalQuantile(Float64Array.of(1, 2, 3), 0.95)).toBe(3);
    expect(conformalQuantile(new Float64Array(0), 0.95)).toBe(0);
  });
});

describe("calibrateField()", () => {
  const worlds: Readonly<Record<string, World>> = {
    "errors that members share": { shared: 1, own: 0, uneven: false, size: 1 },
    "shared errors of uneven size": { shared: 1, own: 0, uneven: true, size: 1 },
    "the elements of a field": { shared: 1, own: 0, uneven: false, size: 3 },
  };

  it.each(Object.entries(worlds))("covers new runs at the stated levels: %s", (_, world) => {
    const { coverage } = measure(world);
    coverage.forEach((share, k) => {
      const level = calibrationLevels[k]!;
      // Four standard errors: 30 quantiles of 200 runs, each checked on 1000. The elements of a run count once.
      const error = Math.sqrt((level * (1 - level) * (1 / 200 + 1 / 1000)) / 30);
      expect(Math.abs(share - level), `level ${level}`).toBeLessThan(4 * error + 1 / 200);
    });
  });

  it("covers within four percent where the errors of members average out in part", () => {
    for (const uneven of [false, true]) {
      const { coverage } = measure({ shared: 1, own: 1, uneven, size: 1 });
      coverage.forEach((share, k) => {
        expect(Math.abs(share - calibrationLevels[k]!), `level ${calibrationLevels[k]!}`).toBeLessThan(0.04);
      });
    }
  });

  it("is on the safe side where nothing but averaging is left to gain", () => {
    const { coverage, ratio } = measure({ shared: 0, own: 1, uneven: false, size: 1 });
    coverage.forEach((share, k) => {
      expect(share).toBeGreaterThanOrEqual(calibrationLevels[k]! - 0.005);
    });
    expect(ratio).toBeLessThan(1);
  });

  it("states a standard deviation of the size of the errors", () => {
    expect(measure({ shared: 1, own: 0, uneven: false, size: 2 }).ratio).toBeCloseTo(1, 1);
    expect(measure({ shared: 1, own: 0.5, uneven: false, size: 1 }).ratio).toBeCloseTo(1, 1);
  });

  it("gives each element of a field a floor of its own", () => {
    const { floor } = calibrateField(simulate({ shared: 1, own: 0, uneven: false, size: 3 }, 400, makeRng(130)));
    // Errors of the elements are as 1 : 2 : 3.
    expect(floor[1]! / floor[0]!).toBeGreaterThan(1.6);
    expect(floor[1]! / floor[0]!).toBeLessThan(2.4);
    expect(floor[2]! / floor[0]!).toBeGreaterThan(2.4);
    expect(floor[2]! / floor[0]!).toBeLessThan(3.6);
  });

  it("does not depend on the unit of the field", () => {
    const oof = simulate({ shared: 1, own: 0.5, uneven: true, size: 2 }, 100, makeRng(131));
    const scaled = (values: Float64Array): Float64Array => values.map((value) => 1024 * value);
    const small = calibrateField(oof);
    const large = calibrateField({ ...oof, mean: scaled(oof.mean), spread: scaled(oof.spread) });
    expect(large.spreadFactor[0]).toBeCloseTo(small.spreadFactor[0]!, 9);
    large.floor.forEach((value, j) => {
      expect(value / (1024 * small.floor[j]!)).toBeCloseTo(1, 9);
    });
    large.quantiles.forEach(({ factor }, k) => {
      expect(factor).toBeCloseTo(small.quantiles[k]!.factor, 9);
    });
  });

  it("takes the noise out of the floor, so that it is not counted twice", () => {
    const oof = simulate({ shared: 1, own: 0, uneven: false, size: 1 }, 200, makeRng(132));
    const [quiet, noisy] = [calibrateField(oof), calibrateField({ ...oof, noise: [0.5] })];
    expect(noisy.noise).toEqual([0.5]);
    expect(stdOf(noisy, 0.3, 0)).toBeCloseTo(stdOf(quiet, 0.3, 0), 9);
    // Noise cannot be larger than the errors that contain it.
    const loud = calibrateField({ ...oof, noise: [50] });
    expect(stdOf(loud, 0, 0)).toBeCloseTo(stdOf(quiet, 0, 0), 9);
  });

  it("lists its levels in order, with factors that never fall", () => {
    const { quantiles } = calibrateField(simulate({ shared: 1, own: 1, uneven: true, size: 2 }, 100, makeRng(133)));
    expect(quantiles.map(({ level }) => level)).toEqual([...calibrationLevels]);
    quantiles.slice(1).forEach(({ factor }, k) => {
      expect(factor).toBeGreaterThanOrEqual(quantiles[k]!.factor);
    });
  });

  it("stays finite where all predictions are exact", () => {
    const zeros = new Float64Array(20);
    const { floor, spreadFactor, quantiles } = calibrateField({
      rows: 20,
      size: 1,
      members,
      truth: zeros,
      mean: zeros,
      spread: zeros,
      noise: [0],
    });
    for (const value of [...floor, ...spreadFactor, ...quantiles.map(({ factor }) => factor)]) {
      expect(Number.isFinite(value)).toBe(true);
      expect(value).toBeGreaterThanOrEqual(0);
    }
  });
});
