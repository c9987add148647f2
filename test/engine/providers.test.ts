import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { type Tensors, engines } from "../../src/engine/index.ts";
import { expectClose } from "./close.ts";
import { convGraph, cutGraph, feedsFor, opGraph, trainingFeeds, trainingGraph } from "./samples.ts";

/** Chromium's software Vulkan, for machines without a graphics card. */
const SWIFTSHADER = ["/usr/lib/chromium", "/usr/lib64/chromium-browser", "/opt/google/chrome"]
  .map((folder) => join(folder, "vk_swiftshader_icd.json"))
  .find((file) => existsSync(file));

interface Answer {
  readonly absent?: string;
  readonly results?: Readonly<Record<"step" | "net" | "cut", Readonly<Record<string, readonly number[]>>>>;
}

/** Runs webgpu.ts in a process of its own, because the graphics libraries are looked up when a process starts. */
function runWith(provider: string, software: boolean): Answer {
  const env = { ...process.env };
  if (software && SWIFTSHADER !== undefined) {
    env["VK_ICD_FILENAMES"] = SWIFTSHADER;
    env["LD_LIBRARY_PATH"] = dirname(SWIFTSHADER);
  }
  const script = fileURLToPath(new URL("./webgpu.ts", import.meta.url));
  const output = execFileSync(process.execPath, ["--import", "tsx", script, provider], {
    encoding: "utf8",
    env,
    stdio: ["ignore", "pipe", "ignore"],
  });
  return JSON.parse(output) as Answer;
}

describe("the webgpu provider", () => {
  // A software adapter compiles shaders for seconds, for longer where other tests take the processor.
  const timeout = 180_000;

  it(
    "agrees with the processor on a training step, a network of convolutions, and many pieces of one value",
    { timeout },
    async (context) => {
      const hardware = runWith("webgpu", false);
      const { absent, results } = hardware.results ? hardware : runWith("webgpu", true);
      if (results === undefined) {
        context.skip(absent);
        return;
      }
      const cpu = {
        step: await (await engines.onnxruntime.compile(trainingGraph())).run(trainingFeeds()),
        net: await (await engines.onnxruntime.compile(convGraph(1))).run(feedsFor(convGraph(1))),
        cut: await (await engines.onnxruntime.compile(cutGraph())).run(feedsFor(cutGraph())),
      };
      for (const name of ["step", "net", "cut"] as const) {
        const arrays = Object.entries(results[name]).map(([key, values]) => [key, Float32Array.from(values)]);
        expectClose(Object.fromEntries(arrays) as Tensors, cpu[name], 1e-3);
      }
    },
  );
});

describe("the cuda provider", () => {
  it("says how to get it where it is not there", async (context) => {
    const error = await engines.onnxruntime.compile(opGraph("Neg"), { provider: "cuda" }).then(
      () => undefined,
      (reason: unknown) => reason as Error,
    );
    if (error === undefined) {
      context.skip("this machine has CUDA");
      return;
    }
    expect(error.name).toBe("EngineError");
    expect(error.message).toContain(
      "the cuda provider is not in this onnxruntime-node: install it without onnxruntime-node-install=skip on a machine with CUDA 12",
    );
  });
});
