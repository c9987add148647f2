/**
 * Runs a strategy to the end of its budget. All state is one plain value that can be written down after any step and
 * taken up again: stopping and resuming give the bytes of an uninterrupted run.
 */
import { OptionError } from "../errors.ts";
import type { Rng } from "../rng.ts";
import {
  type Architecture,
  architectureId,
  canonical,
  cheapest,
  encode,
  macs,
  type SuperArchitecture,
} from "../space/index.ts";
import type { SupernetState, SupernetTrainer } from "../train/index.ts";
import { type Budget, BudgetExhausted, makeBudget } from "./budget.ts";
import { type History, type HistoryRecord, makeHistory } from "./history.ts";
import {
  type Constraint,
  type Evaluator,
  type Finals,
  type LatencyModel,
  type SearchContext,
  type Strategy,
} from "./strategy.ts";
import { goodTrials, runTrials, type Trials, trialUnits, type Tried, unitsTried } from "./trials.ts";

/** Everything a search has so far. */
export interface SearchState {
  readonly steps: number;
  readonly strategy: unknown;
  readonly supernet: SupernetState;
  /** The weights that the strategy asked to keep. */
  readonly kept: SupernetState;
  readonly spent: number;
  readonly history: readonly HistoryRecord[];
  /** Architectures tried in trainings of their own, after the strategy has ended. */
  readonly tried: readonly Tried[];
  /** What ended the strategy, once it has ended. */
  readonly ended: "budget" | "done" | null;
}

export interface SearchOptions {
  readonly strategy: Strategy;
  readonly trainer: SupernetTrainer;
  readonly space: SuperArchitecture;
  /** Multiply-accumulates of the strategy; trials come on top. */
  readonly budget: number;
  /** Steps at most. Default: no limit but the budget. */
  readonly steps?: number;
  readonly members: number;
  readonly rng: Rng;
  readonly latency?: LatencyModel;
  readonly constraint?: Constraint;
  /** How much work counts in the strategy's ranking, see {@link SearchContext}. Default 0. */
  readonly workExponent?: number;
  /** Short trainings from scratch that refine the strategy's finals. Default: none. */
  readonly trials?: Trials;
  /** Where to go on from. */
  readonly resume?: SearchState;
  /** After each step. */
  readonly onStep?: (state: SearchState, fraction: number) => void | Promise<void>;
  /** Asked before each step. */
  readonly shouldStop?: () => boolean;
  /** Share of the time for the search that has passed: the strategy keeps to its part of it, with its schedule. Default: none
   * passes. */
  readonly elapsed?: () => number;
}

export interface SearchResult {
  readonly finals: Finals;
  readonly history: History;
  readonly spent: number;
  readonly steps: number;
  readonly outcome: "budget" | "done" | "stopped";
  /** Weights of the supernet that belong to the finals. */
  readonly supernet: SupernetState;
}

/** Steps in a row that may pass without work before the search gives up on its strategy. */
const idleSteps = 1000;

/** Share of a limited time that the strategy has where trials follow: they tell more. */
export const strategyTime = 0.35;

/** Multiply-accumulates of a weight step: forward and backward. */
const trainFactor = 3;

function chargingEvaluator(
  trainer: SupernetTrainer,
  space: SuperArchitecture,
  budget: Budget,
  keep: () => void,
): Evaluator {
  const costs = new Map<string, number>();
  const costOf = (architecture: Architecture): number => {
    const id = architectureId(architecture);
    const cost = costs.get(id) ?? macs(space, architecture);
    costs.set(id, cost);
    return cost;
  };
  return {
    batch: trainer.batch,
    stepsPerEpoch: trainer.stepsPerEpoch,
    async train(architectures, learningRate) {
      // Steps that the budget still bears are taken before it ends: the overshoot is nothing, the waste under one step.
      const affordable: Architecture[] = [];
      let exhausted: unknown;
      for (const architecture of architectures) {
        try {
          budget.charge(trainFactor * costOf(architecture) * trainer.batch);
        } catch (error) {
          exhausted = error;
          break;
        }
        affordable.push(architecture);
      }
      const loss = await trainer.train(
        affordable.map((architecture) => encode(space, architecture)),
        learningRate,
      );
      if (exhausted !== undefined) throw exhausted as Error;
      return loss;
    },
    validate(architecture) {
      budget.charge(costOf(architecture) * trainer.validationRows);
      return trainer.validate(encode(space, architecture));
    },
    keep,
  };
}

/** Runs the search. @throws OptionError where a hard constraint admits no architecture at all, or the strategy
 * neither works nor ends */
export async function search(options: SearchOptions): Promise<SearchResult> {
  const { strategy, trainer, space, rng, resume } = options;
  const history = makeHistory(resume?.history);
  const budget = makeBudget(options.budget, resume?.spent);
  const latency = options.latency ?? { unit: "macs", of: (architecture: Architecture) => macs(space, architecture) };
  if (resume !== undefined) trainer.restore(resume.supernet);
  let kept = resume?.kept ?? trainer.state();
  const evaluator = chargingEvaluator(trainer, space, budget, () => {
    kept = trainer.state();
  });
  let steps = resume?.steps ?? 0;
  let tried = resume?.tried ?? [];
  const { trials } = options;
  const spent = (): number => budget.spent + unitsTried(tried) * (trials?.macs ?? 0);
  const contextFor = (label: string): SearchContext => ({
    space,
    evaluator,
    latency,
    ...(options.constraint === undefined ? {} : { constraint: options.constraint }),
    workExponent: options.workExponent ?? 0,
    budget,
    progress: strategyProgress(),
    history,
    rng: rng.fork(label),
    members: options.members,
    record(event, architecture, rest = {}) {
      history.append({
        strategy: strategy.name,
        seed: rng.seed,
        architecture: architectureId(canonical(space, architecture)),
        event,
        macs: macs(space, architecture),
        latency: latency.of(architecture),
        costSoFar: spent(),
        ...rest,
      });
    },
  });

  const timeSpent = (): number => (options.elapsed?.() ?? 0) / (trials === undefined ? 1 : strategyTime);
  const strategyProgress = (): number =>
    Math.min(1, Math.max(budget.fraction, steps / (options.steps ?? Number.POSITIVE_INFINITY), timeSpent()));
  const units = trials === undefined ? 0 : trialUnits(trials);
  const strategyShare = options.budget / (options.budget + units * (trials?.macs ?? 0));
  /** Of the whole search. */
  const progress = (): number =>
    strategyShare * strategyProgress() + (1 - strategyShare) * (unitsTried(tried) / Math.max(1, units));
  const snapshot = (): SearchState => ({
    steps,
    strategy: state,
    supernet: trainer.state(),
    kept,
    spent: budget.spent,
    history: [...history.records],
    tried,
    ended,
  });
  let state = resume?.strategy ?? strategy.init(contextFor("init"));
  let ended = resume?.ended ?? null;
  let stopped = false;
  let late = false;
  let spentNothing = 0;
  while (ended === null && steps < (options.steps ?? Number.POSITIVE_INFINITY)) {
    if (options.shouldStop?.() === true) {
      stopped = true;
      break;
    }
    // One step at least: there is nothing to choose from before.
    late = steps > 0 && timeSpent() >= 1;
    if (late) break;
    const before = budget.spent;
    try {
      const next = await strategy.step(contextFor(`step ${steps}`), state);
      state = next.state;
      steps++;
      if (next.done === true) ended = "done";
    } catch (error) {
      if (!(error instanceof BudgetExhausted)) throw error;
      ended = "budget";
    }
    spentNothing = budget.spent > before ? 0 : spentNothing + 1;
    if (spentNothing === idleSteps && ended === null)
      throw new OptionError(
        "OPTION_STRATEGY",
        `strategy "${strategy.name}" took ${idleSteps} steps without training or validating: it would never end. Return done where there is nothing left to do.`,
      );
    await options.onStep?.(snapshot(), progress());
  }
  const strategyFinals = await strategy.finish(contextFor("finish"), state);
  if (strategyFinals.architectures.length === 0) {
    const least = latency.of(cheapest(space));
    throw new OptionError(
      "OPTION_BUDGET",
      `no architecture of the super-architecture meets the limit of ${options.constraint?.limit ?? 0} ${latency.unit}: the cheapest takes ${least}. Raise the limit or choose another target.`,
    );
  }
  if (trials !== undefined && !stopped)
    tried = await runTrials(contextFor("trials"), trials, strategyFinals.architectures, tried, async (all) => {
      tried = all;
      await options.onStep?.(snapshot(), progress());
      return options.shouldStop?.() !== true;
    });
  if (unitsTried(tried) < units && options.shouldStop?.() === true) stopped = true;
  const finals = refined(strategyFinals, tried, trials?.known ?? [], options.members);
  const outcome = stopped || late ? "stopped" : (ended ?? "budget");
  return { finals, history, spent: spent(), steps, outcome, supernet: kept };
}

/** The finals of the strategy or, where architectures were tried, the best of these; where there was no time to try any, what is
 * known to do well. */
function refined(finals: Finals, tried: readonly Tried[], known: readonly Architecture[], members: number): Finals {
  const architectures = tried.length === 0 ? known : goodTrials(tried).slice(0, members);
  return architectures[0] === undefined ? finals : { ...finals, architectures, best: architectures[0] };
}
