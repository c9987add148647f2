/** Gradient-boosted regression trees (Friedman 2001): small, deterministic, for corrections of a fit (spec latency 2.2). */

/** A leaf's value, or a split: `x[feature] <= at` goes left. */
export type Tree =
  | { readonly value: number }
  | { readonly feature: number; readonly at: number; readonly left: Tree; readonly right: Tree };

export interface ForestOptions {
  /** Default 100. */
  readonly trees?: number;
  /** Default 4. */
  readonly depth?: number;
  /** Shrinkage, default 0.1. */
  readonly rate?: number;
  /** Fewest points in a leaf, default 5. */
  readonly leaf?: number;
}

/** Fits trees to y, squared loss. @param rows features */
export function fitForest(
  rows: readonly (readonly number[])[],
  y: readonly number[],
  { trees = 100, depth = 4, rate = 0.1, leaf = 5 }: ForestOptions = {},
): Tree[] {
  const residual = Float64Array.from(y);
  const all = rows.map((_, i) => i);
  return Array.from({ length: trees }, () => {
    const tree = grow(rows, residual, all, depth, leaf, rate);
    for (const i of all) residual[i]! -= evaluate(tree, rows[i]!);
    return tree;
  });
}

/** The forest's value at x: the sum of its trees. */
export function forestValue(forest: readonly Tree[], x: readonly number[]): number {
  let sum = 0;
  for (const tree of forest) sum += evaluate(tree, x);
  return sum;
}

function evaluate(tree: Tree, x: readonly number[]): number {
  let at = tree;
  while ("feature" in at) at = x[at.feature]! <= at.at ? at.left : at.right;
  return at.value;
}

function grow(
  rows: readonly (readonly number[])[],
  y: Float64Array,
  members: readonly number[],
  depth: number,
  leaf: number,
  rate: number,
): Tree {
  const total = members.reduce((sum, i) => sum + y[i]!, 0);
  const value = (rate * total) / members.length;
  if (depth === 0 || members.length < 2 * leaf) return { value };
  let best: { feature: number; at: number; gain: number } | undefined;
  const base = total ** 2 / members.length;
  for (let feature = 0; feature < rows[0]!.length; feature++) {
    const order = [...members].sort((a, b) => rows[a]![feature]! - rows[b]![feature]!);
    let left = 0;
    for (let k = 1; k < order.length; k++) {
      left += y[order[k - 1]!]!;
      if (k < leaf || order.length - k < leaf) continue;
      const [a, b] = [rows[order[k - 1]!]![feature]!, rows[order[k]!]![feature]!];
      if (a === b) continue;
      const gain = left ** 2 / k + (total - left) ** 2 / (order.length - k) - base;
      if (gain > 1e-12 && (best === undefined || gain > best.gain)) best = { feature, at: (a + b) / 2, gain };
    }
  }
  if (best === undefined) return { value };
  const { feature, at } = best;
  return {
    feature,
    at,
    left: grow(
      rows,
      y,
      members.filter((i) => rows[i]![feature]! <= at),
      depth - 1,
      leaf,
      rate,
    ),
    right: grow(
      rows,
      y,
      members.filter((i) => rows[i]![feature]! > at),
      depth - 1,
      leaf,
      rate,
    ),
  };
}
