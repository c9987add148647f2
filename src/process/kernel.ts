/**
 * Correlations of a Gaussian process, products over the inputs of one-dimensional ones:
 * R(x, x') = prod_l f_l, f_l = 1 - b_l + b_l k(beta_l |x_l - x'_l|).
 * With all b = 1 this is the usual product kernel. Smaller b make it the ANOVA kernel (Durrande, Ginsbourger, Roustant &
 * Carraro 2013): main effects and interactions of every order, weighted by how much each input takes part.
 */

/** One-dimensional correlations k(u) = poly(u) exp(-expo(u)), u scaled so that they have their usual names. */
export const kernelNames = ["gaussian", "matern52", "matern32", "matern12"] as const;
export type KernelName = (typeof kernelNames)[number];

/** What is left of an input's distance: u = rate * beta * |dx|. */
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
  const { name } = kernel;
  for (let j = 0; j < m; j++) {
    let poly = 1;
    let expo = 0;
    for (let l = 0; l < d; l++) {
      const u = Math.abs(a[i * d + l]! - c[j * d + l]!);
      if (w === undefined) {
        if (name === "matern52") poly *= 1 + u + (u * u) / 3;
        else if (name === "matern32") poly *= 1 + u;
        expo += name === "gaussian" ? u * u : u;
      } else {
        const p = name === "matern52" ? 1 + u + (u * u) / 3 : name === "matern32" ? 1 + u : 1;
        poly *= 1 - w[l]! + w[l]! * p * Math.exp(name === "gaussian" ? -u * u : -u);
      }
    }
    out[at + j] = w === undefined ? poly * Math.exp(-expo) : poly;
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
  const { name } = kernel;
  for (let i = 1; i < n; i++) {
    for (let j = 0; j < i; j++) {
      const weight = g[i * n + j]! * r[i * n + j]!;
      if (weight === 0) continue;
      for (let l = 0; l < d; l++) {
        const u = Math.abs(a[i * d + l]! - a[j * d + l]!);
        // k and -dk/dlog beta, both without their exponential
        const p = name === "matern52" ? 1 + u + (u * u) / 3 : name === "matern32" ? 1 + u : 1;
        const slope =
          name === "matern52" ? (u * u * (1 + u)) / 3 : name === "matern32" ? u * u : name === "gaussian" ? 2 * u * u : u;
        if (w === undefined || intoWeights === undefined) intoBeta[l]! -= (weight * slope) / p;
        else {
          const b = w[l]!;
          const e = Math.exp(name === "gaussian" ? -u * u : -u);
          const share = weight / (1 - b + b * p * e);
          intoBeta[l]! -= share * b * slope * e;
          intoWeights[l]! += share * (p * e - 1) * b * (1 - b);
        }
      }
    }
  }
}
