import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as ort from "onnxruntime-node";
import protobuf from "protobufjs";
import type { Browser } from "playwright-core";
import { NO_BROWSER, chromiumPath, openBrowser, runInBrowser } from "../support/browser.ts";

/** The few fields of ONNX's onnx.proto3 that the model below needs; the numbers are those of the standard. */
const ONNX = protobuf.parse(
  `
  syntax = "proto3";
  message Model { int64 ir_version = 1; Graph graph = 7; repeated Opset opset_import = 8; }
  message Opset { string domain = 1; int64 version = 2; }
  message Graph { repeated Node node = 1; string name = 2; repeated Tensor initializer = 5;
    repeated Value input = 11; repeated Value output = 12; }
  message Node { repeated string input = 1; repeated string output = 2; string op_type = 4; repeated Attr attribute = 5; }
  message Attr { string name = 1; int64 i = 3; int32 type = 20; }
  message Tensor { repeated int64 dims = 1; int32 data_type = 2; repeated float float_data = 4; string name = 8;
    repeated double double_data = 10; }
  message Value { string name = 1; Type type = 2; }
  message Type { TensorType tensor_type = 1; }
  message TensorType { int32 elem_type = 1; Shape shape = 2; }
  message Shape { repeated Dim dim = 1; }
  message Dim { int64 dim_value = 1; string dim_param = 2; }
`,
  { keepCase: true },
).root;

const FLOAT = 1;
const DOUBLE = 11;

/** y [N, 3] = tanh(float(x - 1e9) W), with x [N, 2] and y in double precision. */
function tinyModel(): Uint8Array {
  const value = (name: string, columns: number): object => ({
    name,
    type: { tensor_type: { elem_type: DOUBLE, shape: { dim: [{ dim_param: "N" }, { dim_value: columns }] } } },
  });
  const cast = (to: number): object[] => [{ name: "to", type: 2, i: to }];
  const graph = {
    name: "tiny",
    input: [value("x", 2)],
    output: [value("y", 3)],
    initializer: [
      { name: "offset", data_type: DOUBLE, dims: [1], double_data: [1e9] },
      { name: "w", data_type: FLOAT, dims: [2, 3], float_data: [1, -0.5, 0.25, 0.5, 2, -1] },
    ],
    node: [
      { op_type: "Sub", input: ["x", "offset"], output: ["d"] },
      { op_type: "Cast", input: ["d"], output: ["f"], attribute: cast(FLOAT) },
      { op_type: "MatMul", input: ["f", "w"], output: ["m"] },
      { op_type: "Tanh", input: ["m"], output: ["t"] },
      { op_type: "Cast", input: ["t"], output: ["y"], attribute: cast(DOUBLE) },
    ],
  };
  const model = { ir_version: 8, opset_import: [{ domain: "", version: 17 }], graph };
  return ONNX.lookupType("Model").encode(model).finish();
}

describe.skipIf(chromiumPath() === undefined)(`onnxruntime-web in Chromium (${NO_BROWSER})`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());

  it("gives what onnxruntime-node gives, from double precision inputs", async () => {
    const x = [1e9, 1e9 + 0.25, 1e9 - 0.5, 1e9 + 2];
    const model = tinyModel();
    const session = await ort.InferenceSession.create(model);
    const { y } = await session.run({ x: new ort.Tensor("float64", Float64Array.from(x), [2, 2]) });
    const inBrowser = await runInBrowser(model, { x: { type: "float64", dims: [2, 2], data: x } }, browser);
    expect(inBrowser.y?.type).toBe("float64");
    expect(inBrowser.y?.dims).toEqual([2, 3]);
    // Closed form. Single precision: some 6e-8 of relative rounding, and each build has its own tanh.
    const expected = [0.125, 0.5, -0.25, 0.5, 4.25, -2.125].map(Math.tanh);
    expected.forEach((value, i) => expect(inBrowser.y?.data[i]).toBeCloseTo(value, 6));
    expected.forEach((value, i) => expect((y?.data as Float64Array)[i]).toBeCloseTo(value, 6));
  });

  it("says what went wrong with bytes that are no model", async () => {
    const nothing = runInBrowser(new Uint8Array([1, 2, 3]), {}, browser);
    await expect(nothing).rejects.toThrow("onnxruntime-web failed in the browser");
  });
});
