import { describe, expect, it } from "vitest";
import { makeAlgebra } from "../../../src/process/index.ts";
import { makeRng } from "../../../src/rng.ts";
import { levenbergMarquardt, type ResidualProblem } from "../../../src/train/optimisers/index.ts";

/** Residuals and their derivatives, R x P, at a point. */
type Model = (point: Float32Array) => { readonly r: number[]; readonly j: number[][] };

/** A problem from a model with its derivatives written out. @param decaying which weights decay */
function problemOf(model: Model, count: number, decaying: readonly boolean[]): ResidualProblem {
  const algebra = makeAlgebra();
  const dot = (a: readonly number[], c: readonly number[], some: (p: number) => boolean): number =>
    a.reduce((sum, v, p) => (some(p) ? sum + v * c[p]! : sum), 0);
  const gram = (j: number[][], some: (p: number) => boolean): Float64Array =>
    Float64Array.from({ length: count * count }, (_, k) => dot(j[Math.floor(k / count)]!, j[k % count]!, some));
  return {
    residuals: count,
    mask: Float32Array.from(decaying, Number),
    async linearise(point) {
      const { r, j } = model(point);
      return {
        residuals: Float32Array.from(r),
        decaying: gram(j, (p) => decaying[p]!),
        free: gram(j, (p) => !decaying[p]!),
        along: Float32Array.from(j, (row) => dot(row, [...point], (p) => decaying[p]!)),
      };
    },
    async pull(point, v) {
      const { j } = model(point);
      return Float32Array.from(decaying, (_, p) => j.reduce((sum, row, i) => sum + row[p]! * v[i]!, 0));
    },
    meanSquare: async (point) => model(point).r.reduce((sum, v) => sum + v * v, 0) / count,
    solve: (a, b) => algebra.solve(a, count, b),
  };
}

/** r = A x - b with more weights than residuals; the last weight does not decay. */
function linear(): { readonly model: Model; readonly a: number[][]; readonly b: number[] } {
  const rng = makeRng(5);
  const a = Array.from({ length: 4 }, () => Array.from({ length: 7 }, () => rng.normal()));
  const b = Array.from({ length: 4 }, () => rng.normal());
  const model: Model = (x) => ({ r: a.map((row, i) => row.reduce((sum, v, p) => sum + v * x[p]!, -b[i]!)), j: a });
  return { model, a, b };
}

/** Rosenbrock's valley as residuals. */
const rosenbrock: Model = ([x = 0, y = 0]) => ({
  r: [10 * (y - x * x), 1 - x],
  j: [
    [-20 * x, 10],
    [-1, 0],
  ],
});

describe("levenbergMarquardt()", () => {
  it("finds the minimum of a linear problem with decay: its gradient is zero there", async () => {
    const { model, a } = linear();
    const decaying = [...new Array<boolean>(6).fill(true), false];
    const weightDecay = 0.05;
    const problem = problemOf(model, 4, decaying);
    const start = new Float32Array(7).fill(1);
    const { point, meanSquare } = await levenbergMarquardt(problem, start, {
      weightDecay,
      iterations: 30,
      damping: 1e-3,
    });
    const { r } = model(point);
    expect(meanSquare).toBeCloseTo(r.reduce((sum, v) => sum + v * v, 0) / 4, 6);
    decaying.forEach((decays, p) => {
      const slope = a.reduce((sum, row, i) => sum + row[p]! * r[i]!, 0) / 4 + (decays ? weightDecay * point[p]! : 0);
      expect(Math.abs(slope)).toBeLessThan(2e-3);
    });
  });

  it("follows a curved valley to its end, and never goes up", async () => {
    const losses: number[] = [];
    const problem = problemOf(rosenbrock, 2, [false, false]);
    const { point, iterations, evaluations } = await levenbergMarquardt(problem, Float32Array.of(-1.2, 1), {
      weightDecay: 0,
      iterations: 60,
      damping: 1e-2,
      onIteration: (_, loss) => losses.push(loss) < 0,
    });
    expect(point[0]).toBeCloseTo(1, 3);
    expect(point[1]).toBeCloseTo(1, 3);
    expect(losses).toEqual([...losses].sort((x, y) => y - x));
    expect(losses).toHaveLength(iterations);
    expect(iterations).toBeLessThan(40);
    expect(evaluations).toBeGreaterThan(iterations);
  });

  it("stops when told, where it is", async () => {
    const problem = problemOf(rosenbrock, 2, [false, false]);
    const options = { weightDecay: 0, damping: 1e-2, iterations: 60 };
    const stopped = await levenbergMarquardt(problem, Float32Array.of(-1.2, 1), {
      ...options,
      onIteration: (iteration) => iteration === 3,
    });
    const short = await levenbergMarquardt(problem, Float32Array.of(-1.2, 1), { ...options, iterations: 3 });
    expect(stopped).toEqual(short);
    expect(stopped.iterations).toBe(3);
  });

  it("damps more where a system cannot be solved, and gives up where none can", async () => {
    const { model } = linear();
    let refused = 0;
    const problem = problemOf(model, 4, new Array<boolean>(7).fill(true));
    const moody = {
      ...problem,
      solve: async (a: Float64Array, b: Float64Array) => (refused++ < 3 ? undefined : problem.solve(a, b)),
    };
    const options = { weightDecay: 0, iterations: 5, damping: 1e-3 };
    const start = new Float32Array(7).fill(1);
    const found = await levenbergMarquardt(moody, start, options);
    expect(found.meanSquare).toBeLessThan(1e-3 * (await problem.meanSquare(start)));
    const hopeless = await levenbergMarquardt({ ...problem, solve: async () => undefined }, start, options);
    expect(hopeless.iterations).toBe(0);
    expect(hopeless.point).toEqual(start);
    expect(hopeless.damping).toBe(1);
  });
});
