/** Campaigns: simulators run at the points of a design, resumable, as one table of runs. */
export { type CampaignPlan, type CampaignProgress, type CampaignResult, type Part, runCampaign } from "./campaign.ts";
export { commandSimulator, type CommandOptions } from "./command.ts";
export { atShare, type CampaignInput, parseInputs, type Point, type Value } from "./inputs.ts";
export { type ModuleOptions, moduleSimulator, type SimulatorFunction } from "./module.ts";
export { type RunOutput, showShape } from "./outputs.ts";
export { designPoints, type Points, tablePoints } from "./points.ts";
export { type FailedRun, FIRST_RUNS, simulate, type SimulateOptions, type SimulateResult } from "./simulate.ts";
export type { Outcome, Simulator } from "./simulator.ts";
export { type OutputLayout, runsTable } from "./table.ts";
