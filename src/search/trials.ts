/**
 * Trials, the last part of a search: architectures are trained for a short while from scratch and ranked by that. Shared
 * weights rank fairly only what is like the supernet's average draw: on a decoder of five stages, sparse networks that
 * end with half the error of that average looked four times worse. So the finals of a strategy, whichever it is, and a
 * plain chain of convolutions are the first parents of an evolution (Real et al. 2019, with a crossover of whole stages)
 * whose fitness is a real training. Every trial has the same multiply-accumulates: a cheaper network trains longer, as it
 * will in the end. The best few run a heat, a longer trial, which decides (successive halving: Jamieson & Talwalkar
 * 2016): what learns fast at first is not always what ends best.
 */
import type { Rng } from "../rng.ts";
import { type Architecture, architectureId, canonical, plainArchitecture } from "../space/index.ts";
import { drawAdmissible, excess, ranked, type Scored, type SearchContext } from "./strategy.ts";

export interface Trials {
  /** Architectures to try in all. */
  readonly count: number;
  /** Multiply-accumulates of one trial. */
  readonly macs: number;
  /** How many times a trial's work a run of the heat has. */
  readonly heatTimes: number;
  /** Architectures to try whatever the strategy found. */
  readonly known?: readonly Architecture[];
  /** Trains from scratch with `times` the work of a trial. @returns the loss on the validation rows */
  run(architecture: Architecture, times: number): Promise<number>;
}

/** One trial: the architecture, the loss it is ranked by, and its work. */
export interface Tried extends Scored {
  /** Trials that it counts for. */
  readonly times: number;
}

/** Architectures of one generation, which may be trained side by side; how many of the best are parents; how many slots
 * of a child are drawn anew on average; how often a whole stage is; how many run the heat. */
export const trialDefaults = { generation: 4, parents: 6, mutations: 3, renewal: 0.3, heat: 4 } as const;

/** Work of all trials, heat included, in trials. */
export function trialUnits({ count, heatTimes }: Pick<Trials, "count" | "heatTimes">): number {
  return count + Math.min(trialDefaults.heat, count) * heatTimes;
}

/** Work of those that were run, in trials. */
export function unitsTried(tried: readonly Tried[]): number {
  return tried.reduce((sum, { times }) => sum + times, 0);
}

/** Best first: by the heat for those that ran it, then by the trial. */
export function rankedTrials(tried: readonly Tried[]): Architecture[] {
  const heat = ranked(tried.filter(({ times }) => times > 1));
  const known = new Set(heat.map(architectureId));
  const rest = ranked(tried.filter(({ times }) => times === 1));
  return [...heat, ...rest.filter((architecture) => !known.has(architectureId(architecture)))];
}

/** How many times the loss of the best one a trial may have for its architecture to be a member. */
const asGood = 1.5;

/** Best first, those that did about as well as the best in the same work: with fewer of them than members, each is trained more
 * than once from starts of its own, which differ as much as architectures do. */
export function goodTrials(tried: readonly Tried[]): Architecture[] {
  const best = new Map<number, number>();
  for (const { times, loss } of tried) if (loss < (best.get(times) ?? Number.POSITIVE_INFINITY)) best.set(times, loss);
  const good = tried.filter(({ times, loss }) => loss <= asGood * (best.get(times) ?? 0));
  const losers = new Set(
    tried
      .filter((each) => each.times > 1 && !good.includes(each))
      .map(({ architecture }) => architectureId(architecture)),
  );
  return rankedTrials(good).filter((architecture) => !losers.has(architectureId(architecture)));
}

/** A child: each stage from one of two parents, and some slots drawn anew; at times a whole stage, or it is emptied. */
function bred(context: SearchContext, parents: readonly Architecture[], rng: Rng): Architecture {
  const { slots } = context.space;
  const pick = (): Architecture => parents[rng.int(parents.length)] ?? [];
  const [mother, father] = [pick(), pick()];
  const fromMother = new Map(
    [...new Set(slots.map(({ stage }) => stage))].map((stage) => [stage, rng.uniform() < 0.5]),
  );
  const stages = [...fromMother.keys()];
  const renewed = rng.uniform() < trialDefaults.renewal ? stages[rng.int(stages.length)] : undefined;
  const emptied = rng.uniform() < 0.5;
  return slots.map(({ stage, candidates }, i) => {
    const zero = candidates.findIndex(({ kind }) => kind === "zero");
    if (stage === renewed && zero >= 0) return emptied ? zero : rng.int(candidates.length);
    if (rng.uniform() < trialDefaults.mutations / slots.length) return rng.int(candidates.length);
    return (fromMother.get(stage) === true ? mother[i] : father[i]) ?? 0;
  });
}

/** The next generation: what is left of `first`, then children of the best so far; none that was tried before. */
function nextGeneration(
  context: SearchContext,
  first: readonly Architecture[],
  tried: readonly Tried[],
  size: number,
): Architecture[] {
  const rng = context.rng.fork(`trials ${tried.length}`);
  const known = new Set(tried.map(({ architecture }) => architectureId(architecture)));
  const parents = rankedTrials(tried).slice(0, trialDefaults.parents);
  const waiting = [...first];
  const generation: Architecture[] = [];
  for (let i = 0; i < 50 * size && generation.length < size; i++) {
    const propose = (): Architecture => waiting.shift() ?? bred(context, parents.length > 0 ? parents : first, rng);
    const drawn = drawAdmissible(context, propose);
    if (drawn === undefined) break;
    const architecture = canonical(context.space, drawn);
    const id = architectureId(architecture);
    if (known.has(id)) continue;
    known.add(id);
    generation.push(architecture);
  }
  return generation;
}

/** Tries architectures until there are `trials.count`, a generation at a time, then runs the heat.
 * @param tried those of earlier generations, when a search goes on
 * @param onGeneration after each generation; false stops
 * @returns all that were tried */
export async function runTrials(
  context: SearchContext,
  trials: Trials,
  finals: readonly Architecture[],
  tried: readonly Tried[],
  onGeneration: (tried: readonly Tried[]) => Promise<boolean>,
): Promise<readonly Tried[]> {
  let all = tried;
  const run = async (generation: readonly Architecture[], times: number): Promise<boolean> => {
    const losses = await Promise.all(generation.map((architecture) => trials.run(architecture, times)));
    generation.forEach((architecture, i) => {
      const reason = times > 1 ? "heat" : "trial";
      context.record("evaluated", architecture, { valLoss: losses[i] ?? Number.NaN, reason });
    });
    // Work is equal already: only a soft limit on latency is added.
    const scored = generation.map((architecture, i): Tried => ({
      architecture,
      loss: (losses[i] ?? Number.NaN) + excess(context, architecture),
      times,
    }));
    all = [...all, ...scored];
    return onGeneration(all);
  };
  const plain = plainArchitecture(context.space, finals[0] ?? []);
  const first = [...(plain === undefined ? [] : [plain]), ...(trials.known ?? []), ...finals];
  while (all.length < trials.count) {
    const size = Math.min(trialDefaults.generation, trials.count - all.length);
    const generation = nextGeneration(context, first, all, size);
    if (generation.length === 0) break;
    if (!(await run(generation, 1))) return all;
  }
  if (!all.some(({ times }) => times > 1))
    await run(heatOf(all, plain && canonical(context.space, plain)), trials.heatTimes);
  return all;
}

/** How many times the loss of the best the plain chain may have to run the heat all the same. */
const late = 4;

/** Who runs the heat: the best, and the plain chain in the place of the last where it was not far behind: it learns late and well. */
function heatOf(tried: readonly Tried[], plain: Architecture | undefined): readonly Architecture[] {
  const best = rankedTrials(tried).slice(0, trialDefaults.heat);
  const id = plain && architectureId(plain);
  const least = Math.min(...tried.map(({ loss }) => loss).filter((loss) => !Number.isNaN(loss)));
  const there = tried.find(({ architecture, loss }) => architectureId(architecture) === id && loss <= late * least);
  if (there === undefined || best.some((architecture) => architectureId(architecture) === id)) return best;
  return [...best.slice(0, -1), there.architecture];
}
