/**
 * Seedable, forkable streams of random numbers: xoshiro128** (Blackman & Vigna 2018) seeded through splitmix32.
 * A fork depends on the seed and its label, never on draws already made, so tasks may run in any order.
 */

/** A stream of random numbers. The same seed and labels give the same numbers on every machine. */
export interface Rng {
  /** The seed that this stream was made from, to name it in records. */
  readonly seed: number;
  /** Uniform on [0, 1) with 53 random bits. */
  uniform(): number;
  /** Standard normal (Box-Muller, both values used). */
  normal(): number;
  /** Integer uniform on 0..n-1. @param n positive, below 2^32 */
  int(n: number): number;
  /** Shuffles `items` in place (Fisher-Yates) and returns it. */
  shuffle<T extends { length: number; [i: number]: unknown }>(items: T): T;
  /** An independent stream for `label`; depends on this stream's seed and the label alone. */
  fork(label: string | number): Rng;
}

/** A whole number of log-uniform density. @param low above 0 @param high at least that */
export function logUniform(rng: Rng, low: number, high: number): number {
  return Math.round(low * (high / low) ** rng.uniform());
}

function mix(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x21f0aaad);
  h = Math.imul(h ^ (h >>> 15), 0x735a2d97);
  return (h ^ (h >>> 15)) >>> 0;
}

function hashLabel(seed: number, label: string): number {
  let h = mix(seed ^ 0x9e3779b9);
  for (let i = 0; i < label.length; i++) h = mix((h + label.charCodeAt(i) + 0x9e3779b9) | 0);
  return h >>> 0;
}

/** Makes a stream from a seed. @param seed any integer; its low 32 bits count */
export function makeRng(seed: number): Rng {
  const root = seed >>> 0;
  let s = root;
  const next = (): number => {
    s = (s + 0x9e3779b9) | 0;
    return mix(s);
  };
  let a = next(),
    b = next(),
    c = next(),
    d = next();
  const u32 = (): number => {
    const t5 = Math.imul(b, 5);
    const result = Math.imul((t5 << 7) | (t5 >>> 25), 9) >>> 0;
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = (d << 11) | (d >>> 21);
    return result;
  };
  let spare: number | undefined;
  const rng: Rng = {
    seed: root,
    uniform: () => ((u32() >>> 5) * 67108864 + (u32() >>> 6)) / 9007199254740992,
    normal() {
      if (spare !== undefined) {
        const value = spare;
        spare = undefined;
        return value;
      }
      const r = Math.sqrt(-2 * Math.log(1 - rng.uniform()));
      const angle = 2 * Math.PI * rng.uniform();
      spare = r * Math.sin(angle);
      return r * Math.cos(angle);
    },
    int: (n) => Math.floor(rng.uniform() * n),
    shuffle(items) {
      for (let i = items.length - 1; i > 0; i--) {
        const j = rng.int(i + 1);
        const held = items[i];
        items[i] = items[j];
        items[j] = held;
      }
      return items;
    },
    fork: (label) => makeRng(hashLabel(root, String(label))),
  };
  return rng;
}
