import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { cases } from "../../cases/index.ts";
import { main, type Terminal } from "../../cases/main.ts";
import { readTable } from "../../src/index.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "condense-cases-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function terminal(): Terminal & { readonly said: { out: string; err: string } } {
  const said = { out: "", err: "" };
  return {
    said,
    out: (text) => void (said.out += text),
    err: (text) => void (said.err += text),
    onInterrupt: () => () => {},
  };
}

describe("cases list", () => {
  it("has a line for each case", async () => {
    const world = terminal();
    expect(await main(["list"], world)).toBe(0);
    const lines = world.said.out.trim().split("\n").slice(1);
    expect(lines.map((line) => line.trim().split(" ")[0])).toEqual(Object.keys(cases));
  });
});

describe("cases make", () => {
  it("writes a table of runs and says how it goes", async () => {
    const world = terminal();
    const out = join(folder, "runs.csv");
    const args = [
      "make",
      "jag-scalars",
      "--runs",
      "5",
      "--design",
      "lhs",
      "--seed",
      "2",
      "--threads",
      "1",
      "--out",
      out,
    ];
    expect(await main(args, world)).toBe(0);
    expect((await readTable(out)).rows).toBe(5);
    expect(world.said.err).toMatch(/^jag-scalars: 5 of 5 runs.*\n.*runs\.csv: 5 runs, \d of them failed/);
    expect(world.said.out).toBe("");
  });

  it("refuses what it cannot do", async () => {
    const world = terminal();
    const out = join(folder, "runs.arrow");
    await expect(main(["mend"], world)).rejects.toThrow("no such command");
    await expect(main(["make", "gcm"], world)).rejects.toThrow("make needs a case and --out");
    await expect(main(["make", "gcm", "--out", out, "--design", "grid"], world)).rejects.toThrow(
      'no design "grid". There are sobol, lhs, uniform.',
    );
    await expect(main(["make", "gcm", "--out", out, "--runs", "many"], world)).rejects.toThrow(
      "--runs many: must be a whole number",
    );
    await expect(main(["make", "gcm", "--out", out, "--depth", "1"], world)).rejects.toThrow("'--depth'");
    await expect(main(["make", "gmc", "--out", out], world)).rejects.toThrow('no case "gmc"');
  });
});
