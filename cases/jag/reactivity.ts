/** How fast deuterium and tritium fuse. */

/** Constants of Bosch & Hale, Nucl. Fusion 32, 611 (1992), table VII, column T(d,n)4He. */
const BG = 34.3827; // sqrt(keV)
const MC2 = 1124656; // keV
const C1 = 1.17302e-9;
const C2 = 1.51361e-2;
const C3 = 7.51886e-2;
const C4 = 4.60643e-3;
const C5 = 1.35e-2;
const C6 = -1.0675e-4;
const C7 = 1.366e-5;

/** D-T reactivity [m^3/s] at the ion temperature `t` [keV]; equations 12 to 14 of Bosch & Hale. Checked from 0.2 to 100 keV. */
export function reactivity(t: number): number {
  if (t < 0.05) return 0; // below, the exponential is under 1e-32 m^3/s
  const theta = t / (1 - (t * (C2 + t * (C4 + t * C6))) / (1 + t * (C3 + t * (C5 + t * C7))));
  const xi = Math.cbrt((BG * BG) / (4 * theta));
  return 1e-6 * C1 * theta * Math.sqrt(xi / (MC2 * t * t * t)) * Math.exp(-3 * xi);
}
