import { monotoneCubic } from "../kernels/index.ts";

/** Structure of a fluid of ions: S(k) of k in units of 1/a, a the ion-sphere radius; or why there is none. */
export type IonStructure =
  | { readonly status: "ok"; readonly iterations: number; readonly at: (ka: number) => number }
  | { readonly status: "failed"; readonly reason: string };

const BOX = 16;
const DENSITY = 3 / (4 * Math.PI);
const MIXING = 0.6;
const TOLERANCE = 1e-8;
const MAX_ITERATIONS = 3000;

/**
 * Solver of the hypernetted-chain equations for the Yukawa fluid beta u(r) = G exp(-K r) / r, lengths in ion-sphere radii
 * (Hansen & McDonald, Theory of Simple Liquids, ch. 4): radial sine transforms with a table, simple mixing.
 * @param points radial points to r = 16
 */
export function makeHypernettedChain(points = 400): (coupling: number, screening: number) => IonStructure {
  const n = points - 1;
  const dr = BOX / points;
  const dk = Math.PI / BOX;
  const table = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) table[i * n + j] = Math.sin((Math.PI * (((i + 1) * (j + 1)) % (2 * points))) / points);
  }
  const c = new Float64Array(n);
  const ck = new Float64Array(n);
  const t = new Float64Array(n);
  const next = new Float64Array(n);
  const work = new Float64Array(n);
  const potential = new Float64Array(n);

  /** out = factor / x_i sum_j x_j f_j sin(pi i j / points), x_i = (i + 1) step_out, x_j = (j + 1) step_in. */
  function transform(out: Float64Array, f: Float64Array, stepIn: number, stepOut: number, factor: number): void {
    for (let j = 0; j < n; j++) work[j] = (j + 1) * stepIn * f[j]! * stepIn * factor;
    for (let i = 0; i < n; i++) {
      let sum = 0;
      const row = i * n;
      for (let j = 0; j < n; j++) sum += table[row + j]! * work[j]!;
      out[i] = sum / ((i + 1) * stepOut);
    }
  }

  return (coupling, screening) => {
    t.fill(0);
    for (let j = 0; j < n; j++) {
      const r = (j + 1) * dr;
      potential[j] = (coupling * Math.exp(-screening * r)) / r;
    }
    for (let iteration = 1; iteration <= MAX_ITERATIONS; iteration++) {
      for (let j = 0; j < n; j++) c[j] = Math.exp(t[j]! - potential[j]!) - 1 - t[j]!;
      transform(ck, c, dr, dk, 4 * Math.PI);
      for (let i = 0; i < n; i++) next[i] = ck[i]! / (1 - DENSITY * ck[i]!) - ck[i]!;
      transform(next, next, dk, dr, 1 / (2 * Math.PI * Math.PI));
      let change = 0;
      for (let j = 0; j < n; j++) {
        const step = MIXING * (next[j]! - t[j]!);
        t[j] = t[j]! + step;
        change = Math.max(change, Math.abs(step));
      }
      if (!(change < 1e6)) break;
      if (change < TOLERANCE) {
        const ks = Float64Array.from({ length: n }, (_, i) => (i + 1) * dk);
        const structure = ck.map((value) => 1 / (1 - DENSITY * value));
        return { status: "ok", iterations: iteration, at: monotoneCubic(ks, structure) };
      }
    }
    return { status: "failed", reason: `the ion structure did not settle at coupling ${coupling.toPrecision(4)}` };
  };
}
