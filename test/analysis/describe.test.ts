/** Emulators, numbers and rows as text. */
import { describe, expect, test } from "vitest";
import {
  alignRows,
  describeEmulator,
  describeMember,
  examplePoint,
  showNumber,
  showShare,
} from "../../src/analysis/index.ts";
import type { EmulatorInfo } from "../../src/emulator/index.ts";
import { encodeInputs, tableFrom } from "../../src/data/index.ts";
import { sampleInfo } from "../support/sample-emulator.ts";

test.each([
  [0, "0"],
  [1.23456, "1.235"],
  [-12345.6, "-12350"],
  [123456.7, "123500"],
  [1e6, "1.000e6"],
  [1e20, "1.000e20"],
  [0.000999, "9.990e-4"],
  [0.001, "0.001"],
  [Number.NaN, "-"],
  [-Infinity, "-Infinity"],
])("showNumber(%d) is %s", (value, text) => {
  expect(showNumber(value)).toBe(text);
});

test("showNumber() takes a number of digits, and loses no more than those", () => {
  expect(showNumber(Math.PI, 2)).toBe("3.1");
  expect(Number(showNumber(1.602e-19, 6))).toBe(1.602e-19);
});

test.each([
  [0.95, "95 %"],
  [0.6827, "68.3 %"],
  [0.999, "99.9 %"],
  [1, "100 %"],
])("showShare(%d) is %s", (value, text) => {
  expect(showShare(value)).toBe(text);
});

test("alignRows() gives every column one width, words to the left, numbers to the right, no blanks at the end", () => {
  const rows = [
    ["name", "x", "unit"],
    ["a", "10.5", "K"],
    ["long name", "1"],
  ];
  expect(alignRows(rows, [0, 2])).toBe("  name          x  unit\n  a          10.5  K\n  long name     1");
});

describe("describeMember()", () => {
  const member = sampleInfo.members[0]!;

  test("groups the operations by the part of the network", () => {
    const description = "trunk/width 64, trunk/0-1 silu, field0/decoder conv, field0/s1/0-1 conv3, field0/s1/1-2 conv5";
    expect(describeMember({ ...member, description, weights: 77 })).toBe(
      "trunk: width 64, 0-1 silu; field0: decoder conv; field0/s1: 0-1 conv3, 1-2 conv5; 77 weights",
    );
  });
});

describe("examplePoint()", () => {
  test("lies inside the range of every input, in the middle", () => {
    const at = examplePoint(sampleInfo);
    expect(at).toMatchObject({ decades: 1, material: "Al", shell: 5, small: 0 });
    expect(Object.keys(at)).not.toContain("fixed");
    // Enough digits for a narrow range far from zero.
    expect(encodeInputs(sampleInfo.schema, tableFrom([at])).inDomain).toEqual(Uint8Array.of(1));
  });

  test("writes no more digits than it takes", () => {
    const inputs = [{ kind: "real", name: "a", range: [0.123456789, 2.987654321], scale: "linear" }] as const;
    expect(examplePoint({ ...sampleInfo, schema: { ...sampleInfo.schema, inputs } })).toEqual({ a: 1.556 });
  });
});

test("describeEmulator() cuts long lists, and says what ended a fit before its end", () => {
  const field = sampleInfo.schema.fields[0]!;
  const fields = Array.from({ length: 40 }, (_, i) => ({ ...field, name: `f${i}` }));
  const long: EmulatorInfo = {
    ...sampleInfo,
    schema: { ...sampleInfo.schema, fields },
    scores: [],
    fit: { ...sampleInfo.fit, outcome: "time" },
    search: { ...sampleInfo.search, entropyBits: null },
  };
  const text = describeEmulator(long, "long.onnx");
  expect(text).toMatch(/^long\.onnx: an emulator/);
  expect(text).toMatch(/f29 +scalar\n +\.\.\. and 10 more\n/);
  expect(text).not.toMatch(/f30/);
  expect(text).toMatch(/onnxruntime, ended by the time limit\n/);
  expect(text).toMatch(/tried in 12 steps\n/);
});
