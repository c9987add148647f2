/** Runs sample graphs with the provider named on the command line, and prints the results as JSON, or why it cannot. */
import { engines } from "../../src/engine/index.ts";
import { EngineError } from "../../src/errors.ts";
import { convGraph, cutGraph, feedsFor, trainingFeeds, trainingGraph } from "./samples.ts";

async function main(provider: string): Promise<unknown> {
  try {
    const step = await engines.onnxruntime.compile(trainingGraph(), { provider });
    const net = await engines.onnxruntime.compile(convGraph(1), { provider });
    const cut = await engines.onnxruntime.compile(cutGraph(), { provider });
    const results = {
      cut: await cut.run(feedsFor(cutGraph())),
      step: await step.run(trainingFeeds()),
      net: await net.run(feedsFor(convGraph(1))),
    };
    return { results };
  } catch (error) {
    if (error instanceof EngineError) return { absent: error.message };
    throw error;
  }
}

const answer = await main(process.argv[2] ?? "cpu");
console.log(JSON.stringify(answer, (_, value: unknown) => (value instanceof Float32Array ? [...value] : value)));
