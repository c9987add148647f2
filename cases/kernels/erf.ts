const TWO_OVER_ROOT_PI = 2 / Math.sqrt(Math.PI);

/** Error function erf(x) (Abramowitz & Stegun 7.1.6 below 3, 1 - erfc above); relative error about 1e-15. */
export function erf(x: number): number {
  const size = Math.abs(x);
  if (size < 3) return Math.sign(x) * series(size);
  return Math.sign(x) * (1 - fraction(size));
}

/** Complementary error function 1 - erf(x), with full relative accuracy for large x (continued fraction 7.1.14). */
export function erfc(x: number): number {
  if (x < 0) return 2 - erfc(-x);
  return x < 2 ? 1 - series(x) : fraction(x);
}

function series(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; n < 200; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
    if (term < 1e-17 * sum) break;
  }
  return TWO_OVER_ROOT_PI * Math.exp(-x * x) * sum;
}

function fraction(x: number): number {
  if (x > 27) return 0;
  let value = x;
  for (let k = 120; k >= 1; k--) value = x + k / 2 / value;
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * value);
}
