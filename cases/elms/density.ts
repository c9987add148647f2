import { solveTridiagonal } from "../kernels/index.ts";
import { type Grid } from "./grid.ts";

/** What moves particles in one step. */
export interface ParticleDrive {
  /** Diffusivity at faces [m²/s]. */
  readonly diffusivity: Float64Array;
  /** Source in each cell [1/s]. */
  readonly source: Float64Array;
  /** Particles per second through the inner face. */
  readonly inflow: number;
  /** Decay length of the density at the separatrix [m]; Infinity for a closed wall. */
  readonly decay: number;
}

/** Backward-Euler steps of dn/dt = (1/r) d_r (r D d_r n) + S by finite volumes. */
export function makeDensityStep(
  grid: Grid,
): (n: Float64Array, flux: Float64Array, dt: number, drive: ParticleDrive) => void {
  const { cells, dr, areas, volumes } = grid;
  const [lower, diagonal, upper, rhs, scratch] = Array.from({ length: 5 }, () => new Float64Array(cells)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  /** Advances `n` [1/m³] in place and writes the flux through every face [1/(m² s)]. */
  return (n, flux, dt, { diffusivity, source, inflow, decay }) => {
    const out = diffusivity[cells]! / (decay + dr / 2);
    for (let i = 0; i < cells; i++) {
      const left = i === 0 ? 0 : (areas[i]! * diffusivity[i]!) / dr;
      const right = i === cells - 1 ? areas[cells]! * out : (areas[i + 1]! * diffusivity[i + 1]!) / dr;
      const held = volumes[i]! / dt;
      lower[i] = -left;
      upper[i] = -right;
      diagonal[i] = held + left + right;
      rhs[i] = held * n[i]! + source[i]! + (i === 0 ? inflow : 0);
    }
    solveTridiagonal(lower, diagonal, upper, rhs, n, scratch);
    flux[0] = inflow / areas[0]!;
    for (let i = 1; i < cells; i++) flux[i] = (-diffusivity[i]! * (n[i]! - n[i - 1]!)) / dr;
    flux[cells] = out * n[cells - 1]!;
  };
}
