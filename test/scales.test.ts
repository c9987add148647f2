/** What fields are learned as: a root where that predicts held-out runs better, and only there. */
import { expect, test } from "vitest";
import { kFolds, type Runs, type Selection } from "../src/data/index.ts";
import { prepare } from "../src/fit/prepare.ts";
import { scaleTrainings, settleScales } from "../src/fit/scales.ts";
import { buildRuns, inProcess, tableFrom } from "../src/index.ts";
import { makeRng } from "../src/rng.ts";

const size = 8;
/** 40 runs of two inputs; one field of 8 numbers, each a function of a direction of its own. */
function runsOf(valueOf: (along: number) => number, selection: Selection = { inputs: ["a", "b"] }): Runs {
  const rng = makeRng(4);
  const rows = Array.from({ length: 40 }, () => {
    const [a, b] = [rng.uniform(), rng.uniform()];
    const field = Array.from({ length: size }, (_, j) => [`s[${j}]`, valueOf(a * Math.cos(j) + b * Math.sin(j))]);
    return { a, b, ...(Object.fromEntries(field) as Record<string, number>) };
  });
  return buildRuns(tableFrom(rows), selection);
}

async function settled(runs: Runs) {
  const { spaceOptions, data, rng } = prepare(runs, {});
  return settleScales(runs, {
    space: spaceOptions,
    data,
    foldOf: kFolds(runs, 4, rng.fork("folds")),
    folds: 4,
    effort: "quick",
    loss: "mse",
    engine: "onnxruntime",
    rng,
    runner: inProcess(),
    now: Date.now,
    deadline: Number.POSITIVE_INFINITY,
    onTrained: () => undefined,
  });
}

test("a square of a straight line is learned as its square root", async () => {
  const runs = runsOf((along) => (1.5 + along) ** 2);
  expect(runs.schema.fields[0]!.scale).toBe("linear");
  const { runs: chosen, notes } = await settled(runs);
  expect(chosen.schema.fields[0]!.scale).toBe("sqrt");
  expect(chosen.y).toBe(runs.y);
  expect(notes).toEqual([
    expect.stringMatching(/^"s" is learned as its square root: that leaves \d+ % of the mean square/),
  ]);
});

test("a straight line is learned as it is", async () => {
  const runs = runsOf((along) => 1.5 + along);
  expect(scaleTrainings(runs)).toBeGreaterThan(0);
  expect(await settled(runs)).toEqual({ runs, notes: [] });
});

test("what is negative somewhere, was stated, or is a number alone is not tried", () => {
  expect(scaleTrainings(runsOf((along) => along - 0.5))).toBe(0);
  const stated: Selection = {
    schema: { inputs: [{ name: "a" }, { name: "b" }], fields: [{ name: "s", shape: [size], scale: "linear" }] },
  };
  expect(scaleTrainings(runsOf((along) => (1.5 + along) ** 2, stated))).toBe(0);
  const rows = Array.from({ length: 30 }, (_, i) => ({ a: i / 30, y: (1 + i / 30) ** 2 }));
  expect(scaleTrainings(buildRuns(tableFrom(rows), { inputs: ["a"] }))).toBe(0);
});
