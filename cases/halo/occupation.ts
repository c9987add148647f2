import { erf } from "../kernels/index.ts";

/** Halo occupation of Zheng et al., ApJ 667, 760 (2007); masses as log10 of Msun/h. */
export interface Occupation {
  /** Mass at which half the haloes hold a central galaxy, and the softness of that step. */
  readonly logMmin: number;
  readonly sigma: number;
  /** Mass below which there are no satellites, mass scale of one satellite more, and their power of mass. */
  readonly logM0: number;
  readonly logM1: number;
  readonly alpha: number;
}

/** Mean number of central galaxies. */
export function centrals({ logMmin, sigma }: Occupation, logMass: number): number {
  return 0.5 * (1 + erf((logMass - logMmin) / sigma));
}

/** Mean number of satellites of a halo that holds a central galaxy. */
export function satellitesPerCentral({ logM0, logM1, alpha }: Occupation, logMass: number): number {
  const excess = 10 ** logMass - 10 ** logM0;
  return excess <= 0 ? 0 : (excess / 10 ** logM1) ** alpha;
}
