import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { makeAlgebra } from "../../src/process/cholesky.ts";
import { kernelNames } from "../../src/process/kernel.ts";
import { minimise } from "../../src/process/minimise.ts";
import { type Family, posterior, posteriorValue, type Problem, solve } from "../../src/process/posterior.ts";
import { predictProcess, type Predictor } from "../../src/process/index.ts";
import { makeRng } from "../../src/rng.ts";

/** By NumPy: golden/solution.py says how. */
interface Golden {
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly z: readonly number[];
  readonly beta: readonly number[];
  readonly weights: readonly number[];
  readonly nugget: number;
  readonly product: Readonly<Record<string, GoldenSolution>>;
  readonly anova: Readonly<Record<string, GoldenSolution>>;
}
interface GoldenSolution {
  readonly value: number;
  readonly variance: number;
  readonly mean: readonly number[];
  readonly latentVariance: readonly number[];
  readonly looMean: readonly number[];
  readonly looVariance: readonly number[];
}
const golden = JSON.parse(readFileSync(new URL("golden/solution.json", import.meta.url), "utf8")) as Golden;

function problemOf(x: ArrayLike<number>, y: ArrayLike<number>, d: number): Problem {
  const n = y.length;
  const columns = Array.from({ length: d }, (_, l) => Array.from({ length: n }, (_, i) => x[i * d + l]!));
  const ranges = Float64Array.from(columns, (column) => Math.max(...column) - Math.min(...column));
  return { x: Float64Array.from(x), h: new Float64Array(n).fill(1), y: Float64Array.from(y), n, d, q: 1, ranges };
}
const problem = problemOf(golden.x, golden.y, 2);
const thetaOf = (family: Family): Float64Array =>
  Float64Array.from([
    ...golden.beta.map(Math.log),
    Math.log(golden.nugget),
    ...(family.anova ? golden.weights.map((b) => Math.log(b / (1 - b))) : []),
  ]);
const families = kernelNames.flatMap((name) => [false, true].map((anova) => ({ name, anova })));

/** A fit of one process, uncalibrated. */
async function plainFit(family: Family, p: Problem, theta: Float64Array): Promise<Predictor> {
  const s = (await solve(theta, family, p, makeAlgebra()))!;
  const spread = { size: 1, power: 0, prior: 0, squares: new Float64Array(0), meanSquare: 1 };
  const { looMean, looVariance } = s;
  const limits = { lower: undefined, upper: undefined };
  const output = {
    components: [{ ...s, weight: 1 }],
    limits,
    lead: 0,
    spread,
    noise: 1,
    looMean,
    looVariance,
    looCrps: 0,
  };
  return { x: p.x, n: p.n, r: p.n, d: p.d, m: 1, outputs: [output], projection: undefined };
}

function expectClose(found: ArrayLike<number>, wanted: readonly number[], relative: number): void {
  wanted.forEach((v, i) => {
    expect(Math.abs(found[i]! - v)).toBeLessThan(relative * (1 + Math.abs(v)));
  });
  expect(wanted.length).toBeGreaterThan(0);
}

describe.each(families)("the process with kernel $name, weights: $anova", (family) => {
  const wanted = (family.anova ? golden.anova : golden.product)[family.name]!;
  const theta = thetaOf(family);

  it("has the posterior, variance and held-out residuals that NumPy finds, to 1e-9", async () => {
    const s = (await solve(theta, family, problem, makeAlgebra()))!;
    expectClose([s.value, s.variance], [wanted.value, wanted.variance], 1e-9);
    expectClose(s.looMean, wanted.looMean, 1e-9);
    expectClose(s.looVariance, wanted.looVariance, 1e-9);
  });

  it("predicts as NumPy does, as a graph, to 1e-9", async () => {
    const { mean, variance } = await predictProcess(
      await plainFit(family, problem, theta),
      Float64Array.from(golden.z),
    );
    expectClose(mean, wanted.mean, 1e-9);
    expectClose(variance, wanted.latentVariance, 1e-9);
  });

  it("has a gradient that central differences agree with", async () => {
    const algebra = makeAlgebra();
    const { gradient } = await posterior(theta, family, problem, algebra);
    const step = 1e-5;
    for (let i = 0; i < theta.length; i++) {
      const at = (by: number): Promise<number> =>
        posteriorValue(
          theta.map((v, j) => (j === i ? v + by : v)),
          family,
          problem,
          algebra,
        );
      const slope = ((await at(step)) - (await at(-step))) / (2 * step);
      expect(Math.abs(gradient[i]! - slope)).toBeLessThan(1e-5 * (1 + Math.abs(slope)));
    }
    expect(gradient.length).toBe(family.anova ? 5 : 3);
  });
});

describe("held-out residuals in closed form", () => {
  it("are those of a process solved without the run", async () => {
    const family: Family = { name: "matern52", anova: false };
    const theta = thetaOf(family);
    const whole = (await solve(theta, family, problem, makeAlgebra()))!;
    const out = 17;
    const without = problemOf(
      golden.x.filter((_, i) => Math.floor(i / 2) !== out),
      golden.y.filter((_, i) => i !== out),
      2,
    );
    const fit = await plainFit(family, without, theta);
    const { mean } = await predictProcess(fit, Float64Array.from(golden.x.slice(2 * out, 2 * out + 2)));
    expect(whole.looMean[out]).toBeCloseTo(mean[0]!, 9);
  });
});

describe("choleskyInverse()", () => {
  it("inverts the factor of a matrix of many blocks", async () => {
    const n = 203;
    const rng = makeRng(3);
    const root = Float64Array.from({ length: n * n }, () => rng.normal());
    const algebra = makeAlgebra();
    const a = await algebra.gram(root, n, n);
    for (let i = 0; i < n; i++) a[i * n + i]! += 1;
    const found = (await algebra.choleskyInverse(a, n))!;
    const inverse = await algebra.gram(found.inverse, n, n);
    const identity = await algebra.product(a, inverse, n, n, n);
    let worst = 0;
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) worst = Math.max(worst, Math.abs(identity[i * n + j]! - (i === j ? 1 : 0)));
    expect(worst).toBeLessThan(1e-9);
    expect(found.inverse[n - 1]).toBe(0);
  });

  it("gives nothing for a matrix that is not positive definite", async () => {
    expect(await makeAlgebra().choleskyInverse(Float64Array.from([1, 0, 2, 1]), 2)).toBeUndefined();
  });
});

describe("minimise()", () => {
  const rosenbrock = (p: Float64Array): Promise<{ value: number; gradient: Float64Array }> => {
    const [a, b] = [p[0]!, p[1]!];
    const value = (1 - a) ** 2 + 100 * (b - a * a) ** 2;
    const gradient = Float64Array.from([-2 * (1 - a) - 400 * a * (b - a * a), 200 * (b - a * a)]);
    return Promise.resolve({ value, gradient });
  };
  const options = { evaluations: 300, tolerance: 1e-14 };

  it("finds the minimum of Rosenbrock's valley", async () => {
    const box = { lower: new Float64Array(2).fill(-5), upper: new Float64Array(2).fill(5) };
    const { point } = await minimise(Float64Array.from([-1.2, 1]), rosenbrock, { ...box, ...options });
    expect(point[0]).toBeCloseTo(1, 4);
    expect(point[1]).toBeCloseTo(1, 4);
  });

  it("stops at the box", async () => {
    const box = { lower: new Float64Array(2).fill(-5), upper: new Float64Array(2).fill(0.5) };
    const { point } = await minimise(Float64Array.from([-1.2, 0]), rosenbrock, { ...box, ...options });
    // On the edge a = 0.5 the best b is a².
    expect(point[0]).toBeCloseTo(0.5, 6);
    expect(point[1]).toBeCloseTo(0.25, 4);
  });
});
