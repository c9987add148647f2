/** `condense compare` and the second table of `condense validate`, from the command line. */
import { readdir, readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sampleBytes } from "../support/sample-emulator.ts";
import { csvOf, makeFolder, run, smoothRows } from "./support.ts";

let folder: Awaited<ReturnType<typeof makeFolder>>;
let table: string;
beforeAll(async () => {
  folder = await makeFolder();
  table = await folder.write("runs.csv", csvOf(smoothRows(60)));
});
afterAll(() => folder.remove());

const baselines = ["--methods", "quadratic,null", "--threads", "1"];

describe("compare", () => {
  test("prints a table of the methods and one of the winners", async () => {
    const ran = await run(["compare", table, "--inputs", "a,b", ...baselines]);
    expect(ran).toMatchObject({ code: 0, err: "" });
    expect(ran.out).toMatch(/^60 of 60 runs, each predicted without it \(5 folds, standard effort, seed 1\):\n/);
    expect(ran.out).toMatch(/ {2}method +FVU +RMSE +CRPS +in 90 % +in 95 % +fit +query\n {2}quadratic ridge +\S+/);
    expect(ran.out).toMatch(/ {2}y +quadratic +\S+ +null +\S+/);
    expect(ran.out).not.toMatch(/Stacking|NaN|undefined/);
  });

  test("--json prints one document with every output's scores, the same for the same seed but for the times", async () => {
    const argv = ["compare", table, "--inputs", "a,b", "--folds", "3", "--json", ...baselines];
    const plain = (text: string): unknown =>
      JSON.parse(text, (key, value: unknown) => (/Seconds|Micros/.test(key) ? 0 : value));
    const found = plain((await run(argv)).out) as { methods: { method: string; outputs: { output: string }[] }[] };
    expect(found).toMatchObject({
      runs: 60,
      folds: 3,
      asked: 3,
      scored: 60,
      seed: 1,
      outcome: "complete",
      stacking: null,
    });
    expect(found.methods.map(({ method }) => method)).toEqual(["quadratic", "null"]);
    expect(found.methods[0]!.outputs.map(({ output }) => output)).toEqual(["y", "z"]);
    expect(plain((await run(argv)).out)).toEqual(found);
    expect(plain((await run([...argv, "--seed", "2"])).out)).not.toEqual(found);
  });

  test("--learning-curve prints errors by number of runs, and what more would buy", async () => {
    const ran = await run(["compare", table, "--outputs", "y,z", "--learning-curve", ...baselines]);
    expect(ran).toMatchObject({ code: 0, err: "" });
    expect(ran.out).toMatch(/all tried on the same 12 of 60 runs/);
    expect(ran.out).toMatch(/quadratic ridge\n +runs +fits +error +least to most +law\n +15 +3 /);
    expect(ran.out).toMatch(/more runs/i);
    const json = JSON.parse(
      (await run(["compare", table, "--outputs", "y,z", "--learning-curve", "--json", ...baselines])).out,
    ) as { methods: { sizes: { runs: number }[] }[] };
    expect(json.methods[0]!.sizes.map(({ runs }) => runs)).toEqual([15, 30, 48]);
  });

  test("--pareto prints a front scored on runs kept apart, keeps no emulator, and draws it", async () => {
    const chart = folder.at("front.html");
    const argv = ["compare", table, "--inputs", "a,b", "--pareto", "--target", "fpga:pynq-z2", "--points", "2"];
    const ran = await run([...argv, "--effort", "quick", "--time", "8s", "--threads", "1", "--chart", chart]);
    expect(ran.code).toBe(0);
    expect(ran.out).toMatch(/^Error against latency on fpga:pynq-z2 \(.* on the 12 runs kept apart\)\n/);
    expect(ran.out).toMatch(/\n {2}[* ] {2}1 +\d+ +\S+ us +\S+ us +\S+ us/);
    expect(ran.out).toContain(`Chart: ${chart}\n`);
    expect((await readdir(folder.path)).filter((name) => name.endsWith(".onnx"))).toEqual([]);
    expect(await readFile(chart, "utf8")).toContain("predicted latency of a call");
  });

  test.each([
    [["--pareto"], "a front is of one device, not of 0. Give one --target, such as --target cpu."],
    [["--target", "cpu"], "--target and --chart are for --pareto. Add it, or leave them out."],
    [["--pareto", "--target", "cpu", "--learning-curve"], "it goes neither with --learning-curve nor with --methods."],
  ])("refuses %s", async (options, message) => {
    const ran = await run(["compare", table, "--inputs", "a,b", ...options]);
    expect(ran.code).toBe(2);
    expect(ran.err).toContain(message);
  });

  test("progress says which part is under way, and what time is left", async () => {
    let at = 0;
    const ran = await run(["compare", table, "--inputs", "a,b", ...baselines], { now: () => (at += 5000) });
    expect(ran.err).toMatch(/^compare +\d+ % .*part \d of 5, (quadratic|null)$/m);
    expect(ran.err).toMatch(/ left /);
  });

  test.each([
    [["--methods", "gp"], /--methods gp: unknown \(there are: emulator, networks, processes, gaussian-process/],
    [["--folds", "1"], /--folds 1: must be a number from 2/],
    [["--folds", "61", ...baselines], /60 runs with different inputs cannot be split into 61 parts/],
    [["--inputs", "q"], /no column "q"/],
    [["--effort", "some"], /--effort some: unknown/],
  ])("refuses %j in one line", async (more, message) => {
    const columns = more.includes("q") ? [] : ["--inputs", "a,b"];
    const ran = await run(["compare", table, ...columns, ...more]);
    expect(ran).toMatchObject({ code: 2, out: "" });
    expect(ran.messages.at(-1)).toMatch(message);
  });

  test("is told of a table that is too small for a curve", async () => {
    const few = await folder.write("few.csv", csvOf(smoothRows(20)));
    const ran = await run(["compare", few, "--inputs", "a,b", "--learning-curve", ...baselines]);
    expect(ran.code).toBe(2);
    expect(ran.messages.at(-1)).toMatch(/20 runs are too few for a learning curve: it takes 40/);
  });

  test("Ctrl-C at once says that nothing is done, with exit code 1", async () => {
    const world = {
      onInterrupt(listener: () => void) {
        listener();
        return () => {};
      },
    };
    const ran = await run(["compare", table, "--inputs", "a,b", ...baselines], world);
    expect(ran.code).toBe(1);
    expect(ran.out).toMatch(/^Interrupted: 0 of 5 folds done\.\nNo fold was finished/);
  });
});

describe("validate", () => {
  /** Runs of the sample emulator's schema with truths of 1: what counts is the shape of the tables. */
  const truths = (rows: number): string => {
    const names = [
      "energy",
      ...[0, 1, 2, 3, 4, 5].map((i) => `signal[${i}]`),
      "flux",
      ...[0, 1].flatMap((i) => [0, 1, 2, 3, 4].map((j) => `"pair[${i},${j}]"`)),
    ];
    const row = (i: number): string =>
      [1e20 + 1e12 * i, 2, "Cu", 1 + (i % 9), 1e-13, ...names.map((_, k) => 1 + ((i * 7 + k) % 5))].join(",");
    return `huge,decades,material,shell,small,${names.join(",")}\n${Array.from({ length: rows }, (_, i) => row(i)).join("\n")}\n`;
  };

  test("prints coverage at five levels with intervals, over all runs and at the edge, and the PIT test", async () => {
    const emulator = await folder.write("sample.onnx", sampleBytes);
    const runs = await folder.write("truths.csv", truths(50));
    const ran = await run(["validate", emulator, runs]);
    expect(ran).toMatchObject({ code: 0, err: "" });
    expect(ran.out).toMatch(/ {2}% inside +in 50 +in 80 +in 90 +in 95 +in 99 +PIT p\n/);
    expect(ran.out).toMatch(/ {2}all 50 runs +\S+ \(\S+-\S+\)/);
    expect(ran.out).toMatch(/ {2}10 at the edge +\S+ \(/);
    expect(ran.out).toMatch(/At the edge: the fifth of the runs farthest from the centre/);
    expect(ran.out).toMatch(
      /\nPIT: truths are not where the stated distributions put them, .* degrees of freedom, p = /,
    );
    const details = await run(["validate", emulator, runs, "--details"]);
    expect(details.out).toMatch(/ {4}signal +\S+ \(/);
  });

  test("--json has it all", async () => {
    const emulator = await folder.write("sample.onnx", sampleBytes);
    const runs = await folder.write("truths.csv", truths(50));
    const { fields, overall, edge } = JSON.parse((await run(["validate", emulator, runs, "--json"])).out) as {
      readonly fields: readonly Record<string, unknown>[];
      readonly overall: Record<string, unknown>;
      readonly edge: Record<string, unknown>;
    };
    for (const scores of [...fields, overall, edge.overall as typeof overall])
      for (const key of ["rmse", "mae", "bias", "fvu", "crps", "nll", "intervalScore", "coverage", "levels", "pit"])
        expect(Object.keys(scores)).toContain(key);
    expect(edge).toMatchObject({ rows: 10 });
  });
});
