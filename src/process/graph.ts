/** A fitted process as nodes: from standardised inputs to mean and variances, all float64. */
import { type Engine, getEngine } from "../engine/index.ts";
import { type GraphBuilder, graphBuilder, type NodeId } from "../graph/index.ts";
import type { Component, Limits, OutputProcess, Predictor } from "./process.ts";
import { type Kernel, kernelRate, kernelShapes } from "./kernel.ts";

/** N × m each, in the units of the outputs that were fitted. */
export interface ProcessNodes {
  readonly mean: NodeId;
  /** Of the noise-free simulator. */
  readonly variance: NodeId;
}

/** Appends the predictions of `fit` at `x` (N × d, float64). */
export function processGraph(b: GraphBuilder, x: NodeId, fit: Predictor): ProcessNodes {
  const outputs = fit.outputs.map((output) => outputGraph(b, x, fit, output));
  const beside = (nodes: readonly NodeId[]): NodeId => b.concat(nodes, 1);
  const mean = beside(outputs.map((output) => output.mean));
  const variance = beside(outputs.map((output) => output.variance));
  const { m, projection } = fit;
  if (projection === undefined) return { mean, variance };
  const constant = (data: Float64Array, rows: number): NodeId => b.constant(data, [rows, m], "float64");
  const { basis, rest } = projection;
  const squares = basis.map((v) => v * v);
  return {
    mean: b.sum(b.matMul(mean, constant(basis, outputs.length)), constant(projection.mean, 1)),
    variance: b.sum(b.matMul(variance, constant(squares, outputs.length)), constant(rest, 1)),
  };
}

function outputGraph(b: GraphBuilder, x: NodeId, fit: Predictor, output: OutputProcess): ProcessNodes {
  const { components, spread, noise } = output;
  const parts = components.map((c) => componentGraph(b, x, fit, c, noise === 0));
  const weighted = (nodes: readonly NodeId[]): NodeId =>
    nodes.map((node, k) => b.scale(node, components[k]!.weight)).reduce((sum, node) => b.sum(sum, node));
  const centre = weighted(parts.map((part) => part.mean));
  const mean = limited(b, centre, output.limits);
  const variance = weighted(
    parts.length === 1
      ? parts.map((part) => part.variance)
      : parts.map((part) => b.sum(part.variance, b.square(b.sub(part.mean, centre)))),
  );
  if (spread.power === 0) return { mean, variance: b.scale(variance, spread.size) };
  let near = parts[output.lead]!.correlations;
  for (let power = 1; power < spread.power; power *= 2) near = b.square(near);
  const sums = b.matMul(near, b.constant(spreadColumns(spread.squares), [fit.r, 2], "float64"));
  const factor = b.scale(
    b.div(
      b.shift(b.slice(sums, 1, 0, 1), spread.prior * spread.meanSquare),
      b.shift(b.slice(sums, 1, 1, 2), spread.prior),
    ),
    spread.size,
  );
  const own = b.mul(variance, factor);
  if (noise === 0) return { mean, variance: own };
  // Where held-out runs scatter more than the noise everywhere explains, the rest is uncertainty about the simulator.
  const total = b.shift(b.mul(b.shift(variance, noise), factor), -noise);
  return { mean, variance: b.binary("Max", own, total) };
}

function limited(b: GraphBuilder, mean: NodeId, { lower, upper }: Limits): NodeId {
  const below = upper === undefined ? mean : b.binary("Min", mean, b.scalar(upper, mean));
  return lower === undefined ? below : b.binary("Max", below, b.scalar(lower, below));
}

/** Squares and ones side by side, n × 2. */
function spreadColumns(squares: Float64Array): Float64Array {
  const out = new Float64Array(2 * squares.length).fill(1);
  squares.forEach((v, i) => (out[2 * i] = v));
  return out;
}

interface ComponentNodes extends ProcessNodes {
  /** With the first r runs, N × r. */
  readonly correlations: NodeId;
}

function componentGraph(b: GraphBuilder, x: NodeId, fit: Predictor, c: Component, addNugget: boolean): ComponentNodes {
  const { n, r } = fit;
  const all = correlationGraph(b, x, fit, c.kernel);
  const [trend] = c.coefficients;
  const mean = b.shift(b.matMul(all, b.constant(c.alpha, [n, 1], "float64")), trend!);
  const correlations = b.slice(all, 1, 0, r);
  const transposed = new Float64Array(r * r);
  for (let i = 0; i < r; i++) for (let j = 0; j <= i; j++) transposed[j * r + i] = c.inverseFactor[i * r + j]!;
  const v = b.matMul(correlations, b.constant(transposed, [r, r], "float64"));
  const explained = b.reduceSum(b.square(v), [1], true);
  // What the uncertain constant adds: ((1 - v L⁻¹1) / |L⁻¹1|)².
  const slack = b.shift(b.scale(b.matMul(v, b.constant(c.trendFactor, [r, 1], "float64")), -1), 1);
  const added = b.square(b.scale(slack, c.trendInverse[0]!));
  const left = b.binary("Max", b.shift(b.scale(explained, -1), 1), b.scalar(0, explained));
  const variance = b.shift(b.scale(b.sum(left, added), c.variance), addNugget ? c.nugget * c.variance : 0);
  return { mean, variance, correlations };
}

/** Correlations of the rows of x with the runs, N × n. */
function correlationGraph(b: GraphBuilder, x: NodeId, { x: runs, n, d }: Predictor, kernel: Kernel): NodeId {
  const { p1, p2 } = kernelShapes[kernel.name];
  let product: NodeId | undefined;
  let exponent: NodeId | undefined;
  for (let l = 0; l < d; l++) {
    const rate = kernel.beta[l]! * kernelRate[kernel.name];
    const row = Float64Array.from({ length: n }, (_, i) => runs[i * d + l]! * rate);
    const far = b.sub(b.scale(b.slice(x, 1, l, l + 1), rate), b.constant(row, [1, n], "float64"));
    const u = kernel.name === "gaussian" ? far : b.unary("Abs", far);
    const slope = p2 === 0 ? undefined : b.mul(u, b.shift(b.scale(u, p2), p1));
    const poly = p1 === 0 ? undefined : b.shift(slope ?? u, 1);
    const expo = kernel.name === "gaussian" ? b.square(u) : u;
    const weight = kernel.weights?.[l];
    let factor: NodeId | undefined = poly;
    if (weight === undefined) exponent = exponent === undefined ? expo : b.sum(exponent, expo);
    else {
      const decay = b.unary("Exp", b.scale(expo, -1));
      factor = b.shift(b.scale(poly === undefined ? decay : b.mul(poly, decay), weight), 1 - weight);
    }
    if (factor !== undefined) product = product === undefined ? factor : b.mul(product, factor);
  }
  if (exponent === undefined) return product!;
  const decay = b.unary("Exp", b.scale(exponent, -1));
  return product === undefined ? decay : b.mul(product, decay);
}

/** Mean and variance at the rows of `x` (rows × d), rows × m each. */
export async function predictProcess(
  fit: Predictor,
  x: Float64Array,
  engine: Engine = getEngine("onnxruntime"),
): Promise<{ readonly mean: Float64Array; readonly variance: Float64Array }> {
  const b = graphBuilder();
  const rows = x.length / fit.d;
  const { mean, variance } = processGraph(b, b.input("x", ["N", fit.d], "float64"), fit);
  const executable = await engine.compile(b.build({ mean, variance }));
  const { m, d } = fit;
  const all = { mean: new Float64Array(rows * m), variance: new Float64Array(rows * m) };
  for (let at = 0; at < rows; at += rowsPerCall) {
    const end = Math.min(rows, at + rowsPerCall);
    const part = (a: Float64Array): Float64Array => a.subarray(at * m, end * m);
    const into = { mean: part(all.mean), variance: part(all.variance) };
    await executable.run({ x: x.slice(at * d, end * d) }, { rows: end - at, into });
  }
  await executable.dispose();
  return all;
}

/** Bounds the memory for correlations with the runs. */
const rowsPerCall = 1000;
