/**
 * Trials, the last part of a search: architectures are trained for a short while from scratch and ranked by that. Shared
 * weights rank fairly only what is like the supernet's average draw: on a decoder of five stages, sparse networks that
 * end with half the error of that average looked four times worse. So the finals of a strategy, whichever it is, are the
 * first parents of an evolution (Real et al. 2019, with a crossover of whole stages) whose fitness is a real training.
 * Every trial has the same multiply-accumulates: a cheaper network trains longer, as it will in the end.
 */
import type { Rng } from "../rng.ts";
import { type Architecture, architectureId, canonical } from "../space/index.ts";
import { drawAdmissible, excess, ranked, type Scored, type SearchContext } from "./strategy.ts";

export interface Trials {
  /** Architectures to try in all. */
  readonly count: number;
  /** Multiply-accumulates of one trial. */
  readonly macs: number;
  /** Trains from scratch. @returns the loss on the validation rows */
  run(architecture: Architecture): Promise<number>;
}

/** Architectures of one generation, which may be trained side by side; how many of the best are parents; how many slots
 * of a child are drawn anew on average; how often a whole stage is. */
export const trialDefaults = { generation: 4, parents: 6, mutations: 3, renewal: 0.3 } as const;

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

/** The next generation: what is left of `finals`, then children of the best so far; none that was tried before. */
function nextGeneration(
  context: SearchContext,
  finals: readonly Architecture[],
  tried: readonly Scored[],
  size: number,
): Architecture[] {
  const rng = context.rng.fork(`trials ${tried.length}`);
  const known = new Set(tried.map(({ architecture }) => architectureId(architecture)));
  const parents = ranked(tried).slice(0, trialDefaults.parents);
  const waiting = [...finals];
  const generation: Architecture[] = [];
  for (let i = 0; i < 50 * size && generation.length < size; i++) {
    const propose = (): Architecture => waiting.shift() ?? bred(context, parents.length > 0 ? parents : finals, rng);
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

/** Tries architectures until there are `trials.count`, a generation at a time.
 * @param tried those of earlier generations, when a search goes on
 * @param onGeneration after each generation; false stops
 * @returns all that were tried */
export async function runTrials(
  context: SearchContext,
  trials: Trials,
  finals: readonly Architecture[],
  tried: readonly Scored[],
  onGeneration: (tried: readonly Scored[]) => Promise<boolean>,
): Promise<readonly Scored[]> {
  let all = tried;
  while (all.length < trials.count) {
    const size = Math.min(trialDefaults.generation, trials.count - all.length);
    const generation = nextGeneration(context, all.length === 0 ? finals : [], all, size);
    if (generation.length === 0) break;
    const losses = await Promise.all(generation.map((architecture) => trials.run(architecture)));
    generation.forEach((architecture, i) => {
      context.record("evaluated", architecture, { valLoss: losses[i] ?? Number.NaN, reason: "trial" });
    });
    // Work is equal already: only a soft limit on latency is added.
    const scored = generation.map((architecture, i): Scored => ({
      architecture,
      loss: (losses[i] ?? Number.NaN) + excess(context, architecture),
    }));
    all = [...all, ...scored];
    if (!(await onGeneration(all))) break;
  }
  return all;
}
