/** The optimisers. */
export { adamDefaults, adamNodes, adamRate, type AdamState, cosine } from "./adam.ts";
export { type PairProducts } from "./curvature.ts";
export { lbfgs, type LbfgsOptions, type LbfgsResult, type Objective } from "./lbfgs.ts";
