/** Fronts of several costs, all to be as low as can be: which points no other beats, and how much a front covers. */

/** One value per cost, lower is better. */
export type Costs = readonly number[];

/** Whether `a` is nowhere worse than `b` and somewhere better (Pareto dominance). */
export function dominates(a: Costs, b: Costs): boolean {
  return a.every((cost, i) => cost <= b[i]!) && a.some((cost, i) => cost < b[i]!);
}

/** Whether each point is beaten by no other. Of equal points all are kept; a point with a cost that is not a number is not. */
export function nonDominated(points: readonly Costs[]): boolean[] {
  return points.map((point) => !point.some(Number.isNaN) && !points.some((other) => dominates(other, point)));
}

/** Volume that the points dominate below a reference point: area for two costs. Points that are somewhere not below the
 * reference add nothing. Slices along the last cost (Zitzler & Thiele 1999; sliced as in While et al. 2006, HSO).
 * @param reference one value per cost */
export function hypervolume(points: readonly Costs[], reference: Costs): number {
  const inside = points.filter((point) => point.every((cost, i) => cost < reference[i]!));
  return inside.length === 0 ? 0 : slices(inside, reference);
}

function slices(points: readonly Costs[], reference: Costs): number {
  const last = reference.length - 1;
  const end = reference[last]!;
  if (last === 0) return end - Math.min(...points.map(([cost]) => cost!));
  const sorted = [...points].sort((a, b) => a[last]! - b[last]!);
  const rest = reference.slice(0, last);
  let volume = 0;
  for (const [i, point] of sorted.entries()) {
    const depth = (sorted[i + 1]?.[last] ?? end) - point[last]!;
    if (depth <= 0) continue;
    // What is below this slice covers it with its other costs.
    const cover = sorted.slice(0, i + 1).map((each) => each.slice(0, last));
    volume += depth * slices(cover, rest);
  }
  return volume;
}
