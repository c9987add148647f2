/** What a fit of Gaussian processes is: plain data, from which predictions are made as a graph. */
import type { Spread } from "./calibrate.ts";
import type { Kernel } from "./kernel.ts";

/** One Gaussian process of a stack: everything that its predictions need. */
export interface Component {
  readonly weight: number;
  readonly kernel: Kernel;
  readonly nugget: number;
  /** sigma². */
  readonly variance: number;
  /** Weights of the runs in the mean, n; trend coefficients, q. */
  readonly alpha: Float64Array;
  readonly coefficients: Float64Array;
  /** Of the first r runs: inverse of the lower factor L of R + nugget I, r × r; L⁻¹ H, r × q; inverse factor of its Gram
   * matrix, q × q. */
  readonly inverseFactor: Float64Array;
  readonly trendFactor: Float64Array;
  readonly trendInverse: Float64Array;
}

/** Values that the simulator's output does not pass: many runs have exactly this value, none a lower (higher) one. */
export interface Limits {
  readonly lower: number | undefined;
  readonly upper: number | undefined;
}

/** One output. */
export interface OutputProcess {
  readonly components: readonly Component[];
  readonly limits: Limits;
  /** Which component's correlations weigh the residuals of a varying spread. */
  readonly lead: number;
  readonly spread: Spread;
  /** Variance of the simulator's noise; 0: none was seen, and nuggets count as uncertainty about the simulator. */
  readonly noise: number;
  /** Mean of each run held out, and its variance, noise included, calibrated; in the order of the fit's own runs, n. */
  readonly looMean: Float64Array;
  readonly looVariance: Float64Array;
  /** Mean leave-one-out CRPS. */
  readonly looCrps: number;
}

/** Outputs as principal components: mean + scores basis, and what is left over. */
export interface Projection {
  /** m. */
  readonly mean: Float64Array;
  /** k × m. */
  readonly basis: Float64Array;
  /** Mean squared rest of each output, m. */
  readonly rest: Float64Array;
}

/** What predictions need. */
export interface Predictor {
  /** Inputs of the runs that the mean is made of, n × d, the first r of which carry the variance. */
  readonly x: Float64Array;
  readonly n: number;
  readonly r: number;
  readonly d: number;
  /** Outputs of the emulator. */
  readonly m: number;
  /** One process per output, or per principal component where there is a projection. */
  readonly outputs: readonly OutputProcess[];
  readonly projection: Projection | undefined;
}

export interface ProcessFit extends Predictor {
  readonly version: 1;
  /** Mean of each run held out, and its variance, noise included; rows × m, in the order of the rows that were given. */
  readonly looMean: Float64Array;
  readonly looVariance: Float64Array;
  /** Variance of the simulator's noise, m; 0 where none was seen. */
  readonly noise: Float64Array;
}
