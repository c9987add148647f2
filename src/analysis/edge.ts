/** The outer part of the domain, where emulators are at their worst. */
import type { EmulatorInfo } from "../emulator/index.ts";

/** What `edgeRows` picks, in words. */
export const edgeRule =
  "the fifth of the runs farthest from the centre of the training box, with each input's half range as the unit";
const edgeShare = 0.2;

/**
 * The rows at the edge: a fifth of them, the farthest by Euclidean distance from the centre of the box that the training
 * runs span. Inputs on a logarithmic scale count as their logarithms, categorical ones not at all. A fixed share, not a
 * fixed distance: with many inputs nearly every run has some input near its end.
 * @param x n x inputs, physical units   @returns ascending; empty where no input is a number
 */
export function edgeRows(schema: Pick<EmulatorInfo["schema"], "inputs">, x: Float64Array, n: number): Int32Array {
  const inputs = schema.inputs.filter(({ constant }) => constant === undefined);
  if (inputs.every(({ kind }) => kind === "categorical")) return new Int32Array();
  const distance = new Float64Array(n);
  inputs.forEach(({ kind, scale, range }, j) => {
    if (kind === "categorical") return;
    const place = (value: number): number => (scale === "log" ? Math.log(value) : value);
    const [low, high] = [place(range[0]), place(range[1])];
    const [middle, half] = [(low + high) / 2, (high - low) / 2];
    for (let i = 0; i < n; i++) distance[i]! += ((place(x[i * inputs.length + j]!) - middle) / half) ** 2;
  });
  const order = Int32Array.from({ length: n }, (_, i) => i).sort((a, b) => distance[b]! - distance[a]! || a - b);
  return order.slice(0, Math.max(1, Math.round(edgeShare * n))).sort();
}
