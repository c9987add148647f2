import {
  BOHR_RADIUS_ANGSTROM as A0,
  COULOMB_EV_ANGSTROM as E2,
  gaussLegendre,
  HBAR2_OVER_2M_EV_ANGSTROM2 as H2,
} from "../kernels/index.ts";
import { ionScreeningSquared, type Plasma } from "./plasma.ts";

/**
 * Electron-ion collision energy hbar nu [eV] at zero frequency in the Born approximation, screened by the static electrons
 * and with the Debye-Hueckel structure of the ions (Thiele et al., PRE 78, 026411 (2008), the static limit).
 */
export function bornCollisionEnergy(plasma: Plasma, nodes = 200): number {
  const { zf, ni, ne, kF, degeneracy, eta, ke } = plasma;
  const ki2 = ionScreeningSquared(plasma);
  const edge = 2 * kF * Math.sqrt((Math.max(eta, 0) + 45) / degeneracy);
  const rule = gaussLegendre(nodes, 0, 1);
  let sum = 0;
  for (let i = 0; i < nodes; i++) {
    // q = edge t²: dense at small q, where the screened integrand turns over
    const t = rule.nodes[i]!;
    const q = edge * t * t;
    const screened = q * q + ke * ke;
    const structure = screened / (screened + ki2);
    const zq = q / (2 * kF);
    const occupied = 1 / (Math.exp(degeneracy * zq * zq - eta) + 1);
    const slope = ((1 / (2 * kF * A0 * zq * zq)) * occupied) / (2 * H2 * q * kF);
    sum += rule.weights[i]! * 2 * t * edge * (q ** 6 / screened ** 2) * structure * slope;
  }
  return ((4 * Math.PI * E2 * zf * zf * ni) / (6 * Math.PI * Math.PI * ne)) * 2 * H2 * sum;
}
