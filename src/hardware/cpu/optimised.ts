/**
 * The kernels that ONNX Runtime really runs: the model it has optimised for this machine, read back (spec latency 2.1).
 * Touches the disk, where ONNX Runtime leaves that model, and takes milliseconds: for calibration, checks and single
 * predictions; a search uses the rules of `kernels.ts`, which tests hold against this.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EngineError } from "../../errors.ts";
import { type Graph, type NodeId, writeOnnx } from "../../graph/index.ts";
import { decodeModel } from "../../graph/onnx/schema.ts";

export interface OptimisedKernel {
  /** ONNX Runtime's name of the kernel: `Gemm`, `FusedConv`, ... */
  readonly kernel: string;
  /** Node of the graph whose value it makes, -1 where ONNX Runtime made the value up. */
  readonly node: NodeId;
}

/** Optimises a graph as a session of the cpu provider does, and lists its kernels. @param graph simplified, weights constant */
export async function optimisedKernels(graph: Graph, threads = 1): Promise<OptimisedKernel[]> {
  const folder = await mkdtemp(join(tmpdir(), "condense-kernels-"));
  try {
    const path = join(folder, "optimised.onnx");
    const { InferenceSession } = await import("onnxruntime-node");
    const session = await InferenceSession.create(writeOnnx(graph), {
      executionProviders: ["cpu"],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: "sequential",
      graphOptimizationLevel: "all",
      optimizedModelFilePath: path,
      logSeverityLevel: 3,
    });
    await session.release();
    const { graph: model } = decodeModel(new Uint8Array(await readFile(path)));
    return (model?.node ?? []).map(({ opType = "", output = [] }) => ({
      kernel: opType,
      node: nodeOf(output[0] ?? "", graph),
    }));
  } catch (cause) {
    throw new EngineError(
      "ENGINE_COMPILE",
      `ONNX Runtime does not give its optimised model: ${(cause as Error).message}. Check that onnxruntime-node works on this machine.`,
      { cause },
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Values are named for their node and its place; results by their own names. */
function nodeOf(name: string, { outputs }: Graph): NodeId {
  const id = /_(\d+)$/.exec(name)?.[1];
  return outputs.find((output) => output.name === name)?.node ?? (id === undefined ? -1 : Number(id));
}
