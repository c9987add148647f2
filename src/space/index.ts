/** Super-architectures, their architectures, and the networks made of them. */
export * from "./architecture.ts";
export * from "./candidates.ts";
export { cheapest, macs, shapeTrace, widthOf } from "./cost.ts";
export * from "./network.ts";
export { anyNetworkGraph, networkGraph } from "./random-network.ts";
export { carryWeights, decays, fillRates, initialise, type Parameter, type ParameterLayout } from "./parameters.ts";
export * from "./super-architecture.ts";
