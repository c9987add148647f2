/** `condense fit` with a world of its own: what it writes, says and keeps, also when it is stopped or cannot write. */
import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { realFiles } from "../../src/cli/world.ts";
import { FileError, inspect, query, readTable, takeRuns, validateRuns } from "../../src/index.ts";
import { buildRuns, holdOut } from "../../src/data/index.ts";
import { makeRng } from "../../src/rng.ts";
import { csvOf, makeFolder, run, smoothRows } from "./support.ts";

let folder: Awaited<ReturnType<typeof makeFolder>>;
let runs: string;

beforeAll(async () => {
  folder = await makeFolder();
  runs = await folder.write("runs.csv", csvOf(smoothRows(25)).replace("a,b,y,z", "a [m],b,y [K],z"));
});
afterAll(() => folder.remove());

// Fits of seconds on an idle machine; minutes where all tests of all rooms share two cores.
vi.setConfig({ testTimeout: 240_000 });

const tiny = ["--members", "2", "--effort", "quick", "--strategy", "random"];
/** The fit that the tests below compare with. */
const command = ["fit", "--outputs", "y,z", ...tiny, "--hold-out", "0.2", "--seed", "4"];
const bytesAt = (name: string): Promise<Buffer> => readFile(folder.at(name));
const parts = async (): Promise<string[]> => (await readdir(folder.path)).filter((name) => name.endsWith(".part"));

interface FitJson {
  readonly out: string;
  readonly seconds: number;
  readonly heldOut: unknown;
  readonly schema: { readonly fields: readonly { readonly name: string; readonly unit?: string }[] };
  readonly data: { readonly used: number };
  readonly fit: { readonly outcome: string; readonly seed: number };
}

test("a fit that cannot write its file keeps its checkpoints; resuming writes it, and the same command elsewhere gives the same bytes", async () => {
  const first = folder.at("first.onnx");
  const full = {
    files: {
      ...realFiles,
      write: () => Promise.reject(new FileError("FILE_WRITE", `${first}: cannot be written: its disk is full.`)),
    },
  };
  const failed = await run([...command, runs, "--out", first, "--threads", "1"], full);
  expect(failed.messages.at(-1)).toBe(`condense: ${first}: cannot be written: its disk is full.`);
  expect(failed.code).toBe(2);
  expect(existsSync(first)).toBe(false);
  expect((await readdir(`${first}.checkpoint`)).filter((name) => name.startsWith("member-"))).toHaveLength(2);

  const resumed = await run([...command, runs, "--out", first, "--threads", "1", "--resume", "--json"]);
  expect(resumed.code, resumed.err).toBe(0);
  expect(existsSync(`${first}.checkpoint`)).toBe(false);
  expect(await parts()).toEqual([]);

  const second = folder.at("second.onnx");
  const again = await run([...command, runs, "--out", second, "--threads", "2"]);
  expect(again.code, again.err).toBe(0);
  expect(Buffer.compare(await bytesAt("first.onnx"), await bytesAt("second.onnx"))).toBe(0);

  // The JSON of the first, and the words of the second.
  const json = JSON.parse(resumed.out) as FitJson;
  expect(json).toMatchObject({ out: first, data: { used: 20 }, fit: { outcome: "complete", seed: 4 } });
  expect(json.schema.fields).toMatchObject([{ name: "y", unit: "K" }, { name: "z" }]);
  expect(json.seconds).toBeGreaterThan(0);
  const all = buildRuns(await readTable(runs), { outputs: ["y", "z"] });
  const kept = takeRuns(all, holdOut(all, 0.2, makeRng(4)).test);
  expect(json.heldOut).toEqual(JSON.parse(JSON.stringify(await validateRuns(first, kept))));
  expect(again.out).toMatch(/second\.onnx: Gaussian processes in \d+s \(random search: \d+ architectures tried/);
  expect(again.out).toMatch(/Scores on the runs kept apart:\n +output +unit +FVU .*\n +y +K +\S+/);
  expect(again.out).toMatch(/5 runs: median FVU/);
  // Processes stand alone here: no network is shown.
  expect(again.out).not.toMatch(/Found, among others/);
  const [, at] = /condense query \S+second\.onnx --at (\S+)/.exec(again.out) ?? [];
  const asked = await run(["query", second, "--at", at ?? ""]);
  expect(asked, asked.err).toMatchObject({ code: 0, err: "" });
  expect(again.err).toMatch(/^20 runs \(and 5 kept apart\), 2 inputs, 2 outputs; quick effort, seed 4\n/);
  expect(existsSync(`${second}.checkpoint`)).toBe(false);
});

test("a fit of networks alone says how many there are, and shows one", async () => {
  const fitted = await run([...command, runs, "--out", folder.at("networks.onnx"), "--no-process"]);
  expect(fitted.code, fitted.err).toBe(0);
  expect(fitted.out).toMatch(/networks\.onnx: 2 networks in \d+s \(random search: \d+ architectures tried/);
  expect(fitted.out).toMatch(/Found, among others: trunk: /);
});

test("Ctrl-C writes the best so far and keeps the checkpoint, from which --resume gives the bytes of the whole; a second one quits", async () => {
  const out = folder.at("stopped.onnx");
  const exits: number[] = [];
  let listening = 0;
  const world = {
    onInterrupt(listener: () => void) {
      listening++;
      // While members train: the search is done by then.
      const timer = setInterval(() => {
        if (!existsSync(`${out}.checkpoint/search-result.bin`)) return;
        clearInterval(timer);
        listener();
        listener();
      }, 5);
      return () => {
        clearInterval(timer);
        listening--;
      };
    },
    exit: (code: number) => exits.push(code),
  };
  const stopped = await run([...command, runs, "--out", out], world);
  expect(stopped.code, stopped.err).toBe(0);
  expect(stopped.err).toMatch(/stopping: the best so far is kept \(Ctrl-C again to quit at once\)/);
  expect(stopped.out).toMatch(/Interrupted: this is the best so far\. The same command with --resume goes on/);
  expect(exits).toEqual([130]); // the second one; a real process would have ended there
  expect(listening).toBe(0);
  expect(existsSync(`${out}.checkpoint/search-result.bin`)).toBe(true);
  expect((await inspect(out)).fit.outcome).toBe("interrupted");
  const [row] = (await query(out, { at: { a: 0.5, b: 2 } })).columns.filter(({ name }) => name === "y_mean");
  expect(row?.values[0]).toBeGreaterThan(0);

  const resumed = await run([...command, runs, "--out", out, "--resume"]);
  expect(resumed.code, resumed.err).toBe(0);
  expect(Buffer.compare(await bytesAt("stopped.onnx"), await bytesAt("first.onnx"))).toBe(0);
  expect(existsSync(`${out}.checkpoint`)).toBe(false);
});

test("--time ends in time with an emulator that answers, and says what more time would give", async () => {
  const out = folder.at("timed.onnx");
  const began = performance.now();
  const ran = await run(["fit", runs, "--outputs", "y,z", "--effort", "thorough", "--time", "4s", "--out", out]);
  const took = performance.now() - began;
  expect(ran.code, ran.err).toBe(0);
  // A fit of thorough effort takes minutes. Slack is for threads that load their code on a busy machine.
  expect(took).toBeLessThan(15_000);
  expect((await inspect(out)).fit.outcome).toBe("time");
  expect(ran.out).toMatch(/The time was up before the work was done: more --time/);
  expect(existsSync(`${out}.checkpoint`)).toBe(false);
  const table = await query(out, runs);
  const means = table.columns.find(({ name }) => name === "y_mean")?.values as Float64Array;
  expect(Array.from(means).every(Number.isFinite)).toBe(true);
});

describe("what it is told about columns", () => {
  test("two tables, a schema with units, a field with a shape; --resume without a checkpoint says so", async () => {
    const rows = smoothRows(25);
    const inputs = await folder.write("inputs.csv", csvOf(rows.map(({ a, b }) => ({ a, b }))));
    const outputs = await folder.write(
      "outputs.csv",
      csvOf(rows.map(({ a, b }) => Object.fromEntries([0, 1, 2, 3, 4].map((t) => [`p_${t}`, Math.sin(a * t) + b])))),
    );
    const schema = await folder.write(
      "schema.json",
      JSON.stringify({
        inputs: [{ name: "a", unit: "m" }, { name: "b" }],
        fields: [{ name: "p", unit: "kV", shape: [5], columns: ["p_*"] }],
      }),
    );
    const base = [...["fit", inputs, outputs], ...tiny, "--time", "2s", "--threads", "1"];
    const said = await run([...base, "--schema", schema, "--out", folder.at("said.onnx"), "--resume"]);
    expect(said.code, said.err).toBe(0);
    expect(said.err).toMatch(/note: no checkpoint in \S+said\.onnx\.checkpoint, so this fit starts at its beginning/);
    const fields = [
      { name: "p", unit: "kV", shape: [5], scale: "linear", columns: ["p_0", "p_1", "p_2", "p_3", "p_4"] },
    ];
    expect((await inspect(folder.at("said.onnx"))).schema).toMatchObject({ inputs: [{ unit: "m" }, {}], fields });

    const grouped = await run([...base, "--field", "p=p_*:5", "--inputs", "?", "--out", folder.at("grouped.onnx")]);
    expect(grouped.code, grouped.err).toBe(0);
    expect((await inspect(folder.at("grouped.onnx"))).schema.fields).toMatchObject([{ name: "p", shape: [5] }]);
    const asked = await run(["query", folder.at("said.onnx"), "--at", "a=0.4,b=2"]);
    expect(asked.out).toMatch(/p\[0\] +kV +\S+ +± \S+/);
  });

  test("the file is named after the runs, notes go to stderr", async () => {
    const holes = smoothRows(25).map((row, i) => (i === 3 ? { ...row, y: Number.NaN } : row));
    const path = await folder.write("holes.v2.csv", csvOf(holes));
    const before = process.cwd();
    process.chdir(folder.path);
    try {
      const ran = await run(["fit", path, "--outputs", "y", "--inputs", "a,b", ...tiny, "--time", "1s", "--json"]);
      expect(ran.code, ran.err).toBe(0);
      expect(ran.err).toMatch(/^note: 1 row of 25 left out for a missing value \(output "y" is missing: 1\)\.\n/);
      expect((JSON.parse(ran.out) as FitJson).out).toBe("holes.v2.onnx");
      expect(existsSync(folder.at("holes.v2.onnx"))).toBe(true);
    } finally {
      process.chdir(before);
    }
  });
});

test("a fit that would write over a file leaves it whole until the new one is there", async () => {
  const out = folder.at("old.onnx");
  await writeFile(out, "of last week");
  let during = "";
  const world = {
    files: {
      ...realFiles,
      async write(path: string, bytes: Uint8Array) {
        during = await readFile(path, "utf8");
        await realFiles.write(path, bytes);
      },
    },
  };
  const ran = await run(["fit", runs, "--outputs", "y,z", ...tiny, "--time", "1s", "--out", out], world);
  expect(ran.code, ran.err).toBe(0);
  expect(during).toBe("of last week");
  expect((await inspect(out)).format).toBe("condense-emulator");
  expect(await parts()).toEqual([]);
});
