/**
 * How well the latency models of graphics processors predict networks that they have not seen (G3 of the latency models).
 *
 *     npx tsx bench/latency-gpu.ts [--quick] [--networks 100] [--large 256] [--blocks 64] [--seconds S] [--calibration FILE] [--keep FILE]
 *                                  [EMULATOR ...]
 *
 * calibrates WebGPU on this machine's adapter, or reads a calibration, then times random networks at two batches beside the
 * reference network, every tenth twice, and scores the calibrated and the data-sheet constants. A file for --calibration that is
 * not there is written. Emulator files are predicted and timed the same way, and by the clock on one thread of the processor.
 * --keep writes all that was measured, for work on the model where there is no adapter. Without a graphics card: VK_ICD_FILENAMES=/usr/lib/chromium/vk_swiftshader_icd.json LD_LIBRARY_PATH=/usr/lib/chromium
 *
 *     npx tsx bench/latency-gpu.ts --models DIR
 *     python3 bench/pytorch/cuda_latency.py DIR > times.json
 *     npx tsx bench/latency-gpu.ts --target gpu:h100 --times times.json
 *
 * sets a data sheet beside the same networks on CUDA, in PyTorch.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { simplify, writeOnnx } from "../src/graph/index.ts";
import {
  calibrateGpu,
  type CalibrationState,
  getTarget,
  type GpuTarget,
  gpuModel,
  hostName,
  type LatencyModel,
  measureGraph,
  type Measurement,
  networkMacs,
  networkOf,
  parseTarget,
  readGraph,
  runtimeVersion,
  scorePredictions,
  withConstantWeights,
  withYardstick,
} from "../src/hardware/index.ts";
import { showNumber } from "../src/index.ts";
import { makeRng } from "../src/rng.ts";
import { anyNetworkGraph } from "../src/space/index.ts";

const { values, positionals: files } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    networks: { type: "string", default: "100" },
    large: { type: "string", default: "256" },
    blocks: { type: "string", default: "64" },
    seconds: { type: "string" },
    calibration: { type: "string" },
    keep: { type: "string" },
    models: { type: "string" },
    target: { type: "string", default: "gpu:h100" },
    times: { type: "string" },
  },
});

/** Blocks of one call or more. */
const brief = { warmRuns: 3, warmSeconds: 0.1, blocks: 10, blockRuns: 1, blockSeconds: 5e-3, retries: 0 };
const batches = [1, Number(values.large)];
const rng = makeRng(2026);
const networks = Array.from({ length: Number(values.networks) }, (_, i) =>
  withConstantWeights(anyNetworkGraph(rng.fork(i))),
);
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** One line of how predictions of each network compare with its seconds. */
function report(name: string, batch: number, model: LatencyModel, measured: readonly number[]): void {
  const predictions = networks.map((graph) => model.predict(graph, batch).latency);
  const s = scorePredictions(
    predictions.map(({ p50 }) => p50),
    measured,
  );
  const byMacs = scorePredictions(
    networks.map((graph) => networkMacs(networkOf(graph))),
    measured,
  );
  const share = (holds: (i: number) => boolean): string =>
    percent(measured.filter((_, i) => holds(i)).length / s.count);
  const doubled = share((i) => Math.abs(Math.log2(predictions[i]!.p50 / measured[i]!)) <= 1);
  const inside = share((i) => measured[i]! >= predictions[i]!.lo && measured[i]! <= predictions[i]!.hi);
  console.log(
    `${name}, batch ${batch}: ${s.count} networks, within 10 % ${percent(s.within10)}, MAPE ${percent(s.mape)}, bias ${percent(s.bias)}, Spearman ${s.spearman.toFixed(3)} (MACs ${byMacs.spearman.toFixed(3)}), within a factor of two ${doubled}, interval holds ${inside}`,
  );
}

async function calibrate(plain: GpuTarget): Promise<{ readonly target: GpuTarget; readonly state?: CalibrationState }> {
  const { calibration: path } = values;
  const text = path === undefined ? undefined : await readFile(path, "utf8").catch(() => undefined);
  if (path !== undefined && text !== undefined) return { target: parseTarget(text, path) as GpuTarget };
  let state: CalibrationState | undefined;
  const target = await calibrateGpu(plain, {
    quick: values.quick,
    draw: anyNetworkGraph,
    ...(values.seconds === undefined ? {} : { seconds: Number(values.seconds) }),
    host: hostName(),
    date: new Date().toISOString(),
    engine: await runtimeVersion(),
    progress: (fraction, note) => process.stderr.write(`\r${Math.round(100 * fraction)} % ${note}  `),
    save: (measured) => {
      state = measured;
      return Promise.resolve();
    },
  });
  if (path !== undefined) await writeFile(path, JSON.stringify(target));
  return { target, ...(state === undefined ? {} : { state }) };
}

async function onWebGpu(): Promise<void> {
  const plain = getTarget("webgpu") as GpuTarget;
  const { target, state } = await calibrate(plain);
  const {
    referenceSeconds = 0,
    noiseCv = 0,
    sessionSeconds = 0,
    aroundSeconds: [resultSeconds = 0] = [],
  } = target.calibration ?? {};
  const ms = (seconds: number): string => `${(1e3 * seconds).toFixed(2)} ms`;
  console.log(
    `\nreference network ${ms(referenceSeconds)}, a call ${ms(sessionSeconds)}, a further result ${ms(resultSeconds)}, repeats within ${percent(noiseCv)}`,
  );
  const kept: { readonly batch: number; readonly measured: readonly Measurement[] }[] = [];
  await withYardstick(target, async (beside) => {
    const options = { ...beside, blocks: Number(values.blocks) };
    for (const batch of batches) {
      const measured: Measurement[] = [];
      const again: number[] = [];
      for (const [i, graph] of networks.entries()) {
        const first = await measureGraph(graph, batch, options);
        measured.push(first);
        if (i % 10 === 0) again.push(Math.log((await measureGraph(graph, batch, options)).seconds / first.seconds));
      }
      kept.push({ batch, measured });
      const seconds = measured.map((one) => one.seconds);
      report("calibrated", batch, gpuModel(target), seconds);
      report("data sheet", batch, gpuModel(plain), seconds);
      const noise = Math.sqrt(again.reduce((sum, r) => sum + r * r, 0) / Math.max(1, again.length) / 2);
      console.log(`  repeats within ${percent(noise)}`);
    }
  });
  if (values.keep !== undefined) await writeFile(values.keep, JSON.stringify({ target, state, kept }));
  for (const file of files) await timeEmulator(file, target);
}

/** What a call of a whole emulator takes at each batch: predicted, timed, and on the processor. */
async function timeEmulator(file: string, target: GpuTarget): Promise<void> {
  const graph = await readGraph(file);
  const model = gpuModel(target);
  const ms = (seconds: number): string => `${showNumber(1e3 * seconds, 3)} ms`;
  for (const batch of [1, 64, 1024, 16384]) {
    const { p50, lo, hi } = model.predict(graph, batch).latency;
    const onCard = await withYardstick(target, (beside) => measureGraph(graph, batch, beside)).catch(
      (error: unknown) => {
        console.log(`${basename(file)}, batch ${batch}: ${String(error)}`);
      },
    );
    if (onCard === undefined) continue;
    const onProcessor = await measureGraph(graph, batch, { ...brief, threads: 1 });
    console.log(
      `${basename(file)}, batch ${batch}: predicted ${ms(p50)} (${ms(lo)} to ${ms(hi)}), timed ${ms(onCard.seconds)}, ratio ${showNumber(p50 / onCard.seconds, 3)}; one thread of the processor ${ms(onProcessor.seconds)}`,
    );
  }
}

if (values.models !== undefined) {
  await mkdir(values.models, { recursive: true });
  for (const [i, graph] of networks.entries())
    await writeFile(`${values.models}/${i}.onnx`, writeOnnx(simplify(graph)));
} else if (values.times !== undefined) {
  const times = JSON.parse(await readFile(values.times, "utf8")) as Record<string, Record<string, number[]>>;
  const model = gpuModel(getTarget(values.target) as GpuTarget);
  for (const [name, byBatch] of Object.entries(times))
    for (const [batch, measured] of Object.entries(byBatch))
      report(`${values.target}, ${name}`, Number(batch), model, measured);
} else await onWebGpu();
