import { expect } from "vitest";
import type { Tensors } from "../../src/engine/index.ts";

/** Expects the same names, element types and sizes, and values that differ by at most `tolerance` of the largest
 * absolute value in their tensor: float32 sums taken in another order differ by a few 1e-7. */
export function expectClose(actual: Tensors, expected: Tensors, tolerance = 1e-4): void {
  expect(Object.keys(actual)).toEqual(Object.keys(expected));
  for (const [name, values] of Object.entries(expected)) {
    const got = actual[name]!;
    expect([name, got.constructor.name, got.length]).toEqual([name, values.constructor.name, values.length]);
    const numbers = Array.from(values, Number);
    const scale = Math.max(1e-6, ...numbers.map(Math.abs));
    const worst = Math.max(...numbers.map((value, i) => Math.abs(Number(got[i]) - value)));
    expect(worst, `largest difference in ${name}`).toBeLessThanOrEqual(tolerance * scale);
  }
}
