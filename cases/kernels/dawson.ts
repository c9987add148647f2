/** Step of Rybicki's sum: its error is exp(-(pi / 2h)²), 2e-7 at the common h = 0.4 and below 1e-26 at 0.2. */
const STEP = 0.2;
const TERMS = 31;
const GAUSS = Float64Array.from({ length: TERMS }, (_, i) => Math.exp(-(((2 * i + 1) * STEP) ** 2)));

/**
 * Dawson's integral F(x) = exp(-x²) int_0^x exp(t²) dt by the exponentially accurate sum of Rybicki, Computers in Physics
 * 3, 85 (1989), with a power series below 0.2. Absolute error about 1e-15.
 */
export function dawson(x: number): number {
  const size = Math.abs(x);
  if (size < 0.2) return series(x);
  const n0 = 2 * Math.round(size / (2 * STEP));
  const xp = size - n0 * STEP;
  let e1 = Math.exp(2 * xp * STEP);
  const e2 = e1 * e1;
  let up = n0 + 1;
  let down = up - 2;
  let sum = 0;
  for (let i = 0; i < TERMS; i++) {
    sum += GAUSS[i]! * (e1 / up + 1 / (down * e1));
    up += 2;
    down -= 2;
    e1 *= e2;
  }
  return (Math.sign(x) * Math.exp(-xp * xp) * sum) / Math.sqrt(Math.PI);
}

function series(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; n < 20; n++) {
    term *= (-2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return sum;
}
