/**
 * DENSE (Kasim et al. 2021, arXiv 2001.08055): weights are trained on architectures drawn at random; the logits of the
 * draw are moved, by ranks alone, so that architectures with a low validation loss become likelier (natural evolution
 * strategy, the "hansen" utilities of the first author's trainer). Departs (spec 2.2, item 8): all draws of an epoch are
 * scored on the same validation rows, and exploration eps falls from 0.1 to 0 over the first half of the budget. Besides,
 * for what bench/search-pays.ts showed: the logits rest while the weights warm up (as in ProxylessNAS, Cai et al. 2019),
 * because early losses rank what needs no training and identities won; and the finals are the best of the newest draws
 * (spec 2.3), because in some hundred updates the likeliest operation of each slot is far from certain, and all of them
 * together are a network that was hardly ever trained.
 */
import type { Rng } from "../../rng.ts";
import { type Architecture, architectureId, canonical, drawArchitecture } from "../../space/index.ts";
import {
  drawAdmissible,
  drawDistinct,
  newest,
  ranked,
  rankedLoss,
  type Scored,
  type SearchContext,
  type Strategy,
  weightRate,
} from "../strategy.ts";

export interface DenseState {
  /** Logits b, one row per slot. */
  readonly logits: readonly (readonly number[])[];
  readonly best: {
    readonly loss: number;
    readonly logits: readonly (readonly number[])[];
    readonly architecture: Architecture | null;
  };
  /** The newest draws. */
  readonly seen: readonly Scored[];
}

/** Draws per variable phase (mu), learning rate of the logits (plain SGD), chance of a mutated
 * path, share of the search before the first variable phase. */
export const denseDefaults = {
  draws: 8,
  logitRate: 0.2,
  mutation: 0.1,
  warmUp: 0.3,
} as const;

export function softmax(row: readonly number[]): number[] {
  const top = Math.max(...row);
  const powers = row.map((value) => Math.exp(value - top));
  const sum = powers.reduce((a, c) => a + c, 0);
  return powers.map((power) => power / sum);
}

/** Average ranks, 1 for the lowest loss. */
function ranks(losses: readonly number[]): number[] {
  return losses.map((loss) => {
    const below = losses.filter((other) => other < loss).length;
    const equal = losses.filter((other) => other === loss).length;
    return below + (equal + 1) / 2;
  });
}

/** Rank utilities (spec 2.2, step 4): they sum to 0 and their moduli to mu. Only the order of the losses matters; a
 * loss that is not a number counts as the worst. */
export function utilities(losses: readonly number[]): number[] {
  const mu = losses.length;
  const places = ranks(losses.map((loss) => (Number.isNaN(loss) ? Number.POSITIVE_INFINITY : loss)));
  // All the same: nothing to learn, and what is left below would be rounding.
  if (places.every((rank) => rank === places[0])) return places.map(() => 0);
  const v = places.map((rank) => Math.log(mu + 0.5) - Math.log(rank));
  const sum = v.reduce((a, c) => a + c, 0);
  const centred = v.map((value) => value / sum - 1 / mu);
  const moduli = centred.reduce((a, c) => a + Math.abs(c), 0);
  return centred.map((value) => (mu * value) / moduli);
}

/** One SGD step on -sum_r u_r log p(s_r). With exploration, p is the mixed probability (1 - eps) p + eps / n. */
export function updateLogits(
  logits: readonly (readonly number[])[],
  draws: readonly Architecture[],
  losses: readonly number[],
  rate: number,
  exploration = 0,
): number[][] {
  const u = utilities(losses);
  return logits.map((row, slot) => {
    const p = softmax(row);
    const next = [...row];
    draws.forEach((draw, r) => {
      const choice = draw[slot] ?? 0;
      // d log((1 - eps) p_c + eps / n) / d b_i = w (1[c = i] - p_i), w = (1 - eps) p_c / mixed.
      const kept = (1 - exploration) * (p[choice] ?? 0);
      const weight = kept / (kept + exploration / row.length);
      for (let i = 0; i < next.length; i++)
        next[i]! += rate * (u[r] ?? 0) * weight * ((choice === i ? 1 : 0) - (p[i] ?? 0));
    });
    return next;
  });
}

function explored(logits: readonly (readonly number[])[], exploration: number): number[][] {
  return logits.map((row) => softmax(row).map((p) => (1 - exploration) * p + exploration / row.length));
}

function mutated(context: SearchContext, architecture: Architecture, rng: Rng): Architecture {
  const free = context.space.slots.flatMap((slot, i) => (slot.fixed ? [] : [i]));
  const slot = free[rng.int(free.length)];
  if (slot === undefined) return architecture;
  return architecture.with(slot, rng.int(context.space.slots[slot]?.candidates.length ?? 1));
}

export const dense: Strategy<DenseState> = {
  name: "dense",
  summary: "draws from a learned distribution over operations, moved by ranks (DENSE)",
  source: "Kasim et al. 2021, Mach. Learn.: Sci. Technol. 3, 015013",
  init(context) {
    const logits = context.space.slots.map((slot) => slot.candidates.map(() => 0));
    return { logits, best: { loss: Number.POSITIVE_INFINITY, logits, architecture: null }, seen: [] };
  },

  async step(context, state) {
    const { evaluator, rng, progress } = context;
    const { draws: mu, logitRate, mutation, warmUp } = denseDefaults;
    const exploration = 0.1 * Math.max(0, 1 - 2 * progress);
    const probabilities = explored(state.logits, exploration);
    const drawing = rng.fork("draws");
    const draw = (): Architecture => drawArchitecture(probabilities, drawing);

    // Weight phase: the logits stay as they are.
    const paths: Architecture[] = [];
    for (let i = 0; i < evaluator.stepsPerEpoch; i++) {
      const mutate = state.best.architecture !== null && drawing.uniform() < mutation;
      const propose = (): Architecture =>
        mutate && state.best.architecture !== null ? mutated(context, state.best.architecture, drawing) : draw();
      const path = drawAdmissible(context, propose) ?? drawAdmissible(context, draw);
      if (path === undefined) return { state, done: true };
      paths.push(path);
    }
    const trainLoss = await evaluator.train(paths, weightRate(context));
    const last = paths.at(-1);
    if (last !== undefined) context.record("trained", last, { trainLoss });

    // Variable phase: the weights stay as they are. While they warm up, one draw tells how they do.
    const warm = progress >= warmUp;
    const drawn: Architecture[] = [];
    const losses: number[] = [];
    const scored = new Map<string, number>();
    for (let r = 0; r < (warm ? mu : 1); r++) {
      const architecture = drawAdmissible(context, draw);
      if (architecture === undefined) return { state, done: true };
      const id = architectureId(canonical(context.space, architecture));
      const loss = scored.get(id) ?? (await evaluator.validate(architecture));
      scored.set(id, loss);
      context.record("evaluated", architecture, { valLoss: loss });
      drawn.push(architecture);
      losses.push(rankedLoss(context, architecture, loss));
    }
    const fresh = drawn.map((architecture, r): Scored => ({ architecture, loss: losses[r] ?? Number.NaN }));
    const seen = [...state.seen, ...fresh].slice(-newest);
    if (!warm) {
      evaluator.keep();
      return { state: { ...state, seen } };
    }
    const logits = updateLogits(state.logits, drawn, losses, logitRate, exploration);
    const mean = losses.reduce((a, c) => a + c, 0) / mu;
    if (!(mean < state.best.loss)) return { state: { logits, best: state.best, seen } };
    evaluator.keep();
    const winner = drawn[losses.indexOf(Math.min(...losses))] ?? null;
    return { state: { logits, best: { loss: mean, logits, architecture: winner }, seen } };
  },

  finish(context, state) {
    // The newest draws, best first; where they are too few or too much alike, more draws at the best epoch's logits.
    const probabilities = state.best.logits.map(softmax);
    const drawing = context.rng.fork("finals");
    const queue = ranked(state.seen);
    const draw = (): Architecture => queue.shift() ?? drawArchitecture(probabilities, drawing);
    const architectures = drawDistinct(context, draw, context.members);
    const best = architectures[0] ?? [];
    for (const architecture of architectures) context.record("final", architecture);
    return Promise.resolve({ architectures, distribution: probabilities, best });
  },
};
