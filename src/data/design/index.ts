/** Experimental designs by name: where to run a simulator. */
import type { Design } from "./design.ts";
import { latinHypercube } from "./latin-hypercube.ts";
import { sobol } from "./sobol.ts";
import { uniformPoints } from "./uniform.ts";

export type { Design } from "./design.ts";
export { latinHypercube, randomLatinHypercube } from "./latin-hypercube.ts";
export { plainSobol, sobol, SOBOL_DIMENSIONS } from "./sobol.ts";
export { uniformPoints } from "./uniform.ts";

export const designs = { sobol, lhs: latinHypercube, uniform: uniformPoints } as const satisfies Record<string, Design>;

export type DesignName = keyof typeof designs;
