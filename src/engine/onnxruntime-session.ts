/**
 * Two ways to call ONNX Runtime over fixed buffers.
 *
 * The public one defers each run to the next turn of the event loop and copies every result into a new array, which
 * the next run feeds back: a third of the training step of a small network, and several times the step where a network
 * has a million parameters. The one beneath it (the native session of onnxruntime-node) runs at once and writes results
 * where the caller wants them, but then still copies them out. It builds a tensor object per result, in order; a tensor
 * class that throws at the first ends the call there, with all results in place.
 *
 * None of this is promised by onnxruntime-node, so it is tried out on a small graph before it is used, and where it does
 * not hold, sessions are the public ones: slower, with the same results.
 */
import { createRequire } from "node:module";
import { isMainThread } from "node:worker_threads";
import type { InferenceSession, Tensor } from "onnxruntime-node";
import { graphBuilder, writeOnnx } from "../graph/index.ts";
import type { Call } from "./executable.ts";

export type NamedTensors = Readonly<Record<string, Tensor>>;

export interface Session {
  /** A call that reads the buffers of `feeds` and fills those of `fetches`. */
  bind(feeds: NamedTensors, fetches: NamedTensors): Call;
  close(): Promise<void>;
}

/** Opens a session. Results are cheapest where the model lists its smallest output first. */
export type OpenSession = (model: Uint8Array, options: InferenceSession.SessionOptions) => Promise<Session>;

/** Opens sessions of the public interface. */
export const openPublic: OpenSession = async (model, options) => {
  const { InferenceSession } = await import("onnxruntime-node");
  const session = await InferenceSession.create(model, options);
  return {
    bind: (feeds, fetches) => async () => {
      const results = await session.run(feeds);
      for (const [name, { data }] of Object.entries(fetches))
        (data as Float32Array).set(results[name]!.data as Float32Array);
    },
    close: () => session.release(),
  };
};

/** Opens sessions that run at once, or undefined where this onnxruntime-node has none that work as expected. */
export async function findImmediate(): Promise<OpenSession | undefined> {
  try {
    const open = await makeImmediate();
    return (await works(open)) ? open : undefined;
  } catch {
    return undefined;
  }
}

/** What of `onnxruntime-node/dist/binding.js` is used here. */
interface Internals {
  readonly initOrt: () => void;
  readonly binding: {
    readonly InferenceSession: new () => NativeSession;
    /** May be called again: the last tensor class counts. */
    readonly initOrtOnce: (logLevel: number, tensorClass: unknown, isMainThread: boolean) => void;
  };
}
interface NativeSession {
  loadModel(buffer: ArrayBufferLike, byteOffset: number, byteLength: number, options: object): void;
  run(feeds: NamedTensors, fetches: NamedTensors): unknown;
  dispose(): void;
}

/** What goes wrong is thrown: ONNX Runtime's own log would say it a second time. As numbers, its levels end at 4. */
const LOG_LEVEL = { name: "fatal", number: 4 } as const;
/** Ending a call by throwing takes as long as copying some 30 kB. */
const WORTH_SKIPPING_BYTES = 32_768;

async function makeImmediate(): Promise<OpenSession> {
  const { Tensor: TensorClass, env } = await import("onnxruntime-node");
  const { binding, initOrt } = createRequire(import.meta.url)("onnxruntime-node/dist/binding.js") as Internals;
  const filled = new Error("internal: results are in place");
  let skipping = false;
  /** The public tensor class for everybody else's sessions. */
  function ResultTensor(...args: unknown[]): unknown {
    if (skipping) throw filled;
    return Reflect.construct(TensorClass, args);
  }
  const level = env.logLevel;
  env.logLevel = LOG_LEVEL.name;
  initOrt();
  env.logLevel = level as NonNullable<typeof level>;
  binding.initOrtOnce(LOG_LEVEL.number, ResultTensor, isMainThread);

  return async (model, options) => {
    const session = new binding.InferenceSession();
    session.loadModel(model.buffer, model.byteOffset, model.byteLength, options);
    return {
      bind(feeds, fetches) {
        const bytes = Object.values(fetches).map(({ data }) => (data as Float32Array).byteLength);
        const copied = bytes.reduce((sum, n) => sum + n, 0) - Math.min(...bytes);
        if (copied < WORTH_SKIPPING_BYTES) return () => void session.run(feeds, fetches);
        return () => {
          skipping = true;
          try {
            session.run(feeds, fetches);
          } catch (error) {
            if (error !== filled) throw error;
          } finally {
            skipping = false;
          }
        };
      },
      async close() {
        session.dispose();
      },
    };
  };
}

/** Whether a run ends with its results in place: one result to copy, one above the size from which copies are skipped. */
async function works(open: OpenSession): Promise<boolean> {
  const { Tensor: TensorClass } = await import("onnxruntime-node");
  const size = WORTH_SKIPPING_BYTES / Float32Array.BYTES_PER_ELEMENT;
  const b = graphBuilder();
  const x = b.input("x", [size]);
  const model = writeOnnx(b.build({ sum: b.reduceSum(x, [0]), twice: b.scale(x, 2) }));
  const session = await open(model, { executionProviders: ["cpu"], intraOpNumThreads: 1, logSeverityLevel: 3 });
  const tensor = (dims: number[]): Tensor => new TensorClass("float32", new Float32Array(dims[0] ?? 1), dims);
  const fed = tensor([size]);
  const fetched = { sum: tensor([]), twice: tensor([size]) };
  (fed.data as Float32Array).fill(1.5);
  const wait = session.bind({ x: fed }, fetched)();
  await session.close();
  return (
    wait === undefined &&
    fetched.sum.data[0] === 1.5 * size &&
    (fetched.twice.data as Float32Array).every((v) => v === 3)
  );
}
