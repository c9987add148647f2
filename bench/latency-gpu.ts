/**
 * How well the latency models of graphics processors predict networks that they have not seen (G3 of the latency models).
 *
 *     npx tsx bench/latency-gpu.ts [--quick] [--networks 100] [--large 256] [--seconds S] [--calibration FILE] [--keep FILE]
 *
 * calibrates WebGPU on this machine's adapter, or reads a calibration, then times random networks at two batches, and scores
 * the calibrated and the data-sheet constants. --keep writes all that was measured, for work on the model where there is no
 * adapter. Without a graphics card: VK_ICD_FILENAMES=/usr/lib/chromium/vk_swiftshader_icd.json LD_LIBRARY_PATH=/usr/lib/chromium
 *
 *     npx tsx bench/latency-gpu.ts --models DIR
 *     python3 bench/pytorch/cuda_latency.py DIR > times.json
 *     npx tsx bench/latency-gpu.ts --target gpu:h100 --times times.json
 *
 * sets a data sheet beside the same networks on CUDA, in PyTorch.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { getEngine } from "../src/engine/index.ts";
import { type Graph, simplify, writeOnnx } from "../src/graph/index.ts";
import { withConstantWeights } from "../src/hardware/cpu/optimised.ts";
import { emptyNetwork } from "../src/hardware/cpu/units.ts";
import {
  calibrateGpu,
  getTarget,
  type GpuTarget,
  gpuModel,
  hostName,
  type LatencyModel,
  measureGraph,
  networkMacs,
  networkOf,
  parseTarget,
  runtimeVersion,
  scorePredictions,
} from "../src/hardware/index.ts";
import { makeRng } from "../src/rng.ts";
import { anyNetworkGraph } from "../src/space/index.ts";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    networks: { type: "string", default: "100" },
    large: { type: "string", default: "256" },
    seconds: { type: "string" },
    calibration: { type: "string" },
    keep: { type: "string" },
    models: { type: "string" },
    target: { type: "string", default: "gpu:h100" },
    times: { type: "string" },
  },
});

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

async function calibrate(plain: GpuTarget): Promise<{ readonly target: GpuTarget; readonly measurements?: unknown }> {
  if (values.calibration !== undefined)
    return { target: parseTarget(await readFile(values.calibration, "utf8"), values.calibration) as GpuTarget };
  return calibrateGpu(plain, {
    quick: values.quick,
    draw: anyNetworkGraph,
    ...(values.seconds === undefined ? {} : { seconds: Number(values.seconds) }),
    host: hostName(),
    date: new Date().toISOString(),
    engine: await runtimeVersion(),
    progress: (fraction, note) => process.stderr.write(`\r${Math.round(100 * fraction)} % ${note}  `),
  });
}

async function timeOnWebGpu(graph: Graph, batch: number): Promise<number> {
  const timing = { provider: "webgpu", warmRuns: 3, warmSeconds: 0.02, blocks: 8, blockSeconds: 0.01, retries: 0 };
  return (await measureGraph(graph, batch, timing)).seconds;
}

async function onWebGpu(): Promise<void> {
  const plain = getTarget("webgpu") as GpuTarget;
  const { target, measurements } = await calibrate(plain);
  // Held open: with the last session the adapter would go, and its compiled shaders with it.
  const anchor = await getEngine("onnxruntime").compile(emptyNetwork(), { provider: "webgpu" });
  const seconds: number[][] = [];
  for (const batch of batches) {
    const measured: number[] = [];
    for (const graph of networks) measured.push(await timeOnWebGpu(graph, batch));
    seconds.push(measured);
    report("calibrated", batch, gpuModel(target), measured);
    report("data sheet", batch, gpuModel(plain), measured);
  }
  if (values.keep !== undefined)
    await writeFile(values.keep, JSON.stringify({ target, measurements, batches, seconds }));
  await anchor.dispose();
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
