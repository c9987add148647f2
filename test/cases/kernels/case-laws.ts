import { expect } from "vitest";
import { type Case, type Simulation } from "../../../cases/case.ts";
import { makeRng } from "../../../src/rng.ts";

/** Outputs of a run that must have succeeded. */
export function outputsOf(run: Simulation): Readonly<Record<string, Float64Array>> {
  if (run.status === "failed") throw new Error(`the run failed: ${run.reason}`);
  return run.outputs;
}

/** `count` points uniform in [0, 1]^d, always the same. */
export function randomInputs(d: number, count: number, seed = 1): Float64Array[] {
  const rng = makeRng(seed);
  return Array.from({ length: count }, () => Float64Array.from({ length: d }, () => rng.uniform()));
}

/** u in [0, 1]^d of physical inputs. */
export function unitInputs({ inputs }: Case, physical: readonly number[]): Float64Array {
  return Float64Array.from(inputs, ({ low, high, scale }, i) => {
    const map = scale === "log" ? Math.log : (x: number): number => x;
    return (map(physical[i]!) - map(low)) / (map(high) - map(low));
  });
}

/** What every case must do: named outputs of the stated shapes, finite, repeatable, noise of the same shapes. */
export function expectContract(subject: Case, count = 3): void {
  expect(subject.source.length).toBeGreaterThan(0);
  const corners = [new Float64Array(subject.inputs.length), new Float64Array(subject.inputs.length).fill(1)];
  for (const u of [...corners, ...randomInputs(subject.inputs.length, count)]) {
    const before = u.slice();
    const outputs = outputsOf(subject.simulate(u));
    expect(u).toEqual(before);
    expect(Object.keys(outputs)).toEqual(subject.outputs.map(({ name }) => name));
    for (const { name, shape, axes } of subject.outputs) {
      const values = outputs[name]!;
      expect(values.length).toBe(shape.reduce((size, n) => size * n, 1));
      expect(values.every(Number.isFinite), name).toBe(true);
      for (const axis of axes) expect(shape).toContain(axis.values.length);
    }
    for (const name of subject.inverse.observed) {
      const noise = subject.inverse.noise(name, outputs[name]!);
      expect(noise.length).toBe(outputs[name]!.length);
      expect(noise.every((s) => s > 0 && Number.isFinite(s))).toBe(true);
    }
    expect(outputsOf(subject.simulate(u))).toEqual(outputs);
  }
}

/** Largest change of output `name` between two resolutions at random inputs, as a share of that run's range. */
export function largestChange(
  coarse: (u: Float64Array) => Simulation,
  fine: (u: Float64Array) => Simulation,
  name: string,
  d: number,
  count = 5,
): number {
  let worst = 0;
  for (const u of randomInputs(d, count, 7)) {
    const a = outputsOf(coarse(u))[name]!;
    const b = outputsOf(fine(u))[name]!;
    const range = Math.max(...b) - Math.min(...b);
    a.forEach((value, i) => (worst = Math.max(worst, Math.abs(value - b[i]!) / range)));
  }
  return worst;
}
