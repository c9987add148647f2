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
  const text = `
    const does = {
      answer: (run) => ({ y: 6, m: [[3, run]], s: new Float32Array(2) }),
      fail: () => { throw new Error("no\\nconvergence"); },
      heed: (run, signal) => new Promise((_, no) => signal.addEventListener("abort", no)),
      loop: () => { for (;;); },
      exit: () => process.exit(1),
    };`;
  const call = "({ what }, { run, signal }) => does[what](run, signal)";

  it("calls the default export, takes an exception for a failure, and ends what takes too long", async () => {
    const module = await folder.write("sim.mjs", `${text} export default ${call};`);
    const simulator = await moduleSimulator({ module, inputs: ["what"], timeoutMs: 200 });
    const does = (what: string) => simulator.run(6, { what }, new AbortController().signal);
    try {
      const outcome = await does("answer");
      expect(
        outcome.status === "ok" && outcome.outputs.map(({ name, shape, values }) => [name, shape, ...values]),
      ).toEqual([
        ["y", [], 6],
        ["m", [1, 2], 3, 7],
        ["s", [2], 0, 0],
      ]);
      const late = { status: "failed", reason: "timed out after 0.2 s" };
      expect(await does("fail")).toEqual({ status: "failed", reason: "no convergence" });
      expect(await does("heed")).toEqual(late);
      expect(await does("loop")).toEqual(late);
      expect(await does("exit")).toEqual({ status: "failed", reason: "its thread ended (process.exit?)" });
    } finally {
      await simulator.dispose();
    }
  });

  it("calls an export named simulate too, and stops when told to, whether it heeds that or not", async () => {
    const module = await folder.write("named.mjs", `${text} export const simulate = ${call};`);
    const simulator = await moduleSimulator({ module, inputs: ["what"] });
    try {
      for (const what of ["heed", "loop"]) {
        const stop = new AbortController();
        const running = simulator.run(0, { what }, stop.signal);
        setTimeout(() => stop.abort(), 100);
        expect(await running).toEqual({ status: "stopped" });
      }
    } finally {
      await simulator.dispose();
    }
  });

  it("refuses a module that exports no function or cannot be loaded", async () => {
    const first = async (module: string): Promise<unknown> => {
      const simulator = await moduleSimulator({ module, inputs: ["a"] });
      return simulator.run(0, { a: 1 }, new AbortController().signal).finally(() => simulator.dispose());
    };
    await expect(first(await folder.write("none.mjs", "export const y = 1;"))).rejects.toThrow(
      "exports no function. Write export default async function",
    );
    await expect(first(await folder.write("bad.mjs", "export default ("))).rejects.toThrow("cannot be loaded");
    await expect(first(folder.at("missing.mjs"))).rejects.toThrow("missing.mjs: no such file");
  });
});
