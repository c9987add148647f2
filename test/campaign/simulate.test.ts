import { readFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  designPoints,
  moduleSimulator,
  type Outcome,
  parseInputs,
  simulate,
  type Simulator,
} from "../../src/campaign/index.ts";
import { outputsOfValue } from "../../src/campaign/outputs.ts";
import { readTable } from "../../src/data/index.ts";
import { type Folder, makeFolder } from "./support.ts";

let folder: Folder;
beforeEach(async () => {
  folder = await makeFolder();
});
afterEach(() => folder.remove());

const points = designPoints(parseInputs("a=0:1,kind=x|y"), 20);
const ok = (value: unknown): Outcome => ({ status: "ok", outputs: outputsOfValue(value) });

/** A simulator in this process; `runs` lists the runs it was asked for. */
function toy(run: (run: number, attempt: number) => Outcome, parallel = 1) {
  const runs: number[] = [];
  const simulator: Simulator = {
    ...{ identity: { toy: "1" }, parallel },
    describe: (index) => `run ${index}`,
    async run(index) {
      runs.push(index);
      // Later runs end first.
      await new Promise((resolve) => setTimeout(resolve, (20 - index) % 5));
      return run(index, runs.filter((each) => each === index).length);
    },
    dispose: () => Promise.resolve(),
  };
  return { simulator, runs };
}

describe("simulate()", () => {
  it("writes the same bytes whatever the number of workers, without times", async () => {
    const some = (run: number): Outcome =>
      run === 3 ? { status: "failed", reason: "diverged" } : ok({ y: run, s: [run, 1] });
    const bytes = async (name: string, parallel: number) => {
      const result = await simulate(toy(some, parallel).simulator, points, { out: folder.at(name) });
      expect(result).toMatchObject({ outcome: "made", runs: 20, failed: 1 });
      return readFile(folder.at(name));
    };
    const one = await bytes("one.arrow", 1);
    expect(one.equals(await bytes("four.arrow", 4))).toBe(true);
    const table = await readTable(folder.at("one.arrow"));
    expect(table.columns.map(({ name }) => name)).toEqual(["a", "kind", "y", "s[0]", "s[1]", "status"]);
    expect(table.columns[5]!.values[3]).toBe("diverged");
    expect(table.columns[2]!.values[3]).toBeNaN();
    expect(table.columns[2]!.values[4]).toBe(4);
  });

  it("has the first run that succeeds say which outputs there are", async () => {
    const shapes = toy((run) =>
      run === 0 ? { status: "failed", reason: "cold" } : ok({ s: run === 5 ? [1, 2, 3] : [run, 2] }),
    );
    const result = await simulate(shapes.simulator, points, { out: folder.at("runs.csv") });
    expect(result.failures.map(({ run, reason }) => [run, reason])).toEqual([
      [1, "cold"],
      [6, "wrong shape: s is 3, in run 2 it is 2"],
    ]);
    expect(result.outputs).toEqual([{ name: "s", shape: [2] }]);
  });

  it("runs again what failed, as often as it may, and logs attempts and seconds", async () => {
    const shaky = toy((run, attempt) =>
      run === 2 && attempt < 3 ? { status: "failed", reason: 'licence "busy"' } : ok({ y: 1 }),
    );
    const out = folder.at("runs.csv");
    expect((await simulate(shaky.simulator, points, { out, retries: 2 })).failed).toBe(0);
    const once = await simulate(shaky.simulator, points, { out, retries: 2 });
    expect(once.failures).toEqual([]);
    const other = toy((run) => (run === 2 ? { status: "failed", reason: 'licence "busy"' } : ok({ y: 1 })));
    const failed = await simulate(other.simulator, points, { out, retries: 1 });
    expect(failed.failures).toEqual([
      { run: 3, reason: 'licence "busy"', attempts: 2, seconds: expect.any(Number) as number },
    ]);
    const log = await readTable(failed.log!);
    expect(log.columns.map(({ name }) => name)).toEqual(["run", "attempts", "seconds", "status"]);
    expect(log.columns[1]!.values[2]).toBe(2);
    expect(log.columns[3]!.values[2]).toBe('licence "busy"');
  });

  it("gives up after five failures in a row at the start, unless it is told to go on", async () => {
    const bad = toy(() => ({ status: "failed", reason: "no licence" }));
    const out = folder.at("runs.csv");
    const result = await simulate(bad.simulator, points, { out });
    expect(result).toMatchObject({ outcome: "gave up", runs: 5, firstFailure: { run: 1, reason: "no licence" } });
    const all = await simulate(bad.simulator, points, { out, keepGoing: true });
    expect(all).toMatchObject({ outcome: "made", runs: 20, failed: 20, outputs: [] });
    expect((await readTable(out)).columns.map(({ name }) => name)).toEqual(["a", "kind", "status"]);
  });
});

describe("moduleSimulator()", () => {
  const runModule = async (text: string, options: { timeoutMs?: number; stopAfterMs?: number; run?: number } = {}) => {
    const { timeoutMs, stopAfterMs, run = 0 } = options;
    const module = await folder.write("sim.mjs", text);
    const simulator = await moduleSimulator({
      ...{ module, inputs: ["a"], workers: 1 },
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    });
    const stop = new AbortController();
    if (stopAfterMs !== undefined) setTimeout(() => stop.abort(), stopAfterMs);
    try {
      return await simulator.run(run, { a: 3 }, stop.signal);
    } finally {
      await simulator.dispose();
    }
  };

  it("calls the default export, or simulate, with inputs and the number of the run", async () => {
    const both = [
      "export default async function ({ a }, { run }) { return { y: 2 * a, m: [[a, run]], s: new Float32Array(2) }; }",
      "export const simulate = ({ a }, { run }) => ({ y: 2 * a, m: [[a, run]], s: [0, 0] });",
    ];
    for (const text of both) {
      const outcome = await runModule(text, { run: 6 });
      expect(
        outcome.status === "ok" && outcome.outputs.map(({ name, shape, values }) => [name, shape, ...values]),
      ).toEqual([
        ["y", [], 6],
        ["m", [1, 2], 3, 7],
        ["s", [2], 0, 0],
      ]);
    }
  });

  it("takes an exception for a failed run, and the end of its thread", async () => {
    expect(await runModule(`export default () => { throw new Error("no\\nconvergence"); };`)).toEqual({
      status: "failed",
      reason: "no convergence",
    });
    expect(await runModule("export default () => process.exit(1);")).toMatchObject({
      status: "failed",
      reason: "its thread ended (process.exit?)",
    });
  });

  it.each([
    [
      "waits for its signal",
      `export default (_, { signal }) => new Promise((_, no) => signal.addEventListener("abort", no));`,
    ],
    ["never heeds it", "export default () => { for (;;); };"],
  ])("ends a run that takes too long: one that %s", async (_, text) => {
    expect(await runModule(text, { timeoutMs: 100 })).toEqual({ status: "failed", reason: "timed out after 0.1 s" });
    expect(await runModule(text, { stopAfterMs: 1200 })).toEqual({ status: "stopped" });
  });

  it.each([
    ["export const y = 1;", "exports no function. Write export default async function"],
    ["export default (", "cannot be loaded"],
  ])("refuses a module that is none: %s", async (text, message) => {
    await expect(runModule(text)).rejects.toThrow(message);
  });
});
