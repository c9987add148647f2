/** Random graphs over many operations, with values to feed. */
import { type Graph, type NodeId, type Op, graphBuilder } from "../../src/graph/index.ts";
import type { Rng } from "../../src/rng.ts";
import { opCases } from "./op-cases.ts";

export interface FedGraph {
  readonly graph: Graph;
  readonly feeds: Readonly<Record<string, Float64Array>>;
}

/** Some operations on inputs of their own, then moves and sums over what there is, much of it twice. */
export function randomGraph(rng: Rng): FedGraph {
  const b = graphBuilder();
  const feeds: Record<string, Float64Array> = {};
  const found: NodeId[] = [];
  const names = Object.keys(opCases) as Op[];
  const repeat = 1 + rng.int(4);
  for (let i = 0; i < repeat; i++) {
    const { inputs, build } = opCases[names[rng.int(names.length)]!](rng);
    const ids = inputs.map(({ shape, values, dtype = "float64" }, j) => {
      feeds[`x${i}_${j}`] = values;
      return b.input(`x${i}_${j}`, shape, dtype);
    });
    found.push(b.cast(build(b, ids), "float64"), b.cast(build(b, ids), "float64"));
  }
  for (let i = rng.int(12); i > 0; i--) found.push(move(rng, found));
  const outputs = Array.from({ length: 1 + rng.int(3) }, (_, i) => [`y${i}`, found[rng.int(found.length)]!] as const);
  return { graph: b.build(Object.fromEntries(outputs)), feeds };

  function move(draw: Rng, from: readonly NodeId[]): NodeId {
    const x = from[draw.int(from.length)]!;
    const shape = b.shapeOf(x) as readonly number[];
    const reversed = [...shape].reverse();
    switch (draw.int(7)) {
      case 0:
        return b.transpose(
          x,
          shape.map((_, axis) => shape.length - 1 - axis),
        );
      case 1:
        return b.reshape(x, reversed);
      case 2:
        return b.unary("Neg", x);
      case 3:
        return b.sum(x, b.constant(new Float64Array(1).fill(draw.int(2)), [1], "float64"));
      case 4:
        return b.add({ op: "Expand", x, shape });
      case 5:
        return b.add({ op: "Pad", x, pads: [...shape, ...shape].map(() => 0) });
      default:
        return b.mul(x, x);
    }
  }
}
