/** A fit for this machine: it times what it made, and only that depends on the clock. */
import { describe, expect, it } from "vitest";
import { emulatorBytes } from "../src/emulator/index.ts";
import { readOnnx } from "../src/graph/index.ts";
import { fit, type FitResult, inspect, latencyModel, resolveTarget } from "../src/index.ts";
import { smoothRows } from "./cli/support.ts";

const rows = smoothRows(40, 1).map(({ a, b, y }) => ({ a, b, y }));
/** As little work as a fit can be. */
const options = {
  inputs: ["a", "b"],
  members: 2,
  effort: "quick",
  ensemble: "supernet",
  strategy: "random",
  space: { widths: [4], trunkNodes: 2 },
} as const;

describe("fit() for the machine that it runs on", () => {
  const cpu = resolveTarget("cpu").then((target) => latencyModel(target));
  const onCpu = async (measure?: boolean): Promise<FitResult> =>
    fit(rows, {
      ...options,
      deployment: { devices: [await cpu], batch: 2, ...(measure === undefined ? {} : { measure }) },
    });
  /** The file without what was measured, written again. */
  const without = async (bytes: Uint8Array): Promise<Uint8Array> => {
    const { latency, ...info } = await inspect(bytes);
    const predicted = latency.map(({ measuredMs: _, ...entry }) => entry);
    return emulatorBytes(readOnnx(bytes, "emulator.onnx").graph, { ...info, latency: predicted });
  };

  it("measures the emulator; apart from that the bytes are those of the seed, and without it all are", async () => {
    const [measured, again, never] = [await onCpu(), await onCpu(), await onCpu(false)];
    for (const { info } of [measured, again]) {
      const { measuredMs, batch } = info.latency[0]!;
      expect(batch).toBe(2);
      // A small network takes microseconds, on any machine more than one and less than a second.
      expect(measuredMs!.p50).toBeGreaterThan(1e-3);
      expect(measuredMs!.p95).toBeGreaterThanOrEqual(measuredMs!.p50);
      expect(measuredMs!.p95).toBeLessThan(1000);
    }
    expect(never.info.latency[0]).not.toHaveProperty("measuredMs");
    expect(Buffer.compare(await without(measured.bytes), await without(again.bytes))).toBe(0);
    expect(Buffer.compare(await without(measured.bytes), await without(never.bytes))).toBe(0);
  });
});
