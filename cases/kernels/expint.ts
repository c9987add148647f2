const EULER_GAMMA = 0.5772156649015329;

/**
 * Exponential integral E1(x) = int_x^inf exp(-t)/t dt for x > 0 (Abramowitz & Stegun 5.1.11 and 5.1.22): power series
 * below 1, continued fraction above. Infinity at 0; relative error about 1e-15.
 */
export function expint1(x: number): number {
  if (x <= 0) return x === 0 ? Infinity : NaN;
  return x <= 1 ? -EULER_GAMMA - Math.log(x) + entire(x) : Math.exp(-x) * fraction(x);
}

/** exp(x) E1(x) for x > 0: finite where E1 itself underflows. */
export function expint1Scaled(x: number): number {
  return x <= 1 ? Math.exp(x) * expint1(x) : fraction(x);
}

/** Sum of -(-x)^k / (k k!), k from 1. */
function entire(x: number): number {
  let sum = 0;
  let term = 1;
  for (let k = 1; k < 40; k++) {
    term *= -x / k;
    sum -= term / k;
    if (Math.abs(term) < 1e-18) break;
  }
  return sum;
}

/** exp(x) E1(x) by the even part of its continued fraction (Lentz). */
function fraction(x: number): number {
  let b = x + 1;
  let c = 1e300;
  let d = 1 / b;
  let h = d;
  for (let i = 1; i < 500; i++) {
    const a = -i * i;
    b += 2;
    d = 1 / (a * d + b);
    c = b + a / c;
    const factor = c * d;
    h *= factor;
    if (Math.abs(factor - 1) < 1e-16) break;
  }
  return h;
}
