/**
 * The contract of a search strategy: `init`, `step` until the budget ends, `finish`, over one plain serialisable state, so
 * that stopping, resuming and replaying are one thing. A strategy never sees data or clocks: it proposes architectures
 * and hears their losses through the context.
 */
import type { Rng } from "../rng.ts";
import {
  type Architecture,
  architectureId,
  canonical,
  cheapest,
  hasFields,
  macs,
  type SuperArchitecture,
} from "../space/index.ts";
import type { Budget } from "./budget.ts";
import type { History } from "./history.ts";

/** What an architecture costs on the target: milliseconds, cycles, or multiply-accumulates until a target is named. */
export interface LatencyModel {
  readonly unit: "ms" | "cycles" | "macs";
  of(architecture: Architecture): number;
}

/** A limit on latency. Hard: nothing above it is ever trained. Soft: the excess is added to the loss that is ranked. */
export interface Constraint {
  readonly limit: number;
  readonly kind: "hard" | "soft";
}

/** The only part that touches data. All of it charges the budget before it works. */
export interface Evaluator {
  /** Rows of a weight step, and weight steps of an epoch. */
  readonly batch: number;
  readonly stepsPerEpoch: number;
  /** One weight step per architecture, in order. @returns the mean training loss */
  train(architectures: readonly Architecture[], learningRate: number): Promise<number>;
  /** Loss on the validation rows: the same rows for every architecture. */
  validate(architecture: Architecture): Promise<number>;
  /** Remembers the present weights as the best; `finish` runs on the best. */
  keep(): void;
}

export interface SearchContext {
  readonly space: SuperArchitecture;
  readonly evaluator: Evaluator;
  readonly latency: LatencyModel;
  readonly constraint?: Constraint;
  /** How much work counts: the ranked loss is multiplied by (multiply-accumulates / typical) ^ workExponent. */
  readonly workExponent: number;
  readonly budget: Budget;
  /** Share of the search that is done, 0 to 1: of the budget or of the steps, whichever is further. */
  readonly progress: number;
  readonly history: History;
  /** A stream for the step at hand: forked by the loop from the seed and the step's number. */
  readonly rng: Rng;
  /** Final architectures asked for. */
  readonly members: number;
  /** Appends to the history under the strategy's name. */
  record(
    event: Parameters<History["append"]>[0]["event"],
    architecture: Architecture,
    rest?: Readonly<{
      trainLoss?: number;
      valLoss?: number;
      reason?: string;
    }>,
  ): void;
}

export interface Finals {
  /** Distinct architectures for the ensemble, in the order of preference where there is one. */
  readonly architectures: readonly Architecture[];
  /** The searched distribution, one row of probabilities per slot; null where the strategy has none. */
  readonly distribution: readonly (readonly number[])[] | null;
  /** The single best architecture by the strategy's own lights. */
  readonly best: Architecture;
}

export interface Strategy<State = unknown> {
  readonly name: string;
  /** One line for help texts. */
  readonly summary: string;
  readonly source: string;
  init(context: SearchContext): State;
  /** One unit of work, some epochs at most. Returns the next state; `done` where the strategy ends by itself. */
  step(context: SearchContext, state: State): Promise<{ readonly state: State; readonly done?: boolean }>;
  finish(context: SearchContext, state: State): Promise<Finals>;
}

/** An architecture and the loss that it is ranked by. */
export interface Scored {
  readonly architecture: Architecture;
  readonly loss: number;
}

/** The newest draws by validation loss, best first: spec 2.3, "the best of 64 draws". Older losses belong to weights of
 * long ago, so only the newest count; at the end of a search the learning rate is so low that they are comparable. */
export const newest = 64;

export function ranked(seen: readonly Scored[]): Architecture[] {
  const worst = (loss: number): number => (Number.isNaN(loss) ? Number.POSITIVE_INFINITY : loss);
  return [...seen].sort((a, c) => worst(a.loss) - worst(c.loss)).map(({ architecture }) => architecture);
}

/** Adam's rate for shared weights, at first and at last: convolutions bear, and want, three times that of dense layers. */
const weightRates = { dense: 2e-3, convolutional: 6e-3, last: 1e-4 } as const;

/** Adam's learning rate of a weight phase: a cosine over the search. */
export function weightRate({ space, progress }: SearchContext): number {
  const { dense, convolutional, last } = weightRates;
  const first = hasFields(space) ? convolutional : dense;
  return last + (first - last) * 0.5 * (1 + Math.cos(Math.PI * progress));
}

/** Whether the constraint lets the architecture be trained. */
export function admissible(context: SearchContext, architecture: Architecture): boolean {
  const { constraint, latency } = context;
  return constraint?.kind !== "hard" || latency.of(architecture) <= constraint.limit;
}

/** The loss that is ranked: with a soft constraint, plus the relative excess of latency (spec 2.3, kappa = 1). */
export function rankedLoss(context: SearchContext, architecture: Architecture, loss: number): number {
  const { space, workExponent } = context;
  const atEqualWork = workExponent === 0 ? loss : loss * macs(space, architecture) ** workExponent;
  return atEqualWork + excess(context, architecture);
}

/** What a soft constraint adds to a loss: the relative excess of latency; nothing without one. */
export function excess({ constraint, latency }: SearchContext, architecture: Architecture): number {
  if (constraint?.kind !== "soft") return 0;
  return Math.max(0, latency.of(architecture) / constraint.limit - 1);
}

/** The architecture with as few slots as the limit asks, in random order, as the cheapest architecture has them.
 * @returns it, admissible or not: then it is the cheapest */
export function cheapened(context: SearchContext, architecture: Architecture, rng: Rng): Architecture {
  const { space } = context;
  const least = cheapest(space);
  const order = rng.shuffle(space.slots.map((_, i) => i));
  const after = (count: number): Architecture =>
    order.slice(0, count).reduce((sum, slot) => sum.with(slot, least[slot] ?? 0), architecture);
  // A latency takes a graph of the whole emulator: half of the slots are asked about at once.
  let [dear, cheap] = [-1, order.length];
  while (cheap - dear > 1) {
    const middle = (dear + cheap) >> 1;
    if (admissible(context, after(middle))) cheap = middle;
    else dear = middle;
  }
  return after(cheap);
}

/** Draws until an architecture is admissible; after some rejections the last draw is made cheaper, so that a narrow
 * limit is met as well. Rejected draws cost nothing but are recorded.
 * @returns undefined where nothing meets the limit */
export function drawAdmissible(context: SearchContext, draw: () => Architecture, tries = 8): Architecture | undefined {
  let architecture = draw();
  for (let i = 1; !admissible(context, architecture); i++) {
    context.record("pruned", architecture, { reason: "over the latency budget" });
    if (i === tries) {
      const repaired = cheapened(context, architecture, context.rng.fork(`cheapen ${context.history.records.length}`));
      return admissible(context, repaired) ? repaired : undefined;
    }
    architecture = draw();
  }
  return architecture;
}

/** `count` distinct admissible architectures, or fewer if `draw` keeps repeating itself. */
export function drawDistinct(context: SearchContext, draw: () => Architecture, count: number): Architecture[] {
  const found = new Map<string, Architecture>();
  for (let i = 0; i < 50 * count && found.size < count; i++) {
    const drawn = drawAdmissible(context, draw);
    if (drawn === undefined) break;
    const architecture = canonical(context.space, drawn);
    found.set(architectureId(architecture), architecture);
  }
  return [...found.values()];
}
