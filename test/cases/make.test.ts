import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeRuns } from "../../cases/make.ts";
import { inProcess, readTable, workerPool } from "../../src/index.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "condense-cases-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("makeRuns()", () => {
  it("writes inputs in physical units, outputs and status, and keeps failed runs with NaN", async () => {
    const out = join(folder, "runs.arrow");
    const seen: number[] = [];
    const result = await makeRuns("jag-scalars", {
      runs: 30,
      seed: 3,
      out,
      runner: inProcess(),
      onProgress: ({ done }) => seen.push(done),
    });
    expect(result.outcome).toBe("made");
    expect(result.failed).toBeGreaterThan(0);
    expect(seen).toEqual([25, 30]);
    const table = await readTable(out);
    expect(table.rows).toBe(30);
    const values = new Map(table.columns.map((column) => [column.name, column.values]));
    expect([...values.keys()].slice(0, 5)).toEqual(["v", "p0", "a10", "a20", "a22"]);
    expect(Math.min(...(values.get("v") as Float64Array))).toBeGreaterThanOrEqual(300);
    const status = values.get("status") as readonly string[];
    const yields = values.get("logYield") as Float64Array;
    expect(status.filter((word) => word.startsWith("pierced"))).toHaveLength(result.failed);
    status.forEach((word, row) => expect(Number.isNaN(yields[row])).toBe(word !== "ok"));
    expect(await readdir(folder)).toEqual(["runs.arrow"]);
  });

  it("gives the same bytes on threads, and again after it was stopped in the middle", async () => {
    const plain = join(folder, "plain.arrow");
    await makeRuns("jag-scalars", { runs: 30, out: plain, runner: inProcess() });
    const bytes = await readFile(plain);

    const pool = workerPool(2);
    const threaded = join(folder, "threads.arrow");
    await makeRuns("jag-scalars", { runs: 30, out: threaded, runner: pool });
    await pool.dispose();
    expect(bytes.equals(await readFile(threaded))).toBe(true);

    const resumed = join(folder, "resumed.arrow");
    const runner = inProcess();
    const first = await makeRuns("jag-scalars", {
      runs: 30,
      out: resumed,
      runner,
      onProgress: () => {
        runner.stop();
      },
    });
    expect(first).toMatchObject({ outcome: "stopped", runs: 25 });
    expect((await readdir(folder)).includes("resumed.arrow")).toBe(false);
    const seen: number[] = [];
    const second = await makeRuns("jag-scalars", {
      runs: 30,
      out: resumed,
      runner: inProcess(),
      onProgress: ({ done }) => seen.push(done),
    });
    expect(second.outcome).toBe("made");
    expect(seen[0]).toBe(25);
    expect(bytes.equals(await readFile(resumed))).toBe(true);
  });

  it("lists the cases where a name is unknown", async () => {
    await expect(makeRuns("nonsense", { out: join(folder, "x.arrow"), runner: inProcess() })).rejects.toThrow(
      /no case "nonsense". There are xrts, .*gcm/,
    );
  });
});
