/** Budgets on devices: what a fit may become. */
import { describe, expect, it } from "vitest";
import { fit, latencyModel, OptionError, parseBudget, resolveTarget } from "../src/index.ts";
import { run, smoothRows } from "./cli/support.ts";

const rows = smoothRows(40, 1).map(({ a, b, y }) => ({ a, b, y }));
const device = latencyModel(await resolveTarget("fpga:pynq-z2"));
const common = { inputs: ["a", "b"], members: 2, effort: "quick", space: { widths: [4, 16], trunkNodes: 2 } } as const;

/** What the emulator's file says of its latency. */
async function fitted(budget?: number) {
  const deployment = { devices: [device], ...(budget === undefined ? {} : { budget }) };
  const { info } = await fit(rows, { ...common, deployment });
  return { latency: info.latency[0]! };
}

describe("fit() with a budget", () => {
  it("predicts the latency of the whole emulator, and keeps to a budget below that", async () => {
    const free = await fitted();
    expect(free.latency).toMatchObject({ target: "fpga:pynq-z2", batch: 1, fits: true });
    expect(free.latency).not.toHaveProperty("budgetMs");
    expect(free.latency.predictedMs.low).toBeLessThan(free.latency.predictedMs.p50);
    const budget = 0.8e-3 * free.latency.predictedMs.high;
    const kept = await fitted(budget);
    expect(kept.latency.meetsBudget).toBe(true);
    expect(kept.latency.budgetMs).toBeCloseTo(1000 * budget, 12);
    expect(kept.latency.predictedMs.high).toBeLessThanOrEqual(1000 * budget);
  });

  it("refuses at once what no architecture keeps, and says what is within reach", async () => {
    const refused = await fitted(1e-9).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(OptionError);
    const { message } = refused as OptionError;
    expect(message).toMatch(/no emulator keeps 1 ns on fpga:pynq-z2: the smallest reachable is [\d.]+ [nu]s/);
    const smallest = parseBudget(/reachable is ([\d.]+ [nu]s)/.exec(message)?.[1] ?? "");
    // The number is rounded to three digits.
    expect((await fitted(1.01 * smallest)).latency.meetsBudget).toBe(true);
  });
});

describe("condense fit --target", () => {
  it.each([
    [["--budget", "20us"], "on which device?"],
    [["--target", "cpu", "--budget", "20"], "the unit is missing"],
    [["--target", "cpu", "--budget", "0us"], "above zero"],
    [["--target", "abacus"], 'unknown target "abacus"'],
  ])("refuses %j", async (options, message) => {
    const { code, messages } = await run(["fit", "runs.csv", "--inputs", "a,b", ...options]);
    expect(code).toBe(2);
    expect(messages.join("\n")).toContain(message);
  });
});
