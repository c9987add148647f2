/**
 * Fronts of error against latency: budgeted searches on a table of scalars (mitr-power) and on spectra (the case xrts), for a
 * processor, a graphics card and two FPGA boards. Says whether all emulators keep their budgets by the model and, on the
 * processor, how many keep them when measured beside the calibration's reference network, so that what else the machine does
 * is divided out (C2 of the latency models: 17 of 20); draws the fronts.
 *
 *     npx tsx bench/fronts.ts [--case mitr-power] [--case xrts] [--target cpu] [--runs 200] [--members 8] [--points 4]
 *                             [--effort quick] [--seed 1] [--out DIR [--chromium PATH]]
 *
 * A case is a folder of `datasets/` or a table of `datasets/cases/`. --points counts the emulator without a budget as well.
 * With --out: fronts.json, a Plotly figure, and fronts.html; with --chromium fronts.png and fronts.svg too. The processor's
 * calibration is taken from the user's cache (condense latency calibrate), where there is one.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { cases } from "../cases/index.ts";
import { readRuns } from "../cases/run/learn.ts";
import { getCase } from "../cases/simulate.ts";
import {
  alignRows,
  buildRuns,
  calibrationPath,
  type Effort,
  type Figure,
  fitFrontRuns,
  type FitResult,
  frontFigure,
  type FrontPoint,
  holdOut,
  latencyModel,
  loadCalibrated,
  makeRng,
  measureGraph,
  median,
  pageHtml,
  pictures,
  parseSchemaDraft,
  plotlyScript,
  resolveTarget,
  type Runs,
  showLatency,
  showNumber,
  takeRuns,
  toRunTables,
  validateRuns,
  withYardstick,
  workerPool,
} from "../src/index.ts";
import { readOnnx } from "../src/graph/index.ts";

const { values } = parseArgs({
  options: {
    case: { type: "string", multiple: true, default: ["mitr-power", "xrts"] },
    target: { type: "string", multiple: true, default: ["cpu", "gpu:t4", "fpga:pynq-z2", "fpga:ecp5-45f"] },
    runs: { type: "string", default: "1000" },
    members: { type: "string", default: "8" },
    points: { type: "string", default: "4" },
    effort: { type: "string", default: "quick" },
    seed: { type: "string", default: "1" },
    threads: { type: "string", default: "1" },
    out: { type: "string" },
    chromium: { type: "string" },
  },
});

const datasets = fileURLToPath(new URL("../datasets", import.meta.url));

type Point = FrontPoint<FitResult> & {
  readonly onFront: boolean;
  /** Seconds of a call beside the reference network, on a calibrated processor. */
  readonly beside?: number;
};
interface Traced {
  readonly name: string;
  readonly target: string;
  readonly points: readonly Point[];
}

async function read(name: string): Promise<Runs> {
  if (Object.hasOwn(cases, name)) return readRuns(getCase(name), join(datasets, "cases", `${name}.arrow`));
  const folder = join(datasets, name);
  const schema = parseSchemaDraft(await readFile(join(folder, "schema.json"), "utf8"), "schema.json");
  const tables = await toRunTables({ inputs: join(folder, "inputs.csv"), outputs: join(folder, "outputs.csv") });
  return buildRuns(tables, { schema });
}

async function load(name: string): Promise<{ readonly train: Runs; readonly test: Runs }> {
  const all = await read(name);
  const { train, test } = holdOut(all, 0.25, makeRng(Number(values.seed)));
  return { train: takeRuns(all, train.slice(0, Number(values.runs))), test: takeRuns(all, test) };
}

async function trace(name: string, target: string): Promise<Traced> {
  const { train, test } = await load(name);
  const resolved = await resolveTarget(target);
  const device = latencyModel(
    resolved.class === "cpu" ? await loadCalibrated(resolved, calibrationPath(resolved, process.env)) : resolved,
  );
  const runner = workerPool(Number(values.threads));
  try {
    const { points } = await fitFrontRuns(train, {
      deployment: { devices: [device] },
      points: Number(values.points),
      members: Number(values.members),
      effort: values.effort as Effort,
      seed: Number(values.seed),
      runner,
      score: async ({ bytes }) => median((await validateRuns(bytes, test)).fields.map(({ fvu }) => fvu)),
      onPoint: ({ number, budget, latency, error }) =>
        void process.stderr.write(
          `${name} ${target} ${number}: ${showLatency(latency.predictedMs.p50 / 1e3)} predicted, budget ${budget === undefined ? "none" : showLatency(budget)}, FVU ${showNumber(error, 3)}\n`,
        ),
    });
    if (device.target.class !== "cpu" || device.target.calibration === undefined) return { name, target, points };
    const timed = await withYardstick(device.target, async (beside) => {
      const each: Point[] = [];
      for (const point of points) {
        const { graph } = readOnnx(point.result.bytes);
        const { seconds } = await measureGraph(graph, 1, { ...beside, blocks: 200 });
        each.push({ ...point, beside: seconds });
      }
      return each;
    });
    return { name, target, points: timed };
  } finally {
    await runner.dispose();
  }
}

const inMs = (value: number | undefined): string => (value === undefined ? "" : showLatency(value / 1e3));

function table({ name, target, points }: Traced): string {
  const rows = points.map(({ number, fittedFor, members, budget, latency, macs, error, onFront, beside }) => [
    onFront ? "*" : "",
    number === fittedFor ? `${number}` : `${number} = ${fittedFor}`,
    `${members}`,
    budget === undefined ? "none" : showLatency(budget),
    inMs(latency.predictedMs.p50),
    inMs(latency.predictedMs.high),
    latency.meetsBudget === undefined ? "" : latency.meetsBudget ? "kept" : "MISSED",
    inMs(latency.measuredMs?.p50),
    beside === undefined ? "" : showLatency(beside),
    showNumber(macs, 3),
    showNumber(error, 3),
  ]);
  const head = [
    "",
    "point",
    "members",
    "budget",
    "predicted",
    "upper end",
    "by model",
    "measured",
    "beside",
    "MACs",
    "FVU",
  ];
  return `\n${name} on ${target}\n${alignRows([head, ...rows], [0])}`;
}

/** The fronts drawn: a panel per case, a line per device. */
function figure(fronts: readonly Traced[]): Figure {
  return frontFigure(
    fronts.map(({ name, target, points }) => ({
      panel: name,
      target,
      points: points.map(({ latency, error, onFront, members, macs }) => ({
        latencyMs: latency.predictedMs.p50,
        error,
        onFront,
        note: `${members} members, ${showNumber(macs, 3)} MACs`,
      })),
    })),
    "FVU on unseen runs",
  );
}

async function page(drawn: Figure): Promise<string> {
  const caption = "Filled: no other emulator of the front is both faster and better.";
  return pageHtml(
    {
      title: "Error against latency",
      summary: "Emulators under budgets of latency, on devices as their models predict.",
      blocks: [{ kind: "figure", figure: drawn, caption, alt: "Error by latency, a line per device." }],
    },
    await plotlyScript(),
  );
}

const fronts: Traced[] = [];
for (const name of values.case)
  for (const target of values.target) {
    const traced = await trace(name, target);
    fronts.push(traced);
    console.log(table(traced));
    if (values.out === undefined) continue;
    await mkdir(values.out, { recursive: true });
    const drawn = figure(fronts);
    await writeFile(join(values.out, "fronts.json"), `${JSON.stringify(drawn, null, 1)}\n`);
    await writeFile(join(values.out, "fronts.html"), await page(drawn));
    if (values.chromium === undefined) continue;
    const [picture] = await pictures([drawn], values.chromium, await plotlyScript());
    if (picture === undefined) continue;
    await writeFile(join(values.out, "fronts.png"), picture.png);
    await writeFile(join(values.out, "fronts.svg"), picture.svg);
  }

const budgeted = fronts.flatMap(({ points }) => points.filter(({ budget }) => budget !== undefined));
const kept = budgeted.filter(({ latency }) => latency.meetsBudget === true).length;
const timed = budgeted.filter(({ beside }) => beside !== undefined);
const within = timed.filter(({ budget = 0, beside = Infinity }) => beside <= budget).length;
console.log(`\n${kept} of ${budgeted.length} emulators keep their budget by the model`);
if (timed.length > 0)
  console.log(`${within} of ${timed.length} keep it when measured here, beside the reference network`);
