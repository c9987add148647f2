/**
 * Latency as a sum over slots: a fixed part and one entry per candidate of each slot (ProxylessNAS, Cai et al. 2019; spec
 * search 5.3). Linear in the gate probabilities, so its gradient is exact.
 */
import { OptionError } from "../errors.ts";
import { ridgeRegression } from "./nnls.ts";

export interface AdditiveTable {
  /** What every architecture pays, in the table's unit. */
  readonly fixed: number;
  /** One row per slot, one entry per candidate, in the same unit. */
  readonly entries: readonly (readonly number[])[];
  /** Such as `seconds` or `cycles`. */
  readonly unit: string;
}

/** Latency of one architecture. @param architecture index of the chosen candidate, per slot */
export function tableLatency({ fixed, entries }: AdditiveTable, architecture: readonly number[]): number {
  let sum = fixed;
  for (let e = 0; e < entries.length; e++) sum += entries[e]![architecture[e]!]!;
  return sum;
}

/** Expected latency under independent gate probabilities: fixed + sum over slots of p . t. @param probabilities one row per slot */
export function expectedLatency(
  { fixed, entries }: AdditiveTable,
  probabilities: readonly (readonly number[])[],
): number {
  let sum = fixed;
  for (let e = 0; e < entries.length; e++)
    for (let o = 0; o < entries[e]!.length; o++) sum += probabilities[e]![o]! * entries[e]![o]!;
  return sum;
}

/** Gradient of {@link expectedLatency} with respect to the probabilities: the entries themselves. */
export function probabilityGradient({ entries }: AdditiveTable): readonly (readonly number[])[] {
  return entries;
}

/** Gradient with respect to the logits behind the probabilities: p_i (t_i - sum_j p_j t_j), slot by slot. */
export function logitGradient({ entries }: AdditiveTable, probabilities: readonly (readonly number[])[]): number[][] {
  return entries.map((row, e) => {
    const p = probabilities[e]!;
    const mean = row.reduce((sum, t, o) => sum + p[o]! * t, 0);
    return row.map((t, o) => p[o]! * (t - mean));
  });
}

/** A table from an exact latency of architectures, by changing one slot at a time: entry (e, o) is what candidate o adds to
 * `base`, against base's own candidate in that slot. Exact where the latency is additive; its best linear view around
 * `base` elsewhere.
 * @param sizes candidates per slot   @param latencyOf called 1 + sum (sizes - 1) times */
export function tableAround(
  sizes: readonly number[],
  base: readonly number[],
  latencyOf: (architecture: readonly number[]) => number,
  unit = "seconds",
): AdditiveTable {
  if (base.length !== sizes.length)
    throw new OptionError(
      "OPTION_TABLE",
      `the base architecture has ${base.length} choices for ${sizes.length} slots. Give one choice per slot.`,
    );
  const fixed = latencyOf(base);
  const entries = sizes.map((size, e) =>
    Array.from({ length: size }, (_, o) => (o === base[e] ? 0 : latencyOf(base.with(e, o)) - fixed)),
  );
  return { fixed, entries, unit };
}

/** Fits a table to measured architectures, minimising the relative error. Entries of a slot are centred on zero, as only
 * their differences are determined.
 * @param ridge default 1e-3, towards no effect, in units of the mean diagonal */
export function fitTable(
  sizes: readonly number[],
  architectures: readonly (readonly number[])[],
  latencies: readonly number[],
  { unit = "seconds", ridge = 1e-6 }: { readonly unit?: string; readonly ridge?: number } = {},
): AdditiveTable {
  const offsets = sizes.map((_, e) => sizes.slice(0, e).reduce((a, c) => a + c, 1));
  const width = sizes.reduce((a, c) => a + c, 1);
  const rows = architectures.map((architecture) => {
    const row = new Array<number>(width).fill(0);
    row[0] = 1;
    architecture.forEach((o, e) => (row[offsets[e]! + o] = 1));
    return row;
  });
  const mean = latencies.reduce((a, c) => a + c, 0) / latencies.length;
  const b = ridgeRegression(rows, latencies, { weights: latencies.map((y) => mean / y), ridge });
  let fixed = b[0]!;
  const entries = sizes.map((size, e) => {
    const row = b.slice(offsets[e], offsets[e]! + size);
    const centre = row.reduce((a, c) => a + c, 0) / size;
    fixed += centre;
    return row.map((t) => t - centre);
  });
  return { fixed, entries, unit };
}
