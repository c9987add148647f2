/** The verb `compare`: same folds for all, who wins, why, and what is left when it is cut short. */
import { describe, expect, test } from "vitest";
import {
  buildRuns,
  compare,
  type Comparison,
  compareRuns,
  type Contestant,
  describeComparison,
  inProcess,
  learningCurveRuns,
  type Runs,
  tableFrom,
} from "../../src/index.ts";
import { smoothRows, tinySpace } from "../cli/support.ts";
import { sampleInfo } from "../support/sample-emulator.ts";

const rows = smoothRows(30).map(({ a, b, y, z }) => ({ a, b, y, z }));
const runs: Runs = buildRuns(tableFrom(rows), { inputs: ["a", "b"] });

/** A contestant that knows the truth up to an error, and counts the runs it was shown. */
function oracle(name: string, error: number, shown: number[] = [], meanwhile: () => void = () => {}): Contestant {
  return {
    name,
    title: name,
    source: "test",
    work: 1,
    async fit({ runs: given }) {
      shown.push(given.n);
      meanwhile();
      return {
        kind: "fitted",
        predictor: {
          async predict(x, level = 0.95) {
            const n = x.length / 2;
            const of = (value: (a: number, b: number) => number): Float64Array =>
              Float64Array.from({ length: n }, (_, i) => value(x[2 * i]!, x[2 * i + 1]!));
            const field = (name: string, truth: (a: number, b: number) => number) => {
              const mean = of((a, b) => truth(a, b) + error);
              const half = level > 0.92 ? 2 * Math.abs(error) : 0.5 * Math.abs(error);
              const [lower, upper] = [mean.map((m) => m - half), mean.map((m) => m + half)];
              return {
                field: name,
                mean,
                std: mean.map(() => Math.abs(error)),
                noise: new Float64Array(n),
                lower,
                upper,
              };
            };
            return [field("y", (a, b) => Math.sin(3 * a) + b), field("z", (a, b) => a * b)];
          },
          dispose: () => Promise.resolve(),
        },
      };
    },
  };
}

/** A clock that ticks a millisecond at each look. */
const ticking = () => {
  let at = 0;
  return () => at++;
};

describe("scores", () => {
  test("are of all runs, each predicted by a fit without it", async () => {
    const shown: number[] = [];
    const found = await compareRuns(runs, { methods: [oracle("right", 1e-3, shown), "null"], folds: 5 });
    expect(shown).toEqual([24, 24, 24, 24, 24]);
    expect(found).toMatchObject({ runs: 30, folds: 5, asked: 5, scored: 30, outcome: "complete", absent: {} });
    const right = found.methods.find(({ method }) => method === "right")!;
    const nothing = found.methods.find(({ method }) => method === "null")!;
    // Off by 1e-3 everywhere: RMSE over the standard deviation of all 30 runs.
    const std = (values: readonly number[]): number => {
      const mean = values.reduce((a, c) => a + c, 0) / values.length;
      return Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length);
    };
    expect(right.outputs[0]!.rmse).toBeCloseTo(1e-3 / std(rows.map(({ y }) => y)), 9);
    expect(right.outputs[1]!.fvu).toBeCloseTo((1e-3 / std(rows.map(({ z }) => z))) ** 2, 12);
    expect(right.rmse).toBeCloseTo((right.outputs[0]!.rmse + right.outputs[1]!.rmse) / 2, 12);
    // Its intervals are twice the error at 95 % and half of it at 90 %.
    expect([right.coverage95, right.coverage90]).toEqual([1, 0]);
    expect(nothing.fvu).toBeGreaterThan(0.9);
    expect(nothing.fvu).toBeLessThan(1.3);
  });

  test("keep repeats of a run in one fold", async () => {
    const twice = buildRuns(tableFrom([...rows, ...rows.map((row) => ({ ...row, y: row.y + 0.1 }))]), {
      inputs: ["a", "b"],
    });
    const parts: Runs[] = [];
    const spy: Contestant = {
      ...oracle("spy", 1),
      fit: (round) => {
        parts.push(round.runs);
        return oracle("spy", 1).fit(round);
      },
    };
    await compareRuns(twice, { methods: [spy], folds: 3 });
    for (const part of parts) expect(new Set(part.repeats).size).toBe(part.n / 2);
  });

  test("name the winner of each output by CRPS, ties together, and by how much it is ahead", async () => {
    const found = await compareRuns(runs, {
      methods: [oracle("near", 1e-3), oracle("far", 3e-3), oracle("also", 1e-3)],
    });
    for (const winner of found.winners) {
      expect(winner.best).toEqual(["near", "also"]);
      expect(winner.next).toBe("far");
      expect(winner.ratio).toBeCloseTo(3, 6);
    }
    expect(describeComparison(found)).toMatch(/y +near = also +\S+ +far +3 times/);
  });
});

describe("cut short", () => {
  test("by Ctrl-C, compares the folds that everybody finished", async () => {
    const runner = inProcess();
    let fits = 0;
    const slow = oracle("slow", 2e-3, [], () => {
      if (++fits === 3) runner.stop();
    });
    const found = await compareRuns(runs, { methods: ["null", slow], folds: 5, runner });
    // The third fit of `slow` was under way, the third of the null model was done.
    expect(found).toMatchObject({ outcome: "interrupted", folds: 2, asked: 5, scored: 12 });
    expect(found.methods.map(({ method }) => method)).toEqual(["null", "slow"]);
    expect(describeComparison(found)).toMatch(/Interrupted: 2 of 5 folds done\.$/);
  });

  test("in the first fold, shows who was done and says who was not", async () => {
    const runner = inProcess();
    const slow = oracle("slow", 1, [], () => {
      runner.stop();
    });
    const found = await compareRuns(runs, { methods: ["null", slow], runner });
    expect(found.methods.map(({ method }) => method)).toEqual(["null"]);
    expect(found.absent).toEqual({ slow: "it was not done in time" });
  });

  test("by the clock, and before anything was done", async () => {
    const half = await compareRuns(runs, { methods: [oracle("one", 1)], folds: 5, timeMs: 30, now: ticking() });
    expect(half.outcome).toBe("time");
    expect(half.folds).toBeGreaterThan(0);
    expect(half.folds).toBeLessThan(5);
    const none = await compareRuns(runs, { methods: [oracle("one", 1)], timeMs: 0, now: ticking() });
    expect(none.methods).toEqual([]);
    expect(describeComparison(none)).toMatch(/No fold was finished/);
  });

  test("begins no fold that the time of the last would not suffice for", async () => {
    let clock = 0;
    const slow = oracle("slow", 1, [], () => {
      clock += 100;
    });
    const found = await compareRuns(runs, { methods: [slow], folds: 5, timeMs: 250, now: () => clock++ });
    expect(found).toMatchObject({ outcome: "time", folds: 2 });
    expect(clock).toBeLessThanOrEqual(250);
  });

  test("does not count a fit that the clock cut", async () => {
    const hurried: Contestant = {
      ...oracle("hurried", 1),
      async fit(round) {
        const fitted = await oracle("hurried", 1).fit(round);
        return { ...fitted, info: { ...sampleInfo, fit: { ...sampleInfo.fit, outcome: "time" } } };
      },
    };
    const found = await compareRuns(runs, { methods: [hurried, "null"] });
    expect(found.methods.map(({ method }) => method)).toEqual(["null"]);
    expect(found.absent).toEqual({ hurried: "it was not done in time" });
  });
});

describe("the emulator and its parts", () => {
  const fit = { members: 2, space: tinySpace, process: true } as const;
  let found: Comparison;
  test("are of one training: parts cost no time of their own, and stacking says what it chose by", async () => {
    found = await compare(rows.slice(0, 20), {
      inputs: ["a", "b"],
      methods: ["emulator", "networks", "processes", "null"],
      folds: 2,
      effort: "quick",
      fit,
      now: ticking(),
    });
    expect(found.methods.map(({ method, fitSeconds }) => [method, fitSeconds === null])).toEqual([
      ["emulator", false],
      ["networks", true],
      ["processes", true],
      ["null", false],
    ]);
    const { networkShare, heldOutCrps, outputs } = found.stacking!;
    expect(outputs.map(({ output }) => output)).toEqual(["y", "z"]);
    expect(networkShare).toBeGreaterThanOrEqual(0);
    expect(networkShare).toBeLessThanOrEqual(1);
    expect(heldOutCrps!.mixture).toBeLessThanOrEqual(Math.min(heldOutCrps!.networks, heldOutCrps!.processes) * 1.001);
    const [, , , nothing] = found.methods;
    for (const { crps } of found.methods.slice(0, 3)) expect(crps).toBeLessThan(nothing!.crps / 2);
    expect(describeComparison(found)).toMatch(/Stacking gave the networks \d+ % .*because on held-out training runs/);
  });

  test("the emulator equals the part that stacking gave everything", () => {
    const share = found.stacking!.outputs.map((output) => output.networkShare);
    const scores = (name: string) => found.methods.find(({ method }) => method === name)!.outputs;
    share.forEach((each, f) => {
      if (each === 0) expect(scores("emulator")[f]).toEqual(scores("processes")[f]);
      if (each === 1) expect(scores("emulator")[f]).toEqual(scores("networks")[f]);
    });
    expect(share.some((each) => each === 0 || each === 1)).toBe(true);
  });
});

test("a learning curve of a contestant that learns nothing says that more runs will not do", async () => {
  const many = buildRuns(tableFrom(smoothRows(120)), { inputs: ["a", "b"] });
  const curve = await learningCurveRuns(many, { methods: ["null"], now: ticking() });
  expect(curve).toMatchObject({ runs: 120, held: 24, fits: 10, asked: 10, outcome: "complete" });
  const [{ sizes, forecast }] = curve.methods as [(typeof curve.methods)[number]];
  expect(sizes.map(({ runs: n, fits }) => [n, fits])).toEqual([
    [15, 4],
    [30, 3],
    [60, 2],
    [96, 1],
  ]);
  for (const { error } of sizes) expect(Math.abs(error - 1)).toBeLessThan(0.2);
  expect(forecast!.runsForHalf.value).toBeNull();
});

test("refuses methods and runs that it cannot use", async () => {
  await expect(compareRuns(runs, { methods: ["nul" as "null"] })).rejects.toThrow(
    /unknown method "nul" \(there are: emulator/,
  );
  await expect(compareRuns(runs, { methods: [] })).rejects.toThrow(/no method/);
  await expect(compareRuns(runs, { folds: 31 })).rejects.toThrow(
    /30 runs with different inputs cannot be split into 31/,
  );
  await expect(learningCurveRuns(runs)).rejects.toThrow(/30 runs are too few for a learning curve: it takes 40/);
});
