/** The tensor graph: nodes, shapes, derivatives, costs, passes, and ONNX in and out. */
export * from "./node.ts";
export { broadcastShapes, inferType, showShape } from "./shape.ts";
export { graphBuilder, sameShape, type GraphBuilder } from "./builder.ts";
export { differentiate } from "./derivative.ts";
export * from "./onnx/index.ts";
export { simplify, prune, type SimplifyOptions } from "./passes.ts";
export { bytesOfType, type Cost, costOf, elementBytes, macsOf } from "./cost.ts";
