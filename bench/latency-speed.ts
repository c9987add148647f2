/**
 * How long the latency models take for one candidate of a search, from its graph to a prediction, per target; a search
 * asks for thousands.
 *
 *     npx tsx bench/latency-speed.ts [--candidates 40]
 */
import { parseArgs } from "node:util";
import { type Graph, graphBuilder } from "../src/graph/index.ts";
import { getTarget, latencyModel, networkOf } from "../src/hardware/index.ts";
import { makeRng } from "../src/rng.ts";
import { compact, randomArchitecture, superArchitecture } from "../src/space/index.ts";

const { values } = parseArgs({ options: { candidates: { type: "string", default: "40" } } });
const spaces = {
  "22 scalars": superArchitecture({ inputs: 6, heads: [{ name: "y", kind: "vector", size: 22 }] }),
  "signal of 250": superArchitecture({
    inputs: 5,
    heads: [{ name: "y", kind: "decoder", channels: 1, spatial: [250] }],
  }),
  "image 32 x 32": superArchitecture({
    inputs: 5,
    heads: [{ name: "y", kind: "decoder", channels: 1, spatial: [32, 32] }],
  }),
};
const names = [
  "cpu",
  "gpu:h200",
  "fpga:pynq-z2",
  "fpga:ecp5-45f",
  "fpga:alveo-u250",
  "fpga:pynq-z2:tiled",
  "fpga:pynq-z2:dataflow",
  "fpga:pynq-z2:reuse",
  "fpga:pynq-z2:binary",
];

for (const [title, space] of Object.entries(spaces)) {
  const rng = makeRng(1);
  const graphs = Array.from({ length: Number(values.candidates) }, (): Graph => {
    const network = compact(space, randomArchitecture(space, rng));
    const b = graphBuilder();
    const x = b.input("x", ["N", space.inputs]);
    return b.build({ y: network.forward(b, x, b.input("flat", [network.layout.size]))[0]! });
  });
  // Processor time, and the least of some rounds, so that other work on the machine counts little.
  const timed = (work: (graph: Graph) => unknown): string => {
    let least = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 20; round++) {
      const before = process.cpuUsage();
      graphs.forEach(work);
      const { user, system } = process.cpuUsage(before);
      least = Math.min(least, user + system);
    }
    return `${(least / 1e3 / graphs.length).toFixed(3)} ms`;
  };
  console.log(`${title}: reading the network off its graph ${timed(networkOf)}`);
  for (const name of names) {
    const model = latencyModel(getTarget(name));
    console.log(`  ${name.padEnd(24)} ${timed((graph) => model.predict(graph))}`);
  }
}
