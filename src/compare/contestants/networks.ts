/** The emulator's networks without the processes. */
import { assemble } from "../../fit/assemble.ts";
import { train } from "../../fit.ts";
import { loadEmulator } from "../../query.ts";
import type { Contestant } from "../contestant.ts";

export const networks: Contestant = {
  name: "networks",
  title: "  its networks alone",
  source: "Kasim et al. 2021; docs/decisions/0003",
  work: 2,
  async fit(round) {
    const shared = ["emulator", "processes"].some((name) => round.entered.includes(name));
    const trained = shared ? await round.trained() : await train(round.runs, { ...round.options, process: false });
    const { bytes, info } = await assemble({ ...trained, companions: undefined });
    return { kind: "fitted", predictor: await loadEmulator(bytes), shared, info };
  },
};
