/** `condense fit --pareto`: a file per point of the front, a table of them all. */
import { extname } from "node:path";
import {
  alignRows,
  type CheckpointStore,
  fitFrontRuns,
  type FitResult,
  folderStore,
  type Front,
  type FrontOptions,
  type FrontPoint,
  median,
  type Runs,
  showLatency,
  showNumber,
  validateRuns,
} from "../index.ts";
import type { ProgressLine } from "./text.ts";
import type { World } from "./world.ts";

interface FrontCommand {
  /** Name of the files: `reactor.onnx` becomes `reactor-1.onnx` for the fastest, and so on. */
  readonly out: string;
  readonly points: number;
  readonly runs: Runs;
  /** Runs kept apart, to score on. */
  readonly test: Runs | undefined;
  readonly json: boolean;
  readonly options: Omit<FrontOptions<FitResult>, "score" | "checkpointsFor" | "onBegin" | "onPoint">;
  readonly keep: (store: CheckpointStore) => CheckpointStore;
}

/** File of a point. */
export function pointPath(out: string, number: number): string {
  const end = extname(out);
  return `${out.slice(0, out.length - end.length)}-${number}${end}`;
}

/** Fits all points and writes each as soon as it is finished. @returns the exit code */
export async function runFront(
  { out, points, runs, test, json, options, keep }: FrontCommand,
  world: World,
  progress: ProgressLine,
): Promise<number> {
  const started = world.now();
  const name = (number: number): string => pointPath(out, number);
  for (let number = 1; number <= points; number++) await world.files.checkWritable(name(number));
  const stores = new Map<number, CheckpointStore>();
  let begun = 0;
  const front = await fitFrontRuns(runs, {
    ...options,
    points,
    onProgress(at) {
      options.onProgress?.({ ...at, fraction: (Math.max(0, begun - 1) + at.fraction) / points });
    },
    checkpointsFor(number) {
      const store = folderStore(`${name(number)}.checkpoint`);
      stores.set(number, store);
      return keep(store);
    },
    ...(test === undefined
      ? {}
      : { score: async ({ bytes }: FitResult) => median((await validateRuns(bytes, test)).fields.map((f) => f.fvu)) }),
    onBegin(number, budget, members) {
      begun++;
      const limit = budget === undefined ? "no budget" : `a budget of ${showLatency(budget)}`;
      progress.say(`emulator ${begun} of ${points}: ${members} members, ${limit} -> ${name(number)}`);
    },
    onPoint: ({ number, result }) => world.files.write(name(number), result.bytes),
  });
  progress.done();
  const interrupted = front.points.some(({ result }) => result.info.fit.outcome === "interrupted");
  if (!interrupted) for (const store of stores.values()) await store.clear();
  if (front.points.length < points)
    world.err(
      `note: ${front.points.length} of ${points} emulators: ${interrupted ? "interrupted" : "the device leaves no room for more"}\n`,
    );
  const seconds = (world.now() - started) / 1000;
  await world.out(
    json ? `${JSON.stringify(document(front, name, seconds), null, 2)}\n` : table(front, name, test !== undefined),
  );
  return 0;
}

function document(front: Front<FitResult>, name: (number: number) => string, seconds: number) {
  const { points, hypervolume } = front;
  return {
    target: points[0]?.latency.target,
    seconds,
    hypervolume,
    points: points.map(({ number, members, budget, latency, macs, error, onFront }) => ({
      out: name(number),
      members,
      budgetMs: budget === undefined ? null : 1000 * budget,
      macs,
      fvu: error,
      onFront,
      ...latency,
    })),
  };
}

function table({ points, hypervolume }: Front<FitResult>, name: (number: number) => string, apart: boolean): string {
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
  const head = [
    "",
    "emulator",
    "members",
    "budget",
    "predicted",
    "upper end",
    ...(measured ? ["measured"] : []),
    "MACs",
    "FVU",
  ];
  return [
    `Error against latency on ${points[0]?.latency.target ?? ""} (* beaten by no other; FVU: median over outputs, ${apart ? "on the runs kept apart" : "on held-out folds, members one by one: --hold-out scores the emulators"})`,
    alignRows([head, ...points.map(row)], [0, 1]),
    `Hypervolume ${showNumber(hypervolume, 3)} (decades of latency times decades of FVU, below the slowest and an FVU of 1)`,
    "",
  ].join("\n");
}
