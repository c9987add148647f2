import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { realAmong } from "../../../cases/run/defaults.ts";
import { caseFolder, readSummary } from "../../../cases/run/folder.ts";
import { type CaseRunOptions, runCase } from "../../../cases/run/run.ts";
import { caseSpeed, speedupPage } from "../../../cases/run/speedups.ts";
import { describeTable, tableRows } from "../../../cases/run/summary.ts";
import { inProcess } from "../../../src/index.ts";
import { run } from "../../cli/support.ts";

let folder: string;
let options: CaseRunOptions;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "condense-case-"));
  options = {
    out: caseFolder(folder, "jag-scalars"),
    ...{ runs: 40, test: 14, truths: 2, steps: 12, burn: 4, effort: "quick" },
    fit: { space: { widths: [8], trunkNodes: 2 }, members: 2, process: false },
    runner: inProcess(),
  };
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("runCase()", () => {
  it("makes runs, an emulator, a summary and a page", async () => {
    const summary = await runCase("jag-scalars", options);
    expect((await readdir(options.out)).sort()).toEqual([
      "emulator.onnx",
      "index.html",
      "runs.arrow",
      "stages",
      "summary.json",
      "test.arrow",
    ]);
    expect(summary!.fit.runs + summary!.fit.failed).toBe(40);
    expect(summary!.test.fields).toHaveLength(15);
    expect(summary!.test.fvu).toBeLessThan(0.5);
    expect(summary!.inverse.inputs.map(({ input }) => input)).toEqual(["v", "p0", "a10", "a20", "a22"]);
    expect(summary!.speed.speedup.single.median).toBeGreaterThan(1);
    expect(JSON.parse(JSON.stringify(summary))).toEqual(await readSummary(options.out));
    const page = await readFile(join(options.out, "index.html"), "utf8");
    expect(page).toContain("The simulator is a stand-in");
    expect(page.match(/<figcaption>/g)).toHaveLength(3);
  });

  it("does again only what other options ask for", async () => {
    const before = (await stat(join(options.out, "emulator.onnx"))).mtimeMs;
    const phases = new Set<string>();
    const again = await runCase("jag-scalars", {
      ...options,
      truths: 3,
      onProgress: (phase) => phases.add(phase),
    });
    expect((await stat(join(options.out, "emulator.onnx"))).mtimeMs).toBe(before);
    expect(again!.inverse.truths).toBe(3);
    expect([...phases].filter((phase) => phase === "make" || phase === "fit")).toEqual([]);
  });

  it("leaves what was done when it is told to stop", async () => {
    const runner = inProcess();
    const stopped = await runCase("jag-scalars", {
      ...options,
      out: join(folder, "stopped"),
      runner,
      onProgress: (phase) => {
        if (phase === "fit") runner.stop();
      },
    });
    expect(stopped).toBeUndefined();
    expect(await readdir(join(folder, "stopped"))).toEqual(["runs.arrow", "stages"]);
  });

  it("refuses the real chain where the simulator is slow, and runs that are not there", async () => {
    await expect(runCase("jag-scalars", { ...options, real: true })).rejects.toThrow(
      "jag-scalars: --real repeats the inference with the simulator itself, which is for xrts, ots, elms only",
    );
    await expect(runCase("jag-scalars", { ...options, from: "/nowhere.arrow" })).rejects.toThrow(
      "/nowhere.arrow: no such file. Make it with condense cases make jag-scalars",
    );
  });
});

describe("realAmong()", () => {
  it("keeps of several cases those that are quick enough, and refuses none silently", () => {
    expect(realAmong(["xrts", "halo", "elms"])).toEqual(["xrts", "elms"]);
    expect(realAmong(["gcm"])).toEqual(["gcm"]);
  });
});

describe("what runs left", () => {
  it("makes the table of cases, and so does the command", async () => {
    const summary = await readSummary(options.out);
    const [head, row] = tableRows([summary]);
    expect(row).toHaveLength(head!.length);
    expect(row!.slice(0, 2)).toEqual(["jag-scalars", String(summary.fit.runs)]);
    const { code, out } = await run(["cases", "table", "--in", folder]);
    expect(code).toBe(0);
    expect(out).toBe(`${describeTable([summary])}\n`);
    expect(JSON.parse((await run(["cases", "table", "--in", folder, "--json"])).out)).toEqual(
      JSON.parse(JSON.stringify(summary)),
    );
  });

  it("gives speedups anew, and their page", async () => {
    const found = await caseSpeed("jag-scalars", folder);
    expect(found).toMatchObject({ case: "jag-scalars", members: 2 });
    expect(await speedupPage([found], "idle")).toContain("Emulators against their simulators");
  });
});
