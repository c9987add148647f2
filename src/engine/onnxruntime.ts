/**
 * The default engine: the graph is written as an ONNX model and ONNX Runtime runs it, one session per executable and
 * one thread per session unless more are asked for. Providers: `cpu`; `webgpu`, on any Vulkan, Metal or Direct3D 12
 * driver; `cuda`, where onnxruntime-node was installed with it. Another provider than `cpu` takes the operations it has
 * kernels for (WebGPU has none for float64 and int64), the rest of the graph stays on the processor.
 */
import type { InferenceSession, Tensor } from "onnxruntime-node";
import { EngineError } from "../errors.ts";
import { type Graph, type NodeId, simplify, sizeOf, writeOnnx } from "../graph/index.ts";
import type { CompileOptions, Engine } from "./engine.ts";
import { type Backend, makeExecutable } from "./executable.ts";
import { type OpenSession, type Session, findImmediate, openPublic } from "./onnxruntime-session.ts";
import { type Port, type Signature, fixedShape, signatureOf } from "./signature.ts";

const providers = ["cpu", "webgpu", "cuda"] as const;
type Provider = (typeof providers)[number];

/** Most pieces of a Split, by provider. A kernel of WebGPU's has at most 16 buffers, or as few as 8 where an adapter offers no more,
 * and gives each piece one. */
const mostPieces: Readonly<Partial<Record<Provider, number>>> = { webgpu: 7 };

let immediate: Promise<OpenSession | undefined> | undefined;

/** ONNX Runtime. */
export const onnxruntime: Engine = makeOnnxruntime(async () => {
  immediate ??= findImmediate();
  return (await immediate) ?? openPublic;
});

/** The engine over a way to open sessions. */
export function makeOnnxruntime(findOpen: () => Promise<OpenSession>): Engine {
  return {
    name: "onnxruntime",
    async describe() {
      const { env, listSupportedBackends } = await loadRuntime();
      const names = listSupportedBackends().flatMap(({ name, bundled }) => (bundled ? [name] : []));
      const slow = (await findOpen()) === openPublic ? "; called through its public sessions, which copy results" : "";
      return `ONNX Runtime ${env.versions.node ?? "of unknown version"}, providers in the package: ${names.join(", ")}${slow}`;
    },
    async compile(graph, options = {}) {
      const signature = signatureOf(graph);
      const { Tensor } = await loadRuntime();
      const session = await openSession(await findOpen(), graph, options);
      return makeExecutable(signature, makeBackend(signature, session, Tensor));
    },
  };
}

async function loadRuntime(): Promise<typeof import("onnxruntime-node")> {
  try {
    return await import("onnxruntime-node");
  } catch (cause) {
    const machine = `${process.platform} on ${process.arch}`;
    throw new EngineError(
      "ENGINE_LOAD",
      `onnxruntime-node cannot be loaded on this machine (${machine}): ${firstLine(cause)}. Use --engine tfjs.`,
      { cause },
    );
  }
}

async function openSession(
  open: OpenSession,
  graph: Graph,
  { threads = 1, provider = "cpu" }: CompileOptions,
): Promise<Session> {
  if (!isProvider(provider)) {
    const known = providers.join(", ");
    throw new EngineError(
      "ENGINE_PROVIDER",
      `the onnxruntime engine has no provider "${provider}": choose one of ${known}`,
    );
  }
  if (!Number.isInteger(threads) || threads < 1)
    throw new EngineError("ENGINE_THREADS", `threads is ${threads}, but must be a positive integer`);
  const limit = mostPieces[provider];
  const model = writeOnnx(
    forSession(simplify(graph, { keepInputs: true })),
    limit === undefined ? {} : { mostPieces: limit },
  );
  try {
    return await open(model, sessionOptions(threads, provider));
  } catch (cause) {
    const message = firstLine(cause);
    if (provider === "cpu")
      throw new EngineError("ENGINE_COMPILE", `ONNX Runtime refuses the graph: ${message}`, { cause });
    throw new EngineError("ENGINE_PROVIDER", `${absent[provider]} (${message})`, { cause });
  }
}

const absent: Readonly<Record<Exclude<Provider, "cpu">, string>> = {
  cuda:
    "the cuda provider is not in this onnxruntime-node: install it without onnxruntime-node-install=skip on a machine " +
    "with CUDA 12; or use --engine onnxruntime with provider cpu",
  webgpu:
    "the webgpu provider found no graphics adapter: install a Vulkan, Metal or Direct3D 12 driver, or name a software one " +
    "(Chromium's SwiftShader) in VK_ICD_FILENAMES; or use provider cpu",
};

function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.trim().split("\n")[0] ?? message;
}

function isProvider(name: string): name is Provider {
  return (providers as readonly string[]).includes(name);
}

function sessionOptions(threads: number, provider: Provider): InferenceSession.SessionOptions {
  return {
    executionProviders: [provider],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    graphOptimizationLevel: "all",
    logSeverityLevel: 3,
    enableCpuMemArena: true,
    enableMemPattern: true,
  };
}

/** At the graph's border any names may stand, and an input's and an output's may be the same; in the model they are
 * plain. The smallest output comes first, as {@link OpenSession} likes it. */
function forSession(graph: Graph): Graph {
  let inputs = 0;
  const nodes = graph.nodes.map((node) => (node.op === "Input" ? { ...node, name: inputName(inputs++) } : node));
  const size = (id: NodeId): number => sizeOf(graph.types[id]?.shape ?? []);
  const outputs = graph.outputs.map(({ node }, i) => ({ node, name: outputName(i) }));
  return { ...graph, nodes, outputs: outputs.sort((a, b) => size(a.node) - size(b.node)) };
}

const inputName = (i: number): string => `input_${i}`;
const outputName = (i: number): string => `output_${i}`;

function makeBackend({ inputs, outputs }: Signature, session: Session, TensorOf: typeof Tensor): Backend {
  const wrap = (
    ports: readonly Port[],
    buffers: Parameters<Backend["bind"]>[0],
    nameOf: (i: number) => string,
    rows: number,
  ) =>
    Object.fromEntries(
      ports.map(({ dtype, shape }, i) => [nameOf(i), new TensorOf(dtype, buffers[i]!, fixedShape(shape, rows))]),
    );
  return {
    bind(feeds, results, rows) {
      const fed = wrap(inputs, feeds, inputName, rows);
      const fetched = wrap(outputs, results, outputName, rows);
      return session.bind(fed, fetched);
    },
    dispose: () => session.close(),
  };
}
