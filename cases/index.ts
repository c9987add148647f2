/** The case studies by name, in the order of Kasim et al. (2021). A new one is a folder and a line here. */
import type { Case } from "./case.ts";
import { elms } from "./elms/index.ts";
import { gcm } from "./gcm/index.ts";
import { halo } from "./halo/index.ts";
import { jag } from "./jag/index.ts";
import { jagScalars } from "./jag-scalars/index.ts";
import { mops } from "./mops/index.ts";
import { ots } from "./ots/index.ts";
import { seistomo } from "./seistomo/index.ts";
import { xes } from "./xes/index.ts";
import { xrts } from "./xrts/index.ts";

export * from "./case.ts";
/** What the simulators compute with. */
export * as kernels from "./kernels/index.ts";

export const cases = {
  xrts,
  ots,
  xes,
  elms,
  halo,
  jag,
  "jag-scalars": jagScalars,
  seistomo,
  mops,
  gcm,
} as const satisfies Record<string, Case>;

export type CaseName = keyof typeof cases;
