/** `condense latency`: the devices there are, what an emulator takes on one, and calibration of this machine. */
import {
  alignRows,
  anyNetworkGraph,
  calibrateCpu,
  calibrateGpu,
  type CalibrateOptions,
  calibrationPath,
  type CpuTarget,
  describePrediction,
  type GpuTarget,
  hostName,
  type LatencyPrediction,
  loadState,
  type MeasuredLatency,
  measureHere,
  median,
  meetsBudget,
  OptionError,
  parseBudget,
  readGraph,
  resolveTarget,
  runtimeVersion,
  saveJson,
  showLatency,
  type Target,
  targetHash,
  targets,
} from "../../index.ts";
import type { CliCommand } from "../command.ts";
import { devicesOf, engineTitle, isMeasurable } from "../devices.ts";
import { progressLine } from "../text.ts";
import { collect, duration, oneOf, whole } from "../values.ts";
import type { World } from "../world.ts";

interface LatencyOptions {
  readonly target: readonly string[];
  readonly batch: number;
  readonly budget?: number;
  readonly measure: boolean;
  readonly calibration?: string;
  readonly check: boolean;
  readonly quick: boolean;
  readonly resume: boolean;
  readonly time?: number;
  readonly json: boolean;
}

const verbs = ["targets", "predict", "calibrate"] as const;

export const latency: CliCommand = {
  declare(command) {
    command
      .description(
        "targets lists the devices; predict says what an emulator takes on one, with an interval, resources and whether it fits; calibrate measures this machine's processor, or its graphics adapter (--target webgpu).",
      )
      .argument("<what>", verbs.join(", "), oneOf("latency", verbs))
      .argument("[emulator]", "emulator file, for predict")
      .option("--target <name>", "device, or target file ending in .json; may be repeated", collect, [])
      .option("--batch <rows>", "rows per call", whole("--batch", 1, 1e6, "64"), 1)
      .option(
        "--budget <latency>",
        "gate: the exit code is 1 where the upper end exceeds it, such as 50us",
        (text: string) => parseBudget(text),
      )
      .option("--measure", "time the emulator as well, where the target is this machine", false)
      .option(
        "--calibration <file>",
        "where the calibration of a cpu or webgpu target is kept (default: the user's cache)",
      )
      .option("--no-check", "use a calibration without timing the reference network again")
      .option("--quick", "calibrate in three minutes instead of thirty; webgpu in one instead of five", false)
      .option("--resume", "go on with a calibration that was interrupted", false)
      .option("--time <duration>", "cap the calibration's time, such as 10m", duration("--time"))
      .option("--json", "print one JSON document", false);
  },
  async run([what, emulator], options: LatencyOptions, world) {
    if (what === "targets") return listTargets(options, world);
    if (what === "predict") return predict(emulator, options, world);
    return calibrate(options, world);
  },
};

async function listTargets({ json }: LatencyOptions, world: World): Promise<number> {
  if (json) {
    await world.out(`${JSON.stringify(targets, null, 2)}\n`);
    return 0;
  }
  const rows = targets.map(({ id, description, source }) => [id, description, source]);
  await world.out(`${alignRows([["target", "device", "constants from"], ...rows], [0, 1, 2])}\n`);
  return 0;
}

async function predict(path: string | undefined, options: LatencyOptions, world: World): Promise<number> {
  if (path === undefined)
    throw new OptionError("OPTION_EMULATOR", "latency predict: no emulator. Give the file that `condense fit` wrote.");
  if (options.target.length === 0)
    throw new OptionError(
      "OPTION_TARGET",
      "latency predict: no target. Give --target, such as --target cpu or --target fpga:pynq-z2; `condense latency targets` lists them.",
    );
  const graph = await readGraph(path);
  const results: {
    readonly target: Target;
    readonly prediction: LatencyPrediction;
    readonly measured?: MeasuredLatency;
  }[] = [];
  for (const device of await devicesOf(options.target, world, options)) {
    const { target } = device;
    const prediction = device.predict(graph, options.batch);
    const measured = options.measure ? await measureHere(target, graph, options.batch) : undefined;
    if (measured !== undefined && "absent" in measured) {
      world.err(`note: not measured: ${measured.absent}\n`);
      results.push({ target, prediction });
    } else results.push({ target, prediction, ...(measured === undefined ? {} : { measured }) });
  }
  const { budget } = options;
  if (options.json) {
    const documents = results.map(({ prediction, measured }) => ({
      ...prediction,
      ...(measured === undefined ? {} : { measured }),
      ...(budget === undefined ? {} : { budgetSeconds: budget, meetsBudget: meetsBudget(prediction, budget) }),
    }));
    await world.out(`${JSON.stringify(documents.length === 1 ? documents[0] : documents, null, 2)}\n`);
  } else {
    const texts = results.map(
      ({ target, prediction, measured }) =>
        describePrediction(prediction, target, budget) +
        (measured === undefined
          ? ""
          : `\n  measured    ${showLatency(measured.p50)}, 95 % of calls under ${showLatency(measured.p95)}`),
    );
    await world.out(`${texts.join("\n\n")}\n`);
  }
  return budget === undefined || results.every(({ prediction }) => meetsBudget(prediction, budget)) ? 0 : 1;
}

async function calibrate(options: LatencyOptions, world: World): Promise<number> {
  const [name = "cpu", ...more] = options.target;
  const target = await resolveTarget(name);
  if (!isMeasurable(target) || more.length > 0)
    throw new OptionError(
      "OPTION_TARGET",
      `latency calibrate --target ${options.target.join(",")}: only one cpu target, or webgpu, can be measured here. Give --target cpu or --target webgpu.`,
    );
  const path = options.calibration ?? calibrationPath(target, world.env);
  const line = progressLine(world);
  let stopped = false;
  const release = world.onInterrupt(() => {
    stopped = true;
  });
  const statePath = `${path}.measurements`;
  const state = options.resume ? await loadState(statePath) : undefined;
  const how: CalibrateOptions = {
    quick: options.quick,
    ...(options.time === undefined ? {} : { seconds: options.time / 1e3 }),
    ...(state === undefined ? {} : { state }),
    save: (measured) => saveJson(statePath, measured),
    draw: anyNetworkGraph,
    host: hostName(),
    date: new Date(world.now()).toISOString(),
    engine: await runtimeVersion(target.engine.name),
    progress: (fraction, note) => {
      line.update("calibrate", fraction, note);
    },
    stopped: () => stopped,
  };
  try {
    const calibrated = target.class === "cpu" ? await calibrateCpu(target, how) : await calibrateGpu(target, how);
    line.done();
    await saveJson(path, calibrated);
    await world.out(
      options.json
        ? `${JSON.stringify({ path, hash: targetHash(calibrated), ...calibrated }, null, 2)}\n`
        : summary(calibrated, path),
    );
    const noise = calibrated.calibration?.noiseCv ?? 0;
    if (noise > BUSY)
      world.err(
        `warning: repeated networks differ by ${Math.round(100 * noise)} %: the machine was busy, and intervals are wide. Calibrate again when nothing else runs.\n`,
      );
    return 0;
  } finally {
    line.done();
    release();
  }
}

/** Coefficient of variation of repeats above which a calibration is not to be relied on. */
const BUSY = 0.1;

function summary({ id, engine, calibration }: CpuTarget | GpuTarget, path: string): string {
  if (calibration === undefined) return "";
  const kinds = Object.entries(calibration.kinds).map(([kind, fit]) => [
    kind,
    `${fit.points}`,
    `${(100 * fit.mape).toFixed(1)} %`,
  ]);
  const networks = calibration.residuals.logResidual.map((r) => Math.abs(Math.exp(-r) - 1));
  return [
    `${path}: ${id} on ${calibration.host}, ${engineTitle(engine.name)} ${calibration.engine}`,
    `a call ${showLatency(calibration.sessionSeconds)}, a further result ${showLatency(calibration.aroundSeconds[0] ?? 0)}, reference network ${showLatency(calibration.referenceSeconds)}, repeats within ${(100 * calibration.noiseCv).toFixed(1)} %, ${networks.length} networks predicted from the others, median error ${(100 * median(networks)).toFixed(1)} %`,
    "",
    alignRows([["kernels", "measured", "error"], ...kinds], [0]),
    "",
  ].join("\n");
}
