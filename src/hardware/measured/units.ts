/**
 * What a calibration measures: chains of equal kernels, drawn log-uniformly over the sizes that emulators have, and whole
 * random networks. All are graphs with `x` [N, ...] in and `y` out; weights are constants.
 */
import { type Graph, type GraphBuilder, graphBuilder, type NodeId, type UnaryOp } from "../../graph/index.ts";
import { logUniform, makeRng, type Rng } from "../../rng.ts";

/** One link of a chain: maps a tensor to one of the same shape. */
export interface Unit {
  /** Tells units apart in a stored calibration. */
  readonly name: string;
  /** The kind that most of its time is expected in. */
  readonly kind: string;
  /** Shape of a sample. */
  readonly shape: readonly number[];
  link(b: GraphBuilder, x: NodeId, rng: Rng): NodeId;
}

/** A chain of n links. */
export function chainGraph(unit: Unit, links: number, rng: Rng): Graph {
  const b = graphBuilder();
  let x = b.input("x", ["N", ...unit.shape]);
  for (let i = 0; i < links; i++) x = unit.link(b, x, rng.fork(i));
  return b.build({ y: x });
}

/** Constants whose values do not matter but for being ordinary numbers: a random block, repeated. */
function weights(b: GraphBuilder, rng: Rng, shape: readonly number[]): NodeId {
  const data = new Float32Array(shape.reduce((a, c) => a * c, 1));
  const block = Math.min(data.length, 509);
  const scale = 1 / Math.sqrt(shape.at(-2) ?? 1);
  for (let i = 0; i < block; i++) data[i] = scale * rng.normal();
  for (let i = block; i < data.length; i++) data[i] = data[i - block]!;
  return b.constant(data, shape);
}

const pick = <T>(rng: Rng, items: readonly T[]): T => items[rng.int(items.length)]!;

const makers: Readonly<Record<string, (rng: Rng) => Unit>> = {
  gemm(rng) {
    const [a, c] = [logUniform(rng, 4, 256), logUniform(rng, 4, 256)];
    const activation = pick(rng, [undefined, undefined, "Relu", "Tanh"] as const);
    return {
      name: `gemm ${a}-${c}-${a} ${activation ?? ""}`.trim(),
      kind: "gemm",
      shape: [a],
      link(b, x, each) {
        const layer = (from: NodeId, nIn: number, nOut: number, at: string): NodeId => {
          const y = b.sum(
            b.matMul(from, weights(b, each.fork(at), [nIn, nOut])),
            weights(b, each.fork(`${at} bias`), [1, nOut]),
          );
          return activation === undefined ? y : b.unary(activation, y);
        };
        return layer(layer(x, a, c, "up"), c, a, "down");
      },
    };
  },
  matmul(rng) {
    const [channels, length] = [logUniform(rng, 2, 32), logUniform(rng, 8, 256)];
    return {
      name: `matmul ${channels} of ${length}`,
      kind: "matmul",
      shape: [channels, length],
      link: (b, x, each) => b.matMul(x, weights(b, each, [length, length])),
    };
  },
  conv1d(rng) {
    const [channels, length, size, dilation] = [
      logUniform(rng, 4, 48),
      logUniform(rng, 8, 512),
      pick(rng, [1, 3, 5, 7]),
      pick(rng, [1, 1, 2]),
    ];
    return {
      name: `conv1d ${channels}x${length} k${size} d${dilation}`,
      kind: "conv1d",
      shape: [channels, length],
      link: (b, x, each) =>
        b.conv(x, weights(b, each, [channels, channels, size]), {
          pads: new Array<number>(2).fill((dilation * (size - 1)) / 2),
          dilations: [dilation],
        }),
    };
  },
  conv2d(rng) {
    const [channels, height, size] = [pick(rng, [4, 8, 16, 32]), logUniform(rng, 4, 64), pick(rng, [1, 3, 5])];
    return {
      name: `conv2d ${channels}x${height}x${height} k${size}`,
      kind: "conv2d",
      shape: [channels, height, height],
      link: (b, x, each) =>
        b.conv(x, weights(b, each, [channels, channels, size, size]), {
          pads: new Array<number>(4).fill((size - 1) / 2),
        }),
    };
  },
  activation: (rng) => elementwise("activation", pick(rng, ["Tanh", "Sigmoid"] as const), logUniform(rng, 4, 16384)),
  dear: (rng) => elementwise("dear", pick(rng, ["Sin", "Cos"] as const), logUniform(rng, 4, 16384)),
  cheap(rng) {
    const size = logUniform(rng, 4, 16384);
    return {
      name: `cheap Sub ${size}`,
      kind: "cheap",
      shape: [size],
      link: (b, x, each) => b.sub(x, weights(b, each, [1, size])),
    };
  },
  copy(rng) {
    const size = 2 * logUniform(rng, 2, 4096);
    return {
      name: `copy ${size}`,
      kind: "copy",
      shape: [size],
      // Two halves change places: two slices or a split, and a concat.
      link: (b, x) => b.concat([b.slice(x, 1, size / 2, size), b.slice(x, 1, 0, size / 2)], 1),
    };
  },
};

function elementwise(kind: string, op: UnaryOp, size: number): Unit {
  return { name: `${kind} ${op} ${size}`, kind, shape: [size], link: (b, x) => b.unary(op, x) };
}

export const unitKinds = Object.keys(makers);

/** A unit of a kind. */
export function drawUnit(kind: string, rng: Rng): Unit {
  return makers[kind]!(rng);
}

/** A whole random network: a trunk with skips and mixed activations, and at random a linear head, a 1-D or a 2-D decoder. */
export function randomNetwork(rng: Rng): Graph {
  const b = graphBuilder();
  const [inputs, width, depth] = [1 + rng.int(12), pick(rng, [16, 32, 48, 64, 96]), 1 + rng.int(4)];
  const x = b.input("x", ["N", inputs]);
  const bias = (size: readonly number[]): NodeId => weights(b, rng, [1, ...size]);
  let y = b.sum(b.matMul(x, weights(b, rng, [inputs, width])), bias([width]));
  for (let i = 0; i < depth; i++) {
    const features = Array.from({ length: 1 + rng.int(2) }, () =>
      b.unary(pick(rng, ["Tanh", "Sin", "Relu", "Sigmoid"] as const), y),
    );
    const mixed = features.length === 1 ? features[0]! : b.concat(features, 1);
    const added = b.sum(b.matMul(mixed, weights(b, rng, [width * features.length, width])), bias([width]));
    y = rng.int(3) === 0 ? added : b.sum(y, added);
  }
  const head = rng.int(10);
  if (head < 5) {
    const outputs = 1 + rng.int(48);
    return b.build({ y: b.sum(b.matMul(y, weights(b, rng, [width, outputs])), bias([outputs])) });
  }
  const axes = head < 8 ? 1 : 2;
  const channels = axes === 1 ? pick(rng, [8, 16, 24, 32]) : pick(rng, [8, 16]);
  const size = axes === 1 ? [logUniform(rng, 8, 128)] : new Array<number>(2).fill(logUniform(rng, 4, 16));
  const cells = size.reduce((a, c) => a * c, channels);
  let field = b.reshape(b.matMul(y, weights(b, rng, [width, cells])), ["N", channels, ...size]);
  for (let i = 0; i < 1 + rng.int(4); i++) {
    const k = pick(rng, [1, 3, 5]);
    const w = weights(b, rng, [channels, channels, ...size.map(() => k)]);
    const made = b.conv(b.unary("Relu", field), w, { pads: new Array<number>(2 * axes).fill((k - 1) / 2) });
    const total = b.sum(made, bias([channels, ...size.map(() => 1)]));
    field = rng.int(2) === 0 ? total : b.sum(field, total);
  }
  const last = b.conv(field, weights(b, rng, [1, channels, ...size.map(() => 1)]), {
    pads: new Array<number>(2 * axes).fill(0),
  });
  return b.build({ y: last });
}

/** The network that every calibration and check times: 8-64-64-64-4 with tanh. */
export function referenceNetwork(): Graph {
  const rng = makeRng(1).fork("reference");
  const b = graphBuilder();
  let y = b.input("x", ["N", 8]);
  const sizes = [8, 64, 64, 64, 4];
  sizes.slice(1).forEach((size, i) => {
    y = b.sum(b.matMul(y, weights(b, rng, [sizes[i]!, size])), weights(b, rng, [1, size]));
    if (i < 3) y = b.unary("Tanh", y);
  });
  return b.build({ y });
}

/** One tiny operation: what a call costs around its kernels. */
export function emptyNetwork(): Graph {
  const b = graphBuilder();
  const x = b.input("x", ["N", 1]);
  return b.build({ y: b.unary("Neg", x) });
}

/** So many results that are one number each, as an emulator of scalars has them. */
export function manyResults(count: number): Graph {
  const b = graphBuilder();
  const x = b.input("x", ["N", count]);
  const result = (i: number) => [`y${i}`, b.reshape(b.slice(x, 1, i, i + 1), ["N"])] as const;
  return b.build(Object.fromEntries(Array.from({ length: count }, (_, i) => result(i))));
}
