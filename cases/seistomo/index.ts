/** Case `seistomo`: first arrivals through the crust of an oceanic margin. */
import { type Case, type CaseInput, physicalInputs } from "../case.ts";
import { travelTimes } from "./eikonal.ts";
import { type Section, sectionGrid } from "./velocity.ts";

/** Where the seismometers (sources) and shots (receivers) sit on the sea bottom [km]. */
export const SOURCES: readonly number[] = [10, 30, 50, 70, 90];
export const RECEIVERS: readonly number[] = Array.from({ length: 50 }, (_, i) => 2 * i + 1);
/** Distance of nodes [km]. */
const SPACING = 0.25;
/** Speed that the reduced times are taken at [km/s]. */
const REDUCTION = 6.5;

const input = (name: string, unit: string, low: number, high: number, about: string): CaseInput => {
  return { name, unit, low, high, scale: "linear", about };
};
const crust = (name: string, low: number, high: number, where: string): CaseInput[] =>
  [0, 50, 100].map((x) => input(`${name}${x}`, "km/s", low, high, `crust velocity at x = ${x} km, ${where}`));

const inputs: readonly CaseInput[] = [
  input("sedimentThickness", "km", 0.5, 4, "thickness of the sediment"),
  input("sedimentVelocity", "km/s", 1.8, 3.5, "velocity of the sediment"),
  ...crust("top", 3.5, 5.5, "under the sediment"),
  ...crust("middle", 5.6, 6.6, "at 40 % of the crust"),
  ...crust("base", 6.6, 7.4, "over the Moho"),
  input("moho0", "km", 10, 22, "depth of the Moho at x = 0 km"),
  input("moho100", "km", 10, 22, "depth of the Moho at x = 100 km"),
];

const axes = [
  { name: "source", unit: "km", values: SOURCES },
  { name: "receiver", unit: "km", values: RECEIVERS },
];
const shape = [SOURCES.length, RECEIVERS.length];

/** Thirteen numbers of a section to 250 travel times; a stand-in for the paper's case. */
export const seistomo: Case = {
  name: "seistomo",
  title: "SeisTomo: first arrivals through an oceanic margin",
  about: "Travel times from five sea-bottom seismometers to fifty shots, through sediment, crust and mantle.",
  source: [
    "Korenaga et al., J. Geophys. Res. 105, 21591 (2000)",
    "Zhao, Math. Comp. 74, 603 (2005)",
    "Fomel, Luo & Zhao, J. Comput. Phys. 228, 6440 (2009)",
  ],
  inputs,
  outputs: [
    { name: "times", unit: "s", shape, channels: true, axes, about: "time of the first arrival" },
    { name: "reduced", unit: "s", shape, channels: true, axes, about: "the same less distance / (6.5 km/s)" },
  ],
  runs: { train: 6000, test: 1000 },
  inverse: {
    about: "all 13 numbers, the Moho's depth above all, from picks with 0.05 s of noise",
    observed: ["times"],
    noise: (_name, values) => values.map(() => 0.05),
  },
  simulate: (u) => simulateSeistomo(u),
};

/** The section at u in [0, 1]^13. */
export function sectionAt(u: Float64Array): Section {
  const x = Array.from(physicalInputs(inputs, u));
  const three = (from: number): [number, number, number] => [x[from]!, x[from + 1]!, x[from + 2]!];
  return {
    sedimentThickness: x[0]!,
    sedimentVelocity: x[1]!,
    top: three(2),
    middle: three(5),
    base: three(8),
    moho: [x[11]!, x[12]!],
  };
}

/** One run with nodes `spacing` km apart, a divisor of 1. For checks; the case takes 0.25. */
export function simulateSeistomo(u: Float64Array, spacing = SPACING): ReturnType<Case["simulate"]> {
  const grid = sectionGrid(sectionAt(u), spacing);
  const times = new Float64Array(SOURCES.length * RECEIVERS.length);
  const reduced = new Float64Array(times.length);
  SOURCES.forEach((source, i) => {
    const t = travelTimes(grid, Math.round(source / spacing), 0);
    RECEIVERS.forEach((receiver, j) => {
      const at = i * RECEIVERS.length + j;
      times[at] = t[Math.round(receiver / spacing)]!;
      reduced[at] = times[at] - Math.abs(receiver - source) / REDUCTION;
    });
  });
  return { status: "ok", outputs: { times, reduced } };
}
