import { describe, expect, it } from "vitest";
import { blobs, oscillator, simulate } from "../../bench/toys.ts";
import { makeRng } from "../../src/rng.ts";

function field(toy: typeof blobs, p: readonly number[], size = toy.spatial.reduce((a, c) => a * c, 1)): Float64Array {
  const out = new Float64Array(size);
  toy.simulateInto(out, p);
  return out;
}

describe("the damped oscillator", () => {
  it("has the closed form's value at resonance, without a companion", () => {
    // Bin 74 is w = 0.2 + 2 * 74.5 / 250 = 0.796; at f = w the response is 1 / (g w).
    const y = field(oscillator, [0.796, 0.1, 0.5, 0]);
    expect(y[74]).toBeCloseTo(Math.log1p(1 / (0.1 * 0.796)), 12);
    expect(y.indexOf(Math.max(...y))).toBe(74);
  });

  it("solves the equation of motion, both modes together", () => {
    // x'' + g x' + f^2 x = Re e^(iwt) in steady state: x = Re(X e^(iwt)), here by integrating over many periods.
    const [f, g, d, c] = [0.9, 0.2, 0.4, 0.5];
    const bin = 100;
    const w = 0.2 + (2 * (bin + 0.5)) / 250;
    const amplitude = (own: number): readonly [number, number] => {
      let [x, v] = [0, 0];
      let [re, im] = [0, 0];
      const period = (2 * Math.PI) / w;
      const steps = 2000;
      const h = period / steps;
      const force = (t: number, at: number, speed: number): number => Math.cos(w * t) - g * speed - own * own * at;
      for (let i = 0; i < 40 * steps; i++) {
        const t = i * h;
        if (i >= 39 * steps) {
          re += (2 / steps) * x * Math.cos(w * t);
          im -= (2 / steps) * x * Math.sin(w * t);
        }
        // Midpoint rule: second order, 2000 steps per period.
        const [mx, mv] = [x + (h / 2) * v, v + (h / 2) * force(t, x, v)];
        x += h * mv;
        v += h * force(t + h / 2, mx, mv);
      }
      return [re, im];
    };
    const [a, b] = [amplitude(f), amplitude(f + d)];
    const expected = Math.log1p(Math.hypot(a[0] + c * b[0], a[1] + c * b[1]));
    expect(field(oscillator, [f, g, d, c])[bin]).toBeCloseTo(expected, 4);
  });
});

describe("the advected blobs", () => {
  const spin = 2;
  const diffusivity = 1.5e-3;

  it("solve the advection-diffusion equation", () => {
    // Central differences in time and space on a fine grid, at every inner cell.
    const side = 128;
    const h = 1 / side;
    const dt = 1e-4;
    const [position, speed, angle, width, time] = [0.45, 0.1, 0.7, 0.08, 0.5] as const;
    const at = (t: number): Float64Array => field(blobs, [position, speed, angle, width, t], side * side);
    const [before, now, after] = [at(time - dt), at(time), at(time + dt)];
    const centre = position + speed * time;
    let worst = 0;
    let largest = 0;
    for (let i = 1; i < side - 1; i++)
      for (let j = 1; j < side - 1; j++) {
        const k = i * side + j;
        const y = (i + 0.5) * h - 0.5;
        const x = (j + 0.5) * h - centre;
        const rate = (after[k]! - before[k]!) / (2 * dt);
        const dx = (now[k + 1]! - now[k - 1]!) / (2 * h);
        const dy = (now[k + side]! - now[k - side]!) / (2 * h);
        const laplacian = (now[k + 1]! + now[k - 1]! + now[k + side]! + now[k - side]! - 4 * now[k]!) / (h * h);
        const residual = rate + (speed - spin * y) * dx + spin * x * dy - diffusivity * laplacian;
        worst = Math.max(worst, Math.abs(residual));
        largest = Math.max(largest, Math.abs(rate));
      }
    // Error of the differences: (h / width)^2 / 6 of the largest term, about 0.2 %.
    expect(largest).toBeGreaterThan(1);
    expect(worst).toBeLessThan(0.01 * largest);
  });

  it("keep their mass", () => {
    const mass = (time: number): number => field(blobs, [0.5, 0, 0.3, 0.06, time]).reduce((a, c) => a + c, 0) / 64 ** 2;
    // 2 pi s^2 for the first, 0.6 of it for the second.
    expect(mass(0)).toBeCloseTo(2 * Math.PI * 0.06 ** 2 * 1.6, 6);
    expect(mass(1)).toBeCloseTo(mass(0), 4);
  });
});

describe("simulate()", () => {
  it("scales uniform inputs to mean 0 and variance 1, and runs the simulator at the unscaled ones", () => {
    const rng = makeRng(3);
    const n = 400;
    const { x, y } = simulate(oscillator, n, () => rng.uniform());
    const d = oscillator.inputs.length;
    for (let k = 0; k < d; k++) {
      const column = Array.from({ length: n }, (_, row) => x[row * d + k]!);
      expect(Math.max(...column.map(Math.abs))).toBeLessThan(Math.sqrt(3));
      // 4 standard errors: 1 / sqrt(400) of the mean; the variance of u^2 gives 0.9 / sqrt(400) for the second moment.
      expect(Math.abs(column.reduce((a, c) => a + c, 0) / n)).toBeLessThan(0.2);
      expect(Math.abs(column.reduce((a, c) => a + c * c, 0) / n - 1)).toBeLessThan(0.18);
    }
    const p = oscillator.inputs.map(({ from, to }, k) => from + (to - from) * (0.5 + x[7 * d + k]! / Math.sqrt(12)));
    const expected = field(oscillator, p);
    y.subarray(7 * 250, 8 * 250).forEach((value, i) => {
      // The inputs come back from float32.
      expect(value).toBeCloseTo(expected[i]!, 4);
    });
  });
});
