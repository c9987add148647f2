/** Case `jag-scalars`: the scalars of `jag` alone. */
import type { Case } from "../case.ts";
import { scalarNoise } from "../jag/index.ts";
import { aboutScalars, inputs, runAt, source } from "../jag/inputs.ts";
import { SCALARS, scalarsOf } from "../jag/scalars.ts";

/** Five inputs to 15 scalars: the same runs as `jag`, without images. */
export const jagScalars: Case = {
  name: "jag-scalars",
  title: "ICF JAG: scalars of a capsule implosion",
  about: "The implosion of case jag, seen by its fifteen scalars only: fast, and blind to some of the shape.",
  source,
  inputs,
  outputs: [{ name: "scalars", unit: "", shape: [SCALARS.length], axes: [], about: aboutScalars }],
  runs: { train: 6000, test: 1000 },
  inverse: {
    about: "speed, pressure and shape modes from scalars; a20 and a22 stay ambiguous",
    observed: ["scalars"],
    noise: (_name, values) => scalarNoise(values),
  },
  simulate(u) {
    const run = runAt(u);
    if (typeof run === "string") return { status: "failed", reason: run };
    return { status: "ok", outputs: { scalars: scalarsOf(run) } };
  },
};
