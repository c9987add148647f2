/**
 * ONNX has an operation for cutting a tensor into consecutive pieces, `Split`; graphs have one `Slice` per piece. Here
 * are found the slices that are one Split: the parameters cut from the flat vector, the gates, the way back of a Concat.
 */
import type { Graph, Node, NodeId } from "../node.ts";

type SliceNode = Extract<Node, { readonly op: "Slice" }>;

/** Slices of one tensor that follow one another from its first to its last index. */
export interface Tiling {
  readonly x: NodeId;
  readonly axis: number;
  readonly pieces: readonly NodeId[];
  readonly lengths: readonly number[];
}

interface Piece {
  readonly id: NodeId;
  readonly start: number;
  readonly end: number;
}

/** Every slice that belongs to a tiling, with its tiling. @param mostPieces slices of a longer tiling stay slices */
export function findTilings(graph: Graph, mostPieces = Number.POSITIVE_INFINITY): ReadonlyMap<NodeId, Tiling> {
  const found = new Map<NodeId, Tiling>();
  for (const { x, axis, pieces } of groupSlices(graph)) {
    const size = graph.types[x]?.shape[axis];
    if (typeof size !== "number") continue;
    for (let rest = pieces; ;) {
      const chain = chainFrom(rest, size);
      if (chain === undefined) break;
      rest = rest.filter((piece) => !chain.includes(piece));
      if (chain.length > mostPieces) continue;
      const lengths = chain.map(({ start, end }) => end - start);
      const tiling: Tiling = { x, axis, pieces: chain.map(({ id }) => id), lengths };
      for (const { id } of chain) found.set(id, tiling);
    }
  }
  return found;
}

function groupSlices(graph: Graph): Iterable<{ readonly x: NodeId; readonly axis: number; readonly pieces: Piece[] }> {
  const groups = new Map<string, { readonly x: NodeId; readonly axis: number; readonly pieces: Piece[] }>();
  graph.nodes.forEach((node, id) => {
    if (node.op !== "Slice" || node.step !== 1) return;
    const key = `${node.x},${node.axis}`;
    const group = groups.get(key) ?? { x: node.x, axis: node.axis, pieces: [] };
    groups.set(key, group);
    group.pieces.push(piece(graph, id, node));
  });
  return groups.values();
}

function piece(graph: Graph, id: NodeId, node: SliceNode): Piece {
  const size = graph.types[node.x]?.shape[node.axis] as number;
  const length = graph.types[id]?.shape[node.axis] as number;
  const start = Math.max(0, node.start < 0 ? node.start + size : node.start);
  return { id, start, end: start + length };
}

/** At least two pieces, the first of those that start where the last one ends, up to `size`. */
function chainFrom(pieces: readonly Piece[], size: number): Piece[] | undefined {
  const first = new Map<number, Piece>();
  for (const piece of pieces) if (!first.has(piece.start)) first.set(piece.start, piece);
  const chain: Piece[] = [];
  for (let at = 0; at < size;) {
    const next = first.get(at);
    if (next === undefined) return undefined;
    chain.push(next);
    at = next.end;
  }
  return chain.length > 1 ? chain : undefined;
}
