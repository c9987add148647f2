/** Fronts of error against latency: from the library, and from the command line. */
import { readdir } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import { fitFront, type FrontPoint, inspect, latencyModel, OptionError, resolveTarget } from "../src/index.ts";
import { hypervolume, nonDominated } from "../src/search/index.ts";
import { inProcess } from "../src/tasks/index.ts";
import { csvOf, makeFolder, run, smoothRows } from "./cli/support.ts";

const rows = smoothRows(40, 1).map(({ a, b, y }) => ({ a, b, y }));
const devices = [latencyModel(await resolveTarget("fpga:pynq-z2"))];
/** As little work as a fit can be. */
const options = {
  inputs: ["a", "b"],
  members: 8,
  effort: "quick",
  ensemble: "supernet",
  strategy: "random",
  space: { widths: [4, 32], trunkNodes: 2 },
  deployment: { devices },
} as const;

describe("fitFront()", () => {
  it("spaces budgets evenly from the unlimited emulator to the fastest, keeps them, and marks what is beaten", async () => {
    const finished: number[] = [];
    const { points, hypervolume: volume } = await fitFront(rows, {
      ...options,
      points: 4,
      onPoint: ({ number }) => void finished.push(number),
    });
    expect(finished).toEqual([4, 3, 2, 1]);
    expect(points.map(({ number }) => number)).toEqual([1, 2, 3, 4]);
    expect(points[3]!.budget).toBeUndefined();
    const budgets = points.slice(0, 3).map(({ budget }) => budget!);
    expect(budgets[1]! / budgets[0]!).toBeCloseTo(budgets[2]! / budgets[1]!, 9);
    expect(budgets[2]!).toBeLessThan(1e-3 * points[3]!.latency.predictedMs.high);
    for (const { budget, latency, members, macs, result } of points.slice(0, 3)) {
      expect(latency).toMatchObject({ budgetMs: 1000 * budget!, meetsBudget: true });
      expect([2, 4, 8]).toContain(members);
      expect(result.info.members).toHaveLength(members);
      expect(macs).toBe(result.info.members.reduce((sum, member) => sum + member.macs, 0));
    }
    // One that does better on held-out runs serves larger budgets too.
    const own = points.filter(({ number, fittedFor }) => number === fittedFor);
    expect(own.length).toBeGreaterThan(0);
    for (const { number, fittedFor, result } of points)
      expect(result).toBe(points.find((point) => point.number === fittedFor && fittedFor <= number)!.result);
    const costs = points.map(({ latency, error }) => [Math.log10(latency.predictedMs.p50), Math.log10(error)]);
    expect(points.map(({ onFront }) => onFront)).toEqual(nonDominated(costs));
    expect(volume).toBe(hypervolume(costs, [Math.max(...costs.map(([latency]) => latency!)), 0]));
  });

  it("keeps what it has where it is stopped", async () => {
    const runner = inProcess();
    const { points } = await fitFront(rows, {
      ...options,
      runner,
      onPoint: () => {
        runner.stop();
      },
    });
    expect(points.map(({ number }: FrontPoint) => number)).toEqual([5]);
  });

  it.each([
    [{ points: 1 }, "a front of 1 points: must be a whole number from 2 to 20"],
    [{ deployment: { devices: [...devices, ...devices] } }, "a front is of one device, not of 2"],
  ])("refuses %j", async (wrong, message) => {
    const refused = await fitFront(rows, { ...options, ...wrong }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(OptionError);
    expect((refused as Error).message).toContain(message);
  });
});

describe("condense fit --pareto", () => {
  let folder: Awaited<ReturnType<typeof makeFolder>>;
  let table: string;
  beforeAll(async () => {
    folder = await makeFolder();
    table = await folder.write("runs.csv", csvOf(rows));
  });
  afterAll(() => folder.remove());
  const command = (...more: readonly string[]) =>
    run(["fit", table, "--outputs", "y", "--effort", "quick", "--pareto", "--out", folder.at("toy.onnx"), ...more]);

  test("writes a file for every point and a table, scored on the runs kept apart, and nothing else", async () => {
    const fast = ["--ensemble", "supernet", "--strategy", "random", "--members", "4", "--threads", "1"];
    const ran = await command("--target", "gpu:t4", "--points", "2", "--hold-out", "0.25", ...fast, "--json");
    expect(ran.code, ran.err).toBe(0);
    const { points, target } = JSON.parse(ran.out) as {
      readonly target: string;
      readonly points: readonly { readonly out: string; readonly fvu: number; readonly macs: number }[];
    };
    expect(target).toBe("gpu:t4");
    expect(points.map(({ out }) => out)).toEqual([folder.at("toy-1.onnx"), folder.at("toy-2.onnx")]);
    expect((await readdir(folder.path)).sort()).toEqual(["runs.csv", "toy-1.onnx", "toy-2.onnx"]);
    expect((await inspect(folder.at("toy-1.onnx"))).latency[0]).toMatchObject({ target: "gpu:t4", meetsBudget: true });
    expect(points[0]!.macs).toBeLessThan(points[1]!.macs);
    for (const { fvu } of points) expect(fvu).toBeGreaterThan(0);
    expect(ran.err).toContain(`emulator 1 of 2: 4 members, no budget -> ${folder.at("toy-2.onnx")}`);
    expect(ran.err).toMatch(/emulator 2 of 2: [24] members, a budget of [\d.]+ us -> \S+toy-1\.onnx/);
  });

  test.each([
    [[], "--pareto: a front is of one device, not of 0. Give one --target"],
    [["--target", "gpu:t4", "--target", "cpu"], "a front is of one device, not of 2"],
    [["--target", "gpu:t4", "--budget", "1ms"], "--pareto chooses its own budgets"],
    [["--target", "gpu:t4", "--points", "1"], "--points 1: must be a number from 2 to 20"],
  ])("refuses %j before any work", async (more, message) => {
    const { code, messages, out } = await command(...more);
    expect(code).toBe(2);
    expect(out).toBe("");
    expect(messages).toHaveLength(1);
    expect(messages[0]).toContain(message);
  });
});
