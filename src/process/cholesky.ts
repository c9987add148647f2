/**
 * Cholesky factors of dense positive definite matrices in float64, made for speed: a matrix is halved until it is small
 * enough for plain loops, and everything between the halves is a product of matrices that the engine runs (ten times as
 * fast as loops in JavaScript). The inverse of the factor comes along at no more than the cost of the factor.
 */
import { type Engine, type Executable, getEngine } from "../engine/index.ts";
import { graphBuilder } from "../graph/index.ts";

/** Blocks up to this size are factored by plain loops. */
const leaf = 48;
/** Size of the blocks of a matrix that is only solved with. */
const tile = 160;

/** The inverse of the lower factor L of A = L Lᵀ, and log |A|. */
export interface CholeskyInverse {
  /** n × n, lower triangular, zeros above. */
  readonly inverse: Float64Array;
  readonly logDeterminant: number;
}

/** Dense float64 algebra on an engine. Graphs are compiled once per shape and kept until `dispose`. */
export interface Algebra {
  /** Inverse factor of a symmetric positive definite matrix; undefined where it is not (in rounding).
   * @param a n × n, of which the lower triangle is read */
  choleskyInverse(a: Float64Array, n: number): Promise<CholeskyInverse | undefined>;
  /** a⁻¹ b for such a matrix: about half of the time of the inverse factor where that itself is not wanted.
   * @param b n numbers */
  solve(a: Float64Array, n: number, b: Float64Array): Promise<Float64Array | undefined>;
  /** aᵀ a. @param a rows × columns */
  gram(a: Float64Array, rows: number, columns: number): Promise<Float64Array>;
  /** a b. @param a m × k  @param b k × n */
  product(a: Float64Array, b: Float64Array, m: number, k: number, n: number): Promise<Float64Array>;
  dispose(): Promise<void>;
}

/** Thrown from the midst of a fit that was told to stop. */
export class StoppedError extends Error {
  override name = "StoppedError";
}

/** What the work comes to, or null where it was told to stop before it was done. */
export async function unlessStopped<Result>(work: Promise<Result>): Promise<Result | null> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof StoppedError) return null;
    throw error;
  }
}

type Build = (b: ReturnType<typeof graphBuilder>) => Readonly<Record<string, number>>;

/** @param engine default: ONNX Runtime
 * @param shouldStop asked before every factor: if so, it throws {@link StoppedError} */
export function makeAlgebra(
  engine: Engine = getEngine("onnxruntime"),
  shouldStop: () => boolean = () => false,
): Algebra {
  const compiled = new Map<string, Promise<Executable>>();
  const compile = async (key: string, build: Build): Promise<Executable> => {
    let found = compiled.get(key);
    if (found === undefined) {
      const b = graphBuilder();
      found = engine.compile(b.build(build(b)));
      compiled.set(key, found);
    }
    return found;
  };

  const lower = (h: number, m: number): Promise<Executable> =>
    compile(`lower ${h} ${m}`, (b) => {
      const inverse = b.input("inverse", [h, h], "float64");
      const below = b.matMul(b.input("below", [m, h], "float64"), b.transpose(inverse, [1, 0]));
      const corner = b.sub(b.input("corner", [m, m], "float64"), b.matMul(below, b.transpose(below, [1, 0])));
      return { below, corner };
    });
  const joint = (h: number, m: number): Promise<Executable> =>
    compile(`joint ${h} ${m}`, (b) => {
      const below = b.matMul(b.input("below", [m, h], "float64"), b.input("first", [h, h], "float64"));
      return { joint: b.matMul(b.input("second", [m, m], "float64"), below) };
    });

  /** Writes the inverse factor of the n × n matrix `a` to `out`; returns log |a|, or undefined. */
  const factor = async (a: Float64Array, n: number, out: Float64Array): Promise<number | undefined> => {
    if (n <= leaf) return factorSmall(a, n, out);
    const h = Math.ceil(n / 2 / 16) * 16;
    const m = n - h;
    const first = new Float64Array(h * h);
    const logFirst = await factor(block(a, n, 0, 0, h, h), h, first);
    if (logFirst === undefined) return undefined;
    const corner = new Float64Array(m * m);
    const below = new Float64Array(m * h);
    const feeds = { inverse: first, below: block(a, n, h, 0, m, h), corner: block(a, n, h, h, m, m) };
    await (await lower(h, m)).run(feeds, { into: { below, corner } });
    const second = new Float64Array(m * m);
    const logSecond = await factor(corner, m, second);
    if (logSecond === undefined) return undefined;
    const { joint: product } = await (await joint(h, m)).run({ below, first, second });
    const lowerLeft = product as Float64Array;
    for (let i = 0; i < h; i++) out.set(first.subarray(i * h, i * h + h), i * n);
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < h; j++) out[(h + i) * n + j] = -lowerLeft[i * h + j]!;
      out.set(second.subarray(i * m, i * m + m), (h + i) * n + h);
    }
    return logFirst + logSecond;
  };

  const reduce = (rows: number, columns: number, inner: number): Promise<Executable> =>
    compile(`reduce ${rows} ${columns} ${inner}`, (b) => {
      const left = b.input("left", [rows, inner], "float64");
      const right = b.input("right", [columns, inner], "float64");
      const from = b.input("from", [rows, columns], "float64");
      return { rest: b.sub(from, b.matMul(left, b.transpose(right, [1, 0]))) };
    });
  const divide = (rows: number, columns: number): Promise<Executable> =>
    compile(`divide ${rows} ${columns}`, (b) => ({
      quotient: b.matMul(
        b.input("from", [rows, columns], "float64"),
        b.transpose(b.input("inverse", [columns, columns], "float64"), [1, 0]),
      ),
    }));

  /** The blocks of the factor below the diagonal by row and column, and the inverses of those on it. */
  const factorTiles = async (
    a: Float64Array,
    n: number,
  ): Promise<{ readonly below: Float64Array[][]; readonly inverses: Float64Array[] } | undefined> => {
    const count = Math.ceil(n / tile);
    const sizeOf = (i: number): number => Math.min(tile, n - i * tile);
    const below: Float64Array[][] = Array.from({ length: count }, () => []);
    const inverses: Float64Array[] = [];
    for (let k = 0; k < count; k++)
      for (let i = k; i < count; i++) {
        let rest = block(a, n, i * tile, k * tile, sizeOf(i), sizeOf(k));
        for (let j = 0; j < k; j++) {
          const feeds = { from: rest, left: below[i]![j]!, right: below[k]![j]! };
          const reduced = new Float64Array(rest.length);
          await (await reduce(sizeOf(i), sizeOf(k), tile)).run(feeds, { into: { rest: reduced } });
          rest = reduced;
        }
        if (i === k) {
          inverses[k] = new Float64Array(rest.length);
          if ((await factor(rest, sizeOf(k), inverses[k]!)) === undefined) return undefined;
        } else {
          const quotient = new Float64Array(rest.length);
          const feeds = { from: rest, inverse: inverses[k]! };
          await (await divide(sizeOf(i), sizeOf(k))).run(feeds, { into: { quotient } });
          below[i]!.push(quotient);
        }
      }
    return { below, inverses };
  };

  return {
    async solve(a, n, b) {
      if (shouldStop()) throw new StoppedError("told to stop");
      const factors = await factorTiles(a, n);
      if (factors === undefined) return undefined;
      const { below, inverses } = factors;
      const x = b.slice();
      const part = (i: number): Float64Array => x.subarray(i * tile, Math.min(n, (i + 1) * tile));
      for (let i = 0; i < inverses.length; i++) {
        below[i]!.forEach((l, j) => {
          subtract(part(i), l, part(j));
        });
        part(i).set(lowerTimes(inverses[i]!, part(i), part(i).length, 1));
      }
      for (let i = inverses.length - 1; i >= 0; i--) {
        part(i).set(lowerTransposeTimes(inverses[i]!, part(i), part(i).length));
        below[i]!.forEach((l, j) => {
          subtractTransposed(part(j), l, part(i));
        });
      }
      return x;
    },
    async choleskyInverse(a, n) {
      if (shouldStop()) throw new StoppedError("told to stop");
      const inverse = new Float64Array(n * n);
      const logDeterminant = await factor(a, n, inverse);
      return logDeterminant === undefined ? undefined : { inverse, logDeterminant };
    },
    async gram(a, rows, columns) {
      const run = await compile(`gram ${rows} ${columns}`, (b) => {
        const x = b.input("a", [rows, columns], "float64");
        return { c: b.matMul(b.transpose(x, [1, 0]), x) };
      });
      const c = new Float64Array(columns * columns);
      await run.run({ a }, { into: { c } });
      return c;
    },
    async product(a, right, m, k, n) {
      const run = await compile(`product ${m} ${k} ${n}`, (b) => ({
        c: b.matMul(b.input("a", [m, k], "float64"), b.input("b", [k, n], "float64")),
      }));
      const c = new Float64Array(m * n);
      await run.run({ a, b: right }, { into: { c } });
      return c;
    },
    async dispose() {
      for (const executable of compiled.values()) await (await executable).dispose();
      compiled.clear();
    },
  };
}

function block(a: Float64Array, n: number, row: number, column: number, rows: number, columns: number): Float64Array {
  const out = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    const start = (row + i) * n + column;
    out.set(a.subarray(start, start + columns), i * columns);
  }
  return out;
}

/** Row by row: the factor, then its inverse. Works on `a` in place. */
function factorSmall(a: Float64Array, n: number, out: Float64Array): number | undefined {
  let logDeterminant = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= a[i * n + k]! * a[j * n + k]!;
      if (j < i) a[i * n + j] = sum / a[j * n + j]!;
      else {
        if (!(sum > 0)) return undefined;
        a[i * n + i] = Math.sqrt(sum);
        logDeterminant += Math.log(sum);
      }
    }
  }
  for (let i = 0; i < n; i++) {
    const pivot = 1 / a[i * n + i]!;
    out[i * n + i] = pivot;
    for (let j = 0; j < i; j++) {
      let sum = 0;
      for (let k = j; k < i; k++) sum += a[i * n + k]! * out[k * n + j]!;
      out[i * n + j] = -sum * pivot;
    }
  }
  return logDeterminant;
}

/** Lower factor of a small symmetric positive definite matrix (a trend's normal equations), with its log determinant;
 * undefined where it is not positive definite. @param a q × q, kept */
export function choleskySmall(
  a: Float64Array,
  q: number,
): { readonly inverse: Float64Array; readonly logDeterminant: number } | undefined {
  const inverse = new Float64Array(q * q);
  const logDeterminant = factorSmall(Float64Array.from(a), q, inverse);
  return logDeterminant === undefined ? undefined : { inverse, logDeterminant };
}

/** L b for a lower triangular L. @param b n × q */
export function lowerTimes(l: Float64Array, b: Float64Array, n: number, q: number): Float64Array {
  const out = new Float64Array(n * q);
  for (let i = 0; i < n; i++)
    for (let s = 0; s < q; s++) {
      let sum = 0;
      for (let k = 0; k <= i; k++) sum += l[i * n + k]! * b[k * q + s]!;
      out[i * q + s] = sum;
    }
  return out;
}

/** Lᵀ b for a lower triangular L. */
export function lowerTransposeTimes(l: Float64Array, b: Float64Array, n: number): Float64Array {
  const out = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const bi = b[i]!;
    for (let k = 0; k <= i; k++) out[k]! += l[i * n + k]! * bi;
  }
  return out;
}

/** y - a x, in place. @param a as many rows as y, as many columns as x */
function subtract(y: Float64Array, a: Float64Array, x: Float64Array): void {
  for (let i = 0, at = 0; i < y.length; i++) {
    let sum = 0;
    for (let j = 0; j < x.length; j++, at++) sum += a[at]! * x[j]!;
    y[i]! -= sum;
  }
}

/** y - aᵀ x, in place. @param a as many rows as x, as many columns as y */
function subtractTransposed(y: Float64Array, a: Float64Array, x: Float64Array): void {
  for (let i = 0, at = 0; i < x.length; i++) {
    const xi = x[i]!;
    for (let j = 0; j < y.length; j++, at++) y[j]! -= a[at]! * xi;
  }
}
