import { expect, test } from "vitest";
import {
  besselJ0,
  cosineIntegral,
  dawson,
  erf,
  erfc,
  expint1,
  expint1Scaled,
  faddeevaInto,
  gamma,
  gaussLegendre,
  logGamma,
  sineIntegral,
} from "../../../cases/kernels/index.ts";

/** Ours and the reference, absolute 1e-10 at most; the tolerance is given as a number. */
function near(value: number, wanted: number, tolerance = 1e-10): void {
  expect(Math.abs(value - wanted), `${value} against ${wanted}`).toBeLessThanOrEqual(tolerance);
}

function w(re: number, im: number): [number, number] {
  const out = new Float64Array(2);
  faddeevaInto(out, re, im);
  return [out[0]!, out[1]!];
}

function integrate(f: (x: number) => number, low: number, high: number, pieces = 1): number {
  let sum = 0;
  for (let p = 0; p < pieces; p++) {
    const a = low + ((high - low) * p) / pieces;
    const { nodes, weights } = gaussLegendre(40, a, a + (high - low) / pieces);
    for (let i = 0; i < 40; i++) sum += weights[i]! * f(nodes[i]!);
  }
  return sum;
}

// Reference values: scipy.special.wofz, as listed in the project's specification.
test.each([
  [0, 1, 0.427583576155807, 0],
  [1, 0, 0.36787944117144233, 0.6071577058413937],
  [1, 1, 0.30474420525691254, 0.2082189382028316],
  [2, 0.5, 0.10335882374136668, 0.28478588475009387],
  [6, 0.01, 1.6375289889683e-4, 0.09539592338660194],
])("faddeevaInto(%f + %f i) matches the reference", (re, im, wantedRe, wantedIm) => {
  const [ourRe, ourIm] = w(re, im);
  near(ourRe, wantedRe);
  near(ourIm, wantedIm);
});

test("faddeevaInto() on the real axis is exp(-x²) + 2i F(x) / sqrt(pi), across the change of method at 8", () => {
  for (const x of [0, 0.1, 0.5, 1.7, 3, 5.5, 7.9, 7.999, 8.001, 8.5, 12, 40]) {
    const [re, im] = w(x, 0);
    near(re, Math.exp(-x * x));
    near(im, (2 / Math.sqrt(Math.PI)) * dawson(x));
    near(w(-x, 0)[1], -im, 0);
  }
});

test("faddeevaInto() of i y is exp(y²) erfc(y), and both methods agree on the circle |z| = 8", () => {
  for (const y of [0.3, 1, 2.5, 4]) near(w(0, y)[0], Math.exp(y * y) * erfc(y));
  for (let i = 0; i <= 16; i++) {
    const angle = (Math.PI * i) / 16;
    const inside = w(7.9999999 * Math.cos(angle), 7.9999999 * Math.sin(angle));
    const outside = w(8.0000001 * Math.cos(angle), 8.0000001 * Math.sin(angle));
    near(inside[0], outside[0], 1e-8);
    near(inside[1], outside[1], 1e-8);
  }
});

test("dawson() solves F' = 1 - 2 x F and meets its table", () => {
  near(dawson(1), 0.5380795069127684, 1e-14); // Abramowitz & Stegun, table 7.5
  near(dawson(0.924138873), 0.5410442246351816, 1e-12); // its maximum
  near(dawson(0.1999999999), dawson(0.2000000001), 1e-9);
  near(dawson(-2), -0.3013403889237919, 1e-13);
  const h = 1e-3;
  const slope = (dawson(2.3 + h) - dawson(2.3 - h)) / (2 * h);
  near(slope, 1 - 2 * 2.3 * dawson(2.3), 1e-6);
});

test("erf() and erfc() meet their tables and each other", () => {
  near(erf(0.5), 0.5204998778130465, 1e-14); // Abramowitz & Stegun, table 7.1
  near(erf(1), 0.8427007929497149, 1e-14);
  near(erf(2), 0.9953222650189527, 1e-14);
  near(erf(-1), -erf(1), 0);
  near(erfc(3) / 2.209049699858544e-5, 1, 1e-12);
  near(erfc(5) / 1.5374597944280349e-12, 1, 1e-12);
  for (const x of [-2, 0, 1.9, 2.1, 2.9, 3.1, 4]) near(erf(x) + erfc(x), 1, 1e-14);
});

test("expint1() meets its table and its integral, on both sides of 1", () => {
  near(expint1(0.5), 0.5597735947761608, 1e-14); // Abramowitz & Stegun, table 5.1
  near(expint1(1), 0.21938393439552026, 1e-14);
  near(expint1(10) / 4.156968929685324e-6, 1, 1e-12);
  near(expint1(1 - 1e-12), expint1(1 + 1e-12), 1e-11);
  near(expint1Scaled(1000), 1 / 1000 - 1 / 1e6 + 2 / 1e9 - 6 / 1e12, 1e-13);
  near(expint1Scaled(0.3), Math.exp(0.3) * expint1(0.3), 0);
});

test("sineIntegral() and cosineIntegral() meet their tables and have the right slopes", () => {
  near(sineIntegral(1), 0.946083070367183, 1e-14); // Abramowitz & Stegun, table 5.1
  near(sineIntegral(10), 1.658347594218874, 1e-13);
  near(sineIntegral(-1), -0.946083070367183, 1e-14);
  near(cosineIntegral(1), 0.3374039229009681, 1e-14);
  near(cosineIntegral(10), -0.04545643300445537, 1e-13);
  near(sineIntegral(2 - 1e-12), sineIntegral(2 + 1e-12), 1e-11);
  near(cosineIntegral(2 - 1e-12), cosineIntegral(2 + 1e-12), 1e-11);
  near(
    sineIntegral(7) - sineIntegral(3),
    integrate((t) => Math.sin(t) / t, 3, 7),
    1e-13,
  );
  near(
    cosineIntegral(7) - cosineIntegral(3),
    integrate((t) => Math.cos(t) / t, 3, 7),
    1e-13,
  );
  near(sineIntegral(1e4), Math.PI / 2 - Math.cos(1e4) / 1e4 - Math.sin(1e4) / 1e8, 1e-11);
});

test("besselJ0() meets its table, its zeros, and itself where the method changes", () => {
  near(besselJ0(0), 1, 0);
  near(besselJ0(1), 0.7651976865579666, 1e-14); // Abramowitz & Stegun, table 9.1
  near(besselJ0(10), -0.24593576445134832, 1e-13);
  near(besselJ0(2.404825557695773), 0, 1e-14);
  near(besselJ0(30.634606468431976), 0, 1e-13);
  near(besselJ0(4.999999999999), besselJ0(5.000000000001), 1e-11);
  near(besselJ0(24.999999999999), besselJ0(25.000000000001), 1e-11);
  near(besselJ0(-3), besselJ0(3), 0);
});

test("logGamma() gives factorials and half-integers", () => {
  near(logGamma(11), Math.log(3628800), 1e-12);
  near(gamma(0.5), Math.sqrt(Math.PI), 1e-13);
  near(gamma(0.4), 2.218159543757688, 1e-12);
  near(gamma(0.9), 1.0686287021193193, 1e-12);
});
