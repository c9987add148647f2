/** Credible intervals and ranks, from draws. */

/** The value below which a share `p` of sorted values lies, interpolated (type 7 of Hyndman & Fan 1996). */
export function quantileOf(sorted: ArrayLike<number>, p: number): number {
  const at = p * (sorted.length - 1);
  const low = Math.floor(at);
  const [a, b] = [sorted[low] ?? Number.NaN, sorted[Math.min(sorted.length - 1, low + 1)] ?? Number.NaN];
  return a + (at - low) * (b - a);
}

/** The interval with equal shares left out on both sides. @param level such as 0.68 */
export function centralInterval(draws: Float64Array, level: number): readonly [number, number] {
  const sorted = draws.slice().sort();
  return [quantileOf(sorted, (1 - level) / 2), quantileOf(sorted, (1 + level) / 2)];
}

/** The shortest interval that holds a share `level` of the draws: the highest-density one where there is one peak
 * (Chen & Shao 1999). */
export function shortestInterval(draws: Float64Array, level: number): readonly [number, number] {
  const sorted = draws.slice().sort();
  const inside = Math.min(sorted.length - 1, Math.ceil(level * sorted.length));
  let best = 0;
  for (let i = 0; i + inside < sorted.length; i++)
    if (sorted[i + inside]! - sorted[i]! < sorted[best + inside]! - sorted[best]!) best = i;
  return [sorted[best] ?? Number.NaN, sorted[best + inside] ?? Number.NaN];
}

/** Share of the draws below `value`: even on [0, 1] over truths drawn from the prior, if the inference is right (Cook,
 * Gelman & Rubin 2006; Talts et al. 2018). */
export function rankOf(draws: Float64Array, value: number): number {
  let below = 0;
  for (const draw of draws) below += draw < value ? 1 : draw === value ? 0.5 : 0;
  return below / draws.length;
}

/** Whether the central interval of a level holds what has this rank. */
export function rankWithin(rank: number, level: number): boolean {
  return Math.abs(rank - 0.5) <= level / 2;
}
