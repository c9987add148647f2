/**
 * What planners work out per shape of layer, kept from one network to the next: a search asks for thousands of networks
 * made of the same few layers. A memo belongs to one device; planning gives the same with an empty one.
 */
import { divisors, type UnitCost } from "./dataflow.ts";
import { legalReuse } from "./reuse.ts";
import type { PipelineLayer } from "./tile-pipeline.ts";

export interface PlanMemo {
  readonly divisors: Map<number, readonly number[]>;
  /** Legal reuse factors by inputs and outputs. */
  readonly reuse: Map<string, readonly number[]>;
  /** Resources of a matrix unit by layer, folding and where it multiplies. */
  readonly units: Map<string, Map<number, UnitCost>>;
  /** Engine of a layer by layer and multipliers. */
  readonly engines: Map<string, Map<number, PipelineLayer>>;
}

export function makeMemo(): PlanMemo {
  return { divisors: new Map(), reuse: new Map(), units: new Map(), engines: new Map() };
}

/** The value under a key, made the first time. */
export function recall<Key, Value>(known: Map<Key, Value>, key: Key, make: () => Value): Value {
  const found = known.get(key);
  if (found !== undefined) return found;
  const made = make();
  known.set(key, made);
  return made;
}

export function knownDivisors({ divisors: known }: PlanMemo, n: number): readonly number[] {
  return recall(known, n, () => divisors(n));
}

/** Legal reuse factors above 1, or all where there is none. */
export function knownReuse({ reuse }: PlanMemo, nIn: number, nOut: number): readonly number[] {
  return recall(reuse, `${nIn} ${nOut}`, () => {
    const all = legalReuse(nIn, nOut);
    const above = all.filter((rf) => rf > 1);
    return above.length > 0 ? above : all;
  });
}
