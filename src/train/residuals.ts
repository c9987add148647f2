/**
 * A network of scalars seen from its residuals, one per run and output, for Levenberg-Marquardt. Every weight stands in one
 * product of rows and a matrix and every bias in one sum, so that a row of the derivatives J is made of outer products of what
 * enters there, a, and of the residual's derivative by what leaves, d. Then J Jᵀ = sum (A Aᵀ) ∘ (D Dᵀ) over products, and
 * sum D Dᵀ over biases: products of two small matrices where J itself has a row of all weights for each residual.
 */
import type { Engine } from "../engine/index.ts";
import { InternalError } from "../errors.ts";
import {
  differentiate,
  type Graph,
  type GraphBuilder,
  graphBuilder,
  type NodeId,
  operands,
  sizeOf,
} from "../graph/index.ts";
import { choleskySmall, lowerTimes, lowerTransposeTimes, makeAlgebra } from "../process/index.ts";
import type { Network } from "../space/index.ts";
import type { TrainingData } from "./data.ts";
import { decayMask, lossGraph } from "./graphs.ts";
import { feedsOf } from "./objective.ts";
import { dampedMatrix, type Linearised, type ResidualProblem } from "./optimisers/index.ts";

/** Where weights enter: the node that rows enter a product with, undefined for biases, and the node that leaves. */
interface Tap {
  readonly entering: NodeId | undefined;
  readonly leaving: NodeId;
}

const moves: ReadonlySet<string> = new Set(["Slice", "Reshape", "Concat"]);

/** All places where `params` enter what is in the graph so far. */
function tapsOf(b: GraphBuilder, params: NodeId): Tap[] {
  const weights = new Set<NodeId>([params]);
  const taps: Tap[] = [];
  let seen = 0;
  for (let id = 0; id < b.size(); id++) {
    const node = b.node(id);
    const used = operands(node).filter((operand) => weights.has(operand));
    const [weight] = used;
    if (weight === undefined) continue;
    if (moves.has(node.op) && used.length === operands(node).length) weights.add(id);
    else if (used.length === 1 && node.op === "MatMul" && node.b === weight)
      taps.push({ entering: node.a, leaving: id });
    else if (used.length === 1 && node.op === "Add") taps.push({ entering: undefined, leaving: id });
    else throw new InternalError(`weights enter a ${node.op}: derivatives are no outer products there`);
    if (!weights.has(id)) seen += sizeOf(b.shapeOf(weight));
  }
  if (seen !== sizeOf(b.shapeOf(params)))
    throw new InternalError("some weights enter the network twice, or not at all");
  return taps;
}

/** Inputs x and params, and the predictions of the one head. */
function forwardOn(b: GraphBuilder, network: Network, rows: number): { readonly params: NodeId; readonly all: NodeId } {
  const x = b.input("x", [rows, network.space.inputs]);
  const params = b.input("params", [network.layout.size]);
  const [all] = network.forward(b, x, params);
  if (all === undefined) throw new InternalError("a network without a head");
  return { params, all };
}

/** Inputs x [R, d], y [R, 1], pick [R, m] (which output a residual is of), params; outputs of {@link Linearised}. Sums of squares are
 * float64: rounded to float32 they are no longer positive definite where little damping is left. */
function linearisedGraph(network: Network, count: number, outputs: number): Graph {
  const b = graphBuilder();
  const { params, all } = forwardOn(b, network, count);
  const taps = tapsOf(b, params);
  const predicted = outputs === 1 ? all : b.reduceSum(b.mul(all, b.input("pick", [count, outputs])), [1], true);
  const slopes = differentiate(
    b,
    b.reduceSum(predicted, [0, 1]),
    taps.map(({ leaving }) => leaving),
  );
  const added = (parts: readonly NodeId[]): NodeId => parts.reduce((sum, part) => b.sum(sum, part));
  const ownSquare = (a: NodeId): NodeId => b.matMul(a, b.transpose(a, [1, 0]));
  const squares = new Map<NodeId, NodeId>();
  /** a aᵀ. Activations that enter several products side by side are multiplied once. */
  const square = (a: NodeId): NodeId => {
    const known = squares.get(a);
    if (known !== undefined) return known;
    const node = b.node(a);
    const made =
      node.op === "Concat" && node.axis === 1 ? added(node.parts.map(square)) : ownSquare(b.cast(a, "float64"));
    squares.set(a, made);
    return made;
  };
  const [decaying, free, along]: [NodeId[], NodeId[], NodeId[]] = [[], [], []];
  taps.forEach(({ entering, leaving }, t) => {
    const slope = slopes[t]!;
    if (entering === undefined) free.push(square(slope));
    else {
      decaying.push(b.mul(square(entering), square(slope)));
      along.push(b.reduceSum(b.mul(slope, leaving), [1], true));
    }
  });
  const residuals = b.sub(predicted, b.input("y", [count, 1]));
  return b.build({ residuals, along: added(along), decaying: added(decaying), free: added(free) });
}

/** Inputs x [n, d], seeds [n, m], params; output `gradient` of the sum of seeds times predictions. */
function pullGraph(network: Network, rows: number, outputs: number): Graph {
  const b = graphBuilder();
  const { params, all } = forwardOn(b, network, rows);
  const sum = b.reduceSum(b.mul(all, b.input("seeds", [rows, outputs])), [0, 1]);
  const [gradient] = differentiate(b, sum, [params]);
  return b.build({ gradient: gradient! });
}

export interface Residuals extends ResidualProblem {
  /** What the network would miss each run by, had it been left out: by its linearisation at `params`, where leaving out has a closed
   * form (as for a Gaussian process: Rasmussen & Williams 2006, eq. 5.12). n x m; undefined where the system cannot be solved. */
  leaveOneOut(params: Float32Array, weightDecay: number): Promise<Float32Array | undefined>;
  dispose(): Promise<void>;
}

/** Decay that biases are given for it, as a share of the weights'. */
const biasShare = 0.1;

/** The residuals of a network whose one head is a vector. Dispose when done. */
export async function residualProblem(engine: Engine, network: Network, fit: TrainingData): Promise<Residuals> {
  const [target] = fit.targets;
  if (target === undefined || fit.targets.length !== 1) throw new InternalError("residuals are of one head");
  const outputs = target.length / fit.rows;
  const count = target.length;
  const size = network.layout.size;
  const algebra = makeAlgebra(engine);
  const linearised = await engine.compile(linearisedGraph(network, count, outputs));
  const pulled = await engine.compile(pullGraph(network, fit.rows, outputs));
  const loss = await engine.compile(lossGraph(network, { loss: "mse", rows: fit.rows }));
  const repeated = new Float32Array(count * fit.inputs);
  for (let i = 0; i < count; i++) {
    const row = Math.floor(i / outputs);
    repeated.set(fit.x.subarray(row * fit.inputs, (row + 1) * fit.inputs), i * fit.inputs);
  }
  const pick = Float32Array.from({ length: count * outputs }, (_, i) =>
    i % outputs === Math.floor(i / outputs) % outputs ? 1 : 0,
  );
  const into = {
    residuals: new Float32Array(count),
    along: new Float32Array(count),
    decaying: new Float64Array(count * count),
    free: new Float64Array(count * count),
  };
  const gradient = new Float32Array(size);
  const meanSquare = new Float64Array(1);
  const linearise = async (params: Float32Array): Promise<Linearised> => {
    await linearised.run({ x: repeated, y: target, params, ...(outputs === 1 ? {} : { pick }) }, { into });
    return into;
  };
  return {
    residuals: count,
    mask: decayMask(network, size, 1),
    linearise,
    async pull(params, seeds) {
      await pulled.run({ x: fit.x, seeds, params }, { into: { gradient } });
      return gradient;
    },
    async meanSquare(params) {
      await loss.run({ ...feedsOf(fit), params }, { into: { loss: meanSquare } });
      return meanSquare[0]!;
    },
    solve: (a, right) => algebra.solve(a, count, right),
    async leaveOneOut(params, weightDecay) {
      const { residuals, along, decaying, free } = await linearise(params);
      const matrix = dampedMatrix(decaying, free, weightDecay, biasShare * weightDecay, count);
      const found = await algebra.choleskyInverse(matrix, count);
      if (found === undefined) return undefined;
      const { inverse } = found;
      const right = Float64Array.from(residuals, (residual, i) => residual - along[i]!);
      const left = lowerTransposeTimes(inverse, lowerTimes(inverse, right, count, 1), count);
      const errors = new Float32Array(count);
      const block = new Float64Array(outputs * outputs);
      for (let from = 0; from < count; from += outputs) {
        // The block of the inverse matrix that belongs to this run's residuals.
        for (let j = 0; j < outputs; j++)
          for (let k = 0; k <= j; k++) {
            let sum = 0;
            for (let i = from + j; i < count; i++)
              sum += inverse[i * count + from + j]! * inverse[i * count + from + k]!;
            block[j * outputs + k] = sum;
          }
        const small = choleskySmall(block, outputs);
        if (small === undefined) return undefined;
        const own = left.subarray(from, from + outputs);
        errors.set(lowerTransposeTimes(small.inverse, lowerTimes(small.inverse, own, outputs, 1), outputs), from);
      }
      return errors;
    },
    async dispose() {
      await algebra.dispose();
      for (const executable of [linearised, pulled, loss]) await executable.dispose();
    },
  };
}
