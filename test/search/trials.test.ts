import { describe, expect, it } from "vitest";
import { makeRng } from "../../src/rng.ts";
import { getStrategy, search, type SearchState, trialDefaults } from "../../src/search/index.ts";
import { goodTrials } from "../../src/search/trials.ts";
import {
  type Architecture,
  architectureId,
  canonical,
  macs,
  plainArchitecture,
  randomArchitecture,
  superArchitecture,
} from "../../src/space/index.ts";
import { plantedTrainer } from "./support.ts";

/** A signal with convolutional stages: 14 slots. */
const space = superArchitecture({
  inputs: 2,
  widths: [8],
  trunkNodes: 1,
  stageNodes: 2,
  channels: 2,
  decoderMenu: [{ kind: "decoder", name: "convolutional" }],
  heads: [{ kind: "decoder", name: "signal", channels: 1, spatial: [64] }],
});
const wanted = canonical(space, randomArchitecture(space, makeRng(7)));

/** Slots that differ from the wanted architecture: supposed to be what a training finds. */
function distance(architecture: Architecture): number {
  return architecture.filter((choice, slot) => choice !== wanted[slot]).length;
}

type Loss = (architecture: Architecture, times: number) => number;

const trialMacs = 1000;
const heatTimes = 4;

function run(
  count: number,
  more: Partial<Parameters<typeof search>[0]> = {},
  lossOf: Loss = distance,
  known: readonly Architecture[] = [],
) {
  const asked: Architecture[] = [];
  const longer: Architecture[] = [];
  const trials = {
    count,
    macs: trialMacs,
    heatTimes,
    known,
    run: async (architecture: Architecture, times: number): Promise<number> => {
      if (times === 1) asked.push(architecture);
      else longer.push(architecture);
      return lossOf(architecture, times);
    },
  };
  // The shared weights say nothing: every architecture has the same loss.
  const trainer = plantedTrainer(() => 1, space);
  const options = { strategy: getStrategy("random"), trainer, space, budget: 1e7, members: 4, rng: makeRng(9) };
  return search({ ...options, trials, ...more }).then((result) => ({ result, asked, longer }));
}

describe("trials", () => {
  it("start from a plain chain and the strategy's finals and find what shared weights do not show", async () => {
    const { result: without } = await run(0);
    const { result, asked } = await run(128);
    expect(asked[0]).toEqual(plainArchitecture(space, without.finals.best));
    expect(asked.slice(1, 5)).toEqual(without.finals.architectures);
    const before = Math.min(...without.finals.architectures.map(distance));
    expect(before).toBeGreaterThan(4);
    expect(distance(result.finals.best)).toBeLessThanOrEqual(before / 2);
    const found = result.finals.architectures.map(distance);
    expect(found).toHaveLength(4);
    expect(found).toEqual([...found].sort((a, c) => a - c));
    expect(found[0]).toBe(Math.min(...asked.map(distance)));
  });

  it("train no architecture twice, and as many as were asked for", async () => {
    const { asked } = await run(40);
    expect(asked).toHaveLength(40);
    expect(new Set(asked.map(architectureId)).size).toBe(40);
  });

  it("let a longer training of the best few decide", async () => {
    // What the short training ranks first is last in the long one.
    const lossOf: Loss = (architecture, times) =>
      times === 1 ? 20 + distance(architecture) : 50 - distance(architecture);
    const { result, asked, longer } = await run(24, {}, lossOf);
    const short = [...asked].sort((a, c) => distance(a) - distance(c));
    // The best of the short ones, and the plain chain.
    expect(longer.slice(0, -1).map(distance)).toEqual(short.slice(0, trialDefaults.heat - 1).map(distance));
    expect(longer.at(-1)).toEqual(asked[0]);
    expect(new Set(longer.map(architectureId)).size).toBe(trialDefaults.heat);
    expect(distance(longer[0]!)).toBeLessThan(distance(longer.at(-1)!));
    expect(distance(result.finals.best)).toBe(distance(longer.at(-1)!));
  });

  it("spare the plain chain the long training where it is far behind, and try what is known", async () => {
    const far: Loss = (architecture) => 0.1 + distance(architecture) ** 2;
    const known = [
      wanted.map((choice, slot) => (slot === 3 ? (choice + 1) % space.slots[3]!.candidates.length : choice)),
    ];
    const { asked, longer } = await run(24, {}, far, known);
    expect(asked[1]).toEqual(canonical(space, known[0]!));
    expect(distance(asked[0]!)).toBeGreaterThan(2);
    expect(longer.map(architectureId)).not.toContain(architectureId(asked[0]!));
  });

  it("leave to the ensemble what did about as well as the best in the same work", () => {
    const tried = [
      { loss: 1, times: 1 },
      { loss: 1.4, times: 1 },
      { loss: 1.6, times: 1 },
      { loss: Number.NaN, times: 1 },
      // The heat of the first two: the first fell behind.
      { loss: 0.9, times: 4 },
      { loss: 0.5, times: 4 },
    ].map((each, i) => ({ ...each, architecture: [i % 4] }));
    expect(goodTrials(tried)).toEqual([[1]]);
    expect(goodTrials(tried.slice(0, 4))).toEqual([[0], [1]]);
    expect(goodTrials([{ loss: Number.NaN, times: 1, architecture: [0] }])).toEqual([]);
  });

  it("are charged and written into the history", async () => {
    const { result: without } = await run(0);
    const { result } = await run(20);
    expect(result.spent).toBe(without.spent + (20 + heatTimes * trialDefaults.heat) * trialMacs);
    const records = result.history.records.filter(({ reason }) => reason === "trial");
    expect(records).toHaveLength(20);
    expect(result.history.records.filter(({ reason }) => reason === "heat")).toHaveLength(trialDefaults.heat);
    expect(records.at(-1)!.costSoFar).toBeGreaterThan(without.spent);
    expect(Math.min(...records.map(({ valLoss }) => valLoss!))).toBe(distance(result.finals.best));
  });

  it("get the larger part of a limited time: the strategy ends early, all trials are run", async () => {
    const strategy = getStrategy("dense");
    const { result: free } = await run(12, { strategy });
    let clock = 0;
    const { result, asked, longer } = await run(12, { strategy, elapsed: () => (clock += 0.06) });
    expect(free.outcome).not.toBe("stopped");
    expect(result.outcome).toBe("stopped");
    expect(result.steps).toBeGreaterThan(0);
    expect(result.steps).toBeLessThan(free.steps);
    expect(asked).toHaveLength(12);
    expect(longer).toHaveLength(trialDefaults.heat);
    // However little time there is, there is something to choose from.
    const { result: hurried } = await run(12, { strategy, elapsed: () => 1 });
    expect(hurried.steps).toBe(1);
  });

  it("keep to a hard limit", async () => {
    const costs = Array.from({ length: 50 }, (_, i) => macs(space, randomArchitecture(space, makeRng(i))));
    const limit = costs.sort((a, c) => a - c)[10]!;
    const { asked } = await run(40, { constraint: { kind: "hard", limit } });
    expect(asked).toHaveLength(40);
    expect(asked.filter((architecture) => macs(space, architecture) > limit)).toEqual([]);
  });

  it("go on after a stop as if there had been none", async () => {
    const { result: whole, asked: all } = await run(40);
    const states: SearchState[] = [];
    let stop = false;
    const first = await run(40, {
      onStep: (state) => {
        states.push(structuredClone(state));
        stop = state.tried.length >= 4 * trialDefaults.generation;
      },
      shouldStop: () => stop,
    });
    expect(first.result.outcome).toBe("stopped");
    expect(first.asked).toHaveLength(16);
    const { result, asked } = await run(40, { resume: states.at(-1)! });
    expect([...first.asked, ...asked]).toEqual(all);
    expect(result.finals).toEqual(whole.finals);
  });
});
