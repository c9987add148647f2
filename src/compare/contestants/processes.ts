/** The emulator's Gaussian processes without the networks, calibrated as the emulator is. */
import { assemble } from "../../fit/assemble.ts";
import { loadEmulator } from "../../query.ts";
import type { Contestant } from "../contestant.ts";

export const processes: Contestant = {
  name: "processes",
  title: "  its processes alone",
  source: "docs/decisions/0007",
  work: 2,
  async fit(round) {
    const trained = await round.trained();
    if (trained.companions === undefined)
      return { kind: "absent", reason: "the fit has none: too few runs for them, or too much work for the effort" };
    const { bytes, info } = await assemble(trained, 0);
    return { kind: "fitted", predictor: await loadEmulator(bytes), shared: round.entered.includes("emulator"), info };
  },
};
