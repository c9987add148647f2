import { describe, expect, it } from "vitest";
import { makeRng } from "../../../src/rng.ts";
import { lbfgs, type LbfgsOptions, type LbfgsResult, type Objective } from "../../../src/train/optimisers/lbfgs.ts";

/** Rosenbrock's function in n dimensions; its minimum is 0 at (1, ..., 1). */
const rosenbrock: Objective = async (x) => {
  let loss = 0;
  const gradient = new Float32Array(x.length);
  const sums = new Float64Array(x.length);
  for (let i = 0; i < x.length - 1; i++) {
    const t = x[i + 1]! - x[i]! ** 2;
    loss += 100 * t * t + (1 - x[i]!) ** 2;
    sums[i]! += -400 * x[i]! * t - 2 * (1 - x[i]!);
    sums[i + 1]! += 200 * t;
  }
  gradient.set(sums);
  return { loss, gradient };
};

/** sum of k_i (x_i - 1/3)^2 / 2 + offset, curvatures k from 1 to `condition`. */
function quadratic(n: number, condition: number, offset = 0): Objective {
  return async (x) => {
    let loss = offset;
    const gradient = new Float32Array(n);
    for (let i = 0; i < n; i++) {
      const k = condition ** (i / (n - 1));
      loss += 0.5 * k * (x[i]! - 1 / 3) ** 2;
      gradient[i] = k * (x[i]! - 1 / 3);
    }
    return { loss, gradient };
  };
}

/** The usual start of Rosenbrock's function: -1.2, 1, -1.2, 1, ... */
function usualStart(n: number): Float32Array {
  return Float32Array.from({ length: n }, (_, i) => (i % 2 === 0 ? -1.2 : 1));
}

function dot(a: ArrayLike<number>, c: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * c[i]!;
  return sum;
}

interface Move {
  readonly before: { readonly loss: number; readonly gradient: Float32Array };
  readonly after: { readonly loss: number; readonly gradient: Float32Array };
  readonly step: Float64Array;
}

/** Runs, and looks at both ends of each accepted step. */
async function moves(
  objective: Objective,
  start: Float32Array,
  options: LbfgsOptions,
): Promise<{ readonly result: LbfgsResult; readonly moves: readonly Move[] }> {
  const found: Move[] = [];
  let point = start.slice();
  let before = await objective(point);
  const result = await lbfgs(objective, start, {
    ...options,
    onIteration: async (state) => {
      const next = state.point.slice();
      const after = await objective(next);
      expect(state.loss).toBe(after.loss);
      found.push({ before, after, step: Float64Array.from(next, (value, i) => value - point[i]!) });
      point = next;
      before = after;
      return false;
    },
  });
  return { result, moves: found };
}

describe("lbfgs()", () => {
  // Iterations of SciPy 1.10.1's L-BFGS-B, which has another line search for the same conditions:
  // minimize(rosen, x0, jac=rosen_der, method="L-BFGS-B", options=dict(maxcor=20, ftol=0, gtol=1e-4)).nit
  // with x0 = [-1.2, 1] * (n // 2): 37 iterations and 45 evaluations for n = 2, 119 and 145 for n = 20.
  it.each([
    [2, 37, 45],
    [20, 119, 145],
  ])("minimises Rosenbrock's function in %d dimensions in about as many iterations as SciPy", async (n, nit, nfev) => {
    const result = await lbfgs(rosenbrock, usualStart(n), { iterations: 1000, memory: 20, gradientTolerance: 1e-4 });
    expect(result.reason).toBe("gradient");
    expect(result.loss).toBeLessThan(1e-9);
    for (const value of result.point) expect(Math.abs(value - 1)).toBeLessThan(1e-4);
    expect(Math.abs(result.iterations / nit - 1)).toBeLessThan(0.05);
    expect(Math.abs(result.evaluations / nfev - 1)).toBeLessThan(0.1);
  });

  // Mean of 10 starts drawn by NumPy; SciPy as above with gtol=1e-3 took 35.4 iterations.
  it("takes as many iterations as SciPy on ill-conditioned quadratics", async () => {
    const rng = makeRng(30);
    let iterations = 0;
    for (let i = 0; i < 10; i++) {
      const start = Float32Array.from({ length: 10 }, () => 1 / 3 + rng.normal());
      const options = { iterations: 200, memory: 20, gradientTolerance: 1e-3 };
      iterations += (await lbfgs(quadratic(10, 1000), start, options)).iterations / 10;
    }
    // SciPy's own spread over starts is 3, that of a mean of 10 is 1.
    expect(Math.abs(iterations - 35.4)).toBeLessThan(4);
  });

  it("ends on a quadratic of n dimensions after n steps where the line search is nearly exact", async () => {
    // Nocedal & Wright 2006, theorem 6.4: BFGS with exact line searches ends in at most n steps.
    const result = await lbfgs(quadratic(10, 100), new Float32Array(10), {
      iterations: 100,
      memory: 20,
      c2: 1e-3,
      gradientTolerance: 1e-3,
    });
    expect(result.reason).toBe("gradient");
    expect(result.iterations).toBeLessThanOrEqual(11);
  });

  it.each([
    ["Rosenbrock's function in 2 dimensions", rosenbrock, 2],
    ["Rosenbrock's function in 20 dimensions", rosenbrock, 20],
    ["a quadratic", quadratic(10, 1000), 10],
  ])("accepts steps under the strong Wolfe conditions alone: %s", async (_, objective, n) => {
    const [c1, c2] = [1e-4, 0.9];
    const { result, moves: accepted } = await moves(objective, usualStart(n), {
      iterations: 1000,
      c1,
      c2,
      // Well above the rounding of float32, where no step meets them.
      gradientTolerance: 1e-2,
    });
    expect(result.reason).toBe("gradient");
    expect(accepted.length).toBe(result.iterations);
    expect(accepted.length).toBeGreaterThan(15);
    for (const { before, after, step } of accepted) {
      // `step` is alpha p: alpha cancels in the curvature condition. Slack for the rounding of the point to float32.
      const slope = dot(before.gradient, step);
      expect(slope).toBeLessThan(0);
      expect(after.loss).toBeLessThanOrEqual(before.loss + c1 * slope * (1 - 1e-3));
      expect(Math.abs(dot(after.gradient, step))).toBeLessThanOrEqual(c2 * Math.abs(slope) * (1 + 1e-3));
    }
  });

  it("never lets the loss rise", async () => {
    const { moves: accepted } = await moves(rosenbrock, usualStart(6), { iterations: 500 });
    expect(accepted.length).toBeGreaterThan(20);
    for (const { before, after } of accepted) expect(after.loss).toBeLessThan(before.loss);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])("backs out of a region where the loss is %d", async (bad) => {
    // The first step from 0.1 is one gradient long, to 0.7: over the wall at 0.5.
    let walls = 0;
    const walled: Objective = async ([x = 0]) => {
      if (x > 0.5) {
        walls++;
        return { loss: bad, gradient: Float32Array.of(Number.NaN) };
      }
      return { loss: (x - 0.4) ** 2, gradient: Float32Array.of(2 * (x - 0.4)) };
    };
    const result = await lbfgs(walled, Float32Array.of(0.1), { iterations: 100 });
    expect(walls).toBeGreaterThan(0);
    expect(result.point[0]).toBeCloseTo(0.4, 5);
    expect(result.loss).toBeLessThan(1e-10);
  });

  it("does not settle where the gradient is not a number", async () => {
    // The loss falls on into a region without gradients.
    let holes = 0;
    const holed: Objective = async ([x = 0]) => {
      const hole = x > 0.2;
      if (hole) holes++;
      return { loss: (x - 0.35) ** 2, gradient: Float32Array.of(hole ? Number.NaN : 2 * (x - 0.35)) };
    };
    const result = await lbfgs(holed, Float32Array.of(-0.5), { iterations: 100 });
    expect(holes).toBeGreaterThan(0);
    expect(result.point[0]).toBeLessThanOrEqual(0.2);
    expect(result.loss).toBeLessThan(0.85 ** 2);
  });

  it("ends at once where the start itself has no loss", async () => {
    const nowhere: Objective = async () => ({ loss: Number.NaN, gradient: Float32Array.of(Number.NaN) });
    const result = await lbfgs(nowhere, Float32Array.of(1), { iterations: 100 });
    expect(result).toMatchObject({ iterations: 0, reason: "stalled" });
    expect([...result.point]).toEqual([1]);
  });

  it("stalls where float32 can go no lower, instead of using up its iterations", async () => {
    // The least loss is not 0, as with real data: there the decrease that Armijo asks for drowns in the loss.
    for (const offset of [0.001, 1]) {
      const result = await lbfgs(quadratic(8, 100, offset), new Float32Array(8), { iterations: 5000 });
      expect(result.reason).toBe("stalled");
      expect(result.iterations).toBeLessThan(100);
      expect(result.evaluations).toBeLessThan(300);
      for (const value of result.point) expect(Math.abs(value - 1 / 3)).toBeLessThan(1e-3);
    }
  });

  it("does not chase the rounding errors of the loss", async () => {
    const smooth = quadratic(12, 300, 1);
    const rough: Objective = async (x) => {
      const { loss, gradient } = await smooth(x);
      return { loss: loss + 1e-13 * Math.sin(x.reduce((sum, value, i) => sum + 1e7 * (i + 1) * value, 0)), gradient };
    };
    const steps: number[] = [];
    const onIteration = ({ loss }: { readonly loss: number }): boolean => {
      steps.push(loss);
      return false;
    };
    const result = await lbfgs(rough, new Float32Array(12), { iterations: 5000, onIteration });
    expect(result.reason).toBe("stalled");
    const small = steps.filter((loss, i) => i > 0 && steps[i - 1]! - loss < 1e-9);
    expect(small.length).toBeLessThanOrEqual(6);
  });

  it("stalls on a loss that is float32 itself", async () => {
    const rounded: Objective = async (x) => {
      const { loss, gradient } = await rosenbrock(x);
      return { loss: Math.fround(0.001 + loss), gradient };
    };
    const result = await lbfgs(rounded, usualStart(10), { iterations: 5000 });
    expect(result.reason).toBe("stalled");
    expect(result.evaluations).toBeLessThan(600);
    expect(result.loss).toBeCloseTo(0.001, 7);
  });

  it("says what ended it", async () => {
    const start = usualStart(2);
    expect(await lbfgs(rosenbrock, start, { iterations: 5 })).toMatchObject({ iterations: 5, reason: "iterations" });
    expect(await lbfgs(rosenbrock, start, { iterations: 0 })).toMatchObject({ iterations: 0, evaluations: 1 });
    expect(await lbfgs(rosenbrock, Float32Array.of(1, 1), { iterations: 5 })).toMatchObject({
      iterations: 0,
      reason: "gradient",
    });
    const stopped = await lbfgs(rosenbrock, start, { iterations: 50, onIteration: ({ iteration }) => iteration === 3 });
    expect(stopped).toMatchObject({ iterations: 3, reason: "stopped" });
  });

  it("gives the same bytes twice, and leaves the start as it was", async () => {
    const start = usualStart(20);
    const once = await lbfgs(rosenbrock, start, { iterations: 60 });
    expect(await lbfgs(rosenbrock, start, { iterations: 60 })).toEqual(once);
    expect(start).toEqual(usualStart(20));
  });

  it("copies the gradient, so that the objective may reuse its buffer", async () => {
    const buffer = new Float32Array(20);
    const reusing: Objective = async (x) => {
      const { loss, gradient } = await rosenbrock(x);
      buffer.set(gradient);
      return { loss, gradient: buffer };
    };
    const options = { iterations: 60 };
    expect(await lbfgs(reusing, usualStart(20), options)).toEqual(await lbfgs(rosenbrock, usualStart(20), options));
  });

  it("follows a shorter memory to the same minimum", async () => {
    const result = await lbfgs(rosenbrock, usualStart(20), { iterations: 1000, memory: 3, gradientTolerance: 1e-3 });
    expect(result.reason).toBe("gradient");
    expect(result.loss).toBeLessThan(1e-6);
  });
});
