import { existsSync } from "node:fs";
import { readdir, readFile, rm } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commandSimulator, type CommandOptions, type Outcome, type Point } from "../../src/campaign/index.ts";
import { shellWord, splitCommand } from "../../src/campaign/command-line.ts";
import { fill, placeholdersIn } from "../../src/campaign/placeholders.ts";
import { type Folder, makeFolder, node } from "./support.ts";

let folder: Folder;
let sim: string;
beforeAll(async () => {
  folder = await makeFolder();
  sim = await folder.write(
    "sim.mjs",
    `import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
     import { spawn } from "node:child_process";
     const [what, ...args] = process.argv.slice(2);
     const does = {
       echo: () => console.log(JSON.stringify({ y: Number(args[0]), words: args.length })),
       file: () => writeFileSync("out.csv", "t,y\\n0," + args[0] + "\\n1," + 2 * args[0] + "\\n"),
       input: () => console.log(readFileSync("deck/input.txt", "utf8")),
       here: () => console.log("y = " + (process.cwd() === args[0] ? 1 : 0)),
       fail: () => { console.error("warming up\\nno convergence in " + process.cwd() + "/mesh"); process.exit(3); },
       crash: () => process.kill(process.pid, "SIGKILL"),
       quiet: () => {},
       nan: () => console.log("y = nan"),
       hang: () => {
         const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "inherit" });
         writeFileSync(args[0], String(child.pid));
         setInterval(() => {}, 1000);
       },
       daemon: () => {
         spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "inherit" }).unref();
         console.log("y = 1");
         process.exit(0);
       },
     };
     does[what]();`,
  );
});
afterAll(() => folder.remove());

const never = new AbortController().signal;

async function runOnce(options: Omit<CommandOptions, "inputs">, point: Point = { a: 0.1 }, signal = never) {
  const simulator = await commandSimulator({ inputs: Object.keys(point), here: folder.path, ...options });
  try {
    return await simulator.run(0, point, signal);
  } finally {
    await simulator.dispose();
  }
}
const numbers = (outcome: Outcome) =>
  outcome.status === "ok"
    ? Object.fromEntries(outcome.outputs.map(({ name, values }) => [name, [...values]]))
    : outcome;

describe("splitCommand()", () => {
  it("splits at blanks outside quotes", () => {
    expect(splitCommand(`./sim  --te {te} 'a b' "c\\"d" e\\ f "" x'y'z`)).toEqual([
      ...["./sim", "--te", "{te}", "a b", 'c"d', "e f", "", "xyz"],
    ]);
    expect(() => splitCommand("echo 'a")).toThrow("a quote ' is not closed");
    expect(() => splitCommand("  ")).toThrow("--command: is empty");
  });
});

describe("fill()", () => {
  it("fills what it knows, keeps other braces, and gives double braces back single", () => {
    expect(fill("{a}+{b} {{a}} {print $1} { a } {}", { a: "1" })).toBe("1+{b} {a} {print $1} { a } {}");
    expect(placeholdersIn("{a} {{b}} {c-1}")).toEqual(["a", "c-1"]);
  });
});

describe("commandSimulator()", () => {
  it("fills in numbers to the last digit and words as single arguments, whatever is in them", async () => {
    const point = { a: 0.1 + 0.2, kind: "$(touch x); 'y z'" };
    expect(numbers(await runOnce({ command: `${node} ${sim} echo {a} {kind}` }, point))).toEqual({
      y: [0.30000000000000004],
      words: [2],
    });
    expect(shellWord("it's")).toBe(`'it'\\''s'`);
  });

  it("does not write over what an earlier try left beside the script", async () => {
    const stale = await folder.write("stale.csv", "y\n-1\n");
    const command = `${node} sim.mjs file {a} && cp out.csv ./stale.csv && cat out.csv > ./other.csv`;
    const outcome = await runOnce({ command, shell: true, read: ["./stale.csv"] }, { a: 4 });
    expect(numbers(outcome)).toEqual({ t: [0, 1], y: [4, 8] });
    expect(await readFile(stale, "utf8")).toBe("y\n-1\n");
    await rm(stale);
  });

  it("finds scripts of the caller's folder, and runs in a fresh one", async () => {
    expect(numbers(await runOnce({ command: `${node} sim.mjs here {here} {a}` }))).toEqual({ y: [0] });
    expect(numbers(await runOnce({ command: `${node} ./sim.mjs here {dir} {a}` }))).toEqual({ y: [1] });
    expect(await readdir(folder.path)).toEqual(["sim.mjs"]);
  });

  it("reads a file, of several rows as signals, and takes the outputs that are wanted", async () => {
    const outcome = await runOnce({ command: `${node} sim.mjs file {a}`, read: ["out.csv"], outputs: ["y"] }, { a: 4 });
    expect(numbers(outcome)).toEqual({ y: [4, 8] });
  });

  it("fills templates into the run's folder", async () => {
    const from = await folder.write("input.in", "y = {a}\nother = 2 {braces}\nz = {run}\n");
    const outcome = await runOnce({ command: `${node} sim.mjs input`, templates: [{ from, to: "deck/input.txt" }] });
    expect(numbers(outcome)).toEqual({ y: [0.1], z: [1] });
    const dry = await commandSimulator({ command: "sim {run}", inputs: ["a"], templates: [{ from, to: "x" }] });
    expect(dry.describe(1, { a: 0.5 })).toBe("sim 2 # a=0.5");
    await dry.dispose();
  });

  it("lets a shell run it when told to", async () => {
    const command = `${node} sim.mjs file {a} && tail -n 1 out.csv | tr , ' ' | sed 's/^/y = /'`;
    expect(numbers(await runOnce({ command, shell: true }, { a: 4 }))).toEqual({ y: [1, 8] });
    await expect(runOnce({ command: "echo {kind}", shell: true }, { kind: "$(rm x)" })).rejects.toThrow(
      '--shell: "$(rm x)" of input kind has characters that mean something to a shell',
    );
  });

  it.each([
    ["fail {a}", "exit code 3: no convergence in mesh"],
    ["crash {a}", "ended by SIGKILL"],
    ["quiet {a}", "standard output is empty"],
    ["nan {a}", "y is not a finite number"],
  ])("says why a run failed: %s", async (args, reason) => {
    expect(await runOnce({ command: `${node} sim.mjs ${args}` })).toEqual({ status: "failed", reason });
  });

  it("says that an output file is missing", async () => {
    expect(await runOnce({ command: `${node} sim.mjs echo {a}`, read: ["out.json"] })).toEqual({
      status: "failed",
      reason: "out.json is missing",
    });
  });

  const isAlive = (pid: number): boolean => {
    try {
      process.kill(pid, 0);
      return true;
    } catch {
      return false;
    }
  };
  const gone = async (pid: number): Promise<boolean> => {
    for (let i = 0; i < 100 && isAlive(pid); i++) await pause(20);
    return !isAlive(pid);
  };

  it("ends a run that takes too long, with what it started", async () => {
    const pidFile = folder.at("pid");
    const outcome = await runOnce({ command: `${node} sim.mjs hang ${pidFile} {a}`, timeoutMs: 1500 });
    expect(outcome).toEqual({ status: "failed", reason: "timed out after 1.5 s" });
    expect(await gone(Number(await readFile(pidFile, "utf8")))).toBe(true);
  });

  it("ends a run that is told to stop, with what it started", async () => {
    const pidFile = folder.at("pid-stopped");
    const stop = new AbortController();
    const running = runOnce({ command: `${node} sim.mjs hang ${pidFile} {a}` }, { a: 1 }, stop.signal);
    while (!existsSync(pidFile) || (await readFile(pidFile, "utf8")) === "") await pause(20);
    stop.abort();
    expect(await running).toEqual({ status: "stopped" });
    expect(await gone(Number(await readFile(pidFile, "utf8")))).toBe(true);
  });

  it("does not wait for what a run leaves in the background", async () => {
    expect(numbers(await runOnce({ command: `${node} sim.mjs daemon {a}` }))).toEqual({ y: [1] });
  });

  it("keeps the folder of a failed run with what it printed", async () => {
    const kept = folder.at("failed");
    await runOnce({ command: `${node} sim.mjs fail {a}`, keepFailed: kept });
    expect((await readdir(folder.at("failed/run-1"))).sort()).toEqual(["stderr.txt", "stdout.txt"]);
    expect(await readFile(folder.at("failed/run-1/stderr.txt"), "utf8")).toMatch(/^warming up\n/);
  });

  it.each([
    [{ command: "./none {a}" }, "there is no program ./none (looked up from "],
    [{ command: "no-such-program {a}" }, "no-such-program cannot be started: there is no such program"],
    [{ command: "echo {a} \0" }, "echo cannot be started: "],
    [{ command: "./sim.mjs {a}" }, "it may not be run. Make it a program (chmod +x)"],
    [{ command: "echo {b}" }, "{b} is no input (there are: a, run, dir, here)"],
    [{ command: "echo" }, "the input a goes nowhere"],
    [{ command: "echo {a}", read: ["../x"] }, "--read ../x: must be a path inside the run's folder"],
    [{ command: "echo {a}", templates: [{ from: "none", to: "x" }] }, "--template none: no such file"],
  ])("refuses %j", async (options, message) => {
    await expect(runOnce(options)).rejects.toThrow(message);
  });

  it("is another one when its script changes", async () => {
    const path = await folder.write("model.py", "1");
    const identity = async () =>
      (await commandSimulator({ command: "python3 model.py {a}", inputs: ["a"], here: folder.path })).identity;
    const before = await identity();
    expect(Object.keys(before)).toContain(path);
    await folder.write("model.py", "2");
    expect(await identity()).not.toEqual(before);
  });
});
