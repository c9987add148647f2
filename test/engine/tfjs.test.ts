import { describe, expect, it, vi } from "vitest";
import { engines } from "../../src/engine/index.ts";
import { findBackend, loadTfjs } from "../../src/engine/tfjs-library.ts";
import { type Op, graphBuilder } from "../../src/graph/index.ts";
import { expectClose } from "./close.ts";
import { carry, convGraph, feedsFor, opGraph, opSamples, trainingFeeds, trainingGraph } from "./samples.ts";

const { onnxruntime, tfjs } = engines;

describe("the tfjs engine", () => {
  it("says which backend it uses, and why not the best", async () => {
    expect(await tfjs.describe()).toMatch(
      /^TensorFlow\.js 4\.\d+\.\d+, (TensorFlow library \(@tensorflow\/tfjs-node\)|WebAssembly backend, one thread; no tensorflow backend: .+)$/,
    );
  });

  it("leaves no tensors behind", async () => {
    const { tf } = await loadTfjs();
    const before = tf.memory().numTensors;
    const executable = await tfjs.compile(trainingGraph());
    const net = await tfjs.compile(convGraph(2));
    await executable.run(trainingFeeds());
    await net.run(feedsFor(convGraph(2)));
    const constants = tf.memory().numTensors;
    const bytes = tf.memory().numBytes;
    for (let i = 0; i < 5; i++) {
      await executable.run(trainingFeeds());
      await net.run(feedsFor(convGraph(2)));
    }
    await executable.loop({ feeds: trainingFeeds(), carry, steps: 5 });
    expect(tf.memory()).toMatchObject({ numTensors: constants, numBytes: bytes });
    await executable.dispose();
    await net.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it("leaves no tensors behind where a run fails", async () => {
    const { tf } = await loadTfjs();
    const b = graphBuilder();
    const x = b.input("x", [1, 1, 3, 3, 3]);
    const executable = await tfjs.compile(
      b.build({ y: b.conv(x, b.constant([2], [1, 1, 1, 1, 1]), { pads: [0, 0, 0, 0, 0, 0] }) }),
    );
    const before = tf.memory().numTensors;
    await expect(executable.run({ x: new Float32Array(27) })).rejects.toThrow(
      "the tfjs engine has no convolution over 3 axes: use --engine onnxruntime",
    );
    expect(tf.memory().numTensors).toBe(before);
  });

  it("refuses integers that 32 bits cannot hold", async () => {
    const b = graphBuilder();
    const executable = await tfjs.compile(b.build({ y: b.unary("Neg", b.input("x", [1], "int64")) }));
    expect(await executable.run({ x: BigInt64Array.of(-5n) })).toEqual({ y: BigInt64Array.of(5n) });
    await expect(executable.run({ x: BigInt64Array.of(2n ** 31n) })).rejects.toThrow(
      "the tfjs engine has 32-bit integers only: 2147483648 does not fit",
    );
  });

  it("names every reason where no backend works", async () => {
    await expect(findBackend([])).rejects.toThrow("no backend of TensorFlow.js works here");
  });
});

describe("the plain JavaScript backend of tfjs", () => {
  it("agrees with ONNX Runtime on every operation, without a word on stderr", async () => {
    const warn = vi.spyOn(console, "warn");
    const { description } = await findBackend(["cpu"]);
    expect(description).toMatch(/^TensorFlow\.js 4\.\d+\.\d+, plain JavaScript backend, one thread$/);
    const ops = Object.keys(opSamples) as Op[];
    const graphs = [...ops.map((op) => [opGraph(op), opSamples[op].fill] as const), [convGraph(1)], [convGraph(2)]];
    for (const [graph, fill = "signed"] of graphs as (readonly [ReturnType<typeof opGraph>, "signed"?])[]) {
      const feeds = feedsFor(graph, { fill });
      const [ours, theirs] = await Promise.all([onnxruntime.compile(graph), tfjs.compile(graph)]);
      expectClose(await theirs.run(feeds), await ours.run(feeds));
    }
    expect(warn).not.toHaveBeenCalled();
  });
});
