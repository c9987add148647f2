/** Case `mops`: plankton, nutrients and oxygen of a seasonal water column. */
import { type Case, type CaseInput, physicalInputs } from "../case.ts";
import type { Parameters } from "./biology.ts";
import { makeColumn } from "./column.ts";
import { YEAR } from "./forcing.ts";
import { PERIODS, runColumn, type RunOptions } from "./run.ts";

const C_TO_P = 117;

const inputs: readonly CaseInput[] = [
  {
    name: "lightConstant",
    unit: "W/m2",
    low: 4,
    high: 48,
    scale: "log",
    about: "light constant of growth (default 24)",
  },
  {
    name: "halfSaturation",
    unit: "mmol/m3",
    low: 0.001,
    high: 0.5,
    scale: "log",
    about: "phosphate at half the growth (default 0.03125)",
  },
  { name: "grazing", unit: "1/d", low: 1, high: 3, scale: "linear", about: "fastest grazing (default 1.893)" },
  {
    name: "zooLoss",
    unit: "m3/mmol/d",
    low: 1.6,
    high: 8,
    scale: "linear",
    about: "quadratic loss of zooplankton (default 4.548)",
  },
  {
    name: "fluxExponent",
    unit: "",
    low: 0.4,
    high: 1.8,
    scale: "linear",
    about: "exponent of the particles' flux (default 0.858)",
  },
  {
    name: "oxygenDemand",
    unit: "",
    low: 150,
    high: 200,
    scale: "linear",
    about: "oxygen to phosphorus of decay (default 170)",
  },
];

const column = makeColumn();
const depth = { name: "depth", unit: "m", values: Array.from(column.centres) };
const time = {
  name: "day",
  unit: "d",
  values: Array.from({ length: PERIODS }, (_, i) => ((i + 0.5) * YEAR) / PERIODS),
};

/** Six parameters of plankton to profiles, seasons and totals; a stand-in for the paper's case. */
export const mops: Case = {
  name: "mops",
  title: "MOPS: plankton and oxygen in a seasonal water column",
  about: "Ten years of nutrients, plankton, detritus and oxygen in 1000 m of temperate sea.",
  source: [
    "Kriest & Oschlies, Geosci. Model Dev. 8, 2929 (2015)",
    "Kriest, Biogeosciences 14, 4965 (2017)",
    "Garcia & Gordon, Limnol. Oceanogr. 37, 1307 (1992)",
  ],
  inputs,
  outputs: [
    {
      name: "profiles",
      unit: "mmol/m3",
      shape: [3, depth.values.length],
      channels: true,
      parts: ["PO4 [mmol/m3]", "O2 [mmol/m3]", "DIN [mmol/m3]"],
      axes: [{ name: "tracer", unit: "", values: [0, 1, 2] }, depth],
      about: "annual means of PO4, O2 and DIN",
    },
    {
      name: "seasonal",
      unit: "mmol P",
      shape: [4, PERIODS],
      channels: true,
      parts: ["PO4 [mmol P/m3]", "phytoplankton [mmol P/m3]", "production [mmol P/m2/d]", "export [mmol P/m2/d]"],
      axes: [{ name: "quantity", unit: "", values: [0, 1, 2, 3] }, time],
      about: "five-day means: surface PO4 and PHY [mmol P/m3], production and export at 100 m [mmol P/m2/d]",
    },
    { name: "production", unit: "mol C/m2/yr", shape: [], axes: [], about: "production of the column" },
    { name: "export", unit: "mol C/m2/yr", shape: [], axes: [], about: "export of carbon through 100 m" },
  ],
  runs: { train: 1500, test: 300, small: 410 },
  inverse: {
    about: "all six from annual means; K and the grazing are nearly blind here: expect the prior back",
    observed: ["profiles"],
    noise: (_name, values) => values.map((value) => 0.05 * Math.abs(value)),
  },
  simulate: (u) => simulateMops(u),
};

/** The parameters at u in [0, 1]^6. */
export function parametersAt(u: Float64Array): Parameters {
  const x = physicalInputs(inputs, u);
  return {
    ic: x[0]!,
    halfSaturation: x[1]!,
    grazing: x[2]!,
    zooLoss: x[3]!,
    fluxExponent: x[4]!,
    oxygenDemand: x[5]!,
  };
}

/** One run, with other years or steps for checks. */
export function simulateMops(u: Float64Array, options?: RunOptions): ReturnType<Case["simulate"]> {
  const year = runColumn(parametersAt(u), options);
  const profiles = Float64Array.of(...year.po4, ...year.o2, ...year.din);
  if (!profiles.every(Number.isFinite))
    return { status: "failed", reason: "a tracer is not finite: the step is too long" };
  const seasonal = Float64Array.of(...year.seasonal[0], ...year.seasonal[1], ...year.seasonal[2], ...year.seasonal[3]);
  const perYear = (values: Float64Array): Float64Array =>
    Float64Array.of((values.reduce((sum, value) => sum + value, 0) / PERIODS) * YEAR * C_TO_P * 1e-3);
  const [, , production, exported] = year.seasonal;
  return {
    status: "ok",
    outputs: { profiles, seasonal, production: perYear(production), export: perYear(exported) },
  };
}
