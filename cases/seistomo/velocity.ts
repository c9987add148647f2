/** A section through an oceanic margin: sediment over a crust of nine velocities over the mantle. */

/** Width and depth of the section [km]. */
export const WIDTH = 100;
export const DEPTH = 30;
/** Share of the crust's thickness at which its middle velocities sit. */
const MIDDLE = 0.4;

/** Physical inputs: km and km/s. */
export interface Section {
  readonly sedimentThickness: number;
  readonly sedimentVelocity: number;
  /** At x = 0, 50 and 100 km. */
  readonly top: readonly [number, number, number];
  readonly middle: readonly [number, number, number];
  readonly base: readonly [number, number, number];
  /** Moho depth at x = 0 and 100 km. */
  readonly moho: readonly [number, number];
}

/** Slowness [s/km] on a grid of nx × nz nodes, `h` km apart; node (i, k) at x = i h, z = k h is element k nx + i. */
export interface Grid {
  readonly h: number;
  readonly nx: number;
  readonly nz: number;
  readonly slowness: Float64Array;
}

/** A grid over the whole section with slowness by `slownessOver(x, above, below)`, the mean between two depths. */
export function makeGrid(h: number, slownessOver: (x: number, above: number, below: number) => number): Grid {
  const nx = Math.round(WIDTH / h) + 1;
  const nz = Math.round(DEPTH / h) + 1;
  const slowness = new Float64Array(nx * nz);
  for (let k = 0; k < nz; k++) {
    for (let i = 0; i < nx; i++) {
      slowness[k * nx + i] = slownessOver(i * h, Math.max(0, (k - 0.5) * h), Math.min(DEPTH, (k + 0.5) * h));
    }
  }
  return { h, nx, nz, slowness };
}

/**
 * The section's grid. Where a layer's edge passes between nodes, the node takes the mean slowness of half a step above
 * and below: so travel times follow thicknesses smoothly, where values at the nodes would make them jump with each row.
 */
export function sectionGrid(section: Section, h: number): Grid {
  const { sedimentThickness: hs, moho } = section;
  const slownessAt = (x: number, z: number): number => 1 / velocity(section, x, z);
  return makeGrid(h, (x, above, below) => {
    const zm = moho[0] + ((moho[1] - moho[0]) * x) / WIDTH;
    let sum = 0;
    let from = above;
    for (const edge of [hs, zm, below]) {
      const to = Math.min(Math.max(edge, from), below);
      if (to > from) sum += (to - from) * slownessAt(x, (from + to) / 2);
      from = to;
    }
    return sum / (below - above);
  });
}

/** Speed of sound [km/s] at a point of the section: bilinear in x and the share of the crust, 8 + 0.01 (z - zm) below. */
export function velocity(section: Section, x: number, z: number): number {
  const { sedimentThickness: hs, moho } = section;
  const zm = moho[0] + ((moho[1] - moho[0]) * x) / WIDTH;
  if (z < hs) return section.sedimentVelocity;
  if (z >= zm) return 8 + 0.01 * (z - zm);
  const share = (z - hs) / (zm - hs);
  if (share < MIDDLE) return between(along(section.top, x), along(section.middle, x), share / MIDDLE);
  return between(along(section.middle, x), along(section.base, x), (share - MIDDLE) / (1 - MIDDLE));
}

function along(values: readonly [number, number, number], x: number): number {
  const half = WIDTH / 2;
  return x < half ? between(values[0], values[1], x / half) : between(values[1], values[2], (x - half) / half);
}

function between(a: number, b: number, share: number): number {
  return a + (b - a) * share;
}
