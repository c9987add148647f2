/** `condense latency` from the command line: what it prints, and one clear message for each misuse. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { main } from "../../src/cli/main.ts";
import { realWorld, type World } from "../../src/cli/world.ts";
import { type Graph, writeOnnx } from "../../src/graph/index.ts";
import { calibrateCpu } from "../../src/hardware/cpu/calibrate.ts";
import type { CpuTarget } from "../../src/hardware/target.ts";
import { getTarget } from "../../src/hardware/targets/index.ts";
import { mlp } from "./networks.ts";

let folder = "";
let emulator = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "condense-latency-"));
  emulator = join(folder, "small.onnx");
  writeFileSync(emulator, writeOnnx(mlp([6, 32, 32, 3])));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function run(
  ...argv: readonly string[]
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  let out = "";
  let err = "";
  const world: World = {
    ...realWorld(),
    env: { CONDENSE_CACHE: folder },
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
  };
  const code = await main(["latency", ...argv], world);
  return { code, out, err };
}

describe("condense latency", () => {
  it("lists the targets", async () => {
    const { code, out } = await run("targets");
    expect(code).toBe(0);
    expect(out).toContain("fpga:pynq-z2");
    expect(out).toContain("gpu:h200");
    const json = JSON.parse((await run("targets", "--json")).out) as readonly { readonly id: string }[];
    expect(json.map(({ id }) => id)).toContain("webgpu");
  });

  it("predicts on an FPGA, with mapping, resources and what takes longest", async () => {
    const { code, out } = await run("predict", emulator, "--target", "fpga:pynq-z2");
    expect(code).toBe(0);
    expect(out).toMatch(/latency {5}[\d.]+ ns, 90 % between/);
    expect(out).toMatch(/mapping .*lanes.*100 MHz/);
    expect(out).toMatch(/LUT \d+ of 53200, FF \d+ of 106400, DSP \d+ of 220, BRAM18 \d+ of 280\n/);
    expect(out).toContain("most in     MatMul");
  });

  it("is a gate with a budget: several targets at once, exit code 1 where one misses it", async () => {
    const both = ["predict", emulator, "--target", "fpga:pynq-z2", "--target", "gpu:t4"];
    expect((await run(...both, "--budget", "1s")).code).toBe(0);
    const { code, out } = await run(...both, "--budget", "20us", "--json");
    expect(code).toBe(1);
    const documents = JSON.parse(out) as readonly { readonly meetsBudget: boolean }[];
    expect(documents.map(({ meetsBudget }) => meetsBudget)).toEqual([true, false]);
  });

  it("uses a calibration in the cache, warns that it is another machine's, and refuses it where times differ", async () => {
    // A second per operation: whatever this machine is, it is not that one.
    const measure = ({ nodes }: Graph) => {
      const seconds = nodes.length;
      return Promise.resolve({ seconds, p10: seconds, p90: seconds, min: seconds, count: 1 });
    };
    const facts = { host: "another, 64 cores", date: "2026-01-01T00:00:00Z", engine: "1.0", quick: true, measure };
    const calibrated = await calibrateCpu(getTarget("cpu") as CpuTarget, facts);
    const path = join(folder, "another.json");
    writeFileSync(path, JSON.stringify(calibrated));
    const unchecked = await run("predict", emulator, "--target", "cpu", "--calibration", path, "--no-check");
    expect(unchecked.code).toBe(0);
    expect(unchecked.err).toContain("calibrated on another machine (another, 64 cores;");
    const checked = await run("predict", emulator, "--target", "cpu", "--calibration", path);
    expect(checked.code).toBe(2);
    expect(checked.err).toMatch(/the reference network takes 0\.00 times what it took/);
  });

  it("measures where the target is this machine, and says why not where it is another", async () => {
    const { code, out, err } = await run(
      "predict",
      emulator,
      "--target",
      "cpu",
      "--target",
      "fpga:pynq-z2",
      "--measure",
    );
    expect(code).toBe(0);
    expect(out.match(/\n {2}measured {4}[\d.]+ [um]s, 95 % of calls under [\d.]+ [um]s\n/g)).toHaveLength(1);
    expect(err).toBe("note: not measured: fpga:pynq-z2 is not a device that can be timed from here\n");
  });

  it("warns of a WebGPU calibration from another machine, and does not use that of another target", async () => {
    const webgpu = getTarget("webgpu");
    const calibration = {
      version: 6,
      date: "2026-01-01",
      host: "another, 64 cores",
      engine: "1.0",
      referenceSeconds: 2e-3,
      noiseCv: 0.03,
      sessionSeconds: 1.5e-3,
      aroundSeconds: [7e-4],
      padding: { rows: 1, columns: 1 },
      kinds: {
        gemm: { coefficients: [1e-5, 0, 0, 0], low: [0, 0, 0, 0], high: [1, 1e9, 1e9, 1e9], mape: 0.03, points: 9 },
      },
      residuals: { shares: { gemm: [1, 1] }, logResidual: [0, 0.1], batch: [1, 1] },
      batches: [1, 16],
    };
    const path = join(folder, "webgpu-elsewhere.json");
    writeFileSync(path, JSON.stringify({ ...webgpu, calibration }));
    const used = await run("predict", emulator, "--target", "webgpu", "--calibration", path);
    expect(used.code).toBe(0);
    expect(used.err).toContain("warning: webgpu was calibrated on another machine (another, 64 cores;");
    expect(used.out).not.toContain("not calibrated");
    expect(used.out).toMatch(/latency {5}1\.5\d ms/);
    const wrong = await run("predict", emulator, "--target", "cpu", "--calibration", path);
    expect(wrong.code).toBe(2);
    expect(wrong.err).toContain("holds the target webgpu, not cpu. Calibrate again");
  });

  it("asks for a new calibration where one of WebGPU is from before calibrations were of whole networks", async () => {
    const calibration = { date: "", host: "another", efficiency: { dense: 0.5 }, residuals: [0, 0.1] };
    const path = join(folder, "webgpu-old.json");
    writeFileSync(path, JSON.stringify({ ...getTarget("webgpu"), calibration }));
    const { code, err } = await run("predict", emulator, "--target", "webgpu", "--calibration", path);
    expect(code).toBe(2);
    expect(err).toContain(
      'webgpu-old.json: "calibration.version" is missing, but must be 6; calibrate again with this',
    );
  });

  it("does not resume what another version has measured of other networks", async () => {
    const path = join(folder, "resumed.json");
    writeFileSync(`${path}.measurements`, JSON.stringify({ version: 1, seed: 1, done: {} }));
    const { code, err } = await run("calibrate", "--target", "cpu", "--calibration", path, "--resume");
    expect(code).toBe(2);
    expect(err).toContain(
      "resumed.json.measurements: not the measurements of a calibration by this Condense. Delete it",
    );
  });

  it("refuses a malformed or impossible target file with its place in the file", async () => {
    const path = join(folder, "board.json");
    const board = getTarget("fpga:pynq-z2") as unknown as { readonly fpga: object };
    writeFileSync(path, JSON.stringify({ ...board, fpga: { ...board.fpga, clockHz: -1 } }));
    const impossible = await run("predict", emulator, "--target", path);
    expect(impossible).toMatchObject({ code: 2, out: "" });
    expect(impossible.err).toContain('board.json: "fpga.clockHz" is -1, but must be a number of hertz above 0');
    writeFileSync(path, "{ not json");
    expect((await run("predict", emulator, "--target", path)).err).toContain("board.json: not JSON");
  });

  it.each([
    [["targetz"], "latency targetz: unknown"],
    [["predict"], "no emulator"],
    [["predict", "EMULATOR"], "no target"],
    [["predict", "EMULATOR", "--target", "fpga:nope"], 'unknown target "fpga:nope"'],
    [["predict", "EMULATOR", "--target", "nothere.json"], "nothere.json: cannot be read"],
    [["predict", "EMULATOR", "--target", "cpu", "--budget", "0us"], "a budget must be above zero"],
    [["predict", "EMULATOR", "--target", "cpu", "--budget", "50"], "the unit is missing"],
    [["predict", "EMULATOR", "--target", "gpu:t4", "--batch", "0"], "--batch 0"],
    [["predict", "nothere.onnx", "--target", "gpu:t4"], "nothere.onnx: cannot be read (there is no such file)"],
    [["calibrate", "--target", "gpu:t4"], "only one cpu target, or webgpu, can be measured here"],
  ] as const)("refuses %j with one message", async (argv, message) => {
    const { code, out, err } = await run(...argv.map((arg) => (arg === "EMULATOR" ? emulator : arg)));
    expect(code).toBe(2);
    expect(out).toBe("");
    expect(err).toContain(message);
    expect(err.trim().split("\n")).toHaveLength(1);
  });
});
