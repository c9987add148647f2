/** Graphs of a search have their weights as inputs; a device is given them as constants. */
import { type Graph, graphBuilder, type NodeId, simplify, sizeOf, withOperands } from "../../graph/index.ts";
import { makeRng } from "../../rng.ts";

/** The graph ready to run: inputs without rows (a search's flat weights) become constants with fixed random values. */
export function withConstantWeights(graph: Graph): Graph {
  if (!graph.types.some(({ shape }) => shape.includes("N"))) return simplify(graph);
  const b = graphBuilder();
  const nextWeights = weightMaker();
  const ids: NodeId[] = [];
  graph.nodes.forEach((node, id) => {
    const { dtype, shape } = graph.types[id]!;
    if (node.op !== "Input" || shape.includes("N") || dtype !== "float32") {
      ids.push(b.add(withOperands(node, (old) => ids[old]!)));
      return;
    }
    const data = nextWeights(sizeOf(shape));
    ids.push(b.add({ op: "Constant", dtype, shape: shape as readonly number[], data }));
  });
  const outputs = graph.outputs.map(({ name, node }) => ({ name, node: ids[node]! }));
  return simplify({ ...b.build({}), outputs });
}

/** So many random values, one after the other, are all weights: prime, so that hardly two tensors of a graph are the same. */
const POOL = 65521;
let pool: Float32Array | undefined;

/** Values of the pool, each time from where the last ones ended. */
function weightMaker(): (count: number) => Float32Array {
  if (pool === undefined) {
    const rng = makeRng(1);
    pool = Float32Array.from({ length: POOL }, () => 0.1 * rng.normal());
  }
  const values = pool;
  let at = 0;
  return (count) => {
    const weights = new Float32Array(count);
    for (let done = 0; done < count;) {
      const some = values.subarray(at, Math.min(POOL, at + count - done));
      weights.set(some, done);
      done += some.length;
      at = (at + some.length) % POOL;
    }
    return weights;
  };
}
