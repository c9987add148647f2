/** Started by calibrate.test.ts: calibrates this machine's adapter with networks that compile quickly, then predicts and
 * measures one network. Prints one JSON document; `absent` says that there is no adapter. */
import { calibrateGpu } from "../../../src/hardware/gpu/calibrate.ts";
import { gpuModel } from "../../../src/hardware/gpu/model.ts";
import { measureHere } from "../../../src/hardware/here.ts";
import type { GpuTarget } from "../../../src/hardware/target.ts";
import { getTarget } from "../../../src/hardware/targets/index.ts";
import { mlp } from "../networks.ts";

const webgpu = getTarget("webgpu") as GpuTarget;
const graph = mlp([6, 32, 32, 3]);
const measured = await measureHere(webgpu, graph, 1);
if ("absent" in measured) console.log(JSON.stringify(measured));
else {
  const target = await calibrateGpu(webgpu, {
    host: "this",
    date: "",
    engine: "",
    quick: true,
    seconds: 5,
    draw: (rng) => mlp([4, 8 + rng.int(60), 8 + rng.int(60), 2]),
  });
  console.log(JSON.stringify({ target, measured, predicted: gpuModel(target).predict(graph).latency.p50 }));
}
