/** Budgets on devices: what a fit may become. */
import { describe, expect, it } from "vitest";
import { fit, inspect, latencyModel, OptionError, parseBudget, resolveTarget } from "../src/index.ts";
import { inProcess } from "../src/tasks/index.ts";
import { csvOf, makeFolder, run, smoothRows } from "./cli/support.ts";

const rows = smoothRows(40, 1).map(({ a, b, y }) => ({ a, b, y }));
const device = latencyModel(await resolveTarget("fpga:pynq-z2"));
const common = { inputs: ["a", "b"], members: 2, effort: "quick", space: { widths: [4, 16], trunkNodes: 2 } } as const;
/** Weights of the supernet as they are, and the simplest strategy: for what does not depend on how good networks are. */
const fast = { ...common, ensemble: "supernet", strategy: "random" } as const;

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

describe("fit() with a budget for each of two devices", () => {
  const slower = latencyModel({ ...device.target, id: "fpga:slower" });
  const fittedTo = async (budget: number | readonly number[]) => {
    const { info } = await fit(rows, { ...common, deployment: { devices: [device, slower], budget } });
    return info.latency;
  };

  it("keeps the one of each, the tighter one wherever it stands", async () => {
    const { latency } = await fitted();
    const [tight, loose] = [0.8e-3 * latency.predictedMs.high, 1];
    for (const budgets of [
      [tight, loose],
      [loose, tight],
    ]) {
      const entries = await fittedTo(budgets);
      expect(entries.map(({ budgetMs }) => budgetMs)).toEqual(budgets.map((budget) => 1000 * budget));
      expect(entries.map(({ meetsBudget }) => meetsBudget)).toEqual([true, true]);
    }
  });

  it("says on which it is out of reach", async () => {
    await expect(fittedTo([1, 1e-9])).rejects.toThrow(/no emulator keeps 1 ns on fpga:slower: the smallest/);
    await expect(fittedTo(1e-9)).rejects.toThrow(/keeps 1 ns on fpga:pynq-z2 and fpga:slower: the smallest/);
    await expect(fittedTo([1, 1, 1])).rejects.toThrow("3 budgets for 2 targets. Give one for all, or one for each");
  });
});

describe("fit() of long signals with a budget", () => {
  // Few directions span these: they are learned as coefficients, and making signals of them takes time at every call.
  const signals = smoothRows(60, 1).map(({ a, b }) => ({
    a,
    b,
    ...Object.fromEntries(
      Array.from({ length: 100 }, (_, i) => [`s[${i}]`, (1 + a * Math.sin(i / 16) + b * Math.cos(i / 9)) ** 2]),
    ),
  }));
  const phases = new Set<string>();
  const fitWithin = async (budget: number) => {
    phases.clear();
    const runner = inProcess();
    const refused = await fit(signals, {
      ...fast,
      runner,
      deployment: { devices: [latencyModel(await resolveTarget("gpu:t4"))], budget },
      onProgress: ({ phase }) => {
        phases.add(phase);
        if (phase === "search") runner.stop();
      },
    }).catch((error: unknown) => error);
    return refused instanceof OptionError ? parseBudget(/reachable is ([\d.]+ [num]s)/.exec(refused.message)![1]!) : 0;
  };

  it("knows before the search what their components and roots cost", async () => {
    const before = await fitWithin(1e-9);
    expect(phases.size).toBe(0);
    const after = await fitWithin(1.01 * before);
    expect(after).toBeGreaterThan(1.01 * before);
    expect(phases).not.toContain("search");
    expect(await fitWithin(1.01 * after)).toBe(0);
  });
});

describe("fit() with a soft budget", () => {
  it("trains what is slower all the same, and says what is within reach where nothing keeps it", async () => {
    const said: string[] = [];
    const deployment = { devices: [device], budget: 1e-9, soft: true };
    const { info, notes } = await fit(rows, { ...common, deployment, onNote: (note) => said.push(note) });
    const pattern =
      /no emulator keeps the soft budget of 1 ns on fpga:pynq-z2: the smallest reachable is ([\d.]+ [nu]s)/;
    expect(said).toEqual([expect.stringMatching(pattern)]);
    expect(notes).toEqual(said);
    expect(info.latency[0]).toMatchObject({ budgetMs: expect.closeTo(1e-6, 12) as number, meetsBudget: false });
    // Ranked by their excess, the fastest win: no more than half above the least, where the widest takes far more.
    const smallest = 1000 * parseBudget(pattern.exec(notes[0] ?? "")?.[1] ?? "");
    expect(info.latency[0]!.predictedMs.high).toBeLessThan(1.5 * smallest);
  });

  it("keeps one that is easy to keep", async () => {
    const { info, notes } = await fit(rows, { ...fast, deployment: { devices: [device], budget: 1, soft: true } });
    expect(info.latency[0]!.meetsBudget).toBe(true);
    expect(notes).toEqual([]);
  });
});

describe("a limit on multiply-accumulates", () => {
  it("that nothing keeps is refused at once, with the least that is within reach", async () => {
    const limited = (limit: number) => fit(rows, { ...fast, constraint: { limit, kind: "hard" } });
    const refused = await limited(1).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(OptionError);
    const least = /keeps 1 multiply-accumulates: the smallest takes (\d+)\. Raise --max-macs/.exec(
      (refused as OptionError).message,
    )?.[1];
    const { info } = await limited(Number(least));
    for (const { macs } of info.members) expect(macs).toBe(Number(least));
  });
});

describe("condense fit --target", () => {
  it.each([
    [["--budget", "20us"], "on which device?"],
    [["--target", "cpu", "--budget", "20"], "the unit is missing"],
    [["--target", "cpu", "--budget", "0us"], "above zero"],
    [["--target", "abacus"], 'unknown target "abacus"'],
    [["--target", "cpu", "--soft"], "--soft: which budget?"],
  ])("refuses %j", async (options, message) => {
    const { code, messages } = await run(["fit", "runs.csv", "--inputs", "a,b", ...options]);
    expect(code).toBe(2);
    expect(messages.join("\n")).toContain(message);
  });

  it("refuses --max-macs that no network keeps before any work, and leaves no file", async () => {
    const folder = await makeFolder();
    try {
      const table = await folder.write("runs.csv", csvOf(rows));
      const out = folder.at("never.onnx");
      const { code, messages } = await run(["fit", table, "--outputs", "y", "--max-macs", "1", "--out", out]);
      expect(code).toBe(2);
      expect(messages.at(-1)).toMatch(/^condense: no network of these inputs and outputs keeps 1 multiply-accumulates/);
      await expect(inspect(out)).rejects.toThrow("never.onnx");
    } finally {
      await folder.remove();
    }
  });
});
