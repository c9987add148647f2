/** What `condense fit` makes: networks found by a search, Gaussian processes beside them, mixed per output. */
import { assemble } from "../../fit/assemble.ts";
import { loadEmulator } from "../../query.ts";
import type { Contestant } from "../contestant.ts";

export const emulator: Contestant = {
  name: "emulator",
  title: "searched emulator (default fit)",
  source: "Kasim et al. 2021; docs/decisions/0009",
  work: 80,
  async fit(round) {
    const { bytes, info } = await assemble(await round.trained());
    return { kind: "fitted", predictor: await loadEmulator(bytes), info };
  },
};
