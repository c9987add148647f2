/** `condense fit --pareto`: a file per point of the front, a table of them all; `condense compare --pareto`: the table alone. */
import { extname } from "node:path";
import {
  alignRows,
  type CheckpointStore,
  fitFrontRuns,
  type FitResult,
  folderStore,
  frontFigure,
  type Front,
  type FrontOptions,
  type FrontPoint,
  median,
  OptionError,
  pageHtml,
  plotlyScript,
  type Runs,
  showLatency,
  showNumber,
  validateRuns,
} from "../index.ts";
import type { ProgressLine } from "./text.ts";
import type { World } from "./world.ts";

interface FrontCommand {
  /** Name of the files: `reactor.onnx` becomes `reactor-1.onnx` for the fastest, and so on. None: nothing is kept. */
  readonly out?: string;
  /** HTML file for a page with the front drawn. */
  readonly chart?: string;
  readonly points: number;
  readonly runs: Runs;
  /** Runs kept apart, to score on. */
  readonly test: Runs | undefined;
  readonly json: boolean;
  readonly options: Omit<FrontOptions<FitResult>, "score" | "checkpointsFor" | "onBegin" | "onPoint">;
  /** Default: as they are. */
  readonly keep?: (store: CheckpointStore) => CheckpointStore;
}

/** A front is of one device. @throws OptionError for none or several */
export function checkOneTarget(target: readonly string[]): void {
  if (target.length !== 1)
    throw new OptionError(
      "OPTION_TARGET",
      `--pareto: a front is of one device, not of ${target.length}. Give one --target, such as --target cpu.`,
    );
}

/** File of a point. */
export function pointPath(out: string, number: number): string {
  const end = extname(out);
  return `${out.slice(0, out.length - end.length)}-${number}${end}`;
}

/** Fits all points and writes each as soon as it is finished. @returns the exit code */
export async function runFront(
  { out, chart, points, runs, test, json, options, keep = (store) => store }: FrontCommand,
  world: World,
  progress: ProgressLine,
): Promise<number> {
  const started = world.now();
  const name = (number: number): string => (out === undefined ? `${number}` : pointPath(out, number));
  if (chart !== undefined) await world.files.checkWritable(chart);
  if (out !== undefined) for (let number = 1; number <= points; number++) await world.files.checkWritable(name(number));
  const stores = new Map<number, CheckpointStore>();
  let begun = 0;
  const front = await fitFrontRuns(runs, {
    ...options,
    points,
    onProgress(at) {
      options.onProgress?.({ ...at, fraction: (Math.max(0, begun - 1) + at.fraction) / points });
    },
    ...(out === undefined
      ? {}
      : {
          checkpointsFor(number: number) {
            const store = folderStore(`${name(number)}.checkpoint`);
            stores.set(number, store);
            return keep(store);
          },
        }),
    ...(test === undefined
      ? {}
      : { score: async ({ bytes }: FitResult) => median((await validateRuns(bytes, test)).fields.map((f) => f.fvu)) }),
    onBegin(number, budget, members) {
      begun++;
      const limit = budget === undefined ? "no budget" : `a budget of ${showLatency(budget)}`;
      const file = out === undefined ? "" : ` -> ${name(number)}`;
      progress.say(`emulator ${begun} of ${points}: ${members} members, ${limit}${file}`);
    },
    onPoint: async ({ number, result }) => {
      if (out !== undefined) await world.files.write(name(number), result.bytes);
    },
  });
  progress.done();
  const others = front.points.filter(({ number, fittedFor }) => number !== fittedFor);
  if (out !== undefined) for (const { number, result } of others) await world.files.write(name(number), result.bytes);
  for (const { number, fittedFor } of others)
    world.err(`note: ${name(number)} is ${name(fittedFor)}, which does better on held-out runs and is faster\n`);
  const interrupted = front.points.some(({ result }) => result.info.fit.outcome === "interrupted");
  if (!interrupted) for (const store of stores.values()) await store.clear();
  if (front.points.length < points)
    world.err(
      `note: ${front.points.length} of ${points} emulators: ${interrupted ? "interrupted" : "the device leaves no room for more"}\n`,
    );
  if (chart !== undefined)
    await world.files.write(chart, new TextEncoder().encode(await page(front, name, runs, test)));
  const seconds = (world.now() - started) / 1000;
  await world.out(
    json
      ? `${JSON.stringify(document(front, name, seconds), null, 2)}\n`
      : `${caption(front, test)}\n${alignRows(rowsOf(front, name), [0, 1])}\n${volume(front)}\n${chart === undefined ? "" : `Chart: ${chart}\n`}`,
  );
  return 0;
}

function document(front: Front<FitResult>, name: (number: number) => string, seconds: number) {
  const { points, hypervolume } = front;
  return {
    target: points[0]?.latency.target,
    seconds,
    hypervolume,
    points: points.map(({ number, fittedFor, members, budget, latency, macs, error, onFront }) => ({
      out: name(number),
      sameAs: number === fittedFor ? null : name(fittedFor),
      members,
      budgetMs: budget === undefined ? null : 1000 * budget,
      macs,
      fvu: error,
      onFront,
      ...latency,
    })),
  };
}

function caption({ points }: Front<FitResult>, test: Runs | undefined): string {
  const where =
    test === undefined
      ? "on held-out folds, members one by one: --hold-out scores the emulators"
      : `on the ${test.n} runs kept apart`;
  return `Error against latency on ${points[0]?.latency.target ?? ""} (* beaten by no other; FVU: median over outputs, ${where})`;
}

function volume({ hypervolume }: Front<FitResult>): string {
  return `Hypervolume ${showNumber(hypervolume, 3)} (decades of latency times decades of FVU, below the slowest and an FVU of 1)`;
}

function rowsOf({ points }: Front<FitResult>, name: (number: number) => string): string[][] {
  const measured = points.some(({ latency }) => latency.measuredMs !== undefined);
  const ms = (value: number | undefined): string => (value === undefined ? "" : showLatency(value / 1000));
  const row = ({
    number,
    members,
    budget,
    latency,
    macs,
    error,
    onFront,
  }: FrontPoint & { readonly onFront: boolean }) => [
    onFront ? "*" : "",
    name(number),
    `${members}`,
    budget === undefined ? "none" : showLatency(budget),
    latency.fits === false ? "does not fit" : ms(latency.predictedMs.p50),
    ms(latency.predictedMs.high),
    ...(measured ? [ms(latency.measuredMs?.p50)] : []),
    showNumber(macs, 3),
    showNumber(error, 3),
  ];
  const last = measured ? ["measured"] : [];
  const head = ["", "emulator", "members", "budget", "predicted", "upper end", ...last, "MACs", "FVU"];
  return [head, ...points.map(row)];
}

/** The front drawn, with its table, as one HTML file. */
async function page(
  front: Front<FitResult>,
  name: (number: number) => string,
  { n, report }: Runs,
  test: Runs | undefined,
): Promise<string> {
  const target = front.points[0]?.latency.target ?? "";
  const points = front.points.map(({ latency, error, onFront, members, macs }) => ({
    latencyMs: latency.predictedMs.p50,
    error,
    onFront,
    note: `${members} members, ${showNumber(macs, 3)} MACs`,
  }));
  const apart = test === undefined ? "held-out folds" : `${test.n} runs kept apart`;
  return pageHtml(
    {
      title: `Error against latency on ${target}`,
      summary: `${front.points.length} emulators of ${n} of ${report.total} runs, each searched and trained under a budget of its own.`,
      blocks: [
        {
          kind: "figure",
          figure: frontFigure([{ panel: target, target, points }], `FVU, ${apart}`),
          caption: "Filled: no other emulator is both faster and better.",
          alt: `FVU by latency: ${points.map(({ latencyMs, error }) => `${showNumber(error, 2)} at ${showLatency(latencyMs / 1000)}`).join(", ")}.`,
        },
        { kind: "table", caption: caption(front, test), rows: rowsOf(front, name), left: 2 },
        { kind: "text", text: volume(front) },
      ],
    },
    await plotlyScript(),
  );
}
