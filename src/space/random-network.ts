/** Networks such as searches draw them, of problems of many sizes: what a device's latency model is fitted to and tested with. */
import { type Graph, graphBuilder } from "../graph/index.ts";
import { logUniform, type Rng } from "../rng.ts";
import { randomArchitecture } from "./architecture.ts";
import { compact } from "./network.ts";
import { type HeadRequest, superArchitecture, type SuperArchitecture } from "./super-architecture.ts";

/** One random architecture of a super-architecture. @returns a graph of `x` [N, inputs] and the weights `flat` */
export function networkGraph(space: SuperArchitecture, rng: Rng): Graph {
  const candidate = compact(space, randomArchitecture(space, rng));
  const b = graphBuilder();
  const x = b.input("x", ["N", space.inputs]);
  const flat = b.input("flat", [candidate.layout.size]);
  return b.build(Object.fromEntries(candidate.forward(b, x, flat).map((y, i) => [space.heads[i]!.name, y])));
}

/** A random architecture for a random problem: 1 to 16 inputs; half have 1 to 64 scalars, a quarter a signal of 16 to 256
 * points, a quarter an image of 8 x 8 to 32 x 32. */
export function anyNetworkGraph(rng: Rng): Graph {
  const inputs = 1 + rng.int(16);
  const kind = rng.int(4);
  const side = logUniform(rng, 8, 32);
  const head: HeadRequest =
    kind < 2
      ? { kind: "vector", name: "scalars", size: logUniform(rng, 1, 64) }
      : {
          kind: "decoder",
          name: "field",
          channels: 1,
          spatial: kind === 2 ? [logUniform(rng, 16, 256)] : [side, side],
        };
  return networkGraph(superArchitecture({ inputs, heads: [head] }), rng);
}
