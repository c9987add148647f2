/** The case studies by name. A new one is a folder and a line here. */
import type { Case } from "./case.ts";
import { gcm } from "./gcm/index.ts";
import { jag } from "./jag/index.ts";
import { jagScalars } from "./jag-scalars/index.ts";
import { mops } from "./mops/index.ts";
import { seistomo } from "./seistomo/index.ts";

export * from "./case.ts";

export const cases = {
  gcm,
  jag,
  "jag-scalars": jagScalars,
  mops,
  seistomo,
} as const satisfies Record<string, Case>;

export type CaseName = keyof typeof cases;
