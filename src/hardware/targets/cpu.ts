/** This machine's processor under ONNX Runtime with one thread, two and four, and under TensorFlow.js. Rough until it is calibrated. */
import { type CpuTarget, TARGET_VERSION } from "../target.ts";

function cpu(threads: number): CpuTarget {
  return {
    version: TARGET_VERSION,
    id: threads === 1 ? "cpu" : `cpu:${threads}t`,
    class: "cpu",
    description: `this machine, ONNX Runtime, ${threads} thread${threads === 1 ? "" : "s"}`,
    source: "a typical server core; `condense latency calibrate --target cpu` measures this one",
    engine: { name: "ort", version: "" },
    cpu: { threads, isa: "avx2", l1: 32768, l2: 1048576, l3: 33554432, ghz: 2.9 },
  };
}

/** TensorFlow.js takes one thread, but for the TensorFlow library, which takes all. */
const underTfjs: CpuTarget = {
  ...cpu(1),
  id: "cpu:tfjs",
  description: "this machine, TensorFlow.js (WebAssembly, unless tfjs-node is installed)",
  source: "a typical server core; `condense latency calibrate --target cpu:tfjs` measures this one",
  engine: { name: "tfjs", version: "" },
};

export const cpuTargets: readonly CpuTarget[] = [cpu(1), cpu(2), cpu(4), underTfjs];
