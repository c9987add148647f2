/**
 * How well the latency model of this machine's processor predicts networks of the search (C1 and C2 of the latency models):
 * calibrates, draws random architectures of three super-architectures, predicts, measures, and scores.
 *
 *     npx tsx bench/latency-cpu.ts [--quick] [--seconds 180] [--networks 100] [--calibration FILE]
 *                                [--target cpu:tfjs]
 */
import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import {
  calibrateCpu,
  type CpuTarget,
  cpuModel,
  getTarget,
  hostName,
  measureGraph,
  networkMacs,
  networkOf,
  parseTarget,
  ridgeRegression,
  runtimeVersion,
  scorePredictions,
  withConstantWeights,
  withYardstick,
  type MeasureOptions,
} from "../src/hardware/index.ts";
import { makeRng } from "../src/rng.ts";
import { anyNetworkGraph, networkGraph, superArchitecture, type SuperArchitecture } from "../src/space/index.ts";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    seconds: { type: "string" },
    networks: { type: "string", default: "100" },
    calibration: { type: "string" },
    target: { type: "string", default: "cpu" },
  },
});

const spaces: readonly SuperArchitecture[] = [
  superArchitecture({ inputs: 6, heads: [{ name: "scalars", kind: "vector", size: 22 }] }),
  superArchitecture({ inputs: 13, heads: [{ name: "scalars", kind: "vector", size: 4 }] }),
  superArchitecture({ inputs: 5, heads: [{ name: "signal", kind: "decoder", channels: 1, spatial: [100] }] }),
  superArchitecture({ inputs: 5, heads: [{ name: "image", kind: "decoder", channels: 1, spatial: [16, 16] }] }),
];

async function calibrated(): Promise<CpuTarget> {
  const given = getTarget(values.target) as CpuTarget;
  if (values.calibration !== undefined) {
    const text = await readFile(values.calibration, "utf8").catch(() => undefined);
    if (text !== undefined) return parseTarget(text, values.calibration) as CpuTarget;
  }
  const target = await calibrateCpu(given, {
    quick: values.quick,
    draw: anyNetworkGraph,
    ...(values.seconds === undefined ? {} : { seconds: Number(values.seconds) }),
    host: hostName(),
    date: new Date().toISOString(),
    engine: await runtimeVersion(given.engine.name),
    progress: (fraction, note) => process.stderr.write(`\r${Math.round(100 * fraction)} % ${note}  `),
  });
  if (values.calibration !== undefined) await writeFile(values.calibration, JSON.stringify(target));
  return target;
}

const target = await calibrated();
const { calibration } = target;
console.log(
  `\ncalibrated on ${calibration?.host ?? ""}: session ${(1e6 * (calibration?.sessionSeconds ?? 0)).toFixed(1)} us, noise ${(100 * (calibration?.noiseCv ?? 0)).toFixed(1)} %`,
);
for (const [kind, fit] of Object.entries(calibration?.kinds ?? {}))
  console.log(`  ${kind.padEnd(12)} ${fit.points} points, MAPE ${(100 * fit.mape).toFixed(1)} %`);

const model = cpuModel(target);
for (const batch of [1, 64]) await withYardstick(target, (beside) => check(batch, beside));

async function check(batch: number, beside: MeasureOptions): Promise<void> {
  const rng = makeRng(2026).fork(batch);
  const predicted: number[] = [];
  const measured: number[] = [];
  const again: number[] = [];
  const macs: number[] = [];
  let covered = 0;
  for (let i = 0; i < Number(values.networks); i++) {
    const graph = withConstantWeights(networkGraph(spaces[i % spaces.length]!, rng));
    const prediction = model.predict(graph, batch);
    const options = { ...beside, warmSeconds: 0.05 };
    const { seconds } = await measureGraph(graph, batch, options);
    if (i % 5 === 0) again.push((await measureGraph(graph, batch, options)).seconds / seconds);
    predicted.push(prediction.latency.p50);
    measured.push(seconds);
    macs.push(networkMacs(networkOf(graph)));
    if (seconds >= prediction.latency.lo && seconds <= prediction.latency.hi) covered++;
  }
  const s = scorePredictions(predicted, measured);
  const half = macs.length >> 1;
  const line = ridgeRegression(
    macs.slice(0, half).map((m) => [1, m]),
    measured.slice(0, half),
    { weights: measured.slice(0, half).map((y) => 1 / y) },
  );
  const plain = scorePredictions(
    macs.slice(half).map((m) => line[0]! + line[1]! * m),
    measured.slice(half),
  );
  const repeat = again.reduce((sum, r) => sum + Math.abs(r - 1), 0) / again.length;
  const percent = (v: number): string => `${(100 * v).toFixed(1)} %`;
  console.log(
    `batch ${batch}: ${s.count} networks, MAPE ${percent(s.mape)} (MACs alone ${percent(plain.mape)}, repeats ${percent(repeat)}), within 10 % ${percent(s.within10)}, p95 ${percent(s.p95)}, bias ${percent(s.bias)}, Spearman ${s.spearman.toFixed(3)}, coverage ${percent(covered / s.count)}`,
  );
}
