/**
 * Toy simulators with exact closed forms, as data for benchmarks: one for signals, one for images (spec 12, item 1). Both
 * are nonlinear in their inputs and local in their outputs: what an input moves is a small feature of the field.
 */

export interface Toy {
  readonly name: string;
  readonly inputs: readonly { readonly name: string; readonly from: number; readonly to: number }[];
  /** Shape of the field: [L] or [H, W]. */
  readonly spatial: readonly number[];
  /** Fills `out` with the field at the physical inputs `p`, row-major. */
  simulateInto(out: Float64Array, p: ArrayLike<number>): void;
}

/**
 * Response amplitude of a damped oscillator with a weaker companion mode over driving frequency w in [0.2, 2.2]:
 * |1 / (f^2 - w^2 + i g w) + c / ((f + d)^2 - w^2 + i g w)|, on a scale of log(1 + .). The modes interfere: between them
 * the response dips where they cancel.
 */
export const oscillator: Toy = {
  name: "damped oscillator",
  inputs: [
    { name: "frequency", from: 0.5, to: 1.3 },
    { name: "damping", from: 0.04, to: 0.2 },
    { name: "distance", from: 0.15, to: 0.7 },
    { name: "companion", from: 0.1, to: 0.8 },
  ],
  spatial: [250],
  simulateInto(out, p) {
    const [f = 1, g = 0, d = 0, c = 0] = Array.from(p);
    for (let i = 0; i < out.length; i++) {
      const w = 0.2 + (2 * (i + 0.5)) / out.length;
      let re = 0;
      let im = 0;
      for (const [own, weight] of [
        [f, 1],
        [f + d, c],
      ] as const) {
        // 1 / (a + i b) = (a - i b) / (a^2 + b^2)
        const a = own * own - w * w;
        const b = g * w;
        re += (weight * a) / (a * a + b * b);
        im -= (weight * b) / (a * a + b * b);
      }
      out[i] = Math.log1p(Math.hypot(re, im));
    }
  },
};

/** Angular velocity, diffusivity, distance of the blobs from their common centre, mass of the second blob. */
const flow = { spin: 2, diffusivity: 1.5e-3, radius: 0.16, second: 0.6 } as const;

/**
 * Two Gaussian blobs in a flow that drifts to the right and turns about its drifting centre, with diffusion: the exact
 * solution of dc/dt + v . grad c = D lap c for v = (speed, 0) + spin x (x - centre(t)) on the plane. A rigid motion moves
 * and turns the centres and leaves the blobs round; diffusion widens them, s^2 + 2 D t, and keeps their mass.
 */
export const blobs: Toy = {
  name: "advected blobs",
  inputs: [
    { name: "position", from: 0.3, to: 0.7 },
    { name: "speed", from: -0.15, to: 0.15 },
    { name: "angle", from: 0, to: Math.PI },
    { name: "width", from: 0.05, to: 0.1 },
    { name: "time", from: 0, to: 1 },
  ],
  spatial: [64, 64],
  simulateInto(out, p) {
    const [position = 0, speed = 0, angle = 0, width = 1, time = 0] = Array.from(p);
    const side = Math.round(Math.sqrt(out.length));
    const variance = width * width + 2 * flow.diffusivity * time;
    const turned = angle + flow.spin * time;
    const dx = flow.radius * Math.cos(turned);
    const dy = flow.radius * Math.sin(turned);
    const centre = position + speed * time;
    out.fill(0);
    for (const [sign, mass] of [
      [1, 1],
      [-1, flow.second],
    ] as const)
      for (let i = 0; i < side; i++)
        for (let j = 0; j < side; j++) {
          const y = (i + 0.5) / side - (0.5 + sign * dy);
          const x = (j + 0.5) / side - (centre + sign * dx);
          out[i * side + j]! += ((mass * width * width) / variance) * Math.exp(-(x * x + y * y) / (2 * variance));
        }
  },
};

export interface Runs {
  /** n x d, each input mapped to mean 0 and variance 1 of its uniform distribution. */
  readonly x: Float32Array;
  /** n x (size of the field), physical units. */
  readonly y: Float64Array;
}

/** `n` runs at inputs drawn uniformly over the toy's box. @param uniform draws from [0, 1) */
export function simulate(toy: Toy, n: number, uniform: () => number): Runs {
  const d = toy.inputs.length;
  const size = toy.spatial.reduce((a, c) => a * c, 1);
  const x = new Float32Array(n * d);
  const y = new Float64Array(n * size);
  for (let row = 0; row < n; row++) {
    const p = toy.inputs.map(({ from, to }, i) => {
      const u = uniform();
      x[row * d + i] = (u - 0.5) * Math.sqrt(12);
      return from + (to - from) * u;
    });
    toy.simulateInto(y.subarray(row * size, (row + 1) * size), p);
  }
  return { x, y };
}
