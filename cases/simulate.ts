/** The task of making runs: some points of one case, on whatever thread. */
import { defineTask, OptionError } from "../src/index.ts";
import type { Case } from "./case.ts";
import { cases } from "./index.ts";

/** Points of one case. */
export interface Batch {
  readonly name: string;
  /** rows × d, in [0, 1]. */
  readonly u: Float64Array;
}

/** What those points gave. */
export interface BatchRuns {
  /** By output, rows × size; NaN in the rows of failed runs. */
  readonly outputs: Readonly<Record<string, Float64Array>>;
  /** Per row "ok", or why it failed. */
  readonly status: readonly string[];
}

/** The case called `name`. @throws OptionError that lists the cases */
export function getCase(name: string): Case {
  const found = Object.entries(cases as Readonly<Record<string, Case>>).find(([key]) => key === name);
  if (found === undefined) {
    throw new OptionError("OPTION_CASE", `no case "${name}". There are ${Object.keys(cases).join(", ")}.`);
  }
  return found[1];
}

/** Runs the simulator at each point. A failed run keeps its row. @returns undefined if told to stop before the end */
export function simulateBatch({ name, u }: Batch, context?: { shouldStop(): boolean }): Promise<BatchRuns | undefined> {
  const study = getCase(name);
  const d = study.inputs.length;
  const rows = u.length / d;
  const sizes = study.outputs.map(({ shape }) => shape.reduce((size, extent) => size * extent, 1));
  const outputs = study.outputs.map((_, i) => new Float64Array(rows * sizes[i]!).fill(NaN));
  const status: string[] = [];
  for (let row = 0; row < rows; row++) {
    if (context?.shouldStop() === true) return Promise.resolve(undefined);
    const run = study.simulate(u.slice(row * d, (row + 1) * d));
    status.push(run.status === "ok" ? "ok" : run.reason);
    if (run.status === "failed") continue;
    study.outputs.forEach((output, i) => outputs[i]!.set(run.outputs[output.name]!, row * sizes[i]!));
  }
  return Promise.resolve({
    outputs: Object.fromEntries(study.outputs.map((output, i) => [output.name, outputs[i]!])),
    status,
  });
}

export const batchTask = defineTask(import.meta.url, "simulateBatch", simulateBatch);
