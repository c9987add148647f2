import { brent } from "../kernels/index.ts";
import { type Scattering } from "./geometry.ts";

/** How finely one side of the spectrum is integrated; lengths in nm. */
export interface LineRule {
  /** Widest line that needs nodes of its own, and the half of the room they take. */
  readonly wide: number;
  readonly room: number;
  /** Spacing of the nodes elsewhere, well below the instrument's width. */
  readonly step: number;
  /** Steps of the search for the line. */
  readonly scan: number;
}

/** Spacing of the nodes around a line in asinh. */
const SPACING = 0.15;

const eps = new Float64Array(2);

/** Where Re eps = 0 between `outer` and `inner` [nm], the root nearest to `outer`, and the half width of the line. */
function resonance(
  scattering: Scattering,
  outer: number,
  inner: number,
  scan: number,
): { nm: number; width: number } | undefined {
  const re = (nm: number): number => {
    scattering.permittivityInto(eps, nm);
    return eps[0]!;
  };
  const step = (inner - outer) / scan;
  let from = outer;
  for (let i = 1; i <= scan; i++) {
    const to = outer + i * step;
    if (re(to) < 0) {
      const nm = brent(re, from, to, 1e-13);
      if (Number.isNaN(nm)) return undefined;
      const slope = (re(nm + 1e-4) - re(nm - 1e-4)) / 2e-4;
      scattering.permittivityInto(eps, nm);
      return { nm, width: Math.max(1e-10, Math.abs(eps[1]! / slope)) };
    }
    from = to;
  }
  return undefined;
}

/**
 * Integrates the scattered power from `low` to `high` [nm], one side of the probe, into bins by `deposit(nm, amount)`.
 * Landau damping may leave a plasma line far narrower than any grid (1e-6 nm in the cold, dense corner), so nodes
 * around it follow nm = line + width sinh(t), which makes a Lorentzian smooth. @param refine divides every spacing
 */
export function depositSide(
  scattering: Scattering,
  low: number,
  high: number,
  outer: "low" | "high",
  rule: LineRule,
  refine: number,
  deposit: (nm: number, amount: number) => void,
): void {
  const [from, to] = outer === "low" ? [low, high] : [high, low];
  const line = resonance(scattering, from, to, rule.scan);
  if (line === undefined || line.width > rule.wide) {
    depositEven(scattering, low, high, rule.step / refine, deposit);
    return;
  }
  const { nm, width } = line;
  const left = Math.max(low, nm - rule.room);
  const right = Math.min(high, nm + rule.room);
  depositEven(scattering, low, left, rule.step / refine, deposit);
  depositEven(scattering, right, high, rule.step / refine, deposit);
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
  spacing: number,
  deposit: (nm: number, amount: number) => void,
): void {
  if (!(high > low)) return;
  const steps = Math.ceil((high - low) / spacing);
  const step = (high - low) / steps;
  for (let i = 0; i <= steps; i++) {
    const nm = low + i * step;
    deposit(nm, (i === 0 || i === steps ? 0.5 : 1) * step * scattering.perNm(nm));
  }
}
