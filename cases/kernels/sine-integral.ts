const EULER_GAMMA = 0.5772156649015329;

/**
 * Sine and cosine integrals Si(x) = int_0^x sin t / t dt and Ci(x) = -int_x^inf cos t / t dt for x > 0, written to
 * out[0] and out[1]. Power series below 2, above it the continued fraction of E1(i x) (Abramowitz & Stegun 5.1.22 and
 * 5.2.23). Absolute error about 1e-15; at 0, Si = 0 and Ci = -Infinity.
 */
export function sineCosineIntegralInto(out: Float64Array, x: number): void {
  if (x < 2) series(out, x);
  else fraction(out, x);
}

/** Si(x) for any real x. */
export function sineIntegral(x: number): number {
  const out = new Float64Array(2);
  sineCosineIntegralInto(out, Math.abs(x));
  return Math.sign(x) * out[0]!;
}

/** Ci(x) for x > 0. */
export function cosineIntegral(x: number): number {
  const out = new Float64Array(2);
  sineCosineIntegralInto(out, x);
  return out[1]!;
}

function series(out: Float64Array, x: number): void {
  let si = 0;
  let ci = 0;
  let term = 1;
  for (let k = 1; k < 40; k++) {
    term *= x / k;
    const signed = (k & 3) < 2 ? term / k : -term / k;
    if (k & 1) si += signed;
    else ci += (k & 3) === 2 ? -term / k : term / k;
    if (term < 1e-18) break;
  }
  out[0] = si;
  out[1] = EULER_GAMMA + Math.log(x) + ci;
}

/** Lentz' method on E1(i x) = exp(-i x) / (1 + i x - 1/(3 + i x - 4/(5 + i x - ...))). */
function fraction(out: Float64Array, x: number): void {
  let b = 1;
  let dRe = 1 / (1 + x * x);
  let dIm = -x * dRe;
  let cRe = 1e300;
  let cIm = 0;
  let hRe = dRe;
  let hIm = dIm;
  for (let i = 1; i < 500; i++) {
    const a = -i * i;
    b += 2;
    const eRe = a * dRe + b;
    const eIm = a * dIm + x;
    const eSize = eRe * eRe + eIm * eIm;
    dRe = eRe / eSize;
    dIm = -eIm / eSize;
    const size = i === 1 ? Infinity : cRe * cRe + cIm * cIm;
    const fRe = b + (a * cRe) / size;
    const fIm = x - (a * cIm) / size;
    cRe = fRe;
    cIm = fIm;
    const factorRe = cRe * dRe - cIm * dIm;
    const factorIm = cRe * dIm + cIm * dRe;
    const held = hRe * factorRe - hIm * factorIm;
    hIm = hRe * factorIm + hIm * factorRe;
    hRe = held;
    if (Math.abs(factorRe - 1) + Math.abs(factorIm) < 1e-16) break;
  }
  const cos = Math.cos(x);
  const sin = Math.sin(x);
  out[0] = Math.PI / 2 + hIm * cos - hRe * sin;
  out[1] = -(hRe * cos + hIm * sin);
}
