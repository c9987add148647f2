/** Simultaneous bands: whole fields of new runs inside, at the stated level; and how files and queries carry them. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stackField } from "../../src/emulator/companion.ts";
import {
  calibrateField,
  emulatorBytes,
  emulatorGraph,
  type FieldCalibration,
  quantileFactor,
  rowMaxima,
} from "../../src/emulator/index.ts";
import { fit, loadEmulator, query, type Table, validate } from "../../src/index.ts";
import { makeRng, type Rng } from "../../src/rng.ts";
import { makeFolder, run, tinySpace } from "../cli/support.ts";
import { sampleInfo } from "../support/sample-emulator.ts";
import { partsOf } from "./support.ts";

const size = 30;
const levels = [0.5, 0.8, 0.9, 0.95] as const;

/** Errors of a field along which neighbours err alike (an autoregressive walk), of uneven size along it. */
function errorsOf(rows: number, correlation: number, rng: Rng): Float64Array {
  const errors = new Float64Array(rows * size);
  for (let i = 0; i < rows; i++) {
    let walk = rng.normal();
    for (let j = 0; j < size; j++) {
      errors[i * size + j] = (1 + j / 10) * walk;
      walk = correlation * walk + Math.sqrt(1 - correlation ** 2) * rng.normal();
    }
  }
  return errors;
}

/** Share of new runs whose whole field is inside, per level: mean of calibrations on 200 runs, each tried on 500. */
function coverage(
  correlation: number,
  calibrate: (errors: Float64Array) => FieldCalibration,
  repetitions = 40,
): number[] {
  const shares = levels.map(() => 0);
  for (let r = 0; r < repetitions; r++) {
    const rng = makeRng(r).fork(`bands ${correlation}`);
    const calibration = calibrate(errorsOf(200, correlation, rng));
    const { floor, bands = [], unit = 1 } = calibration;
    const scores = errorsOf(500, correlation, rng).map((error, i) => Math.abs(error) / (unit * floor[i % size]!));
    const maxima = rowMaxima(scores, size);
    levels.forEach((level, k) => {
      const inside = maxima.filter((most) => most <= quantileFactor({ quantiles: bands }, level)).length;
      shares[k]! += inside / maxima.length / repetitions;
    });
  }
  return shares;
}

/** Four standard errors: quantiles of 200 runs, each tried on 500; a conformal quantile is up to 1 / 201 above. */
function expectLevels(shares: readonly number[], repetitions = 40): void {
  levels.forEach((level, k) => {
    const error = Math.sqrt((level * (1 - level) * (1 / 200 + 1 / 500)) / repetitions);
    expect(Math.abs(shares[k]! - level), `level ${level}`).toBeLessThan(4 * error + 1 / 201);
  });
}

const oofOf = (errors: Float64Array) => ({
  rows: errors.length / size,
  truth: new Float64Array(errors.length),
  mean: errors,
  spread: new Float64Array(errors.length),
});
const noise = new Array<number>(size).fill(0);
const byNetworks = (errors: Float64Array): FieldCalibration =>
  calibrateField({ ...oofOf(errors), size, members: 8, noise });

describe("bands", () => {
  test.each([0, 0.95])("hold whole fields at the stated level, elements correlated %d", (correlation) => {
    expectLevels(coverage(correlation, byNetworks));
  });

  test("of a companion alone hold whole fields too", () => {
    const unit = (i: number): number => 1 + (i % size) / 10;
    const shares = coverage(
      0.9,
      (errors) => {
        const networks = { ...byNetworks(errors), floor: noise.map((_, j) => 10 * unit(j)) };
        const held = { ...oofOf(errors.map((error) => 10 * error)), judged: [], averaged: 1 };
        const variance = errors.map((_, i) => unit(i) ** 2);
        const found = stackField({ held, size, networks, shrink: 1, mean: errors, variance, noise });
        expect(found.networkShare).toBe(0);
        return { ...found, floor: noise.map((_, j) => unit(j)) };
      },
      6,
    );
    expectLevels(shares, 6);
  });

  test("are wider than intervals, most so where elements err by themselves", () => {
    const ratio = (correlation: number): number => {
      const { bands = [], quantiles } = byNetworks(errorsOf(2000, correlation, makeRng(7)));
      return quantileFactor({ quantiles: bands }, 0.9) / quantileFactor({ quantiles }, 0.9);
    };
    expect(ratio(0.999)).toBeGreaterThan(1);
    expect(ratio(0.999)).toBeLessThan(1.25);
    // 30 independent normals: the 0.9 quantile of the largest |z| is 2.92, of one 1.645 (by Phi^-1((1 + 0.9^(1/30)) / 2)).
    expect(ratio(0)).toBeCloseTo(2.92 / 1.645, 1);
  });

  test("of one number are its interval, so a scalar has none", () => {
    const errors = Float64Array.of(1, 2, 3);
    const one = { rows: 3, truth: new Float64Array(3), mean: errors, spread: new Float64Array(3) };
    expect(calibrateField({ ...one, size: 1, members: 8, noise: [0] }).bands).toBeUndefined();
  });
});

describe("query and validate", () => {
  const rng = makeRng(3);
  const rows = Array.from({ length: 40 }, () => {
    const a = rng.uniform();
    return { a, y: a * a, "line[0]": a, "line[1]": Math.sin(3 * a), "line[2]": 1 - a * a };
  });
  const points = rows.map(({ a }) => ({ a }));
  let bytes: Uint8Array;
  let folder: Awaited<ReturnType<typeof makeFolder>>;
  beforeAll(async () => {
    folder = await makeFolder();
    const space = { ...tinySpace, channels: 8, stageNodes: 1 };
    ({ bytes } = await fit(rows, { inputs: ["a"], members: 2, effort: "quick", ensemble: "supernet", space }));
  });
  afterAll(() => folder.remove());

  const column = (table: Table, name: string): number[] =>
    Array.from(table.columns.find((each) => each.name === name)?.values ?? [], Number);

  test("give bands for fields, about the same means, and leave scalars as they are", async () => {
    const plain = await query(bytes, points, { interval: 0.9 });
    const bands = await query(bytes, points, { interval: 0.9, band: "simultaneous" });
    for (const name of ["y_mean", "y_lower", "y_upper", "line_mean[1]", "line_std[1]"])
      expect(column(bands, name)).toEqual(column(plain, name));
    const width = (table: Table, j: number): number[] =>
      column(table, `line_upper[${j}]`).map((upper, i) => upper - column(table, `line_lower[${j}]`)[i]!);
    const emulator = await loadEmulator(bytes);
    const { quantiles, bands: factors = [] } = emulator.info.calibration[1]!;
    await emulator.dispose();
    const ratio = quantileFactor({ quantiles: factors }, 0.9) / quantileFactor({ quantiles }, 0.9);
    expect(ratio).toBeGreaterThan(1);
    for (const j of [0, 1, 2])
      width(bands, j).forEach((wide, i) => expect(wide / width(plain, j)[i]!).toBeCloseTo(ratio, 6));
  });

  test("validation tells how many whole fields are inside, for fields only", async () => {
    const { fields } = await validate(bytes, rows);
    expect(fields[0]!.bands).toBeUndefined();
    expect(fields[1]!.bands?.map(({ level }) => level)).toEqual([0.5, 0.8, 0.9, 0.95, 0.99]);
    for (const { coverage } of fields[1]!.bands ?? []) expect(coverage).toBeGreaterThan(0.4);
  });

  test("--band simultaneous asks for them, and a file that has none says so", async () => {
    const path = await folder.write("bands.onnx", bytes);
    const [narrow, wide] = await Promise.all(
      ["pointwise", "simultaneous"].map((band) =>
        run(["query", path, "--at", "a=0.4", "--interval", "0.5", "--band", band]),
      ),
    );
    expect(narrow!.code + wide!.code).toBe(0);
    expect(narrow!.out).not.toBe(wide!.out);
    // The sample's metadata is as files were before there were bands.
    const old = await folder.write("old.onnx", emulatorBytes(emulatorGraph(partsOf()), sampleInfo));
    const at = "huge=1e20,decades=2,material=Cu,shell=4,small=0";
    const refused = await run(["query", old, "--at", at, "--band", "simultaneous"]);
    expect(refused).toMatchObject({ code: 2, out: "" });
    expect(refused.messages).toEqual([
      expect.stringMatching(/^condense: .*no simultaneous bands for "signal".*Fit it again .*pointwise/),
    ]);
    expect((await run(["query", old, "--at", at])).code).toBe(0);
    expect((await run(["query", path, "--at", "a=0.4", "--band", "wide"])).messages).toEqual([
      expect.stringMatching(/--band wide: unknown \(there are: pointwise, simultaneous\)/),
    ]);
  });
});
