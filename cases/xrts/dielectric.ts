import { BOHR_RADIUS_ANGSTROM as A0, gaussLegendre, HBAR2_OVER_2M_EV_ANGSTROM2 as H2 } from "../kernels/index.ts";
import { type Plasma } from "./plasma.ts";

/** Dielectric function of the free electrons at one wave number. Complex results are written to out[0] + i out[1]. */
export interface Dielectric {
  /** eps(k, 0), real. */
  readonly atRest: number;
  /** Random-phase approximation at real energy `w` [eV]. */
  readonly real: (out: Float64Array, w: number) => void;
  /** Random-phase approximation at complex energy w + i nu [eV], nu > 0. */
  readonly damped: (out: Float64Array, w: number, nu: number) => void;
  /** Mermin's, at real energy `w` with collision energy `nu` [eV]; at nu = 0 the random-phase approximation. */
  readonly mermin: (out: Float64Array, w: number, nu: number) => void;
}

/**
 * Finite-temperature dielectric function at wave number `k` [Å⁻¹] (Arista & Brandt, PRA 29, 1471 (1984); Mermin, PRB 1,
 * 2362 (1970)). eps = 1 + X / (4 z³) [g(u + z) - g(u - z)], z = k / 2kF, u = W / (2 (hbar²/2m) k kF).
 * @param nodes quadrature nodes a piece: g is split at its logarithmic singularity, nodes cluster at both ends
 */
export function makeDielectric(plasma: Plasma, k: number, nodes = 96): Dielectric {
  const { kF, degeneracy, eta } = plasma;
  const z = k / (2 * kF);
  const perEnergy = 1 / (2 * H2 * k * kF);
  const x0 = 1 / (Math.PI * kF * A0);
  const scale = x0 / (4 * z ** 3);
  const edge = Math.sqrt((Math.max(eta, 0) + 45) / degeneracy);
  const rule = gaussLegendre(nodes, 0, 1);
  const places = rule.nodes.map((t) => t * t * (3 - 2 * t));
  const weights = rule.weights.map((weight, i) => weight * 6 * rule.nodes[i]! * (1 - rule.nodes[i]!));
  let gRe = 0;
  let gIm = 0;

  /** Adds the part of g(xRe + i xIm) from y in [low, high] to gRe, gIm. */
  function addPiece(xRe: number, xIm: number, low: number, high: number): void {
    const width = high - low;
    let re = 0;
    let im = 0;
    const size = xRe * xRe + xIm * xIm;
    for (let i = 0; i < nodes; i++) {
      const y = low + width * places[i]!;
      const occupied = (weights[i]! * y) / (Math.exp(degeneracy * y * y - eta) + 1);
      const up = xRe + y;
      const down = xRe - y;
      // where rounding put y on the singularity of a real x, the weight of its node is next to nothing
      const square = down * down + xIm * xIm || Number.MIN_VALUE;
      re += occupied * 0.5 * Math.log((up * up + xIm * xIm) / square);
      if (xIm !== 0) im += occupied * Math.atan2(-2 * y * xIm, size - y * y);
    }
    gRe += width * re;
    gIm += width * im;
  }

  /** g(x) = int_0^inf y dy / (exp(D y² - eta) + 1) ln((x + y) / (x - y)); for real x only its real part. */
  function g(xRe: number, xIm: number): void {
    gRe = 0;
    gIm = 0;
    const at = Math.abs(xRe);
    if (at > 0) addPiece(xRe, xIm, 0, Math.min(at, edge));
    if (at < edge) addPiece(xRe, xIm, at, edge);
  }

  function damped(out: Float64Array, w: number, nu: number): void {
    g(w * perEnergy + z, nu * perEnergy);
    const re = gRe;
    const im = gIm;
    g(w * perEnergy - z, nu * perEnergy);
    out[0] = 1 + scale * (re - gRe);
    out[1] = scale * (im - gIm);
  }

  function real(out: Float64Array, w: number): void {
    damped(out, w, 0);
    const u = w * perEnergy;
    const up = softplus(eta - degeneracy * (u - z) ** 2);
    const down = softplus(eta - degeneracy * (u + z) ** 2);
    out[1] = ((Math.PI * x0) / (8 * degeneracy * z ** 3)) * (up - down);
  }

  g(z, 0);
  const atRest = 1 + 2 * scale * gRe;

  /** 1 + (1 + i nu/W) chi / [1 + (i nu/W) chi / chi0], chi = eps(W + i nu) - 1, chi0 = eps(0) - 1. */
  function mermin(out: Float64Array, w: number, nu: number): void {
    if (nu === 0) return real(out, w);
    damped(out, w, nu);
    const chiRe = out[0]! - 1;
    const chiIm = out[1]!;
    const ratio = nu / w;
    const topRe = chiRe - ratio * chiIm;
    const topIm = chiIm + ratio * chiRe;
    const lowRe = 1 - (ratio * chiIm) / (atRest - 1);
    const lowIm = (ratio * chiRe) / (atRest - 1);
    const size = lowRe * lowRe + lowIm * lowIm;
    out[0] = 1 + (topRe * lowRe + topIm * lowIm) / size;
    out[1] = (topIm * lowRe - topRe * lowIm) / size;
  }

  return { atRest, real, damped, mermin };
}

/** ln(1 + exp(x)) without overflow or loss. */
function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}
