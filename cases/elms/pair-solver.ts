/** Buffers of a block-tridiagonal system for two profiles that are coupled cell by cell. */
export interface PairSolver {
  /** Off-diagonals of the first [0] and the second [1] profile. */
  readonly lower: readonly [Float64Array, Float64Array];
  readonly upper: readonly [Float64Array, Float64Array];
  /** Diagonals without the coupling, which adds x (a - b) to the first row and x (b - a) to the second. */
  readonly first: Float64Array;
  readonly second: Float64Array;
  readonly coupling: Float64Array;
  readonly rhsFirst: Float64Array;
  readonly rhsSecond: Float64Array;
  /** Solves by block elimination without pivoting into `a` and `b`. */
  readonly solveInto: (a: Float64Array, b: Float64Array) => void;
}

/** A solver for `n` cells: lower a[i-1] + first a[i] + upper a[i+1] + x (a[i] - b[i]) = rhs, and the same for b. */
export function makePairSolver(n: number): PairSolver {
  const zeros = (): Float64Array => new Float64Array(n);
  const lower = [zeros(), zeros()] as const;
  const upper = [zeros(), zeros()] as const;
  const [first, second, coupling, rhsFirst, rhsSecond] = [zeros(), zeros(), zeros(), zeros(), zeros()];
  /** Elements of the inverse of each eliminated block times its upper block. */
  const [e00, e01, e10, e11] = [zeros(), zeros(), zeros(), zeros()];

  function solveInto(a: Float64Array, b: Float64Array): void {
    for (let i = 0; i < n; i++) {
      const x = coupling[i]!;
      let b00 = first[i]! + x;
      let b01 = -x;
      let b10 = -x;
      let b11 = second[i]! + x;
      let f = rhsFirst[i]!;
      let s = rhsSecond[i]!;
      if (i > 0) {
        const l0 = lower[0][i]!;
        const l1 = lower[1][i]!;
        b00 -= l0 * e00[i - 1]!;
        b01 -= l0 * e01[i - 1]!;
        b10 -= l1 * e10[i - 1]!;
        b11 -= l1 * e11[i - 1]!;
        f -= l0 * a[i - 1]!;
        s -= l1 * b[i - 1]!;
      }
      const scale = 1 / (b00 * b11 - b01 * b10);
      const u0 = upper[0][i]! * scale;
      const u1 = upper[1][i]! * scale;
      e00[i] = b11 * u0;
      e01[i] = -b01 * u1;
      e10[i] = -b10 * u0;
      e11[i] = b00 * u1;
      a[i] = (b11 * f - b01 * s) * scale;
      b[i] = (b00 * s - b10 * f) * scale;
    }
    for (let i = n - 2; i >= 0; i--) {
      a[i] = a[i]! - e00[i]! * a[i + 1]! - e01[i]! * b[i + 1]!;
      b[i] = b[i]! - e10[i]! * a[i + 1]! - e11[i]! * b[i + 1]!;
    }
  }

  return { lower, upper, first, second, coupling, rhsFirst, rhsSecond, solveInto };
}
