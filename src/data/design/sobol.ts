/** Sobol sequences, plain and scrambled. */
import { OptionError } from "../../errors.ts";
import type { Rng } from "../../rng.ts";
import { at } from "./at.ts";
import { checkSize } from "./design.ts";
import { JOE_KUO } from "./joe-kuo.ts";

const BITS = 32;

/** The most inputs that `sobol` can do. */
export const SOBOL_DIMENSIONS = JOE_KUO.trim().split("\n").length + 1;

/**
 * The first `n` points of a scrambled Sobol sequence: every power-of-two block stays a digital net, so means converge
 * faster than with random points. Best with n a power of two. Direction numbers of Joe & Kuo (2008); scrambled by a
 * random lower-triangular matrix of bits and a digital shift (Matousek 1998, J. Complexity 14, 527), which is Owen's
 * scrambling (1995) without its nesting: same mean and, for nets, same variance.
 * @param d up to 100   @returns n × d, row-major, in [0, 1)   @throws OptionError if n or d cannot be
 */
export function sobol(n: number, d: number, rng: Rng): Float64Array {
  return points(n, d, (dimension) => scramble(directions(dimension), rng.fork(`sobol ${dimension}`)));
}

/** The first `n` points of the plain sequence, from the origin on. For checks: use the scrambled one for designs. */
export function plainSobol(n: number, d: number): Float64Array {
  return points(n, d, (dimension) => ({ columns: directions(dimension), shift: 0 }));
}

/** A generator matrix, one 32-bit column per bit of the index (first digit in the top bit), and a shift. */
interface DigitalNet {
  readonly columns: Uint32Array;
  readonly shift: number;
}

/** In the order of Gray codes (Antonov & Saleev 1979): each point differs from the last by one column. */
function points(n: number, d: number, net: (dimension: number) => DigitalNet): Float64Array {
  checkSize(n, d);
  if (d > SOBOL_DIMENSIONS) {
    throw new OptionError(
      "OPTION_DESIGN",
      `Sobol design in ${d} inputs: there are direction numbers for ${SOBOL_DIMENSIONS}. Use a Latin hypercube (lhs).`,
    );
  }
  const out = new Float64Array(n * d);
  for (let j = 0; j < d; j++) {
    const { columns, shift } = net(j);
    let state = shift;
    for (let i = 0; i < n; i++) {
      out[i * d + j] = (state >>> 0) / 2 ** BITS;
      const zeros = 31 - Math.clz32(~i & (i + 1));
      state ^= at(columns, zeros);
    }
  }
  return out;
}

/** Columns of one dimension (0 is van der Corput's) from its polynomial and first numbers by Sobol's recurrence. */
function directions(dimension: number): Uint32Array {
  const columns = new Uint32Array(BITS);
  const line = JOE_KUO.trim().split("\n")[dimension - 1];
  const [polynomial = 1, ...first] = line?.split(" ").map(Number) ?? [];
  const degree = first.length;
  for (let k = 0; k < BITS; k++) {
    if (degree === 0) columns[k] = 1 << (31 - k);
    else if (k < degree) columns[k] = at(first, k) << (31 - k);
    else {
      let v = at(columns, k - degree);
      v ^= v >>> degree;
      for (let i = 1; i < degree; i++) if ((polynomial >>> (degree - i)) & 1) v ^= at(columns, k - i);
      columns[k] = v;
    }
  }
  return columns;
}

/** Multiplies the columns by a random lower-triangular matrix with ones on its diagonal, and draws a shift. */
function scramble(columns: Uint32Array, rng: Rng): DigitalNet {
  // Row r of the matrix, as a mask on the digits of a column: digit r itself and random ones before it.
  const rows = Uint32Array.from({ length: BITS }, (_, r) => {
    const before = r === 0 ? 0 : (rng.int(2 ** r) << (BITS - r)) >>> 0;
    return (before | (1 << (31 - r))) >>> 0;
  });
  const scrambled = columns.map((column) => {
    let product = 0;
    rows.forEach((row, r) => {
      product |= parity(row & column) << (31 - r);
    });
    return product >>> 0;
  });
  return { columns: scrambled, shift: rng.int(2 ** BITS) };
}

function parity(x: number): number {
  x ^= x >>> 16;
  x ^= x >>> 8;
  x ^= x >>> 4;
  return (0x6996 >>> (x & 15)) & 1;
}
