import { existsSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type CampaignPlan, type Part, runCampaign } from "../../src/campaign/index.ts";
import { makeTable, numberColumn, readTable, textColumn } from "../../src/data/index.ts";
import { type Folder, makeFolder } from "./support.ts";

let folder: Folder;
beforeEach(async () => {
  folder = await makeFolder();
});
afterEach(() => folder.remove());

/** A campaign of seven runs in parts of two; `made` lists the parts that were made. */
function plan(changes: Partial<CampaignPlan<Part>> = {}) {
  const made: number[] = [];
  const out = folder.at("runs.csv");
  const all: CampaignPlan<Part> = {
    ...{ out, runs: 7, partSize: 2, identity: { simulator: "toy" }, leftovers: "resume", parallel: 1 },
    async make(index) {
      made.push(index);
      return { status: Array.from({ length: index === 3 ? 1 : 2 }, () => (index === 1 ? "diverged" : "ok")) };
    },
    async *tables(read) {
      for (let i = 0; i < 4; i++) {
        const { status } = await read(i);
        const rows = status.map((_, row) => 2 * i + row);
        yield makeTable("toy", [numberColumn("run", rows), textColumn("status", status)]);
      }
    },
    ...changes,
  };
  return { made, out, plan: all };
}

describe("runCampaign()", () => {
  it("makes all parts, writes the table in order and counts what failed", async () => {
    const toy = plan({ parallel: 3 });
    expect(await runCampaign(toy.plan)).toEqual({
      ...{ outcome: "made", runs: 7, failed: 2 },
      firstFailure: { run: 3, reason: "diverged" },
    });
    const [run, status] = (await readTable(toy.out)).columns;
    expect([...run!.values]).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(status!.values[2]).toBe("diverged");
    expect(existsSync(`${toy.out}.parts`)).toBe(false);
  });

  it("goes on from the parts that are kept when it was stopped", async () => {
    const stop = new AbortController();
    const first = plan({ signal: stop.signal, onProgress: ({ done }) => done >= 4 && stop.abort() });
    expect(await runCampaign(first.plan)).toMatchObject({ outcome: "stopped", runs: 4 });
    expect(existsSync(first.out)).toBe(false);
    const seen: number[] = [];
    const second = plan({ onProgress: ({ kept }) => seen.push(kept) });
    expect(await runCampaign(second.plan)).toMatchObject({ outcome: "made", runs: 7, failed: 2 });
    expect([first.made, second.made]).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect(seen).toEqual([2, 4, 4, 4]);
  });

  it("refuses the parts of another campaign by what is different, replaces or restarts them when told to", async () => {
    const half = async (): Promise<void> => {
      const stop = new AbortController();
      await runCampaign(plan({ signal: stop.signal, onProgress: () => stop.abort() }).plan);
    };
    await half();
    const other = { identity: { simulator: "toy", seed: "2" } };
    await expect(runCampaign(plan(other).plan)).rejects.toThrow(
      "runs.csv.parts: holds runs of another campaign: its seed was nothing, now it is 2. Give the former command",
    );
    await expect(runCampaign(plan({ runs: 6 }).plan)).rejects.toThrow("its runs was 7, now it is 6");
    const resumed = plan();
    await runCampaign(resumed.plan);
    expect(resumed.made).toEqual([1, 2, 3]);

    await half();
    const replaced = plan({ ...other, leftovers: "replace" });
    await runCampaign(replaced.plan);
    expect(replaced.made).toEqual([0, 1, 2, 3]);
    await half();
    const restarted = plan({ leftovers: "restart" });
    await runCampaign(restarted.plan);
    expect(restarted.made).toEqual([0, 1, 2, 3]);
  });

  it("gives up if the first runs all fail, and keeps nothing of them", async () => {
    const failing = plan({ giveUpAfter: 4, make: async () => ({ status: ["no licence", "no licence"] }) });
    expect(await runCampaign(failing.plan)).toEqual({
      ...{ outcome: "gave up", runs: 4, failed: 4 },
      firstFailure: { run: 1, reason: "no licence" },
    });
    expect(existsSync(`${failing.out}.parts`)).toBe(false);
    const mixed = plan({ giveUpAfter: 2 });
    expect((await runCampaign(mixed.plan)).outcome).toBe("made");
  });

  it("stops the others when one throws, and leaves nothing behind where nothing was done", async () => {
    let told = 0;
    let begin = (): void => {};
    const begun = new Promise<void>((resolve) => (begin = resolve));
    const broken = plan({
      parallel: 2,
      async make(index, signal) {
        if (index === 0) {
          await begun;
          throw new Error("no such program");
        }
        begin();
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        told++;
        return undefined;
      },
    });
    await expect(runCampaign(broken.plan)).rejects.toThrow("no such program");
    expect(told).toBe(1);
    expect(existsSync(`${broken.out}.parts`)).toBe(false);
  });
});
