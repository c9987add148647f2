/**
 * Adds up what flows back into each node of a backward pass. Contributions to parts of a node (the way back of Slice) are
 * laid side by side first: the gradient of a flat parameter vector is then one Concat, not a sum of padded vectors.
 */
import type { GraphBuilder } from "./builder.ts";
import { type NodeId, allocate, sizeOf } from "./node.ts";

/** Where along which axis a contribution begins. */
export interface Span {
  readonly axis: number;
  readonly start: number;
}

interface Piece extends Span {
  readonly end: number;
  readonly g: NodeId;
}

export interface Cotangents {
  /** Adds a contribution to the cotangent of `id`, or to a part of it. */
  add(id: NodeId, g: NodeId, span?: Span): void;
  /** The sum of all contributions; undefined where there is none. */
  total(id: NodeId): NodeId | undefined;
}

export function gatherCotangents(b: GraphBuilder): Cotangents {
  const wholes = new Map<NodeId, NodeId>();
  const parts = new Map<NodeId, Piece[]>();
  const add = (id: NodeId, g: NodeId): void => {
    const sum = wholes.get(id);
    wholes.set(id, sum === undefined ? g : b.sum(sum, g));
  };
  return {
    add(id, g, span) {
      if (span === undefined) {
        add(id, g);
        return;
      }
      const end = span.start + (b.shapeOf(g)[span.axis] as number);
      const piece = { ...span, end, g };
      parts.set(id, [...(parts.get(id) ?? []), piece]);
    },
    total(id) {
      const pieces = parts.get(id) ?? [];
      parts.delete(id);
      for (const axis of new Set(pieces.map((piece) => piece.axis))) {
        const along = pieces.filter((piece) => piece.axis === axis);
        for (const row of sideBySide(sumEqual(b, along))) add(id, joined(b, id, row));
      }
      return wholes.get(id);
    },
  };
}

/** Pieces of the same extent become their sum. */
function sumEqual(b: GraphBuilder, pieces: readonly Piece[]): Piece[] {
  const sums = new Map<string, Piece>();
  for (const piece of pieces) {
    const key = `${piece.start},${piece.end}`;
    const known = sums.get(key);
    sums.set(key, known === undefined ? piece : { ...known, g: b.sum(known.g, piece.g) });
  }
  return [...sums.values()];
}

/** Few rows of pieces in order that do not overlap within their row. */
function sideBySide(pieces: readonly Piece[]): Piece[][] {
  const rows: Piece[][] = [];
  for (const piece of pieces.toSorted((p, q) => p.start - q.start || p.end - q.end)) {
    const row = rows.find((candidate) => candidate.at(-1)!.end <= piece.start);
    if (row === undefined) rows.push([piece]);
    else row.push(piece);
  }
  return rows;
}

/** The pieces of a row with zeros where there is none, of the extent of node `id`. */
function joined(b: GraphBuilder, id: NodeId, row: readonly Piece[]): NodeId {
  const { axis, start, g } = row[0]!;
  const shape = b.shapeOf(g) as readonly number[];
  const size = b.shapeOf(id)[axis] as number;
  const parts: NodeId[] = [];
  let at = start;
  for (const piece of row) {
    if (piece.start > at) parts.push(zeros(b, g, shape.with(axis, piece.start - at)));
    parts.push(piece.g);
    at = piece.end;
  }
  const before = shape.map((_, i) => (i === axis ? start : 0));
  const after = shape.map((_, i) => (i === axis ? size - at : 0));
  return b.pad(b.concat(parts, axis), [...before, ...after]);
}

function zeros(b: GraphBuilder, like: NodeId, shape: readonly number[]): NodeId {
  const { dtype } = b.typeOf(like);
  return b.constant(allocate(dtype, sizeOf(shape)), shape, dtype);
}
