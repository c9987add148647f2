/**
 * Correlations of a Gaussian process, products over the inputs of one-dimensional ones:
 * R(x, x') = prod_l f_l, f_l = 1 - b_l + b_l k(beta_l |x_l - x'_l|).
 * With all b = 1 this is the usual product kernel. Smaller b make it the ANOVA kernel (Durrande, Ginsbourger, Roustant &
 * Carraro 2013): main effects and interactions of every order, weighted by how much each input takes part.
 */

/** One-dimensional correlations k(u) = poly(u) exp(-expo(u)), u scaled so that they have their usual names. */
export const kernelNames = ["gaussian", "matern52", "matern32", "matern12"] as const;
export type KernelName = (typeof kernelNames)[number];

/** u = rate * beta * |dx|. */
export const kernelRate: Readonly<Record<KernelName, number>> = {
  gaussian: Math.SQRT1_2,
  matern52: Math.sqrt(5),
  matern32: Math.sqrt(3),
  matern12: 1,
};

/** A kernel with its parameters. */
export interface Kernel {
  readonly name: KernelName;
  /** Inverse length scales, one per input. */
  readonly beta: Float64Array;
  /** Weights b, one per input; undefined: all 1. */
  readonly weights: Float64Array | undefined;
}

/** x (n × d) with each column times rate * beta: what the loops below work on. */
function scaled(kernel: Kernel, x: Float64Array, n: number): Float64Array {
  const d = kernel.beta.length;
  const rate = kernelRate[kernel.name];
  const out = new Float64Array(n * d);
  for (let i = 0; i < n; i++) for (let l = 0; l < d; l++) out[i * d + l] = x[i * d + l]! * kernel.beta[l]! * rate;
  return out;
}

/** Correlations between the rows of `x` (n × d) and of `z` (m × d), n × m. */
export function correlations(kernel: Kernel, x: Float64Array, n: number, z: Float64Array, m: number): Float64Array {
  const out = new Float64Array(n * m);
  const a = scaled(kernel, x, n);
  const c = scaled(kernel, z, m);
  for (let i = 0; i < n; i++) fillRow(kernel, a, i, c, m, out, i * m);
  return out;
}

/** Correlations among the rows of `x`, n × n, of which the lower triangle and the diagonal are filled. */
export function selfCorrelations(kernel: Kernel, x: Float64Array, n: number): Float64Array {
  const out = new Float64Array(n * n);
  const a = scaled(kernel, x, n);
  for (let i = 0; i < n; i++) fillRow(kernel, a, i, a, i + 1, out, i * n);
  return out;
}

/** Coefficients of each k: poly = 1 + p1 u + p2 u², -dk/dlog beta = (s1 u + s2 u² + s3 u³) exp(-expo), expo = u or u². */
export const kernelShapes: Readonly<
  Record<KernelName, { p1: number; p2: number; s1: number; s2: number; s3: number }>
> = {
  gaussian: { p1: 0, p2: 0, s1: 0, s2: 2, s3: 0 },
  matern52: { p1: 1, p2: 1 / 3, s1: 0, s2: 1 / 3, s3: 1 / 3 },
  matern32: { p1: 1, p2: 0, s1: 0, s2: 1, s3: 0 },
  matern12: { p1: 0, p2: 0, s1: 1, s2: 0, s3: 0 },
};

/** exp(-u) for u in [0, 40) by a table and a polynomial, good to 1e-15; 0 beyond. Three times as fast as Math.exp. */
const table = Float64Array.from({ length: 2561 }, (_, i) => Math.exp(-i / 64));
function decay(u: number): number {
  if (!(u < 40)) return 0;
  const i = (u * 64) | 0;
  const r = u - i / 64;
  return table[i]! * (1 - r * (1 - r * (1 / 2 - r * (1 / 6 - r * (1 / 24 - r * (1 / 120 - r / 720))))));
}

/** Correlations of row `i` of `a` with the first `m` rows of `c`; both scaled. */
function fillRow(
  kernel: Kernel,
  a: Float64Array,
  i: number,
  c: Float64Array,
  m: number,
  out: Float64Array,
  at: number,
): void {
  const d = kernel.beta.length;
  const w = kernel.weights;
  const { p1, p2 } = kernelShapes[kernel.name];
  const squared = kernel.name === "gaussian";
  const row = i * d;
  if (w === undefined) {
    for (let j = 0; j < m; j++) {
      let poly = 1;
      let expo = 0;
      for (let l = 0, cj = j * d; l < d; l++) {
        const u = Math.abs(a[row + l]! - c[cj + l]!);
        poly *= 1 + u * (p1 + p2 * u);
        expo += squared ? u * u : u;
      }
      out[at + j] = poly * Math.exp(-expo);
    }
    return;
  }
  for (let j = 0; j < m; j++) {
    let product = 1;
    for (let l = 0, cj = j * d; l < d; l++) {
      const u = Math.abs(a[row + l]! - c[cj + l]!);
      const b = w[l]!;
      product *= 1 - b + b * (1 + u * (p1 + p2 * u)) * decay(squared ? u * u : u);
    }
    out[at + j] = product;
  }
}

/** Adds sum_{i>j} g_ij dR_ij / d log beta_l to `intoBeta`, and the same for logit b_l to `intoWeights`.
 * @param r correlations as `selfCorrelations` fills them  @param g n × n, lower triangle read */
export function contractGradient(
  kernel: Kernel,
  x: Float64Array,
  n: number,
  r: Float64Array,
  g: Float64Array,
  intoBeta: Float64Array,
  intoWeights: Float64Array | undefined,
): void {
  const d = kernel.beta.length;
  const a = scaled(kernel, x, n);
  const w = kernel.weights;
  const { p1, p2, s1, s2, s3 } = kernelShapes[kernel.name];
  const squared = kernel.name === "gaussian";
  for (let i = 1; i < n; i++) {
    for (let j = 0; j < i; j++) {
      const weight = g[i * n + j]! * r[i * n + j]!;
      const ai = i * d;
      const aj = j * d;
      if (w === undefined || intoWeights === undefined) {
        for (let l = 0; l < d; l++) {
          const u = Math.abs(a[ai + l]! - a[aj + l]!);
          intoBeta[l]! -= (weight * u * (s1 + u * (s2 + s3 * u))) / (1 + u * (p1 + p2 * u));
        }
        continue;
      }
      for (let l = 0; l < d; l++) {
        const u = Math.abs(a[ai + l]! - a[aj + l]!);
        const e = decay(squared ? u * u : u);
        const b = w[l]!;
        const k = (1 + u * (p1 + p2 * u)) * e;
        const share = (weight * b) / (1 - b + b * k);
        intoBeta[l]! -= share * u * (s1 + u * (s2 + s3 * u)) * e;
        intoWeights[l]! += share * (k - 1);
      }
    }
  }
  if (w !== undefined && intoWeights !== undefined) for (let l = 0; l < d; l++) intoWeights[l]! *= 1 - w[l]!;
}
