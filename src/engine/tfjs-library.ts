/** Finds TensorFlow.js and the best of its backends that works here. Nothing is loaded before it is asked for. */
import { createRequire } from "node:module";
import { EngineError } from "../errors.ts";
import { replaceSlices } from "./tfjs-slice.ts";

export type Tfjs = typeof import("@tensorflow/tfjs");
export type Tensor = import("@tensorflow/tfjs").Tensor;

export interface Library {
  readonly tf: Tfjs;
  /** Library, version, backend, and why no better backend serves. */
  readonly description: string;
}

/** Backends in order of preference. */
export const tfjsBackends = ["tensorflow", "wasm", "cpu"] as const;
export type TfjsBackend = (typeof tfjsBackends)[number];

let library: Promise<Library> | undefined;

/** The library with its backend chosen, once per thread. @throws EngineError if no backend works */
export function loadTfjs(): Promise<Library> {
  library ??= findBackend(tfjsBackends);
  return library;
}

/** The first of `candidates` that works. tfjs has one backend at a time, so this sets it for the whole thread. */
export async function findBackend(candidates: readonly TfjsBackend[]): Promise<Library> {
  const reasons: string[] = [];
  for (const candidate of candidates) {
    try {
      const { tf, name } = await starters[candidate]();
      await tf.ready();
      checkWorks(tf);
      return { tf, description: [`TensorFlow.js ${tf.version_core}, ${name}`, ...reasons].join("; ") };
    } catch (error) {
      reasons.push(`no ${candidate} backend: ${reasonOf(error)}`);
    }
  }
  throw new EngineError("ENGINE_TFJS", `no backend of TensorFlow.js works here (${reasons.join("; ")})`);
}

type Starter = () => Promise<{ readonly tf: Tfjs; readonly name: string }>;

const starters: Readonly<Record<TfjsBackend, Starter>> = {
  /** The native binding is an optional package: a plain import would not compile where it is absent. */
  async tensorflow() {
    process.env["TF_CPP_MIN_LOG_LEVEL"] ??= "1"; // else it tells stderr about the processor
    const load = createRequire(import.meta.url);
    const tf = load("@tensorflow/tfjs-node") as Tfjs;
    return { tf: await use(tf, "tensorflow"), name: "TensorFlow library (@tensorflow/tfjs-node)" };
  },
  async wasm() {
    const tf = await loadCore();
    const { setThreadsCount } = await import("@tensorflow/tfjs-backend-wasm");
    setThreadsCount(1);
    replaceSlices(tf);
    return { tf: await use(tf, "wasm"), name: "WebAssembly backend, one thread" };
  },
  async cpu() {
    return { tf: await use(await loadCore(), "cpu"), name: "plain JavaScript backend, one thread" };
  },
};

async function loadCore(): Promise<Tfjs> {
  const module = (await import("@tensorflow/tfjs")) as Tfjs & { readonly default?: Tfjs };
  return module.default ?? module;
}

async function use(tf: Tfjs, backend: TfjsBackend): Promise<Tfjs> {
  tf.enableProdMode(); // else the plain backend advertises tfjs-node on stderr
  if (!(await tf.setBackend(backend))) throw new Error("it did not start");
  return tf;
}

/** A binding built for another Node may load and fail at its first operation. */
function checkWorks(tf: Tfjs): void {
  const three = tf.tidy(() => tf.sum(tf.tensor([1, 2])).dataSync()[0]);
  if (three !== 3) throw new Error("it computes wrong sums");
}

function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (message.includes("Cannot find module '@tensorflow/tfjs-node'")) return "@tensorflow/tfjs-node is not installed";
  return (message.split("\n")[0] ?? message).replace(/[.\s]+$/, "");
}
