/** Posterior inference: which inputs could have given what was measured. */
export * from "./calibrated-errors.ts";
export * from "./convergence.ts";
export * from "./error-modes.ts";
export * from "./infer.ts";
export * from "./intervals.ts";
export * from "./likelihood.ts";
export * from "./prior.ts";
export * from "./sampler.ts";
export * from "./tempered-start.ts";
