/** The laws of spec 1, for every strategy in the index. */
import { deserialize, serialize } from "node:v8";
import { describe, expect, it } from "vitest";
import { OptionError } from "../../../src/errors.ts";
import { makeRng } from "../../../src/rng.ts";
import {
  getStrategy,
  historyLines,
  search,
  type SearchOptions,
  type SearchResult,
  type SearchState,
  strategies,
} from "../../../src/search/index.ts";
import {
  type Architecture,
  architectureId,
  canonical,
  checkArchitecture,
  macs,
  randomArchitecture,
  superArchitecture,
} from "../../../src/space/index.ts";
import type { SupernetTrainer } from "../../../src/train/index.ts";
import { plantedTrainer, realTrainer, space, toyData, watched } from "../support.ts";

/** Some ten epochs of the real trainer: 5 steps of 8 rows and 8 validations of 10 rows, about 120 MACs each. */
const budget = 300_000;

type Options = Partial<SearchOptions> & { readonly trainer: SupernetTrainer; readonly seed?: number };

function run(name: string, { seed = 70, ...options }: Options): Promise<SearchResult> {
  return search({ strategy: getStrategy(name), space, budget, members: 4, rng: makeRng(seed), ...options });
}

/** Runs on the real trainer and frees it. */
async function runReal(name: string, options: Omit<Options, "trainer"> = {}, data = toyData()): Promise<SearchResult> {
  const trainer = await realTrainer(data);
  try {
    return await run(name, { ...options, trainer });
  } finally {
    await trainer.dispose();
  }
}

/** A result to compare: the history as lines. */
function plain({ history, ...rest }: SearchResult): object {
  return { ...rest, lines: historyLines(history).split("\n") };
}

function costsOf(architectures: readonly Architecture[]): number[] {
  return architectures.map((one) => macs(space, one));
}

const uniform = costsOf(Array.from({ length: 400 }, (_, i) => randomArchitecture(space, makeRng(i)))).sort(
  (a, c) => a - c,
);
/** The cheapest architecture: the smaller width and no connection. */
const least = macs(
  space,
  space.slots.map(() => 0),
);

describe.each(Object.keys(strategies))("the strategy %s", (name) => {
  it("says what it is and where it comes from", () => {
    const strategy = getStrategy(name);
    expect(strategy.name).toBe(name);
    expect(strategy.summary.length).toBeGreaterThan(10);
    expect(strategy.source).toMatch(/\d{4}/);
  });

  it("asks for legal architectures and ends with distinct ones", async () => {
    const trainer = watched(await realTrainer());
    const { finals, history } = await run(name, { trainer });
    expect(trainer.asked.trained.length).toBeGreaterThan(20);
    expect(trainer.asked.validated.length).toBeGreaterThan(20);
    // `watched` has checked that all gates are one-hot.
    for (const one of [...trainer.asked.trained, ...trainer.asked.validated]) checkArchitecture(space, one);
    expect(finals.architectures).toHaveLength(4);
    const ids = finals.architectures.map((one) => architectureId(canonical(space, one)));
    expect(new Set(ids).size).toBe(4);
    for (const one of [...finals.architectures, finals.best]) checkArchitecture(space, one);
    expect(history.records.filter(({ event }) => event === "final").map(({ architecture }) => architecture)).toEqual(
      ids,
    );
    for (const row of finals.distribution ?? []) expect(row.reduce((a, c) => a + c, 0)).toBeCloseTo(1, 12);
    await trainer.dispose();
  });

  it("spends its budget and not a step more (t4)", async () => {
    const trainer = watched(await realTrainer());
    const { spent, outcome, history } = await run(name, { trainer });
    expect(outcome).toBe("budget");
    expect(spent).toBeLessThanOrEqual(budget);
    const dearest = 3 * trainer.batch * Math.max(...uniform);
    expect(spent).toBeGreaterThan(budget - dearest);
    // The charge against an independent count (t2).
    const trained = costsOf(trainer.asked.trained).reduce((a, c) => a + c, 0);
    const validated = costsOf(trainer.asked.validated).reduce((a, c) => a + c, 0);
    expect(spent).toBe(3 * trainer.batch * trained + trainer.validationRows * validated);
    const costs = history.records.map(({ costSoFar }) => costSoFar);
    expect(costs).toEqual([...costs].sort((a, c) => a - c));
    await trainer.dispose();
  });

  it("writes the same history and finds the same twice, another one with another seed (t3)", async () => {
    const first = await runReal(name);
    const again = await runReal(name);
    expect(plain(again)).toEqual(plain(first));
    expect(first.history.records.length).toBeGreaterThan(50);
    const other = await runReal(name, { seed: 71 });
    expect(historyLines(other.history)).not.toBe(historyLines(first.history));
  });

  it("goes on after any step as if it had never stopped", async () => {
    const states: Buffer[] = [];
    const whole = await runReal(name, {
      onStep: (state) => {
        // As a checkpoint writes it.
        states.push(serialize(state));
      },
    });
    expect(states.length).toBeGreaterThan(5);
    for (const at of [0, 1, Math.floor(states.length / 2), states.length - 2, states.length - 1]) {
      const resume = deserialize(states[at]!) as SearchState;
      const resumed = await runReal(name, { resume });
      expect(plain(resumed), `after step ${at}`).toEqual(plain(whole));
    }
  });

  it("ends early when it is asked to, and goes on from there", async () => {
    const whole = await runReal(name);
    let asked = 0;
    let last: SearchState | undefined;
    const stopped = await runReal(name, { shouldStop: () => asked++ >= 3, onStep: (state) => void (last = state) });
    expect(stopped).toMatchObject({ outcome: "stopped", steps: 3 });
    expect(stopped.finals.architectures.length).toBeGreaterThan(0);
    expect(last?.ended).toBeNull();
    const resumed = await runReal(name, { resume: last! });
    expect(plain(resumed)).toEqual(plain(whole));
  });

  it("takes no more steps than it may", async () => {
    const fractions: number[] = [];
    const result = await runReal(name, { steps: 4, onStep: (_, fraction) => void fractions.push(fraction) });
    expect(result.steps).toBe(4);
    expect(fractions.map((fraction) => fraction >= 0.25)).toEqual([true, true, true, true]);
    expect(fractions.at(-1)).toBe(1);
  });

  it("never looks at rows that are neither for training nor for validation (t5)", async () => {
    const seen = await runReal(name);
    // The targets of the last ten rows are not numbers.
    const unseen = await runReal(name, {}, toyData(60, 50));
    expect(historyLines(unseen.history)).toBe(historyLines(seen.history));
    expect(seen.history.records.some(({ valLoss }) => valLoss !== undefined && valLoss > 0)).toBe(true);
  });

  it("learns: the loss on the validation rows falls", async () => {
    const { history } = await runReal(name, { budget: 4 * budget });
    const losses = history.records.flatMap(({ valLoss }) => (valLoss === undefined ? [] : [valLoss]));
    const mean = (part: readonly number[]): number => part.reduce((a, c) => a + c, 0) / part.length;
    expect(mean(losses.slice(-40))).toBeLessThan(0.5 * mean(losses.slice(0, 8)));
  });

  it.each([
    ["half of all architectures meet", uniform[200]!],
    ["one in twenty meets", uniform[20]!],
    ["only the cheapest meets", least],
  ])("never trains, scores or returns an architecture over a hard limit that %s", async (_, limit) => {
    const trainer = plantedTrainer((one) => 1 / macs(space, one));
    const { finals, history } = await run(name, { trainer, constraint: { kind: "hard", limit } });
    const { trained, validated } = trainer.asked;
    expect(trained.length).toBeGreaterThan(20);
    expect(validated.length).toBeGreaterThan(5);
    expect(finals.architectures.length).toBeGreaterThan(0);
    for (const cost of costsOf([...trained, ...validated, ...finals.architectures, finals.best]))
      expect(cost).toBeLessThanOrEqual(limit);
    const pruned = history.records.filter(({ event }) => event === "pruned");
    expect(pruned.length).toBeGreaterThan(0);
    for (const record of pruned) {
      expect(record.latency).toBeGreaterThan(limit);
      expect(record.reason).toBe("over the latency budget");
    }
  });

  it("says that a hard limit cannot be met, and what the least is", async () => {
    const constraint = { kind: "hard", limit: least - 1 } as const;
    const failed = run(name, { trainer: plantedTrainer(() => 1), constraint });
    await expect(failed).rejects.toThrow(OptionError);
    await expect(run(name, { trainer: plantedTrainer(() => 1), constraint })).rejects.toThrow(
      `no architecture of the super-architecture meets the limit of ${least - 1} macs: the cheapest takes ${least}. Raise the limit`,
    );
  });

  it("prefers what meets a soft limit among equals, without excluding the rest", async () => {
    const limit = uniform[100]!;
    const trainer = plantedTrainer(() => 0.5);
    const { finals } = await run(name, {
      trainer,
      constraint: { kind: "soft", limit },
      budget: 40 * budget,
      members: 3,
    });
    expect(Math.max(...costsOf(trainer.asked.trained))).toBeGreaterThan(limit);
    const mean = (costs: readonly number[]): number => costs.reduce((a, c) => a + c, 0) / costs.length;
    const free = await run(name, { trainer: plantedTrainer(() => 0.5), budget: 40 * budget, members: 3 });
    expect(mean(costsOf(finals.architectures))).toBeLessThan(mean(costsOf(free.finals.architectures)));
    expect(macs(space, finals.best)).toBeLessThanOrEqual(limit);
  });

  it("finds a planted architecture better than chance", async () => {
    const planted = randomArchitecture(space, makeRng(72));
    const wrong = (one: Architecture): number => one.filter((choice, e) => choice !== planted[e]).length;
    const { finals } = await run(name, { trainer: plantedTrainer(wrong), budget: 60 * budget, members: 2 });
    // A random architecture has 2.9 of 4 slots wrong.
    expect(wrong(finals.best)).toBeLessThanOrEqual(1);
  });

  it("survives losses that are not numbers", async () => {
    const trainer = plantedTrainer(([first = 0]) => (first === 0 ? Number.NaN : 1));
    const { finals } = await run(name, { trainer });
    expect(finals.architectures).toHaveLength(4);
  });

  it("searches fields by convolutions as well", async () => {
    const signal = superArchitecture({
      inputs: 2,
      widths: [4, 8],
      trunkNodes: 1,
      stageNodes: 1,
      channels: 4,
      heads: [{ kind: "decoder", name: "signal", channels: 1, spatial: [12] }],
    });
    const trainer = plantedTrainer((one) => one[0]!, signal);
    const { finals } = await run(name, { trainer, space: signal, budget: 1e8, members: 3 });
    const ids = finals.architectures.map((one) => architectureId(canonical(signal, one)));
    expect(new Set(ids).size).toBe(3);
  });
});

describe("getStrategy()", () => {
  it("passes a user's own strategy through", () => {
    const own = { ...getStrategy("random"), name: "own" };
    expect(getStrategy(own)).toBe(own);
  });

  it.each(["densest", "toString"])("lists the strategies where there is no %s", (name) => {
    expect(() => getStrategy(name)).toThrow(OptionError);
    expect(() => getStrategy(name)).toThrow(`no strategy "${name}" (there are: dense, random`);
  });
});
