/** A case whose simulator is a line, and the perfect emulator of it. */
import type { Case } from "../../../cases/case.ts";
import { physicalInputs } from "../../../cases/case.ts";
import type { Emulator, Runs } from "../../../src/index.ts";
import { makeRng } from "../../../src/rng.ts";

const SIZE = 8;

/** y_k = a + b k / 7 for k = 0..7, seen with noise 0.4, but for the last element, which nobody sees. */
export const toy: Case = {
  name: "toy",
  title: "A line",
  about: "Offset and slope.",
  source: ["Euclid"],
  inputs: [
    { name: "a", unit: "m", low: -1, high: 1, scale: "linear", about: "offset" },
    { name: "b", unit: "m", low: 0.1, high: 10, scale: "log", about: "slope" },
  ],
  outputs: [{ name: "y", unit: "m", shape: [SIZE], axes: [], about: "the line" }],
  runs: { train: 50, test: 20 },
  inverse: {
    about: "Both.",
    observed: ["y"],
    noise: (_name, values) => values.map((_, k) => (k === SIZE - 1 ? Infinity : 0.4)),
  },
  simulate: (u) => ({ status: "ok", outputs: { y: line(physicalInputs(toy.inputs, u)) } }),
};

function line(x: Float64Array): Float64Array {
  return Float64Array.from({ length: SIZE }, (_, k) => x[0]! + (x[1]! * k) / (SIZE - 1));
}

/** An emulator that is never wrong and knows it. */
export const perfect = {
  schema: { version: 1, inputs: [], fields: [{ name: "y", shape: [SIZE], scale: "linear" }] },
  info: {},
  predict(x: Float64Array) {
    const values = new Float64Array((x.length / 2) * SIZE);
    for (let i = 0; i < x.length / 2; i++) values.set(line(x.subarray(2 * i, 2 * i + 2)), i * SIZE);
    const zero = new Float64Array(values.length);
    return Promise.resolve([{ field: "y", mean: values, std: zero, noise: zero, lower: values, upper: values }]);
  },
  dispose: () => Promise.resolve(),
} as unknown as Emulator;

/** Runs at even draws from the box. */
export function toyRuns(n: number): Runs {
  const rng = makeRng(1);
  const x = new Float64Array(2 * n);
  const y = new Float64Array(SIZE * n);
  for (let i = 0; i < n; i++) {
    const point = physicalInputs(toy.inputs, Float64Array.of(rng.uniform(), rng.uniform()));
    x.set(point, 2 * i);
    y.set(line(point), SIZE * i);
  }
  return { schema: perfect.schema, n, d: 2, x, y: [y] } as unknown as Runs;
}
