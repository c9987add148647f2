/** How the default fit came to its mixture of networks and processes, over all folds of a comparison. */
import type { Schema } from "../data/index.ts";
import type { RoundResult } from "./rounds.ts";

/** One output: means over the folds. */
export interface OutputStacking {
  readonly output: string;
  /** The networks' share of the prediction, 0 to 1. */
  readonly networkShare: number;
  /** CRPS of held-out training runs in units of the output's standard deviation; null without processes. */
  readonly heldOutCrps: { readonly networks: number; readonly processes: number; readonly mixture: number } | null;
}

export interface Stacking {
  readonly outputs: readonly OutputStacking[];
  /** Means over the outputs. */
  readonly networkShare: number;
  readonly heldOutCrps: OutputStacking["heldOutCrps"];
}

/** What the emulators of the rounds say of their weights; null where there is none. */
export function stackingOf(schema: Schema, results: readonly RoundResult[]): Stacking | null {
  const files = results.flatMap(({ contestant, info }) =>
    contestant === "emulator" && info !== undefined ? [info.calibration] : [],
  );
  if (files.length === 0) return null;
  const outputs = schema.fields.map(({ name }, f): OutputStacking => {
    const each = files.map((calibration) => calibration[f]);
    return {
      output: name,
      networkShare: mean(each.map((field) => field?.networkShare ?? 1)),
      heldOutCrps: meanCrps(each.map((field) => field?.heldOutCrps ?? null)),
    };
  });
  return {
    outputs,
    networkShare: mean(outputs.map(({ networkShare }) => networkShare)),
    heldOutCrps: meanCrps(outputs.map(({ heldOutCrps }) => heldOutCrps)),
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((a, c) => a + c, 0) / values.length;
}

function meanCrps(each: readonly OutputStacking["heldOutCrps"][]): OutputStacking["heldOutCrps"] {
  const told = each.filter((crps) => crps !== null);
  if (told.length === 0) return null;
  return {
    networks: mean(told.map(({ networks }) => networks)),
    processes: mean(told.map(({ processes }) => processes)),
    mixture: mean(told.map(({ mixture }) => mixture)),
  };
}
