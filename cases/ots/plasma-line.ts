import { brent } from "../kernels/index.ts";
import { type Scattering } from "./geometry.ts";

/** Widest line that needs nodes of its own [nm], half the room they take on each side, and their spacing in asinh. */
const WIDE_NM = 1;
const ROOM_NM = 1.5;
const SPACING = 0.15;
/** Spacing elsewhere [nm]: the instrument's sigma of 0.64 nm smooths it away. */
const STEP_NM = 0.5;
const SCAN_STEPS = 24;

const eps = new Float64Array(2);

/** Where Re eps = 0 between `outer` and `inner` [nm], the root nearest to `outer`, and the half width of the line. */
function resonance(scattering: Scattering, outer: number, inner: number): { nm: number; width: number } | undefined {
  const re = (nm: number): number => {
    scattering.permittivityInto(eps, nm);
    return eps[0]!;
  };
  const step = (inner - outer) / SCAN_STEPS;
  let from = outer;
  for (let i = 1; i <= SCAN_STEPS; i++) {
    const to = outer + i * step;
    if (re(to) < 0) {
      const nm = brent(re, from, to, 1e-13);
      if (Number.isNaN(nm)) return undefined;
      const slope = (re(nm + 1e-3) - re(nm - 1e-3)) / 2e-3;
      scattering.permittivityInto(eps, nm);
      return { nm, width: Math.max(1e-10, Math.abs(eps[1]! / slope)) };
    }
    from = to;
  }
  return undefined;
}

/**
 * Integrates the scattered power from `low` to `high` [nm], one side of the probe, into bins by `deposit(nm, amount)`.
 * Landau damping may leave the plasma line far narrower than any grid (1e-6 nm in the cold, dense corner), so nodes
 * around it follow nm = line + width sinh(t), which makes a Lorentzian smooth. @param refine divides every spacing
 */
export function depositSide(
  scattering: Scattering,
  low: number,
  high: number,
  outer: "low" | "high",
  refine: number,
  deposit: (nm: number, amount: number) => void,
): void {
  const line = outer === "low" ? resonance(scattering, low, high) : resonance(scattering, high, low);
  if (line === undefined || line.width > WIDE_NM) {
    depositEven(scattering, low, high, refine, deposit);
    return;
  }
  const { nm, width } = line;
  const left = Math.max(low, nm - ROOM_NM);
  const right = Math.min(high, nm + ROOM_NM);
  depositEven(scattering, low, left, refine, deposit);
  depositEven(scattering, right, high, refine, deposit);
  const start = Math.asinh((left - nm) / width);
  const end = Math.asinh((right - nm) / width);
  const steps = Math.max(8, Math.ceil(((end - start) * refine) / SPACING));
  const dt = (end - start) / steps;
  for (let i = 0; i <= steps; i++) {
    const t = start + i * dt;
    const at = nm + width * Math.sinh(t);
    const weight = (i === 0 || i === steps ? 0.5 : 1) * dt * width * Math.cosh(t);
    deposit(at, weight * scattering.perNm(at));
  }
}

/** Trapezoidal rule from `low` to `high` [nm]. */
function depositEven(
  scattering: Scattering,
  low: number,
  high: number,
  refine: number,
  deposit: (nm: number, amount: number) => void,
): void {
  if (!(high > low)) return;
  const steps = Math.ceil(((high - low) * refine) / STEP_NM);
  const step = (high - low) / steps;
  for (let i = 0; i <= steps; i++) {
    const nm = low + i * step;
    deposit(nm, (i === 0 || i === steps ? 0.5 : 1) * step * scattering.perNm(nm));
  }
}
