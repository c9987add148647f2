/** Search strategies, the loop that runs them, and what they leave behind. */
export * from "./budget.ts";
export * from "./history.ts";
export * from "./loop.ts";
export { type Costs, dominates, hypervolume, nonDominated } from "./pareto.ts";
export * from "./strategies/index.ts";
export * from "./strategy.ts";
export { type Trials, trialDefaults, trialUnits } from "./trials.ts";
