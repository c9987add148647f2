/** The inputs that `jag` and `jag-scalars` share, and one run of their simulator. */
import { type CaseInput, type CaseOutput, physicalInputs } from "../case.ts";
import { ALL_PHYSICS, type Drive, implode, type Implosion, type Resolution } from "./implosion.ts";
import { SCALARS } from "./scalars.ts";

/** Where the physics comes from. */
export const source: readonly string[] = [
  "Betti et al., Phys. Plasmas 9, 2277 (2002)",
  "Springer et al., EPJ Web Conf. 59, 04001 (2013)",
  "Betti et al., Phys. Rev. Lett. 114, 255003 (2015)",
  "Bosch & Hale, Nucl. Fusion 32, 611 (1992)",
  "Atzeni & Meyer-ter-Vehn, The Physics of Inertial Fusion (2004)",
  "Anirudh et al., PNAS 117, 9741 (2020), for the shape of the public JAG data set",
];

const mode = (name: string, about: string): CaseInput => ({
  name,
  unit: "",
  low: -0.05,
  high: 0.05,
  scale: "linear",
  about,
});

/** Speed, starting pressure and three shape modes of the speed. */
export const inputs: readonly CaseInput[] = [
  { name: "v", unit: "km/s", low: 300, high: 360, scale: "linear", about: "implosion speed of the shell" },
  { name: "p0", unit: "1e13 Pa", low: 1.5, high: 3, scale: "linear", about: "hot-spot pressure at the start" },
  mode("a10", "speed mode cos(theta): one pole faster than the other"),
  mode("a20", "speed mode P2(cos(theta)): poles against equator"),
  mode("a22", "speed mode sin^2(theta) cos(2 phi): an oval equator"),
];

/** Physical inputs, in SI units, at u in [0, 1]^5. */
export function driveAt(u: Float64Array): Drive {
  const [v, p0, a10, a20, a22] = physicalInputs(inputs, u) as unknown as [number, number, number, number, number];
  return { v: v * 1e3, p0: p0 * 1e13, a10, a20, a22 };
}

/** One implosion at u in [0, 1]^5; why it failed where the shell is pierced. */
export function runAt(u: Float64Array, resolution?: Resolution): Implosion | string {
  return implode(driveAt(u), ALL_PHYSICS, resolution);
}

/** The fifteen scalar outputs. */
export const scalarFields: readonly CaseOutput[] = SCALARS.map(({ name, unit, about }) => {
  return { name, unit, shape: [], axes: [], about };
});
