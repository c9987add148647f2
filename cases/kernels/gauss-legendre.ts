/** Nodes and weights of a quadrature rule, in increasing order of the nodes. */
export interface Quadrature {
  readonly nodes: Float64Array;
  readonly weights: Float64Array;
}

/**
 * Gauss-Legendre rule with `n` nodes on [low, high]: exact for polynomials up to degree 2n - 1. Newton's method on the
 * Legendre recurrence from Tricomi's first guess. @param n at least 1
 */
export function gaussLegendre(n: number, low = -1, high = 1): Quadrature {
  const nodes = new Float64Array(n);
  const weights = new Float64Array(n);
  const half = (high - low) / 2;
  const middle = (high + low) / 2;
  for (let i = 0; i < (n + 1) >> 1; i++) {
    let x = Math.cos((Math.PI * (i + 0.75)) / (n + 0.5));
    let slope = 1;
    for (let round = 0; round < 100; round++) {
      let previous = 1;
      let value = x;
      for (let j = 2; j <= n; j++) {
        const next = ((2 * j - 1) * x * value - (j - 1) * previous) / j;
        previous = value;
        value = next;
      }
      slope = (n * (x * value - previous)) / (x * x - 1);
      const step = value / slope;
      x -= step;
      if (Math.abs(step) < 1e-15) break;
    }
    const weight = (2 / ((1 - x * x) * slope * slope)) * half;
    nodes[i] = middle - half * x;
    nodes[n - 1 - i] = middle + half * x;
    weights[i] = weight;
    weights[n - 1 - i] = weight;
  }
  return { nodes, weights };
}

/**
 * Gauss-Hermite rule with `n` nodes for the weight exp(-x²) on the real line. Newton's method on the orthonormal
 * recurrence, started from the positions that a sign scan of the polynomial finds. @param n 1 to about 60
 */
export function gaussHermite(n: number): Quadrature {
  const nodes = new Float64Array(n);
  const weights = new Float64Array(n);
  const edge = Math.sqrt(2 * n + 1) + 1;
  const steps = 200 * n + 1;
  let found = 0;
  let before = hermite(n, -edge).value;
  for (let i = 1; i <= steps && found < n; i++) {
    const x = -edge + (2 * edge * i) / steps;
    const { value } = hermite(n, x);
    if (value * before < 0) {
      let root = x - edge / steps;
      for (let round = 0; round < 60; round++) {
        const at = hermite(n, root);
        const step = at.value / at.slope;
        root -= step;
        if (Math.abs(step) < 1e-15) break;
      }
      nodes[found] = root;
      weights[found++] = 2 / hermite(n, root).slope ** 2;
    }
    before = value;
  }
  return { nodes, weights };
}

/** Orthonormal Hermite polynomial of degree n (weight exp(-x²)) and its slope at x. */
function hermite(n: number, x: number): { value: number; slope: number } {
  let previous = 0;
  let value = Math.PI ** -0.25;
  for (let j = 0; j < n; j++) {
    const next = x * Math.sqrt(2 / (j + 1)) * value - Math.sqrt(j / (j + 1)) * previous;
    previous = value;
    value = next;
  }
  return { value, slope: Math.sqrt(2 * n) * previous };
}
