/** The command as users have it: real processes through bin/condense.mjs, killed, interrupted, piped. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fit, inspect, readTable, type Table } from "../../src/index.ts";
import { makeRng } from "../../src/rng.ts";
import { csvOf, makeFolder, smoothRows, tinySpace } from "./support.ts";

const bin = join(import.meta.dirname, "../../bin/condense.mjs");

let folder: Awaited<ReturnType<typeof makeFolder>>;
let runs: string;
let few: string;
let emulator: string;
const children = new Set<ChildProcess>();

beforeAll(async () => {
  folder = await makeFolder();
  runs = await folder.write("runs.csv", csvOf(smoothRows(20)));
  few = await folder.write("few.csv", csvOf(smoothRows(12).map(({ a, b, y }) => ({ a, b, y }))));
  const { bytes } = await fit(smoothRows(20), { outputs: ["y", "z"], members: 2, effort: "quick", space: tinySpace });
  emulator = await folder.write("emulator.onnx", bytes);
});
afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  await folder.remove();
});

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

function start(argv: readonly string[], piped = ""): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
  const child = spawn(process.execPath, [bin, ...argv], { cwd: folder.path, stdio: "pipe" });
  children.add(child);
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
  child.stdin.on("error", () => {}); // a command that wants no points may be gone before it is asked
  child.stdin.end(piped);
  const ended = new Promise<Ended>((resolve) =>
    child.on("close", (code, signal) => {
      children.delete(child);
      resolve({ code, signal, out, err });
    }),
  );
  return { child, ended };
}

const condense = (argv: readonly string[], piped?: string): Promise<Ended> => start(argv, piped).ended;

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 2000; i++) {
    if (await condition()) return;
    await pause(20);
  }
  throw new Error("waited 40 s in vain");
}

const fitArgs = (out: string): string[] => [
  ...["fit", few, "--outputs", "y", "--members", "2", "--effort", "quick", "--strategy", "random"],
  ...["--threads", "1", "--seed", "3", "--out", out],
];

describe("fit", () => {
  test("killed at any moment and resumed gives the bytes of a fit without a break", async () => {
    const whole = folder.at("whole.onnx");
    const began = performance.now();
    const { code, out } = await condense([...fitArgs(whole), "--json"]);
    const took = performance.now() - began;
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ out: whole, heldOut: null, fit: { seed: 3, outcome: "complete" } });
    expect(existsSync(`${whole}.checkpoint`)).toBe(false);

    const broken = folder.at("broken.onnx");
    const rng = makeRng(Date.now());
    const { child, ended } = start(fitArgs(broken));
    const checkpoint = `${broken}.checkpoint`;
    await until(() => existsSync(checkpoint));
    // Any moment between the first checkpoint and near the end: no seed, the law holds for all.
    const wait = 0.5 * rng.uniform() * took;
    await pause(wait);
    child.kill("SIGKILL");
    expect((await ended).signal).toBe("SIGKILL");
    expect(existsSync(broken)).toBe(false);
    expect(await readdir(checkpoint)).toContain("fit.bin");

    const { code: again, err } = await condense([...fitArgs(broken), "--resume"]);
    expect(again, err).toBe(0);
    expect(Buffer.compare(await readFile(broken), await readFile(whole)), `killed after ${wait} ms`).toBe(0);
    expect(existsSync(checkpoint)).toBe(false);
  }, 240_000); // three fits one after another, on machines with better things to do

  test("keeps the best so far at Ctrl-C, and exits with 0", async () => {
    const out = folder.at("interrupted.onnx");
    const { child, ended } = start([
      ...["fit", runs, "--outputs", "y,z", "--effort", "thorough", "--threads", "1", "--out", out],
    ]);
    await until(() => existsSync(`${out}.checkpoint`));
    child.kill("SIGINT");
    const { code, out: text, err } = await ended;
    expect(code, err).toBe(0);
    expect(err).toMatch(/stopping: the best so far is kept/);
    expect(text).toMatch(/Interrupted/);
    expect((await inspect(out)).fit.outcome).toBe("interrupted");
    const answer = await condense(["query", out, "--at", "a=0.5,b=2", "--json"]);
    expect(answer.code).toBe(0);
    expect(JSON.parse(answer.out)).toMatchObject({ rows: [{ a: 0.5, b: 2, in_domain: 1 }] });
  }, 120_000);
});

const points = csvOf(smoothRows(7, 5).map(({ a, b }) => ({ a, b })));
const names = [
  "a",
  "b",
  ...["y", "z"].flatMap((y) => ["mean", "std", "noise", "lower", "upper"].map((s) => `${y}_${s}`)),
];

const plain = (table: Table): Record<string, unknown[]> =>
  Object.fromEntries(table.columns.map(({ name, values }) => [name, Array.from<unknown>(values)]));

describe("query", () => {
  test("takes points from standard input, and gives CSV, JSON, Arrow and Parquet with the same numbers", async () => {
    const table = await folder.write("points.csv", points);
    const files = ["p.csv", "p.arrow", "p.parquet"].map((name) => folder.at(name));
    const [piped, json, ...written] = await Promise.all([
      condense(["query", emulator], points),
      condense(["query", emulator, "--json"], points),
      ...files.map((path) => condense(["query", emulator, table, "--out", path])),
    ]);
    expect([piped.code, json.code, ...written.map(({ code }) => code)]).toEqual([0, 0, 0, 0, 0]);
    expect(written.map(({ out }) => out)).toEqual(["", "", ""]);
    expect(await readFile(folder.at("p.csv"), "utf8")).toBe(piped.out);

    const expected = plain(await readTable(folder.at("p.csv")));
    expect(Object.keys(expected)).toEqual([...names, "in_domain"]);
    expect(expected.a).toEqual(smoothRows(7, 5).map(({ a }) => a));
    for (const path of files) expect(plain(await readTable(path))).toEqual(expected);
    const { rows } = JSON.parse(json.out) as { readonly rows: readonly Record<string, number>[] };
    expect(Object.fromEntries(Object.keys(expected).map((name) => [name, rows.map((row) => row[name])]))).toEqual(
      expected,
    );
  });

  test("ends quietly when its reader has had enough", async () => {
    const many = csvOf(Array.from({ length: 20_000 }, (_, i) => ({ a: (i % 100) / 100, b: 2 })));
    const { child, ended } = start(["query", emulator], many);
    child.stdout?.once("data", () => child.stdout?.destroy());
    const { err } = await ended;
    expect(err).not.toMatch(/ {4}at |internal|EPIPE/);
  });
});

describe("inspect and validate", () => {
  test("print JSON that parses", async () => {
    const [seen, judged] = await Promise.all([
      condense(["inspect", emulator, "--json"]),
      condense(["validate", emulator, runs, "--json"]),
    ]);
    expect([seen.code, judged.code]).toEqual([0, 0]);
    expect(JSON.parse(seen.out)).toMatchObject({ format: "condense-emulator", data: { used: 20 } });
    const { rows, fields } = JSON.parse(judged.out) as {
      readonly rows: number;
      readonly fields: readonly { field: string }[];
    };
    expect(rows).toBe(20);
    expect(fields.map(({ field }) => field)).toEqual(["y", "z"]);
  });

  test("validate exits with 1 and says why where a gate fails, else with 0", async () => {
    const wrong = await folder.write("wrong.csv", csvOf(smoothRows(20).map((row) => ({ ...row, y: -row.y }))));
    const gates = ["--min-coverage", "0.5", "--max-fvu", "1"];
    const [good, bad] = await Promise.all([
      condense(["validate", emulator, runs, ...gates]),
      condense(["validate", emulator, wrong, ...gates]),
    ]);
    expect(good.code, good.err).toBe(0);
    expect(bad.code).toBe(1);
    expect(bad.err).toMatch(/failed: y: .*FVU .* above 1/);
    expect(bad.err).toMatch(/failed: y: .*coverage .* below 0\.5/);
    expect(bad.err).not.toMatch(/failed: z/);
  });
});
