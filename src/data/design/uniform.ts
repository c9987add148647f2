import type { Rng } from "../../rng.ts";
import { checkSize } from "./design.ts";

/** Independent uniform points: for tests, never clever. @returns n × d, row-major, in [0, 1)   @throws OptionError */
export function uniformPoints(n: number, d: number, rng: Rng): Float64Array {
  checkSize(n, d);
  return Float64Array.from({ length: n * d }, () => rng.uniform());
}
