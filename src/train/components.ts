/**
 * Principal components of long fields, by orthogonal iteration (Golub & Van Loan 8.2) between runs and outputs with the products
 * by the engine. The mean is not taken off: the first components hold it.
 */
import type { Engine } from "../engine/index.ts";
import { graphBuilder } from "../graph/index.ts";
import type { Rng } from "../rng.ts";
import type { Components } from "../space/index.ts";

/** Shorter fields are learned number by number. */
const leastSize = 64;
/** Components at most: their directions are most of the work of a query. */
const mostComponents = 256;
/** A component that holds less of the sum of squares tells nothing. */
const negligible = 1e-8;
const sweeps = 3;
/** Length of what is left of a column, to what it was, below which nothing is. */
const vanishing = 1e-5;

export interface FieldComponents {
  readonly components: Components;
  /** rows x count. */
  readonly coefficients: Float32Array;
}

/** @param targets rows x size, scaled @returns undefined where a field is short, or not a sum of half as many components */
export async function fieldComponents(
  engine: Engine,
  targets: Float32Array,
  rows: number,
  rng: Rng,
): Promise<FieldComponents | undefined> {
  const size = targets.length / rows;
  const width = Math.min(mostComponents, rows, Math.floor(size / 2));
  if (size < leastSize || width < 1) return undefined;
  const products = await targetProducts(engine, targets, rows, width);
  try {
    let across: Float32Array = Float32Array.from({ length: rows * width }, () => rng.normal());
    let along: Float32Array = new Float32Array(0);
    for (let sweep = 0; sweep < sweeps; sweep++) {
      orthonormalise(across, rows, width);
      along = await products.along(across);
      if (sweep < sweeps - 1) across = await products.across(along);
    }
    along = await orthonormalised(along, width, products);
    const scores = await products.across(along);
    return chosen(along, scores, rows, width);
  } finally {
    await products.dispose();
  }
}

/** The components that hold something, largest first. @param along size x width @param scores rows x width */
function chosen(along: Float32Array, scores: Float32Array, rows: number, width: number): FieldComponents | undefined {
  const size = along.length / width;
  const powers = new Float64Array(width);
  scores.forEach((score, i) => (powers[i % width]! += score * score));
  const order = Array.from(powers.keys()).sort((a, c) => powers[c]! - powers[a]!);
  const total = powers.reduce((a, c) => a + c, 0);
  const kept = order.filter((k) => powers[k]! > negligible * total);
  const count = kept.length;
  const isAll = count === width && width === Math.floor(size / 2);
  if (count === 0 || isAll) return undefined;
  const basis = new Float32Array(count * size);
  const coefficients = new Float32Array(rows * count);
  kept.forEach((k, c) => {
    for (let j = 0; j < size; j++) basis[c * size + j] = along[j * width + k]!;
    for (let i = 0; i < rows; i++) coefficients[i * count + c] = scores[i * width + k]!;
  });
  const scales = Float32Array.from(kept, (k) => Math.sqrt(powers[k]! / rows));
  return { components: { count, basis, scales }, coefficients };
}

/** Products with the targets T, rows x size: T' a and T a; and a' a, a c of a long matrix, size x width. */
async function targetProducts(engine: Engine, targets: Float32Array, rows: number, width: number) {
  const size = targets.length / rows;
  const compile = (shape: readonly [number, number], factor: readonly [number, number], transpose: boolean) => {
    const b = graphBuilder();
    const left = b.input("left", shape);
    return engine.compile(
      b.build({ product: b.matMul(transpose ? b.transpose(left, [1, 0]) : left, b.input("right", factor)) }),
    );
  };
  const along = await compile([rows, size], [rows, width], true);
  const across = await compile([rows, size], [size, width], false);
  const gram = await compile([size, width], [size, width], true);
  const turn = await compile([size, width], [width, width], false);
  const run = async (executable: typeof along, left: Float32Array, right: Float32Array): Promise<Float32Array> =>
    Float32Array.from((await executable.run({ left, right }))["product"] as Float32Array);
  return {
    along: (factor: Float32Array) => run(along, targets, factor),
    across: (factor: Float32Array) => run(across, targets, factor),
    gram: (matrix: Float32Array) => run(gram, matrix, matrix),
    turn: (matrix: Float32Array, factor: Float32Array) => run(turn, matrix, factor),
    async dispose() {
      for (const executable of [along, across, gram, turn]) await executable.dispose();
    },
  };
}
type Products = Awaited<ReturnType<typeof targetProducts>>;

/** Modified Gram-Schmidt of the columns of a matrix in place. A column that vanishes becomes zero.
 * @param matrix rows x width */
function orthonormalise(matrix: Float32Array, rows: number, width: number): void {
  const columns = Array.from({ length: width }, (_, k) =>
    Float64Array.from({ length: rows }, (__, i) => matrix[i * width + k]!),
  );
  columns.forEach((v, k) => {
    const before = Math.sqrt(dot(v, v));
    for (let c = 0; c < k; c++) {
      const u = columns[c]!;
      const along = dot(u, v);
      for (let i = 0; i < rows; i++) v[i]! -= along * u[i]!;
    }
    const length = Math.sqrt(dot(v, v));
    const factor = length > vanishing * before ? 1 / length : 0;
    for (let i = 0; i < rows; i++) v[i]! *= factor;
  });
  columns.forEach((v, k) => {
    for (let i = 0; i < rows; i++) matrix[i * width + k] = v[i]!;
  });
}

/** The same of a long matrix whose columns are nearly orthogonal, by Cholesky's factor of their products.
 * @param matrix size x width, in place scaled to columns of length one */
async function orthonormalised(matrix: Float32Array, width: number, products: Products): Promise<Float32Array> {
  const lengths = new Float64Array(width);
  matrix.forEach((value, i) => (lengths[i % width]! += value * value));
  const largest = Math.sqrt(Math.max(...lengths));
  const factors = lengths.map((square) => (Math.sqrt(square) > vanishing * largest ? 1 / Math.sqrt(square) : 0));
  matrix.forEach((value, i) => (matrix[i] = value * factors[i % width]!));
  const gram = Float64Array.from(await products.gram(matrix));
  return products.turn(matrix, Float32Array.from(inverseOfFactor(gram, width)));
}

/** The inverse of Cholesky's upper factor of a matrix near one; columns that depend on those before them become zero. */
function inverseOfFactor(gram: Float64Array, width: number): Float64Array {
  // Gram-Schmidt on the unit vectors with the products' matrix as inner product.
  const inverse = new Float64Array(width * width);
  const images = new Float64Array(width * width);
  for (let k = 0; k < width; k++) {
    const v = new Float64Array(width);
    v[k] = 1;
    for (let c = 0; c < k; c++) {
      const along = images[c * width + k]!;
      for (let i = 0; i <= c; i++) v[i]! -= along * inverse[i * width + c]!;
    }
    // Row k of images: v' gram.
    const image = images.subarray(k * width, k * width + width);
    for (let i = 0; i <= k; i++) for (let j = 0; j < width; j++) image[j]! += v[i]! * gram[i * width + j]!;
    const square = image.subarray(0, k + 1).reduce((sum, value, i) => sum + value * v[i]!, 0);
    const factor = square > vanishing ? 1 / Math.sqrt(square) : 0;
    for (let j = 0; j < width; j++) image[j]! *= factor;
    for (let i = 0; i <= k; i++) inverse[i * width + k] = v[i]! * factor;
  }
  return inverse;
}

function dot(a: Float64Array, c: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * c[i]!;
  return sum;
}
