/** The prior of an inverse problem: even over a box of the inputs, or of their logarithms. */

/** One coordinate of the box. */
export interface PriorInput {
  readonly name: string;
  readonly unit: string;
  readonly low: number;
  readonly high: number;
  /** With "log", even in the logarithm. */
  readonly scale: "linear" | "log";
}

/** The input at u in [0, 1]. */
export function physicalOf({ low, high, scale }: PriorInput, u: number): number {
  return scale === "log" ? low * (high / low) ** u : low + u * (high - low);
}

/** The place in [0, 1] of an input's value: the inverse of {@link physicalOf}. */
export function unitOf({ low, high, scale }: PriorInput, x: number): number {
  return scale === "log" ? Math.log(x / low) / Math.log(high / low) : (x - low) / (high - low);
}

/** Physical inputs at rows of u. @param u n × d   @returns n × d */
export function physicalRows(prior: readonly PriorInput[], u: Float64Array): Float64Array {
  const d = prior.length;
  return u.map((value, i) => physicalOf(prior[i % d]!, value));
}

/** Whether row `i` of u is in the box. */
export function inBox(u: Float64Array, i: number, d: number): boolean {
  for (let j = 0; j < d; j++) if (!(u[i * d + j]! >= 0 && u[i * d + j]! <= 1)) return false;
  return true;
}
