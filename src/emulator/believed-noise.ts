/** How much of a companion's noise the networks bear out. */

/** What both miss of runs held out by. */
export interface HeldOutErrors {
  readonly networks: readonly number[];
  readonly companion: readonly number[];
  /** Whether these are all runs. */
  readonly everyRun: boolean;
}

/** What networks miss unseen runs by at least, as a share of the simulator's noise: its variance is an estimate too. */
const leastOfNoise = 0.75;

/**
 * Standard deviation of the noise. None where networks miss unseen runs by less: then it is roughness that the companion cannot follow.
 * What two predictors miss a run by has the run's noise in common, and their own errors tend to the same side: where every run tells,
 * the noise is no larger than the mean product of the two.
 * @param variance of the noise, by the companion
 */
export function believedNoise(variance: number, { networks, companion, everyRun }: HeldOutErrors): number {
  const n = networks.length;
  const squares = networks.reduce((sum, missed) => sum + missed ** 2, 0) / n;
  if (squares < leastOfNoise * variance) return 0;
  const products = networks.reduce((sum, missed, i) => sum + missed * companion[i]!, 0) / n;
  return Math.sqrt(everyRun ? Math.min(variance, Math.max(products, 0)) : variance);
}
