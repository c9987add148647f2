import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { engineNames, getEngine } from "../../src/engine/index.ts";
import { trainSample } from "./samples.ts";

function trainInWorker(engine: string, steps: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./worker.mjs", import.meta.url), { workerData: { engine, steps } });
    worker.once("message", resolve).once("error", reject);
  });
}

describe("in worker threads", () => {
  it.each(engineNames)("%s gives the same bytes in two workers at once as in this thread", async (engine) => {
    const steps = 30;
    const [first, second, here] = await Promise.all([
      trainInWorker(engine, steps),
      trainInWorker(engine, steps),
      trainSample(getEngine(engine), steps),
    ]);
    expect(first).toEqual(here);
    expect(second).toEqual(here);
  });
});
