import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  elementMoments,
  fitFieldScaler,
  fitInputScaler,
  scaledWidth,
  scaleField,
  scaleInputs,
  unscaleField,
  unscaleInputs,
  type Physical,
  type Scaled,
} from "../../src/data/scaler.ts";
import { encodedWidth, type FieldSpec, type Schema } from "../../src/data/schema.ts";

const all = (n: number): Int32Array => Int32Array.from({ length: n }, (_, i) => i);
const schema: Pick<Schema, "inputs"> = {
  inputs: [
    { name: "a", kind: "real", range: [0, 10], scale: "linear" },
    { name: "c", kind: "real", range: [5, 5], scale: "linear", constant: 5 },
    { name: "b", kind: "real", range: [1e-6, 1], scale: "log" },
    { name: "g", kind: "categorical", levels: ["x", "y", "z"], range: [0, 2], scale: "linear" },
  ],
};

describe("inputs", () => {
  const x: Physical = Float64Array.of(0, 1e-6, 0, 10, 1, 2, 5, 1e-3, 1);

  test("get mean 0 and deviation 1, logarithms first, and a column per level", () => {
    const scaler = fitInputScaler(schema, x, all(3));
    const scaled = scaleInputs(scaler, x);
    const unit = Math.sqrt(1.5);
    const expected = [-unit, -unit, 1, 0, 0, unit, unit, 0, 0, 1, 0, 0, 0, 1, 0];
    expect(scaled).toHaveLength(expected.length);
    expected.forEach((value, i) => expect(scaled[i]).toBeCloseTo(value, 12));
    expect(scaledWidth(scaler)).toBe(encodedWidth(schema));
  });

  test("come back", () => {
    const row = fc.tuple(
      fc.double({ min: 0, max: 10, noNaN: true }),
      fc.double({ min: 1e-6, max: 1, noNaN: true }),
      fc.integer({ min: 0, max: 2 }),
    );
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 20 }), (rows) => {
        const given: Physical = Float64Array.from(rows.flat());
        const scaler = fitInputScaler(schema, given, all(rows.length));
        const back = unscaleInputs(scaler, scaleInputs(scaler, given));
        given.forEach((value, i) => expect(Math.abs((back[i] ?? NaN) - value)).toBeLessThanOrEqual(1e-9 * (1 + value)));
      }),
    );
  });

  test("are fitted on the training rows alone", () => {
    const scaler = fitInputScaler(schema, x, Int32Array.of(0, 1));
    const other = x.slice();
    other.fill(NaN, 6);
    expect(fitInputScaler(schema, other, Int32Array.of(0, 1))).toEqual(scaler);
  });

  test("that do not vary in the training rows are scaled by the schema's range", () => {
    const flat: Physical = Float64Array.of(5, 1e-3, 0, 5, 1e-3, 1);
    const [a, b] = fitInputScaler(schema, flat, all(2)).columns;
    expect(a).toEqual({ kind: "number", log: false, mean: 5, std: 10 / Math.sqrt(12) });
    expect(b).toMatchObject({ log: true, mean: Math.log(1e-3), std: -Math.log(1e-6) / Math.sqrt(12) });
  });

  test("that are missing stay missing", () => {
    const scaler = fitInputScaler(schema, x, all(3));
    expect(Array.from(scaleInputs(scaler, Float64Array.of(NaN, 1, NaN)))).toEqual([
      NaN,
      expect.any(Number),
      NaN,
      NaN,
      NaN,
    ]);
  });

  test("of 1e20 +- 1e14 keep their differences", () => {
    const one = { inputs: [{ name: "a", kind: "real", range: [1e20, 1.00001e20], scale: "linear" }] } as const;
    const values: Physical = Float64Array.from({ length: 101 }, (_, i) => 1e20 + (i - 50) * 1e14);
    const scaler = fitInputScaler(one, values, all(101));
    const scaled = scaleInputs(scaler, values);
    expect((scaled[100] ?? 0) - (scaled[0] ?? 0)).toBeCloseTo(100 / Math.sqrt(850), 6);
    expect(unscaleInputs(scaler, scaled)[7]).toBeCloseTo(values[7] ?? NaN, -6);
  });
});

describe("fields", () => {
  const scalar: FieldSpec = { name: "y", shape: [], scale: "linear" };
  const image: FieldSpec = { name: "m", shape: [2, 3], scale: "linear" };
  const signals: FieldSpec = { ...image, channels: true };

  test("have one mean and deviation per channel, or per element", () => {
    const y: Physical = Float64Array.of(0, 0, 0, 10, 20, 30, 2, 2, 2, 30, 40, 50);
    const rows = all(2);
    expect(fitFieldScaler(image, y, rows).mean).toHaveLength(1);
    expect(fitFieldScaler(signals, y, rows)).toMatchObject({ mean: [1, 30], std: [1, Math.sqrt(1000 / 6)] });
    const elements = fitFieldScaler(signals, y, rows, { per: "element" });
    expect(elements).toMatchObject({ mean: [1, 1, 1, 20, 30, 40], std: [1, 1, 1, 10, 10, 10] });
    expect(elementMoments(fitFieldScaler(signals, y, rows)).mean).toEqual(Float64Array.of(1, 1, 1, 30, 30, 30));
    expect(elementMoments(elements).std).toEqual(Float64Array.of(1, 1, 1, 10, 10, 10));
  });

  test("have mean 0 and deviation 1 when scaled, and come back", () => {
    const value = fc.double({ min: -1e6, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 12, maxLength: 60 }),
        fc.constantFrom("channel" as const, "element" as const),
        fc.constantFrom(scalar, image, signals),
        (numbers, per, field) => {
          const size = field.shape.reduce((p, e) => p * e, 1);
          const n = Math.floor(numbers.length / size);
          const y: Physical = Float64Array.from(numbers.slice(0, n * size));
          const scaler = fitFieldScaler(field, y, all(n), { per });
          const scaled = scaleField(scaler, y);
          const mean = scaled.reduce((sum, v) => sum + v, 0) / scaled.length;
          expect(Math.abs(mean)).toBeLessThan(1e-6);
          const back = unscaleField(scaler, scaled);
          y.forEach((v, i) => expect(Math.abs((back[i] ?? NaN) - v)).toBeLessThanOrEqual(1e-9 * (1 + Math.abs(v))));
        },
      ),
    );
  });

  test("on a log scale come back positive", () => {
    const y: Physical = Float64Array.of(1e-9, 1, 1e9);
    const scaler = fitFieldScaler({ ...scalar, scale: "log" }, y, all(3));
    expect(Array.from(scaleField(scaler, y)).map((v) => Math.round(v * 1e9) / 1e9)).toEqual([
      -1.224744871, 0, 1.224744871,
    ]);
    expect(unscaleField(scaler, new Float32Array([-10]))[0]).toBeGreaterThan(0);
  });

  test("are fitted on the training rows alone", () => {
    const scaler = fitFieldScaler(scalar, Float64Array.of(1, 3, NaN), Int32Array.of(0, 1));
    expect(scaler).toMatchObject({ mean: [2], std: [1] });
  });

  test("with a flat element keep its error far below the channel's values", () => {
    const y: Physical = Float64Array.of(5e20, 1e20, 5e20, 3e20);
    const scaler = fitFieldScaler({ name: "s", shape: [2], scale: "linear" }, y, all(2), { per: "element" });
    expect(scaler.std).toEqual([4e20 * 1e-6, 1e20]);
  });

  test.each([
    [3e-9, 3e-15],
    [-2, 2e-6],
    [0, 1],
  ])("that are %d throughout have the deviation %d", (value, std) => {
    const scaler = fitFieldScaler(scalar, Float64Array.of(value, value), all(2));
    expect(scaler).toMatchObject({ mean: [value], std: [std] });
    expect(Array.from(scaleField(scaler, Float64Array.of(value)))).toEqual([0]);
  });

  test("survive JSON", () => {
    const scaler = fitFieldScaler(scalar, Float64Array.of(1, 3), all(2));
    expect(JSON.parse(JSON.stringify(scaler))).toEqual(scaler);
  });
});

test("scaled numbers do not pass for physical ones", () => {
  const scaler = fitInputScaler(schema, Float64Array.of(1, 1, 1), all(1));
  const scaled: Scaled = new Float64Array(5);
  // @ts-expect-error scaled numbers are not physical
  expect(scaleInputs(scaler, scaled)).toBeDefined();
});
