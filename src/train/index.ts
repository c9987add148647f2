/** Training: losses, optimisers, the supernet's training and the members'. */
export * from "./data.ts";
export { adamStepGraph, lossGraph, objectiveGraph, predictGraph } from "./graphs.ts";
export { losses, type LossName } from "./loss.ts";
export { type MemberInput, type MemberOutput, memberTask, type Recipe } from "./member.ts";
export * from "./ensemble.ts";
export {
  allowanceOf,
  type Footing,
  footingOf,
  heldOutPredictions,
  type PlainOptions,
  plainTrainings,
  probe,
  probeTrainings,
  trainPlain,
} from "./probe.ts";
export {
  adamAlone,
  fieldRate,
  type Effort,
  efforts,
  planMember,
  planProbe,
  planSearch,
  planTrials,
  probeGrid,
  type TrialPlan,
} from "./recipe.ts";
export { lastGoodStage, stagesWorthRunning } from "./path.ts";
export { chooseStage, type MemberStage, stageOf, stageScores } from "./stages.ts";
export { fitTrend, noTrend, type Trend, withoutTrend } from "./trend.ts";
export * from "./supernet-trainer.ts";
export { runTrial, type TrialOptions } from "./trial.ts";
export { fitProcesses, type HeadProcess, processAllowance, processSeconds, processTask } from "./processes.ts";
export { type AxisRuns, warpsTask } from "./warps.ts";
