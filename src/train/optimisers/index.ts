/** The optimisers. */
export { adamDefaults, adamNodes, adamRate, type AdamState, cosine } from "./adam.ts";
export { type PairProducts } from "./curvature.ts";
export { lbfgs, type LbfgsOptions, type LbfgsResult, type Objective } from "./lbfgs.ts";
export {
  dampedMatrix,
  levenbergMarquardt,
  type LevenbergMarquardtOptions,
  type LevenbergMarquardtResult,
  type Linearised,
  type ResidualProblem,
} from "./levenberg-marquardt.ts";
