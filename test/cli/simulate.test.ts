import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readTable } from "../../src/index.ts";
import { makeFolder, run } from "./support.ts";

const bin = join(import.meta.dirname, "../../bin/condense.mjs");
const node = process.execPath;

let folder: Awaited<ReturnType<typeof makeFolder>>;
let sim: string;
beforeAll(async () => {
  folder = await makeFolder();
  sim = await folder.write(
    "sim.mjs",
    `const [a, kind = "x", ms = "0"] = process.argv.slice(2);
     setTimeout(() => {
       if (kind === "bad") { console.error("no convergence"); process.exit(4); }
       console.log("a = " + a + "\\ny = " + Number(a) ** 2);
     }, Number(ms));`,
  );
});
afterAll(() => folder.remove());

const command = (): string => `${node} ${sim} {a} {kind}`;

describe("condense simulate", () => {
  it("writes the table, says what failed first, and what comes next", async () => {
    const out = folder.at("runs.csv");
    const {
      code,
      out: said,
      messages,
    } = await run([
      ...["simulate", "--command", command(), "--inputs", "a [m]=1:2,kind=x|bad", "--runs", "4", "--out", out],
    ]);
    expect(code).toBe(0);
    expect(said).toMatch(/runs.csv: 4 runs in \d+s, 2 of them failed \(see the column status\)\nOutputs: y\n/);
    expect(said).toContain(`Next: condense fit ${out} --inputs a,kind`);
    expect(messages.at(-1)).toMatch(/^The first to fail was run \d: exit code 4: no convergence$/);
    const { columns } = await readTable(out);
    expect(columns.map(({ name, unit }) => [name, unit])).toEqual([
      ["a", "m"],
      ["kind", undefined],
      ["y", undefined],
      ["status", undefined],
    ]);
    const [a, kind, y, status] = columns.map(({ values }) => values);
    for (let i = 0; i < 4; i++) {
      expect(status![i]).toBe(kind![i] === "bad" ? "exit code 4: no convergence" : "ok");
      if (kind![i] !== "bad") expect(y![i]).toBe(Number(a![i]) ** 2);
    }
  });

  it("runs at the rows of a table, and says it all as JSON", async () => {
    const points = await folder.write("points.csv", "a,kind,note\n3,x,one\n0.1,x,two\n");
    const out = folder.at("at.csv");
    const argv = ["simulate", "--command", command(), "--points", points, "--inputs", "kind,a", "--out", out, "--json"];
    const { code, out: said } = await run(argv);
    expect(code).toBe(0);
    expect(JSON.parse(said)).toMatchObject({
      ...{ out, outcome: "made", runs: 2, failed: 0, failures: [], log: `${out}.log.csv` },
      outputs: [{ name: "y", shape: [] }],
    });
    expect(await readFile(out, "utf8")).toBe("kind,a,y,status\nx,3,9,ok\nx,0.1,0.010000000000000002,ok\n");
  });

  it("shows the first commands without running them", async () => {
    const out = folder.at("dry.csv");
    const argv = [
      "simulate",
      "--command",
      "echo {a} {run} '{dir}/x y'",
      "--inputs",
      "a=5",
      "--runs",
      "9",
      "--out",
      out,
    ];
    const { code, out: said } = await run([...argv, "--dry-run"]);
    expect(code).toBe(0);
    expect(said).toBe(
      "echo 5 1 '{dir}/x y'\necho 5 2 '{dir}/x y'\necho 5 3 '{dir}/x y'\n9 runs in all; nothing was run\n",
    );
    expect(existsSync(out)).toBe(false);
  });

  it("gives up with the first failure's message where the first runs all fail", async () => {
    const out = folder.at("gone.csv");
    const argv = ["simulate", "--command", command(), "--inputs", "a=0:1,kind=bad", "--runs", "50", "--out", out];
    const { code, messages } = await run([...argv, "--keep-failed"]);
    expect(code).toBe(1);
    expect(messages.at(-1)).toMatch(
      /^condense: the first 5 runs all failed. The first to fail was run 1: exit code 4: no convergence. Mend it/,
    );
    expect(existsSync(out)).toBe(false);
    expect(existsSync(`${out}.parts`)).toBe(false);
    expect(await readdir(`${out}.failed`)).toHaveLength(5);
  });

  it.each([
    [[], "simulate: what is the simulator? Give either --command"],
    [["--command", "echo {a}", "--module", "x.mjs"], "what is the simulator?"],
    [["--command", "echo {a}"], "--inputs: what varies?"],
    [["--command", "echo {a}", "--inputs", "a"], "--inputs a: has no limits"],
    [["--command", "echo {b}", "--inputs", "a=0:1"], "{b} is no input"],
    [["--command", "./none {a}", "--inputs", "a=0:1"], "there is no program ./none"],
    [["--command", "echo {a}", "--inputs", "a=0:1", "--points", "x.csv"], "with --points give names alone"],
    [["--command", "echo {a}", "--points", "x.csv", "--runs", "3"], "--runs: --points says where to run"],
    [["--command", "echo {a}", "--points", "none.csv"], "none.csv: no such file"],
    [["--command", "echo {a}", "--inputs", "a=0:1", "--template", "x"], "--template x: write FILE=DEST"],
    [["--module", "none.mjs", "--inputs", "a=0:1"], "--module none.mjs: no such file"],
    [["--module", "x.mjs", "--inputs", "a=0:1", "--read", "y"], "--read: goes with --command only"],
    [["--command", "echo {a}", "--inputs", "a=0:1", "--timeout", "60"], "--timeout 60: not a time"],
    [["--command", "echo {a}", "--inputs", "a=0:1", "--design", "grid"], "--design grid: unknown"],
    [["--command", "echo {a}", "--inputs", "a=0:1", "--out", "x.xyz"], "x.xyz: its ending does not say"],
    [["--command", "echo {a}", "--inputs", "a=0:1", "--out", "/nowhere/x.csv"], "/nowhere/x.csv: cannot be written"],
  ])("refuses %j", async (argv, message) => {
    const { code, messages } = await run(["simulate", ...argv]);
    expect(code).toBe(2);
    expect(messages).toHaveLength(1);
    expect(messages[0]).toContain(message);
  });
});

describe("condense simulate as a process", () => {
  const start = (
    argv: readonly string[],
  ): { child: ChildProcess; ended: Promise<{ code: number | null; err: string }> } => {
    const child = spawn(node, [bin, "simulate", ...argv], {
      cwd: folder.path,
      env: { ...process.env, TMPDIR: folder.path }, // what is killed tidies nothing up
      stdio: ["ignore", "ignore", "pipe"],
    });
    let err = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
    return { child, ended: new Promise((resolve) => child.on("close", (code) => resolve({ code, err }))) };
  };
  const parts = async (out: string): Promise<number> =>
    (await readdir(`${out}.parts`).catch(() => [])).filter((name) => /^part-\d+\.bin$/.test(name)).length;

  it("goes on after it was killed or interrupted, to the same bytes, and refuses another command", async () => {
    const argv = (out: string, seed = "1"): string[] => [
      ...["--command", `${node} ${sim} {a} x 100`, "--inputs", "a=0:1", "--runs", "12", "--seed", seed],
      ...["--workers", "2", "--out", out],
    ];
    const out = folder.at("long.csv");
    for (const signal of ["SIGKILL", "SIGINT"] as const) {
      const before = await parts(out);
      const { child, ended } = start(argv(out));
      for (let i = 0; i < 2000 && (await parts(out)) < before + 2; i++) await pause(10);
      child.kill(signal);
      const { code, err } = await ended;
      expect(code).toBe(signal === "SIGINT" ? 1 : null);
      if (signal === "SIGINT") expect(err).toMatch(/stopped after \d+ of 12 runs, kept in .*long.csv.parts/);
      expect(existsSync(out)).toBe(false);
    }
    expect(await parts(out)).toBeGreaterThanOrEqual(4);
    const other = await run(["simulate", ...argv(out, "2")]);
    expect(other.code).toBe(2);
    expect(other.err).toContain("holds runs of another campaign: its seed was 1, now it is 2");

    expect((await run(["simulate", ...argv(out)])).code).toBe(0);
    const whole = folder.at("whole.csv");
    expect((await run(["simulate", ...argv(whole)])).code).toBe(0);
    expect(await readFile(out, "utf8")).toBe(await readFile(whole, "utf8"));
  });
});
