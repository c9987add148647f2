import { describe, expect, it } from "vitest";
import { OptionError } from "../../src/errors.ts";
import { makeRng } from "../../src/rng.ts";
import {
  admissible,
  BudgetExhausted,
  cheapened,
  drawAdmissible,
  drawDistinct,
  historyLines,
  makeBudget,
  makeHistory,
  rankedLoss,
  search,
  type SearchContext,
  type SearchState,
  type Strategy,
} from "../../src/search/index.ts";
import { type Architecture, cheapest, macs, randomArchitecture } from "../../src/space/index.ts";
import { contextFor, plantedTrainer, realTrainer, space } from "./support.ts";

const zeros = space.slots.map(() => 0);
const dearest = space.slots.map(({ candidates }) => candidates.length - 1);

/** A strategy that works as told and never ends. */
function endless(work: (context: SearchContext) => Promise<unknown>): Strategy<number> {
  return {
    name: "endless",
    summary: "never ends",
    source: "test 2026",
    init: () => 0,
    async step(context, state) {
      await work(context);
      return { state: state + 1 };
    },
    finish: async () => ({ architectures: [zeros], distribution: null, best: zeros }),
  };
}

function run(
  strategy: Strategy<number>,
  options: Partial<Parameters<typeof search>[0]> = {},
): ReturnType<typeof search> {
  const trainer = plantedTrainer(() => 1);
  return search({ strategy, trainer, space, budget: 100_000, members: 1, rng: makeRng(80), ...options });
}

describe("makeBudget()", () => {
  it("bears charges up to its limit and refuses the one that goes beyond", () => {
    const budget = makeBudget(10);
    budget.charge(6);
    expect([budget.spent, budget.fraction, budget.limit]).toEqual([6, 0.6, 10]);
    expect(() => {
      budget.charge(5);
    }).toThrow(BudgetExhausted);
    expect(budget.spent).toBe(6);
    budget.charge(4);
    expect(budget.fraction).toBe(1);
  });

  it("goes on from what was spent", () => {
    expect(makeBudget(10, 7).spent).toBe(7);
  });
});

describe("makeHistory()", () => {
  it("numbers records and writes one JSON document per line", () => {
    const history = makeHistory();
    const record = { strategy: "s", seed: 1, architecture: "0.1", costSoFar: 2 } as const;
    history.append({ ...record, event: "proposed" });
    history.append({ ...record, event: "evaluated", valLoss: 0.5 });
    const lines = historyLines(history).split("\n");
    expect(lines).toHaveLength(3);
    expect(JSON.parse(lines[1]!)).toEqual({ ...record, t: 1, event: "evaluated", valLoss: 0.5 });
    const longer = makeHistory(history.records);
    longer.append({ ...record, event: "final" });
    expect(longer.records.map(({ t }) => t)).toEqual([0, 1, 2]);
    expect(history.records).toHaveLength(2);
  });
});

describe("search()", () => {
  it("cuts a strategy that never stops at the budget, with less than a step of waste (t4)", async () => {
    const trainer = plantedTrainer(() => 1);
    const strategy = endless(({ evaluator }) => evaluator.train([dearest, zeros], 0.1));
    const { spent, outcome, steps } = await run(strategy, { trainer });
    expect(outcome).toBe("budget");
    expect(spent).toBeLessThanOrEqual(100_000);
    const step = 3 * trainer.batch * macs(space, dearest);
    expect(100_000 - spent).toBeLessThan(step);
    // The part of the last step that the budget bore was done.
    expect(trainer.asked.trained.length).toBeGreaterThanOrEqual(2 * steps);
    const executed = trainer.asked.trained.reduce((sum, one) => sum + 3 * trainer.batch * macs(space, one), 0);
    expect(spent).toBe(executed);
  });

  it("charges a validation by its rows, and not at all what the budget cannot bear", async () => {
    const trainer = plantedTrainer(() => 1);
    const cost = trainer.validationRows * macs(space, dearest);
    const strategy = endless(({ evaluator }) => evaluator.validate(dearest));
    const { spent } = await run(strategy, { trainer, budget: 3.5 * cost });
    expect(trainer.asked.validated).toHaveLength(3);
    expect(spent).toBe(3 * cost);
  });

  it("refuses a strategy that neither works nor ends", async () => {
    const idle = run(endless(async () => {}));
    await expect(idle).rejects.toThrow(OptionError);
    await expect(run(endless(async () => {}))).rejects.toThrow(
      'strategy "endless" took 1000 steps without training or validating',
    );
  });

  it("lets the errors of a strategy through", async () => {
    const failing = endless(async () => {
      throw new RangeError("my own");
    });
    await expect(run(failing)).rejects.toThrow("my own");
  });

  it("says when a strategy ended by itself, after a resume as well", async () => {
    const brief: Strategy<number> = {
      ...endless(({ evaluator }) => evaluator.validate(zeros)),
      async step({ evaluator }, state) {
        await evaluator.validate(zeros);
        return { state: state + 1, done: state === 1 };
      },
    };
    const states: SearchState[] = [];
    const result = await run(brief, { onStep: (state) => void states.push(state) });
    expect(result).toMatchObject({ outcome: "done", steps: 2 });
    expect(states.map(({ ended }) => ended)).toEqual([null, "done"]);
    for (const resume of states) expect((await run(brief, { resume })).outcome).toBe("done");
  });

  it("gives each step a stream of its own, whatever was drawn before", async () => {
    const first: number[] = [];
    const draw = (times: number): Strategy<number> =>
      endless(async ({ evaluator, rng }) => {
        first.push(rng.uniform());
        for (let i = 1; i < times; i++) rng.uniform();
        await evaluator.validate(zeros);
      });
    await run(draw(1), { steps: 3 });
    await run(draw(5), { steps: 3 });
    expect(first.slice(3)).toEqual(first.slice(0, 3));
    expect(new Set(first.slice(0, 3)).size).toBe(3);
  });

  it("records latency, MACs and the cost so far under the name of the strategy", async () => {
    const strategy = endless(async (context) => {
      await context.evaluator.validate(zeros);
      context.record("evaluated", zeros, { valLoss: 2 });
    });
    const latency = { unit: "ms", of: () => 0.25 } as const;
    const { history } = await run(strategy, { steps: 1, latency });
    const cost = 10 * macs(space, zeros);
    expect(history.records).toEqual([
      {
        t: 0,
        strategy: "endless",
        seed: makeRng(80).seed,
        architecture: zeros.join("."),
        event: "evaluated",
        macs: macs(space, zeros),
        latency: 0.25,
        costSoFar: cost,
        valLoss: 2,
      },
    ]);
  });

  it("returns the weights that the strategy asked to keep", async () => {
    const trainer = await realTrainer();
    const strategy = endless(async ({ evaluator, budget }) => {
      await evaluator.train([dearest], 0.01);
      if (budget.spent < 20_000) evaluator.keep();
    });
    const seen: Float32Array[] = [];
    const { supernet } = await run(strategy, {
      trainer,
      onStep: (state) => void seen.push(state.supernet.params),
    });
    const kept = seen.findIndex((params) => params.every((value, i) => value === supernet.params[i]));
    expect(kept).toBeGreaterThan(0);
    expect(kept).toBeLessThan(seen.length - 1);
    await trainer.dispose();
  });
});

describe("drawing under a constraint", () => {
  const trainer = plantedTrainer(() => 1);
  const limit = macs(space, zeros) + 40;
  const hard = contextFor({ trainer, constraint: { kind: "hard", limit } });

  it("admits by latency where the limit is hard, everything where it is soft", () => {
    expect(admissible(hard, zeros)).toBe(true);
    expect(admissible(hard, dearest)).toBe(false);
    expect(admissible({ ...hard, constraint: { kind: "soft", limit } }, dearest)).toBe(true);
    expect(admissible(contextFor({ trainer }), dearest)).toBe(true);
  });

  it("adds the relative excess to the loss where the limit is soft", () => {
    // Spec 2.3: l + kappa max(0, LAT / T - 1), kappa = 1.
    const soft = contextFor({ trainer, constraint: { kind: "soft", limit: macs(space, dearest) / 3 } });
    expect(rankedLoss(soft, dearest, 0.5)).toBeCloseTo(2.5, 12);
    expect(rankedLoss(soft, zeros, 0.5)).toBe(0.5);
    expect(rankedLoss(hard, dearest, 0.5)).toBe(0.5);
  });

  it("makes a draw cheaper slot by slot once it was refused often enough", () => {
    const context = contextFor({ trainer, constraint: { kind: "hard", limit } });
    const drawn = drawAdmissible(context, () => dearest, 5)!;
    expect(macs(space, drawn)).toBeLessThanOrEqual(limit);
    expect(context.history.records).toHaveLength(5);
    const impossible = contextFor({ trainer, constraint: { kind: "hard", limit: 1 } });
    expect(drawAdmissible(impossible, () => dearest, 5)).toBeUndefined();
  });

  it("cheapens no further than the limit asks, in other slots with another stream", () => {
    const context = contextFor({ trainer, constraint: { kind: "hard", limit: macs(space, dearest) - 1 } });
    const found = Array.from({ length: 20 }, (_, seed) => cheapened(context, dearest, makeRng(seed)));
    for (const one of found) expect(admissible(context, one)).toBe(true);
    for (const one of found) expect(one.filter((choice, i) => choice !== dearest[i])).toHaveLength(1);
    expect(new Set(found.map((one) => one.join("."))).size).toBeGreaterThan(1);
  });

  it("meets every limit that the cheapest architecture meets, asking about few of them", () => {
    const least = cheapest(space);
    let asked = 0;
    // The trunk's slots pull apart: each by itself is best left as it is.
    const latency = {
      unit: "ms" as const,
      of(architecture: Architecture) {
        asked++;
        const changed = architecture.filter((choice, i) => choice === least[i]).length;
        return changed === space.slots.length ? 1 : 2 + changed;
      },
    };
    const narrow = { ...contextFor({ trainer, constraint: { kind: "hard", limit: 1 } }), latency };
    for (let seed = 0; seed < 20; seed++) expect(cheapened(narrow, dearest, makeRng(seed))).toEqual(least);
    expect(asked / 20).toBeLessThanOrEqual(Math.ceil(Math.log2(space.slots.length + 1)) + 1);
  });

  it("collects distinct architectures, fewer where the draw repeats itself", () => {
    const context = contextFor({ trainer });
    const rng = makeRng(81);
    const many = drawDistinct(context, () => randomArchitecture(space, rng), 10);
    expect(new Set(many.map((one) => one.join("."))).size).toBe(10);
    let i = 0;
    const two: readonly Architecture[] = [zeros, dearest];
    expect(drawDistinct(context, () => two[i++ % 2]!, 5)).toEqual([zeros, dearest]);
  });
});
