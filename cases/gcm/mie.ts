/** Light on a sphere: Mie's solution. */

/** Efficiencies of extinction and scattering. */
export interface Efficiencies {
  readonly extinction: number;
  readonly scattering: number;
}

/**
 * Efficiencies of a sphere of size parameter `x` = 2 pi r / wavelength and refractive index n + i k (Bohren & Huffman 1983,
 * appendix A; logarithmic derivative by downward recurrence, as Wiscombe, NCAR TN-140 (1979) advises for absorbers).
 */
export function mie(x: number, n: number, k: number): Efficiencies {
  const terms = Math.ceil(x + 4 * Math.cbrt(x) + 2);
  const yRe = n * x;
  const yIm = k * x;
  const size = yRe * yRe + yIm * yIm;
  const start = Math.ceil(Math.max(terms, Math.sqrt(size))) + 16;
  const dRe = new Float64Array(start + 1);
  const dIm = new Float64Array(start + 1);
  for (let j = start; j > 0; j--) {
    // D_(j-1) = j / y - 1 / (D_j + j / y)
    const ratioRe = (j * yRe) / size;
    const ratioIm = (-j * yIm) / size;
    const re = dRe[j]! + ratioRe;
    const im = dIm[j]! + ratioIm;
    const norm = re * re + im * im;
    dRe[j - 1] = ratioRe - re / norm;
    dIm[j - 1] = ratioIm + im / norm;
  }
  const m2 = n * n + k * k;
  let psi0 = Math.cos(x);
  let psi1 = Math.sin(x);
  let chi0 = -Math.sin(x);
  let chi1 = Math.cos(x);
  let extinction = 0;
  let scattering = 0;
  for (let j = 1; j <= terms; j++) {
    const psi = ((2 * j - 1) * psi1) / x - psi0;
    const chi = ((2 * j - 1) * chi1) / x - chi0;
    // a: (D / m + j / x), b: (m D + j / x), each against xi = psi - i chi.
    const aRe = (dRe[j]! * n + dIm[j]! * k) / m2 + j / x;
    const aIm = (dIm[j]! * n - dRe[j]! * k) / m2;
    const bRe = dRe[j]! * n - dIm[j]! * k + j / x;
    const bIm = dRe[j]! * k + dIm[j]! * n;
    for (const [re, im] of [coefficient(aRe, aIm, psi, psi1, chi, chi1), coefficient(bRe, bIm, psi, psi1, chi, chi1)]) {
      extinction += (2 * j + 1) * re;
      scattering += (2 * j + 1) * (re * re + im * im);
    }
    psi0 = psi1;
    psi1 = psi;
    chi0 = chi1;
    chi1 = chi;
  }
  return { extinction: (2 * extinction) / (x * x), scattering: (2 * scattering) / (x * x) };
}

/** (f psi_j - psi_(j-1)) / (f xi_j - xi_(j-1)) with xi = psi - i chi. */
function coefficient(
  fRe: number,
  fIm: number,
  psi: number,
  psi1: number,
  chi: number,
  chi1: number,
): readonly [number, number] {
  const topRe = fRe * psi - psi1;
  const topIm = fIm * psi;
  const re = topRe + fIm * chi;
  const im = topIm - fRe * chi + chi1;
  const norm = re * re + im * im;
  return [(topRe * re + topIm * im) / norm, (topIm * re - topRe * im) / norm];
}
