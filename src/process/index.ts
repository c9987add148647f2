/** Gaussian processes: contestants and partners of the networks. */
export {
  choleskySmall,
  lowerTimes,
  lowerTransposeTimes,
  makeAlgebra,
  StoppedError,
  unlessStopped,
} from "./cholesky.ts";
export type { ProcessOptions } from "./contest.ts";
export { fitProcess, mostComponents, mostOutputs } from "./fit.ts";
export { predictProcess, processGraph, type ProcessNodes } from "./graph.ts";
export type { Component, OutputProcess, Predictor, ProcessFit, Projection } from "./process.ts";
export { type AxisRuns, findWarps, type FoundWarps } from "./warps.ts";
