/** Case `jag-scalars`: the scalars of `jag` alone. */
import type { Case } from "../case.ts";
import { scalarNoise } from "../jag/index.ts";
import { inputs, runAt, scalarFields, source } from "../jag/inputs.ts";
import { scalarOutputs, SCALARS } from "../jag/scalars.ts";

/** Five inputs to 15 scalars: the same runs as `jag`, without images. */
export const jagScalars: Case = {
  name: "jag-scalars",
  title: "ICF JAG: scalars of a capsule implosion",
  about: "The implosion of case jag, seen by its fifteen scalars only: fast, and blind to some of the shape.",
  source,
  inputs,
  outputs: scalarFields,
  runs: { train: 6000, test: 1000 },
  inverse: {
    about: "speed, pressure and shape modes from scalars; a20 and a22 stay ambiguous",
    observed: SCALARS.map(({ name }) => name),
    noise: scalarNoise,
  },
  simulate(u) {
    const run = runAt(u);
    if (typeof run === "string") return { status: "failed", reason: run };
    return { status: "ok", outputs: scalarOutputs(run) };
  },
};
