/**
 * Minimises a smooth function in a box by limited-memory BFGS with projection: coordinates at a bound that the gradient
 * pushes outwards stand still, the others follow the quasi-Newton direction (Nocedal & Wright 2006, §7.2 and §16.7).
 * Float64 throughout; made for a few dozen parameters and dear evaluations.
 */

export interface Evaluation {
  readonly value: number;
  readonly gradient: Float64Array;
}

export interface MinimiseOptions {
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  /** Most evaluations. */
  readonly evaluations: number;
  /** Stop when a step lowers the value by less than this, twice in a row. Default 1e-3. */
  readonly tolerance?: number;
  /** Longest step of any coordinate. Default 2. */
  readonly longestStep?: number;
}

export interface Minimum {
  readonly point: Float64Array;
  readonly value: number;
  readonly evaluations: number;
}

const memory = 10;

const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};

/** @param evaluate value and gradient; a value that is not finite counts as too high */
export async function minimise(
  start: Float64Array,
  evaluate: (point: Float64Array) => Promise<Evaluation>,
  { lower, upper, evaluations, tolerance = 1e-3, longestStep = 2 }: MinimiseOptions,
): Promise<Minimum> {
  const clamp = (v: number, i: number): number => Math.min(upper[i]!, Math.max(lower[i]!, v));
  let point: Float64Array = start.map(clamp);
  let { value, gradient } = await evaluate(point);
  let used = 1;
  let small = 0;
  const pairs: { s: Float64Array; y: Float64Array }[] = [];
  while (used < evaluations && small < 2 && Number.isFinite(value)) {
    const free = point.map((p, i) =>
      (p <= lower[i]! && gradient[i]! > 0) || (p >= upper[i]! && gradient[i]! < 0) ? 0 : 1,
    );
    const steep = gradient.map((g, i) => g * free[i]!);
    if (Math.sqrt(dot(steep, steep)) < 1e-6 * (1 + Math.abs(value))) break;
    let direction = descent(steep, pairs, free);
    if (dot(direction, steep) >= 0) {
      pairs.length = 0;
      direction = descent(steep, pairs, free);
    }
    const longest = direction.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
    let step = Math.min(1, (pairs.length === 0 ? Math.min(1, longestStep) : longestStep) / longest);
    let next: Float64Array | undefined;
    let found: Evaluation | undefined;
    for (let tries = 0; tries < 12 && used < evaluations; tries++) {
      next = point.map((p, i) => clamp(p + step * direction[i]!, i));
      found = await evaluate(next);
      used++;
      let moved = 0;
      for (let i = 0; i < point.length; i++) moved += steep[i]! * (next[i]! - point[i]!);
      if (found.value <= value + 1e-4 * moved) break;
      const slope = dot(direction, steep) * step;
      const curved = Number.isFinite(found.value) ? -slope / (2 * (found.value - value - slope)) : 0.1;
      step *= Math.min(0.5, Math.max(0.1, curved));
      found = undefined;
    }
    if (next === undefined || found === undefined) {
      if (pairs.length === 0) break;
      pairs.length = 0;
      continue;
    }
    const s = next.map((v, i) => v - point[i]!);
    const y = found.gradient.map((v, i) => v - gradient[i]!);
    if (dot(s, y) > 1e-10 * dot(y, y)) {
      pairs.push({ s, y });
      if (pairs.length > memory) pairs.shift();
    }
    small = value - found.value < tolerance ? small + 1 : 0;
    point = next;
    ({ value, gradient } = found);
  }
  return { point, value, evaluations: used };
}

/** The quasi-Newton direction on the free coordinates (two-loop recursion); steepest descent of length 1 without pairs. */
function descent(
  steep: Float64Array,
  pairs: readonly { readonly s: Float64Array; readonly y: Float64Array }[],
  free: Float64Array,
): Float64Array {
  const q = steep.map((v) => -v);
  const last = pairs.at(-1);
  if (last === undefined) {
    const length = Math.sqrt(dot(q, q));
    return q.map((v) => v / length);
  }
  const alphas: number[] = [];
  for (let k = pairs.length - 1; k >= 0; k--) {
    const { s, y } = pairs[k]!;
    const alpha = dot(s, q) / dot(s, y);
    alphas[k] = alpha;
    for (let i = 0; i < q.length; i++) q[i]! -= alpha * y[i]!;
  }
  const scale = dot(last.s, last.y) / dot(last.y, last.y);
  for (let i = 0; i < q.length; i++) q[i]! *= scale;
  pairs.forEach(({ s, y }, k) => {
    const beta = dot(y, q) / dot(s, y);
    for (let i = 0; i < q.length; i++) q[i]! += (alphas[k]! - beta) * s[i]!;
  });
  return q.map((v, i) => v * free[i]!);
}
