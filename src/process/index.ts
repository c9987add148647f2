/** Gaussian processes: contestants and partners of the networks. */
export { type Component, fitProcess, type OutputProcess, type ProcessFit, type ProcessOptions } from "./fit.ts";
export { predictProcess, processGraph, type ProcessNodes } from "./graph.ts";
