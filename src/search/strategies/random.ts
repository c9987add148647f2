/**
 * Random search with shared weights: architectures are drawn uniformly, the supernet's weights are trained on them, and
 * the best by validation loss are returned. The baseline that every other strategy has to beat at the same budget
 * (Li & Talwalkar 2019).
 */
import { type Architecture, randomArchitecture } from "../../space/index.ts";
import {
  drawAdmissible,
  drawDistinct,
  newest,
  ranked,
  rankedLoss,
  type Scored,
  type Strategy,
  weightRate,
} from "../strategy.ts";
import { denseDefaults } from "./dense.ts";

export interface RandomState {
  /** Draws of the newest epochs. */
  readonly seen: readonly Scored[];
}

export const random: Strategy<RandomState> = {
  name: "random",
  summary: "draws architectures uniformly and keeps the best by validation loss",
  source: "Li & Talwalkar 2019, arXiv 1902.07638",
  init: () => ({ seen: [] }),

  async step(context, state) {
    const { evaluator, rng, space } = context;
    const drawing = rng.fork("draws");
    const draw = (): Architecture => randomArchitecture(space, drawing);
    const paths: Architecture[] = [];
    for (let i = 0; i < evaluator.stepsPerEpoch; i++) {
      const path = drawAdmissible(context, draw);
      if (path === undefined) return { state, done: true };
      paths.push(path);
    }
    const trainLoss = await evaluator.train(paths, weightRate(context));
    const last = paths.at(-1);
    if (last !== undefined) context.record("trained", last, { trainLoss });
    evaluator.keep();
    const seen = [...state.seen];
    for (let r = 0; r < denseDefaults.draws; r++) {
      const architecture = drawAdmissible(context, draw);
      if (architecture === undefined) return { state, done: true };
      const loss = await evaluator.validate(architecture);
      context.record("evaluated", architecture, { valLoss: loss });
      seen.push({ architecture, loss: rankedLoss(context, architecture, loss) });
    }
    return { state: { seen: seen.slice(-newest) } };
  },

  finish(context, state) {
    const drawing = context.rng.fork("finals");
    const queue = ranked(state.seen);
    const draw = (): Architecture => queue.shift() ?? randomArchitecture(context.space, drawing);
    const architectures = drawDistinct(context, draw, context.members);
    const [best] = architectures;
    if (best === undefined) return Promise.resolve({ architectures: [], distribution: null, best: [] });
    for (const architecture of architectures) context.record("final", architecture);
    return Promise.resolve({ architectures, distribution: null, best });
  },
};
