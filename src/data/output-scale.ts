/**
 * What an output is learned as: itself, a root or its logarithm, of the family of Box & Cox (1964). Errors of what is learned
 * become errors of the output times its slope: a logarithm makes them all relative, so that the largest values of a field that
 * spans powers of ten are the worst known; a root lies between.
 */

/** By how fast the learned quantity flattens. */
export const outputScales = ["linear", "sqrt", "fourth-root", "log"] as const;
export type OutputScale = (typeof outputScales)[number];

const words = {
  linear: "itself",
  sqrt: "square root",
  "fourth-root": "fourth root",
  log: "logarithm",
} as const satisfies Record<OutputScale, string>;

/** As in "is learned as its ...". */
export function wordsOfScale(scale: OutputScale): string {
  return words[scale];
}

/** The power of the learned quantity that is the output; undefined for the logarithm. */
export function powerOf(scale: OutputScale): 1 | 2 | 4 | undefined {
  return ({ linear: 1, sqrt: 2, "fourth-root": 4, log: undefined } as const)[scale];
}

/** From an output to what is learned. */
export function toLearned(scale: OutputScale, value: number): number {
  switch (scale) {
    case "linear":
      return value;
    case "sqrt":
      return Math.sqrt(value);
    case "fourth-root":
      return Math.sqrt(Math.sqrt(value));
    case "log":
      return Math.log(value);
    default:
      return scale satisfies never;
  }
}

/** The way back. A root below 0 counts as 0. */
export function fromLearned(scale: OutputScale, value: number): number {
  switch (scale) {
    case "linear":
      return value;
    case "sqrt":
      return Math.max(0, value) ** 2;
    case "fourth-root":
      return Math.max(0, value) ** 4;
    case "log":
      return Math.exp(value);
    default:
      return scale satisfies never;
  }
}

/** How fast the output changes with what is learned, where the output has a value. */
export function slopeAt(scale: OutputScale, value: number): number {
  const power = powerOf(scale);
  return power === undefined ? value : power === 1 ? 1 : power * toLearned(scale, value) ** (power - 1);
}

/** Mean and standard deviation of an output where what is learned is normal: of powers by their moments, of the exponential as
 * log-normal (Johnson, Kotz & Balakrishnan 1994, ch. 13 and 14). */
export function unlearnedMoments(
  scale: OutputScale,
  mean: number,
  std: number,
): { readonly mean: number; readonly std: number } {
  const variance = std * std;
  if (scale === "linear") return { mean, std };
  if (scale === "log") {
    const centre = Math.exp(mean + variance / 2);
    return { mean: centre, std: centre * Math.sqrt(Math.expm1(variance)) };
  }
  const square = Math.max(0, mean) ** 2;
  if (scale === "sqrt") return { mean: square + variance, std: Math.sqrt(variance * (4 * square + 2 * variance)) };
  return {
    mean: square * square + variance * (6 * square + 3 * variance),
    std: Math.sqrt(
      variance * (16 * square ** 3 + variance * (168 * square ** 2 + variance * (384 * square + 96 * variance))),
    ),
  };
}

/** Standard deviation of what is learned, from the moments of its root's power: the way back of {@link unlearnedMoments}. */
function spreadOf(scale: OutputScale, mean: number, std: number): number {
  if (!(mean > 0)) return 0;
  const share = (each: { readonly mean: number; readonly std: number }): number => each.std / each.mean;
  const zero = unlearnedMoments(scale, 0, 1);
  if (std / mean >= share(zero) * (1 - 1e-9)) return toLearned(scale, mean / zero.mean);
  // For a mean of 1 of what is learned; the share rises with the standard deviation.
  let [low, high] = [0, 1e6];
  for (let i = 0; i < 80; i++) {
    const middle = i < 20 ? Math.sqrt(Math.max(low, 1e-6) * high) : (low + high) / 2;
    if (share(unlearnedMoments(scale, 1, middle)) < std / mean) low = middle;
    else high = middle;
  }
  return high * toLearned(scale, mean / unlearnedMoments(scale, 1, high).mean);
}

/**
 * Middle and half width of an interval, on the scale of what is learned. An interval of a root that was cut at 0 has lost its lower end:
 * then they follow from its upper end and from the moments, as if there were no noise.
 * @param factor half width in standard deviations
 */
export function middleOf(
  scale: OutputScale,
  interval: { readonly lower: number; readonly upper: number; readonly mean: number; readonly std: number },
  factor: number,
): readonly [middle: number, half: number] {
  const { lower, upper, mean, std } = interval;
  const high = toLearned(scale, upper);
  if (lower > 0 || scale === "linear" || scale === "log") {
    const low = toLearned(scale, lower);
    return [(low + high) / 2, (high - low) / 2];
  }
  const half = factor * spreadOf(scale, mean, std);
  return [high - half, half];
}
