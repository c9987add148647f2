const N = 32;
const L = Math.sqrt(N / Math.SQRT2);
const ROOT_PI = Math.sqrt(Math.PI);
const COEFFICIENTS = weideman();
/** Levels of the continued fraction: error below 1e-13 for |z| > 8. */
const LEVELS = 14;

/**
 * Faddeeva function w(z) = exp(-z²) erfc(-i z) for Im z >= 0, written to out[0] + i out[1]. The rational expansion of
 * Weideman, SIAM J. Numer. Anal. 31, 1497 (1994), N = 32, and Laplace's continued fraction for |z| > 8.
 * Absolute error about 1e-12; the lower half plane is not covered.
 */
export function faddeevaInto(out: Float64Array, re: number, im: number): void {
  if (re * re + im * im > 64) fraction(out, re, im);
  else expansion(out, re, im);
}

function weideman(): Float64Array {
  const points = 2 * N;
  const a = new Float64Array(N);
  for (let n = 1; n <= N; n++) {
    let sum = 0;
    for (let k = -points + 1; k < points; k++) {
      const angle = (k * Math.PI) / points;
      const t = L * Math.tan(angle / 2);
      sum += Math.exp(-t * t) * (L * L + t * t) * Math.cos(n * angle);
    }
    a[n - 1] = sum / (2 * points);
  }
  return a;
}

/** 2 p(Z) / (L - iz)² + 1 / (sqrt(pi) (L - iz)), Z = (L + iz) / (L - iz). */
function expansion(out: Float64Array, re: number, im: number): void {
  const dRe = L + im;
  const dSize = dRe * dRe + re * re;
  const iRe = dRe / dSize;
  const iIm = re / dSize;
  const nRe = L - im;
  const zRe = nRe * iRe - re * iIm;
  const zIm = nRe * iIm + re * iRe;
  let pRe = COEFFICIENTS[N - 1]!;
  let pIm = 0;
  for (let n = N - 2; n >= 0; n--) {
    const held = pRe * zRe - pIm * zIm + COEFFICIENTS[n]!;
    pIm = pRe * zIm + pIm * zRe;
    pRe = held;
  }
  const qRe = 2 * (pRe * iRe - pIm * iIm) + 1 / ROOT_PI;
  const qIm = 2 * (pRe * iIm + pIm * iRe);
  out[0] = qRe * iRe - qIm * iIm;
  out[1] = qRe * iIm + qIm * iRe;
}

/** (i / sqrt(pi)) / (z - (1/2)/(z - (2/2)/(z - (3/2)/...))). */
function fraction(out: Float64Array, re: number, im: number): void {
  let dRe = re;
  let dIm = im;
  for (let k = LEVELS; k >= 1; k--) {
    const scale = k / 2 / (dRe * dRe + dIm * dIm);
    dRe = re - scale * dRe;
    dIm = im + scale * dIm;
  }
  const size = ROOT_PI * (dRe * dRe + dIm * dIm);
  out[0] = dIm / size;
  out[1] = dRe / size;
  if (im === 0) out[0] = Math.exp(-re * re);
}
