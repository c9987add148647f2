/** First arrivals: |grad t| = slowness, by factored fast sweeping. */
import type { Grid } from "./velocity.ts";

const TOLERANCE = 1e-10;
const MOST_ROUNDS = 200;

/**
 * Travel times [s] from node (sourceX, sourceZ) to every node. With t = t0 T and t0 the time at the source's own speed,
 * T is smooth at the source, so upwind differences of T lose nothing there (Fomel, Luo & Zhao, J. Comput. Phys. 228,
 * 6440 (2009)); Gauss-Seidel sweeps in four orders (Zhao, Math. Comp. 74, 603 (2005)) until nothing changes by 1e-10;
 * nodes whose neighbours have not fallen are passed over, which changes nothing.
 * First order in h. Nodes within 1.5 h of the source take the mean of their slowness and the source's.
 */
export function travelTimes(grid: Grid, sourceX: number, sourceZ: number): Float64Array {
  const { h, nx, nz, slowness } = grid;
  const source = sourceZ * nx + sourceX;
  const s0 = slowness[source]!;
  const count = nx * nz;
  const t = new Float64Array(count).fill(Infinity); // t0 T
  const t0 = new Float64Array(count);
  const fixed = new Uint8Array(count);
  const stale = new Uint8Array(count); // 1 where a neighbour fell since the node's last update
  const spread = (i: number, node: number): void => {
    if (i > 0) stale[node - 1] = 1;
    if (i < nx - 1) stale[node + 1] = 1;
    if (node >= nx) stale[node - nx] = 1;
    if (node < count - nx) stale[node + nx] = 1;
  };
  for (let k = 0; k < nz; k++) {
    for (let i = 0; i < nx; i++) {
      const node = k * nx + i;
      const r = h * Math.hypot(i - sourceX, k - sourceZ);
      t0[node] = r * s0;
      if (r <= 1.5 * h) {
        t[node] = (r * (slowness[node]! + s0)) / 2;
        fixed[node] = 1;
        spread(i, node);
      }
    }
  }

  const update = (i: number, k: number): number => {
    const node = k * nx + i;
    if (stale[node] === 0 || fixed[node] === 1) return 0;
    stale[node] = 0;
    const left = i > 0 ? t[node - 1]! : Infinity;
    const right = i < nx - 1 ? t[node + 1]! : Infinity;
    const above = k > 0 ? t[node - nx]! : Infinity;
    const below = k < nz - 1 ? t[node + nx]! : Infinity;
    const sx = left <= right ? 1 : -1;
    const sz = above <= below ? 1 : -1;
    const nodeX = node - sx;
    const nodeZ = node - sz * nx;
    const hasX = (sx > 0 ? left : right) < Infinity;
    const hasZ = (sz > 0 ? above : below) < Infinity;
    if (!hasX && !hasZ) return 0;
    const time0 = t0[node]!;
    const s = slowness[node]!;
    // d t0 / dx = s0^2 (x - xs) / t0; ax T - bx is the upwind difference of t in x.
    const ax = (s0 * s0 * (i - sourceX) * h) / time0 + (sx * time0) / h;
    const az = (s0 * s0 * (k - sourceZ) * h) / time0 + (sz * time0) / h;
    const bx = hasX ? (((sx * time0) / h) * t[nodeX]!) / t0[nodeX]! : 0;
    const bz = hasZ ? (((sz * time0) / h) * t[nodeZ]!) / t0[nodeZ]! : 0;
    let best = Infinity;
    if (hasX && hasZ) {
      const a = ax * ax + az * az;
      const b = ax * bx + az * bz;
      const under = b * b - a * (bx * bx + bz * bz - s * s);
      if (under >= 0) {
        const T = (b + Math.sqrt(under)) / a;
        if ((ax * T - bx) * sx >= 0 && (az * T - bz) * sz >= 0) best = T;
      }
    }
    if (best === Infinity) {
      if (hasX && ax * sx > 0) best = (sx * s + bx) / ax;
      if (hasZ && az * sz > 0) best = Math.min(best, (sz * s + bz) / az);
    }
    const time = best * time0;
    const change = t[node]! - time;
    if (!(change > 0)) return 0;
    t[node] = time;
    spread(i, node);
    return change;
  };

  for (let round = 0; round < MOST_ROUNDS; round++) {
    let most = 0;
    for (let order = 0; order < 4; order++) {
      const rightward = order === 0 || order === 3;
      const downward = order < 2;
      for (let kk = 0; kk < nz; kk++) {
        const k = downward ? kk : nz - 1 - kk;
        for (let ii = 0; ii < nx; ii++) {
          const change = update(rightward ? ii : nx - 1 - ii, k);
          if (change > most) most = change;
        }
      }
    }
    if (most < TOLERANCE) break;
  }
  return t;
}
