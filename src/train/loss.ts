/**
 * Losses on standardised outputs, as graph nodes. Residuals are float32, their reduction is float64: line searches near
 * the end of training see differences far below float32's resolution of a sum.
 */
import type { GraphBuilder, NodeId } from "../graph/index.ts";

export const losses = ["mse", "huber", "gaussian"] as const;

/** `mse`: mean of squares. `huber`: quadratic within 1, linear beyond (spec 1, Objective). `gaussian`: negative log
 * likelihood with one learned noise level per output, for noisy simulators. */
export type LossName = (typeof losses)[number];

/** Mean over all elements, as one float64 number. */
function meanFloat64(b: GraphBuilder, x: NodeId): NodeId {
  const axes = b.shapeOf(x).map((_, i) => i);
  return b.mean(b.cast(x, "float64"), axes);
}

/**
 * The mean loss of one head.
 * @param prediction n x ... in scaled units   @param target the same shape
 * @param logVariance for `gaussian`: log of the noise variance, broadcastable to the prediction
 * @returns a float64 node of no axes
 */
export function lossNode(
  b: GraphBuilder,
  loss: LossName,
  prediction: NodeId,
  target: NodeId,
  logVariance?: NodeId,
): NodeId {
  const r = b.sub(prediction, target);
  switch (loss) {
    case "mse":
      return meanFloat64(b, b.square(r));
    case "huber": {
      // With c = min(|r|, 1): c (|r| - c/2) is r^2/2 inside and |r| - 1/2 outside.
      const a = b.unary("Abs", r);
      const c = b.binary("Min", a, b.scalar(1, a));
      return meanFloat64(b, b.mul(c, b.sub(a, b.scale(c, 0.5))));
    }
    case "gaussian": {
      if (logVariance === undefined) throw new RangeError("internal: the gaussian loss needs a log variance");
      const scaled = b.mul(b.square(r), b.unary("Exp", b.unary("Neg", logVariance)));
      return b.scale(b.sum(meanFloat64(b, scaled), meanFloat64(b, logVariance)), 0.5);
    }
    default:
      return loss satisfies never;
  }
}
