import { describe, expect, it } from "vitest";
import { type Engine, type Tensors, engineNames, engines, getEngine } from "../../src/engine/index.ts";
import { makeOnnxruntime } from "../../src/engine/onnxruntime.ts";
import { openPublic } from "../../src/engine/onnxruntime-session.ts";
import { type Graph, graphBuilder } from "../../src/graph/index.ts";
import { expectClose } from "./close.ts";
import {
  carry,
  convGraph,
  copyOf,
  feedsFor,
  opGraph,
  opSamples,
  rowsGraph,
  trainingFeeds,
  trainingGraph,
} from "./samples.ts";

/** Every engine, and the way in which onnxruntime runs where its internals have changed. */
const all: readonly Engine[] = [
  ...Object.values(engines),
  { ...makeOnnxruntime(async () => openPublic), name: "onnxruntime, public sessions" },
];

async function runOnce(engine: Engine, graph: Graph, feeds: Tensors): Promise<Tensors> {
  const executable = await engine.compile(graph);
  const results = await executable.run(feeds);
  await executable.dispose();
  return results;
}

describe("both engines agree on outputs and gradients", () => {
  it.each(Object.keys(opSamples) as (keyof typeof opSamples)[])("of %s", async (op) => {
    const graph = opGraph(op);
    const feeds = feedsFor(graph, { fill: opSamples[op].fill ?? "signed" });
    const expected = await runOnce(engines.onnxruntime, graph, feeds);
    expect(Array.from(expected["value"] as Float32Array).some((value) => Math.abs(value) > 0.1)).toBe(true);
    expectClose(await runOnce(engines.tfjs, graph, feeds), expected);
  });

  it.each([1, 2] as const)("of padded, dilated and grouped convolutions over %i axes", async (axes) => {
    const graph = convGraph(axes);
    const feeds = feedsFor(graph);
    expectClose(await runOnce(engines.tfjs, graph, feeds), await runOnce(engines.onnxruntime, graph, feeds));
  });

  it("of a training step of an MLP with Adam", async () => {
    const graph = trainingGraph();
    const feeds = trainingFeeds();
    expectClose(await runOnce(engines.tfjs, graph, feeds), await runOnce(engines.onnxruntime, graph, feeds));
  });

  it("where the number of rows is only known when the graph runs", async () => {
    const graph = rowsGraph();
    const [a, b] = await Promise.all([engines.onnxruntime.compile(graph), engines.tfjs.compile(graph)]);
    for (const rows of [1, 7, 3]) {
      const feeds = feedsFor(graph, { rows });
      const expected = await a.run(feeds, { rows });
      expect(expected["column"]).toHaveLength(2 * rows);
      expectClose(await b.run(feeds), expected);
    }
  });

  it("on integers and conditions as results", async () => {
    const b = graphBuilder();
    const x = b.input("x", [2, 3]);
    const n = b.input("n", [3], "int64");
    const flag = b.input("flag", [2, 1], "bool");
    const whole = b.sum(b.cast(b.scale(x, 10), "int64"), n);
    const graph = b.build({ whole, flag: b.compare("Less", x, b.cast(flag, "float32")), n });
    const feeds = {
      x: Float32Array.of(-0.55, 0.91, 0, 1, 2, -3),
      n: BigInt64Array.of(4n, -5n, 6n),
      flag: Uint8Array.of(1, 0),
    };
    for (const engine of all) {
      const results = await runOnce(engine, graph, feeds);
      expect(results, engine.name).toEqual({
        whole: BigInt64Array.of(-1n, 4n, 6n, 14n, 15n, -24n),
        flag: Uint8Array.of(1, 1, 1, 0, 0, 1),
        n: BigInt64Array.of(4n, -5n, 6n),
      });
    }
  });
});

describe.each(all)("$name", (engine) => {
  it("gives the same bytes for the same feeds", async () => {
    const executable = await engine.compile(trainingGraph());
    const feeds = trainingFeeds();
    const first = copyOf(await executable.run(feeds));
    await executable.run({ ...feeds, rate: Float32Array.of(0.5) });
    expect(await executable.run(feeds)).toEqual(first);
    expect(await runOnce(engine, trainingGraph(), feeds)).toEqual(first);
    await executable.dispose();
  });

  it("writes results where `into` says, and the others into buffers of its own", async () => {
    const executable = await engine.compile(trainingGraph());
    const feeds = trainingFeeds();
    const expected = copyOf(await executable.run(feeds));
    const room = new Float32Array(1000).fill(7);
    const p = room.subarray(10, 10 + feeds["p"]!.length);
    const results = await executable.run(feeds, { into: { p } });
    expect(results["p"]).toBe(p);
    expect(results).toEqual(expected);
    expect([room[9], room[10 + p.length]]).toEqual([7, 7]);
    expect((await executable.run(feeds))["p"]).not.toBe(p);
  });

  it("reads feeds that were rewritten in place", async () => {
    const executable = await engine.compile(opGraph("Neg"));
    const x0 = new Float32Array(15).fill(1);
    expect((await executable.run({ x0 }))["value"]![3]).toBe(-1);
    x0.fill(2);
    expect((await executable.run({ x0 }))["value"]![3]).toBe(-2);
  });

  it("loops as repeated runs do, and leaves the caller's buffers alone", async () => {
    const executable = await engine.compile(trainingGraph());
    const feeds = trainingFeeds();
    const before = copyOf(feeds);
    let byHand: Tensors = feeds;
    const losses: number[] = [];
    for (let step = 0; step < 7; step++) {
      const { p, m, v, loss } = await executable.run(byHand);
      byHand = { ...feeds, p: p!, m: m!, v: v! };
      losses.push(Number(loss![0]));
    }
    const expected = copyOf(byHand);
    const watched: number[] = [];
    const results = await executable.loop({
      feeds,
      carry,
      steps: 7,
      watch(_, { loss }) {
        watched.push(Number(loss![0]));
        return undefined;
      },
    });
    expect(watched).toEqual(losses);
    expect(losses[6]).toBeLessThan(losses[0]!);
    for (const name of ["p", "m", "v"]) expect(results[name]).toEqual(expected[name]);
    expect(feeds).toEqual(before);
  });

  it("loops on from where a loop ended", async () => {
    const executable = await engine.compile(trainingGraph());
    const feeds = trainingFeeds();
    const whole = copyOf(await executable.loop({ feeds, carry, steps: 9 }));
    let state: Tensors = {};
    for (const steps of [4, 3, 2]) {
      const { p, m, v } = await executable.loop({ feeds: { ...feeds, ...state }, carry, steps });
      state = { p: p!, m: m!, v: v! };
    }
    expect(state["p"]).toEqual(whole["p"]);
  });

  it("calls perStep before each step and stops when watch says so", async () => {
    const executable = await engine.compile(trainingGraph());
    const feeds = trainingFeeds();
    const rates = [0.02, 0, 0.05, 0.01];
    const seen: string[] = [];
    const stopped = copyOf(
      await executable.loop({
        feeds,
        carry,
        steps: 4,
        perStep(step) {
          seen.push(`before ${step}`);
          feeds["rate"]![0] = rates[step]!;
        },
        watch(step) {
          seen.push(`after ${step}`);
          return step < 2;
        },
      }),
    );
    expect(seen).toEqual(["before 0", "after 0", "before 1", "after 1", "before 2", "after 2"]);
    let state: Tensors = trainingFeeds();
    for (const rate of rates.slice(0, 3)) {
      const { p, m, v } = await executable.run({ ...feeds, ...state, rate: Float32Array.of(rate) });
      state = { p: p!, m: m!, v: v! };
    }
    expect(stopped["p"]).toEqual(state["p"]);
  });

  it("gives back the fed state after a loop of no steps", async () => {
    const executable = await engine.compile(trainingGraph());
    const feeds = trainingFeeds();
    const results = await executable.loop({ feeds, carry, steps: 0 });
    expect(results).toEqual({ p: feeds["p"], m: feeds["m"], v: feeds["v"] });
    expect(results["p"]).not.toBe(feeds["p"]);
  });

  it("lets timers run while it loops, and between runs", async () => {
    const executable = await engine.compile(trainingGraph());
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    const deadline = performance.now() + 10_000;
    const waiting = (wanted: number): boolean => ticks < wanted && performance.now() < deadline;
    await executable.loop({ feeds: trainingFeeds(), carry, steps: 1e9, watch: () => waiting(3) });
    expect(ticks).toBe(3);
    const feeds = trainingFeeds();
    while (waiting(6)) await executable.run(feeds);
    expect(ticks).toBe(6);
    clearInterval(timer);
  });

  it("names the feed that is missing, unknown, of another type or of another size", async () => {
    const executable = await engine.compile(rowsGraph());
    const x = new Float64Array(6);
    const message = async (feeds: Tensors, options = {}): Promise<string> =>
      executable.run(feeds, options).then(
        () => "no error",
        (error: unknown) => `${(error as Error).name}: ${(error as Error).message}`,
      );
    expect(await message({ y: x })).toBe('ShapeError: input "x" is missing (fed: y)');
    expect(await message({ x, y: x })).toBe('ShapeError: the graph has no input "y" (it has x)');
    expect(await message({ x: new Float32Array(6) })).toBe(
      'ShapeError: input "x" needs a Float64Array, got Float32Array',
    );
    expect(await message({ x: new Float64Array(7) })).toBe(
      'ShapeError: input "x" has 7 values: no whole number of rows',
    );
    expect(await message({ x }, { rows: 3 })).toBe(
      'ShapeError: input "x" needs 9 values, shape [N, 3] with N = 3, got 6',
    );
    expect(await message({ x: new Float64Array(new SharedArrayBuffer(48)) })).toBe(
      'ShapeError: input "x" lies in shared memory, which engines cannot use: copy it',
    );
    expect(await message({ x }, { into: { total: new Float32Array(3) } })).toBe(
      'ShapeError: output "total" needs 2 values, shape [N] with N = 2, got 3',
    );
    expect(await message({ x })).toBe("no error");
    expect(await message({ x, y: x })).toBe('ShapeError: the graph has no input "y" (it has x)');
  });

  it("refuses to write a result over a feed, and to carry what does not fit", async () => {
    const executable = await engine.compile(trainingGraph());
    const feeds = trainingFeeds();
    await expect(executable.run(feeds, { into: { p: feeds["p"]! } })).rejects.toThrow(
      'output "p" would be written over input "p": use two buffers',
    );
    const looping = (wrong: Record<string, string>) => executable.loop({ feeds, carry: wrong, steps: 1 });
    await expect(looping({ loss: "p" })).rejects.toThrow(
      'output "loss" (float32 []) cannot be carried to input "p" (float32 [353])',
    );
    await expect(looping({ p: "p", m: "p" })).rejects.toThrow('two outputs are carried to input "p"');
    await expect(looping({ q: "p" })).rejects.toThrow('the graph has no output "q" (it has p, m, v, loss, gradient)');
  });

  it("says that it was disposed of", async () => {
    const executable = await engine.compile(opGraph("Neg"));
    await executable.dispose();
    await executable.dispose();
    await expect(executable.run({ x0: new Float32Array(15) })).rejects.toThrow("this executable was disposed");
  });

  it("names a provider that it does not have", async () => {
    const choice = engine.name === "tfjs" ? "only cpu" : "choose one of cpu, webgpu, cuda";
    await expect(engine.compile(opGraph("Neg"), { provider: "abacus" })).rejects.toThrow(choice);
  });

  it("describes what runs underneath", async () => {
    const description = await engine.describe();
    expect(description).toMatch(/^(ONNX Runtime|TensorFlow\.js) \d+\.\d+\.\d+, /);
    expect(description.includes("public sessions")).toBe(engine.name.includes("public sessions"));
  });
});

describe("engines by name", () => {
  it("are the members of the room", () => {
    expect(engineNames).toEqual(["onnxruntime", "tfjs"]);
    for (const name of engineNames) expect(getEngine(name).name).toBe(name);
  });

  it("are listed where the name is unknown", () => {
    expect(() => getEngine("torch")).toThrow('unknown engine "torch": choose one of onnxruntime, tfjs');
    expect(() => getEngine("toString")).toThrow("unknown engine");
  });
});
