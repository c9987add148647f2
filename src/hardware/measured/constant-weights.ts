/** Graphs of a search have their weights as inputs; a device is given them as constants. */
import { type Graph, graphBuilder, type NodeId, simplify, sizeOf, withOperands } from "../../graph/index.ts";
import { makeRng } from "../../rng.ts";

/** The graph ready to run: inputs without rows (a search's flat weights) become constants with fixed random values. */
export function withConstantWeights(graph: Graph): Graph {
  if (!graph.types.some(({ shape }) => shape.includes("N"))) return simplify(graph);
  const b = graphBuilder();
  const rng = makeRng(1);
  const ids: NodeId[] = [];
  graph.nodes.forEach((node, id) => {
    const { dtype, shape } = graph.types[id]!;
    if (node.op !== "Input" || shape.includes("N") || dtype !== "float32") {
      ids.push(b.add(withOperands(node, (old) => ids[old]!)));
      return;
    }
    const data = Float32Array.from({ length: sizeOf(shape) }, () => 0.1 * rng.normal());
    ids.push(b.add({ op: "Constant", dtype, shape: shape as readonly number[], data }));
  });
  const outputs = graph.outputs.map(({ name, node }) => ({ name, node: ids[node]! }));
  return simplify({ ...b.build({}), outputs });
}
