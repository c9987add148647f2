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
