/** Case `jag`: scalars and x-ray images of an imploding fusion capsule. */
import type { Case } from "../case.ts";
import { CHANNELS, imagesOf, PIXELS } from "./images.ts";
import type { Resolution } from "./implosion.ts";
import { inputs, runAt, scalarFields, source } from "./inputs.ts";
import { scalarOutputs, SCALARS } from "./scalars.ts";

const pixelCentres = Array.from({ length: PIXELS }, (_, i) => ((i + 0.5) / PIXELS) * 120 - 60);

/** Five inputs to 15 scalars and four 64 x 64 images, as in the public JAG data set; a stand-in for it. */
export const jag: Case = {
  name: "jag",
  title: "ICF JAG: scalars and images of a capsule implosion",
  about: "A thin shell with low-mode flaws compresses burning DT gas; neutrons and x-rays tell how well.",
  source,
  inputs,
  outputs: [
    ...scalarFields,
    {
      name: "images",
      unit: "",
      shape: [CHANNELS.length, PIXELS, PIXELS],
      axes: [
        { name: "photonEnergy", unit: "keV", values: CHANNELS },
        { name: "z", unit: "um", values: pixelCentres },
        { name: "x", unit: "um", values: pixelCentres },
      ],
      about: "log10(1 + I / I_ref), time-integrated, seen along y; I_ref is 1e-4 of the nominal run's brightest pixel",
    },
  ],
  runs: { train: 6000, test: 1000 },
  inverse: {
    about:
      "speed, pressure and shape modes from scalars and images, seen at every fourth pixel of every fourth row; the images part a20 from a22",
    observed: [...SCALARS.map(({ name }) => name), "images"],
    noise,
  },
  simulate: (u) => simulateJag(u),
};

/** One run with other numbers of nodes: `samples` along each ray, `resolution` of the implosion. For checks. */
export function simulateJag(u: Float64Array, samples = 64, resolution?: Resolution): ReturnType<Case["simulate"]> {
  const run = runAt(u, resolution);
  if (typeof run === "string") return { status: "failed", reason: run };
  return { status: "ok", outputs: { ...scalarOutputs(run), images: imagesOf(run, samples) } };
}

/** Of each row and column of an image, every so-many-th pixel is measured: a camera resolves no more, and a posterior from all
 * 16 384 takes a quarter of an hour. */
const PIXEL_STEP = 4;

/** 5 % of a scalar, or of the brightest pixel on every pixel that is measured; see `scalarNoise`. */
function noise(name: string, values: Float64Array): Float64Array {
  if (name !== "images") return scalarNoise(name, values);
  const brightest = values.reduce((most, value) => Math.max(most, value), 0);
  const isSeen = (place: number): boolean => place % PIXEL_STEP === PIXEL_STEP >> 1;
  return values.map((_, i) =>
    isSeen(i % PIXELS) && isSeen(Math.floor(i / PIXELS) % PIXELS) ? 0.05 * brightest : Number.POSITIVE_INFINITY,
  );
}

/** 5 % of a scalar; 0.05 / ln 10 for logarithms, which is 5 % of the number, and 0.005 for the two shape numbers. */
export function scalarNoise(name: string, values: Float64Array): Float64Array {
  if (name.startsWith("log")) return values.map(() => 0.05 / Math.LN10);
  if (name === "p2" || name === "asymmetry") return values.map(() => 0.005);
  return values.map((value) => 0.05 * Math.abs(value));
}
