/** The optimisers. */
export { adamDefaults, adamNodes, adamRate, type AdamState, cosine } from "./adam.ts";
export { lbfgs, type LbfgsOptions, type LbfgsResult, type Objective } from "./lbfgs.ts";
