/** What an experimental design is: the points at which a simulator is to be run. */
import { OptionError } from "../../errors.ts";
import type { Rng } from "../../rng.ts";

/**
 * Places `n` points in [0, 1)^d; the same stream gives the same bytes.
 * @returns n × d, row-major   @throws OptionError if n or d is no whole number from 1, or d is more than the design can do
 */
export type Design = (n: number, d: number, rng: Rng) => Float64Array;

/** Refuses numbers of points and inputs that are no whole numbers from 1. @throws OptionError */
export function checkSize(n: number, d: number): void {
  if (!Number.isInteger(n) || n < 1) {
    throw new OptionError("OPTION_DESIGN", `design of ${n} points: must be a whole number from 1.`);
  }
  if (!Number.isInteger(d) || d < 1) {
    throw new OptionError("OPTION_DESIGN", `design in ${d} inputs: must be a whole number from 1.`);
  }
}
