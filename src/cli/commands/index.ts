/** The commands, in the order of the help text. A new one is a file and a line here; only the one that runs is loaded. */
import type { CliCommand } from "../command.ts";

interface Entry {
  readonly summary: string;
  load(): Promise<CliCommand>;
}

export const commands = {
  fit: { summary: "make an emulator from a table of runs", load: async () => (await import("./fit.ts")).fit },
  query: { summary: "predict, with uncertainty", load: async () => (await import("./query.ts")).query },
  inspect: { summary: "say what is in an emulator file", load: async () => (await import("./inspect.ts")).inspect },
  validate: { summary: "score an emulator on new runs", load: async () => (await import("./validate.ts")).validate },
  compare: { summary: "compare with baselines", load: async () => (await import("./compare.ts")).compare },
  cases: { summary: "the case studies and their simulators", load: async () => (await import("./cases.ts")).cases },
  simulate: {
    summary: "run your simulator at a design of points",
    load: async () => (await import("./simulate.ts")).simulate,
  },
  latency: { summary: "what an emulator takes on a device", load: async () => (await import("./latency.ts")).latency },
} as const satisfies Readonly<Record<string, Entry>>;

export type CommandName = keyof typeof commands;
