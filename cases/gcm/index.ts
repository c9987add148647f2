/** Case `gcm`: soot around the globe, the light it absorbs and the warming it brings. */
import { type Case, type CaseInput, physicalInputs } from "../case.ts";
import { areaMean, EARTH_RADIUS, integrate, makeGrid } from "./grid.ts";
import { TERAGRAM, TOTAL_EMISSION } from "./emission.ts";
import { type Aerosol, runAerosol, type RunOptions } from "./run.ts";

const LATS = 48;
const LONS = 96;
const STATIONS = 60;

const inputs: readonly CaseInput[] = [
  { name: "emission", unit: "", low: 0.5, high: 2, scale: "log", about: "factor on the emission of 7.8 Tg/yr" },
  { name: "wetRemoval", unit: "", low: 1 / 3, high: 3, scale: "log", about: "factor on the removal by rain" },
  {
    name: "absorption",
    unit: "",
    low: 0.2,
    high: 0.8,
    scale: "linear",
    about: "imaginary part of soot's refractive index",
  },
];

const degrees = (angle: number): number => (angle * 180) / Math.PI;
const grid = makeGrid(LATS, LONS);
const axes = [
  { name: "latitude", unit: "deg", values: Array.from(grid.lat, degrees) },
  { name: "longitude", unit: "deg", values: Array.from(grid.lon, degrees) },
];

/** Three parameters to two maps and four totals; a stand-in for the paper's case. */
export const gcm: Case = {
  name: "gcm",
  title: "GCM: black carbon, its absorption and a temperature response",
  about:
    "Soot from eight regions is carried, aged and rained out; an energy balance turns its absorption into warming.",
  source: [
    "Watson-Parris et al., Geosci. Model Dev. 14, 7659 (2021)",
    "Zhang et al., Geosci. Model Dev. 5, 869 (2012)",
    "Dentener et al., Atmos. Chem. Phys. 6, 4321 (2006)",
    "Bohren & Huffman, Absorption and Scattering of Light by Small Particles (1983)",
    "Wiscombe, NCAR Technical Note TN-140 (1979)",
    "North, Cahalan & Coakley, Rev. Geophys. 19, 91 (1981)",
  ],
  inputs,
  outputs: [
    { name: "aaod", unit: "", shape: [LATS, LONS], axes, about: "absorption optical depth at 550 nm" },
    { name: "dT", unit: "K", shape: [LATS, LONS], axes, about: "warming of the surface" },
    { name: "burden", unit: "Tg", shape: [], axes: [], about: "soot in the air" },
    { name: "lifetime", unit: "d", shape: [], axes: [], about: "burden over emission" },
    { name: "meanAaod", unit: "", shape: [], axes: [], about: "absorption optical depth, mean by area" },
    { name: "meanDT", unit: "K", shape: [], axes: [], about: "warming, mean by area" },
  ],
  runs: { train: 1500, test: 300, small: 39 },
  inverse: {
    about: "all three from absorption at 60 stations; emission and k trade off, up to the pattern that rain makes",
    observed: ["aaod"],
    noise: stationNoise,
  },
  simulate: (u) => simulateGcm(u),
};

/** The aerosol at u in [0, 1]^3. */
export function aerosolAt(u: Float64Array): Aerosol {
  const x = physicalInputs(inputs, u);
  return { emission: x[0]!, wetRemoval: x[1]!, k: x[2]! };
}

/** One run, with another grid or step for checks. */
export function simulateGcm(u: Float64Array, options?: RunOptions): ReturnType<Case["simulate"]> {
  const aerosol = aerosolAt(u);
  const run = runAerosol(aerosol, options);
  const { aaod, dT } = run;
  const mass = integrate(run.grid, run.fresh) + integrate(run.grid, run.aged);
  const burden = (mass * EARTH_RADIUS ** 2) / TERAGRAM;
  const lifetime = (burden / (TOTAL_EMISSION * aerosol.emission)) * 365.25;
  const scalar = (value: number): Float64Array => Float64Array.of(value);
  return {
    status: "ok",
    outputs: {
      aaod,
      dT,
      burden: scalar(burden),
      lifetime: scalar(lifetime),
      meanAaod: scalar(areaMean(run.grid, aaod)),
      meanDT: scalar(areaMean(run.grid, dT)),
    },
  };
}

/** Cells of the 60 stations, evenly spread: a golden spiral from 60 S to 75 N. */
export const stations: readonly number[] = Array.from({ length: STATIONS }, (_, i) => {
  const low = Math.sin(-Math.PI / 3);
  const high = Math.sin((75 * Math.PI) / 180);
  const lat = Math.asin(low + ((high - low) * (i + 0.5)) / STATIONS);
  const turn = (i * (Math.sqrt(5) - 1)) / 2;
  return Math.floor((lat + Math.PI / 2) / grid.dLat) * LONS + Math.floor((turn - Math.floor(turn)) * LONS);
});

/** 20 % at the stations; infinite elsewhere, where nobody looks. */
function stationNoise(name: string, values: Float64Array): Float64Array {
  if (name !== "aaod") return values.map((value) => 0.2 * Math.abs(value));
  const noise = new Float64Array(values.length).fill(Infinity);
  for (const cell of stations) noise[cell] = 0.2 * values[cell]!;
  return noise;
}
