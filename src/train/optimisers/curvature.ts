/**
 * The memory of L-BFGS: the last steps s and changes y of the gradient, and the direction that they give, in the compact
 * representation (Byrd, Nocedal & Schnabel 1994, eq. 3.1): two products with all pairs at once where the two-loop recursion
 * has four per pair, one after another. Small matrices are float64, long vectors float32.
 */

/** Products with the rows of a matrix, 2 memory × size: the steps, then the changes. */
export interface PairProducts {
  readonly rows: Float32Array;
  /** rows · vector, 2 memory numbers; valid until the next call. */
  times(vector: Float32Array): Promise<ArrayLike<number>>;
  /** coefficients · rows + factor vector, into `out`. */
  combine(coefficients: Float32Array, factor: number, vector: Float32Array, out: Float32Array): Promise<void>;
}

/** The products in plain loops. */
export function plainProducts(memory: number, size: number): PairProducts {
  const rows = new Float32Array(2 * memory * size);
  return {
    rows,
    async times(vector) {
      return Float64Array.from({ length: 2 * memory }, (_, k) => {
        let sum = 0;
        for (let i = 0, at = k * size; i < size; i++, at++) sum += rows[at]! * vector[i]!;
        return sum;
      });
    },
    async combine(coefficients, factor, vector, out) {
      for (let i = 0; i < size; i++) {
        let sum = factor * vector[i]!;
        for (let k = 0; k < 2 * memory; k++) sum += coefficients[k]! * rows[k * size + i]!;
        out[i] = sum;
      }
    },
  };
}

/** A point and the gradient there. */
export interface Place {
  readonly point: Float32Array;
  readonly gradient: Float32Array;
}

export interface Curvature {
  /** Pairs that are kept. */
  readonly pairs: number;
  /** Keeps the pair of a move in the place of the oldest. @returns false, and nothing changes, where the curvature along it is not
   * positive */
  add(from: Place, to: Place): Promise<boolean>;
  /** Writes - H gradient into `out`, H the approximation of the inverse Hessian. */
  directionInto(out: Float32Array, gradient: Float32Array): Promise<void>;
  clear(): void;
}

export function curvature(memory: number, size: number, products: PairProducts): Curvature {
  /** Places of the pairs in the matrix, oldest first. */
  const order: number[] = [];
  const square = (): Float64Array[] => Array.from({ length: memory }, () => new Float64Array(memory));
  /** s_i · y_j and y_i · y_j by place; of the former only those count where i is not younger than j. */
  const [sy, yy] = [square(), square()];
  let gamma = 1;
  const coefficients = new Float32Array(2 * memory);
  const s = new Float32Array(size);
  const y = new Float32Array(size);
  return {
    get pairs() {
      return order.length;
    },
    async add(from, to) {
      let ss = 0;
      let along = 0;
      let length = 0;
      for (let i = 0; i < size; i++) {
        const step = (s[i] = to.point[i]! - from.point[i]!);
        const change = (y[i] = to.gradient[i]! - from.gradient[i]!);
        ss += step * step;
        along += step * change;
        length += change * change;
      }
      if (!(along > 1e-12 * Math.sqrt(ss * length))) return false;
      const place = order.length < memory ? order.length : order.shift()!;
      order.push(place);
      products.rows.set(s, place * size);
      products.rows.set(y, (memory + place) * size);
      const dots = await products.times(y);
      for (const i of order) {
        sy[i]![place] = dots[i]!;
        yy[i]![place] = yy[place]![i] = dots[memory + i]!;
      }
      sy[place]![place] = along;
      yy[place]![place] = length;
      gamma = along / length;
      return true;
    },
    async directionInto(out, gradient) {
      coefficients.fill(0);
      const n = order.length;
      if (n > 0) {
        const dots = await products.times(gradient);
        // p = R^-1 S'g, then a = R^-T ((D + gamma Y'Y) p - gamma Y'g); R is the upper triangle of S'Y, D its diagonal.
        const p = new Float64Array(n);
        for (let i = n - 1; i >= 0; i--) {
          let sum = dots[order[i]!]!;
          for (let j = i + 1; j < n; j++) sum -= sy[order[i]!]![order[j]!]! * p[j]!;
          p[i] = sum / sy[order[i]!]![order[i]!]!;
        }
        const a = new Float64Array(n);
        for (let i = 0; i < n; i++) {
          const [row, diagonal] = [yy[order[i]!]!, sy[order[i]!]![order[i]!]!];
          let sum = diagonal * p[i]! - gamma * dots[memory + order[i]!]!;
          for (let j = 0; j < n; j++) sum += gamma * row[order[j]!]! * p[j]!;
          for (let j = 0; j < i; j++) sum -= sy[order[j]!]![order[i]!]! * a[j]!;
          a[i] = sum / diagonal;
          coefficients[order[i]!] = -a[i]!;
          coefficients[memory + order[i]!] = gamma * p[i]!;
        }
      }
      await products.combine(coefficients, -(n > 0 ? gamma : 1), gradient, out);
    },
    clear() {
      order.length = 0;
    },
  };
}
