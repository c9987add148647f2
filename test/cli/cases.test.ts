import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { cases } from "../../cases/index.ts";
import { readTable } from "../../src/index.ts";
import { run } from "./support.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "condense-cases-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("condense cases list", () => {
  it("has a line for each case, and all of each as JSON", async () => {
    const { code, out } = await run(["cases", "list"]);
    expect(code).toBe(0);
    const lines = out.trim().split("\n").slice(1);
    expect(lines.map((line) => line.trim().split(" ")[0])).toEqual(Object.keys(cases));
    const all = JSON.parse((await run(["cases", "list", "--json"])).out) as { name: string; inputs: unknown[] }[];
    expect(all.map(({ name, inputs }) => [name, inputs.length])).toEqual(
      Object.entries(cases).map(([name, { inputs }]) => [name, inputs.length]),
    );
  });
});

describe("condense cases make", () => {
  it("writes a table of runs, the same with the same seed", async () => {
    const make = async (file: string, seed: number) => {
      const out = join(folder, file);
      const argv = ["cases", "make", "jag-scalars", "--runs", "6", "--design", "lhs", "--seed", String(seed)];
      expect((await run([...argv, "--threads", "1", "--out", out])).code).toBe(0);
      return readTable(out);
    };
    const first = await make("runs.csv", 2);
    expect(first.rows).toBe(6);
    const inputs = cases["jag-scalars"].inputs.map(({ name }) => name);
    expect(first.columns.map(({ name }) => name).slice(0, inputs.length)).toEqual(inputs);
    expect(first.columns.at(-1)?.name).toBe("status");
    const values = (table: typeof first) =>
      table.columns.map((column) => Array.from(column.values as ArrayLike<unknown>));
    expect(values(await make("again.csv", 2))).toEqual(values(first));
    expect(values(await make("other.csv", 3))).not.toEqual(values(first));
  });

  it.each([
    [["cases", "unmake"], "cases unmake: unknown (there are: list, make, run, speedup, table)"],
    [["cases", "make"], "which case?"],
    [["cases", "make", "xrts", "ots"], "one case at a time"],
    [["cases", "make", "tokamak", "--runs", "2"], 'no case "tokamak"'],
    [["cases", "make", "jag-scalars", "--design", "grid"], "--design"],
    [["cases", "make", "jag-scalars", "--runs", "none"], "--runs"],
    [["cases", "make", "jag-scalars", "--runs", "2", "--out", "/nowhere/runs.arrow"], "/nowhere/runs.arrow"],
  ])("refuses %j", async (argv, message) => {
    const { code, messages } = await run([
      ...argv,
      ...(argv.includes("--out") ? [] : ["--out", join(folder, "a.csv")]),
    ]);
    expect(code).toBe(2);
    expect(messages.join("\n")).toContain(message);
  });
});

describe("condense cases run, speedup, table", () => {
  it.each([
    [["cases", "run"], "which case? (there are: xrts, "],
    [["cases", "run", "xrts", "tokamak"], 'no case "tokamak"'],
    [["cases", "run", "gcm", "--real"], "gcm: --real repeats the inference"],
    [["cases", "run", "gcm", "--time", "5"], "--time 5: not a time"],
    [["cases", "run", "gcm", "--test", "3"], "--test 3: must be a number from 10"],
    [["cases", "run", "gcm", "--effort", "huge"], "--effort huge: unknown"],
    [["cases", "run", "gcm", "--from", "/nowhere.arrow"], "/nowhere.arrow: no such file"],
    [["cases", "run", "gcm", "xrts", "--from", "runs.arrow"], "--from names the runs of one case"],
    [["cases", "run", "gcm", "--out", "/dev/null/here"], "/dev/null/here"],
    [["cases", "table", "gcm"], "case-gcm/summary.json: no such file"],
    [["cases", "table"], "no case was run here"],
    [["cases", "speedup"], "no case was run here"],
    [["cases", "speedup", "nonsense"], 'no case "nonsense"'],
  ])("refuses %j", async (argv, message) => {
    const [, what] = argv;
    const place = what === "run" ? (argv.includes("--out") ? [] : ["--out", folder]) : ["--in", folder];
    const { code, messages, out } = await run([...argv, ...place]);
    expect(code).toBe(2);
    expect(messages.join("\n")).toContain(message);
    expect(out).toBe("");
  });
});
