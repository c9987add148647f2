import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  endSlopes,
  fitInputScaler,
  parseSchemaDraft,
  scaleInputs,
  unscaleInputs,
  unwarpPlace,
  warpPlace,
  warpSensitivity,
} from "../../src/data/index.ts";
import { DataError } from "../../src/errors.ts";

const curvature = fc.double({ min: -9, max: 9, noNaN: true }).filter((c) => Math.abs(c) > 1e-3);
const place = fc.double({ min: 0, max: 1, noNaN: true });

describe("warpPlace()", () => {
  test("keeps the ends, rises, and comes back", () => {
    fc.assert(
      fc.property(curvature, place, place, (c, a, b) => {
        expect(warpPlace(0, c)).toBe(0);
        expect(warpPlace(1, c)).toBeCloseTo(1, 12);
        if (a < b) expect(warpPlace(a, c)).toBeLessThan(warpPlace(b, c) + 1e-15);
        expect(unwarpPlace(warpPlace(a, c), c)).toBeCloseTo(a, 9);
      }),
    );
  });

  test("of log 1001 is the logarithm of 1 + 1000 u, by hand", () => {
    const c = Math.log(1001);
    expect(warpPlace(0.1, c)).toBeCloseTo(Math.log(101) / Math.log(1001), 12);
    expect(warpPlace(0.9, -c)).toBeCloseTo(1 - warpPlace(0.1, c), 12);
  });

  test("goes on straight beyond the ends, with their slopes", () => {
    fc.assert(
      fc.property(curvature, fc.double({ min: 0.01, max: 5, noNaN: true }), (c, beyond) => {
        const [first, last] = endSlopes(c);
        const step = 1e-7;
        expect((warpPlace(step, c) - warpPlace(0, c)) / step / first).toBeCloseTo(1, 2);
        expect((warpPlace(1, c) - warpPlace(1 - step, c)) / step / last).toBeCloseTo(1, 2);
        expect(warpPlace(-beyond, c)).toBeCloseTo(-beyond * first, 6);
        expect(unwarpPlace(warpPlace(1 + beyond, c), c)).toBeCloseTo(1 + beyond, 6);
      }),
    );
  });

  test("changes nothing without curvature, and hardly with little", () => {
    expect(warpPlace(0.3, 0)).toBe(0.3);
    expect(warpPlace(0.3, 1e-6)).toBeCloseTo(0.3, 6);
  });

  test("changes with the curvature as differences say", () => {
    fc.assert(
      fc.property(curvature, place, (c, u) => {
        const step = 1e-5;
        const slope = (warpPlace(u, c + step) - warpPlace(u, c - step)) / (2 * step);
        expect(warpSensitivity(u, c)).toBeCloseTo(slope, 6);
      }),
    );
    expect(warpSensitivity(0.25, 0)).toBeCloseTo((0.25 - 0.0625) / 2, 12);
  });
});

describe("a warped input", () => {
  const spec = { name: "a", kind: "real", range: [2, 6], scale: "linear", warp: 4 } as const;
  const rows = Int32Array.from({ length: 9 }, (_, i) => i);
  const x = Float64Array.from(rows, (i) => 2 + i / 2);

  test("has mean 0 and deviation 1 on its axis, and comes back", () => {
    const scaler = fitInputScaler({ inputs: [spec] }, x, rows);
    const scaled = scaleInputs(scaler, x);
    expect(scaled.reduce((a, b) => a + b, 0)).toBeCloseTo(0, 9);
    expect(scaled.reduce((a, b) => a + b * b, 0) / 9).toBeCloseTo(1, 9);
    expect((scaled[1] ?? 0) - (scaled[0] ?? 0)).toBeGreaterThan(4 * ((scaled[8] ?? 0) - (scaled[7] ?? 0)));
    unscaleInputs(scaler, scaled).forEach((value, i) => expect(value).toBeCloseTo(x[i] ?? NaN, 9));
  });

  test("may be one of a logarithm", () => {
    const log = { ...spec, range: [1, 1e4], scale: "log" } as const;
    const values = Float64Array.of(1, 10, 100, 1e3, 1e4);
    const scaler = fitInputScaler({ inputs: [log] }, values, rows.subarray(0, 5));
    const scaled = scaleInputs(scaler, values);
    const at = (u: number): number => (warpPlace(u, 4) - warpPlace(0, 4)) / (warpPlace(1, 4) - warpPlace(0, 4));
    expect((scaled[2]! - scaled[0]!) / (scaled[4]! - scaled[0]!)).toBeCloseTo(at(0.5), 9);
    unscaleInputs(scaler, scaled).forEach((value, i) => expect(value / (values[i] ?? NaN)).toBeCloseTo(1, 9));
  });

  test("is asked for in a schema, within limits and not for categories", () => {
    const schema = (input: object): string => JSON.stringify({ inputs: [{ name: "a", ...input }], fields: ["y"] });
    expect(parseSchemaDraft(schema({ warp: 3.5 }), "s.json").inputs[0]).toEqual({ name: "a", warp: 3.5 });
    for (const bad of [
      { warp: 50 },
      { warp: "much" },
      { warp: 2, levels: ["u", "v"] },
      { warp: 2, kind: "categorical" },
    ])
      expect(() => parseSchemaDraft(schema(bad), "s.json")).toThrow(DataError);
  });
});
