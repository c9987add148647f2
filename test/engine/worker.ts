/** Trains the small network of samples.ts with the engine named in the worker's data, and posts what came out. */
import { parentPort, workerData } from "node:worker_threads";
import { getEngine } from "../../src/engine/index.ts";
import { trainSample } from "./samples.ts";

const { engine, steps } = workerData as { readonly engine: string; readonly steps: number };
parentPort?.postMessage(await trainSample(getEngine(engine), steps));
