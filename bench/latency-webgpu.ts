/**
 * How well the latency model of this machine's graphics adapter predicts networks that it has not seen (G3 of the latency
 * models): calibrates WebGPU, or reads a calibration, then times random networks at two batches, and scores both the
 * calibrated and the data-sheet constants.
 *
 *     npx tsx bench/latency-webgpu.ts [--quick] [--networks 100] [--large 256] [--calibration FILE]
 *
 * Without a graphics card: VK_ICD_FILENAMES=/usr/lib/chromium/vk_swiftshader_icd.json LD_LIBRARY_PATH=/usr/lib/chromium
 */
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { getEngine } from "../src/engine/index.ts";
import { emptyNetwork, randomNetwork } from "../src/hardware/cpu/units.ts";
import {
  calibrateGpu,
  getTarget,
  type GpuTarget,
  gpuModel,
  hostName,
  measureGraph,
  networkMacs,
  networkOf,
  parseTarget,
  runtimeVersion,
  scorePredictions,
} from "../src/hardware/index.ts";
import { makeRng } from "../src/rng.ts";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    networks: { type: "string", default: "100" },
    large: { type: "string", default: "256" },
    calibration: { type: "string" },
  },
});

const plain = getTarget("webgpu") as GpuTarget;
const target =
  values.calibration === undefined
    ? (
        await calibrateGpu(plain, {
          quick: values.quick,
          host: hostName(),
          date: new Date().toISOString(),
          engine: await runtimeVersion(),
          progress: (fraction, note) => process.stderr.write(`\r${Math.round(100 * fraction)} % ${note}  `),
        })
      ).target
    : (parseTarget(await readFile(values.calibration, "utf8"), values.calibration) as GpuTarget);
const [calibrated, datasheet] = [gpuModel(target), gpuModel(plain)];
// Held open: with the last session the adapter would go, and its compiled shaders with it.
const anchor = await getEngine("onnxruntime").compile(emptyNetwork(), { provider: "webgpu" });
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

for (const batch of [1, Number(values.large)]) {
  const rng = makeRng(2026).fork(batch);
  const rows: {
    readonly predicted: number;
    readonly plain: number;
    readonly measured: number;
    readonly macs: number;
  }[] = [];
  for (let i = 0; i < Number(values.networks); i++) {
    const graph = randomNetwork(rng);
    const timing = { provider: "webgpu", warmRuns: 3, warmSeconds: 0, blocks: 5, blockSeconds: 0.01, retries: 0 };
    const { seconds: measured } = await measureGraph(graph, batch, timing);
    rows.push({
      predicted: calibrated.predict(graph, batch).latency.p50,
      plain: datasheet.predict(graph, batch).latency.p50,
      measured,
      macs: networkMacs(networkOf(graph)),
    });
  }
  const measured = rows.map((row) => row.measured);
  const s = scorePredictions(
    rows.map((row) => row.predicted),
    measured,
  );
  const byMacs = scorePredictions(
    rows.map((row) => row.macs),
    measured,
  );
  const doubled = rows.filter((row) => Math.abs(Math.log2(row.plain / row.measured)) <= 1).length / rows.length;
  console.log(
    `batch ${batch}: ${s.count} networks, within 10 % ${percent(s.within10)}, MAPE ${percent(s.mape)}, bias ${percent(s.bias)}, Spearman ${s.spearman.toFixed(3)} (MACs ${byMacs.spearman.toFixed(3)}); data sheet within a factor of two ${percent(doubled)}`,
  );
}
await anchor.dispose();
