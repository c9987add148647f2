/** Where this machine is named and its calibrations are kept: the edge between the processor model and the machine. */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { availableParallelism, cpus, homedir } from "node:os";
import { dirname, join } from "node:path";
import { getEngine } from "../../engine/index.ts";
import { FileError } from "../../errors.ts";
import type { CpuTarget, GpuTarget, Target } from "../target.ts";
import { parseTarget } from "../target-file.ts";
import { type CalibrationState, STATE_VERSION } from "./calibrate.ts";

/** This machine: its processor and how many cores there are. */
export function hostName(): string {
  const model = cpus()[0]?.model.trim().replace(/\s+/g, " ");
  return `${model === undefined || model === "" ? "unknown processor" : model}, ${availableParallelism()} cores`;
}

/** Version of what runs graphs: ONNX Runtime's, or TensorFlow.js's with its backend. */
export async function runtimeVersion(engine: Target["engine"]["name"] = "ort"): Promise<string> {
  if (engine === "tfjs") return (await getEngine("tfjs").describe()).split(";")[0]!.replace("TensorFlow.js ", "");
  const { env } = await import("onnxruntime-node");
  return env.versions.node ?? "unknown";
}

/** Where a target's calibration lies unless another file is named: in the user's cache folder.
 * @param environment `CONDENSE_CACHE` or `XDG_CACHE_HOME` move it */
export function calibrationPath(target: Target, environment: Readonly<Record<string, string | undefined>>): string {
  const cache = environment.CONDENSE_CACHE ?? join(environment.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "condense");
  return join(cache, "latency", `${target.id.replaceAll(":", "-")}.json`);
}

/** The calibrated target of that file; the given one where there is no such file. @throws FileError if it is damaged */
export async function loadCalibrated<Device extends CpuTarget | GpuTarget>(
  target: Device,
  path: string,
): Promise<Device> {
  const text = await readIfThere(path);
  if (text === undefined) return target;
  const read = parseTarget(text, path);
  if (read.class !== target.class || read.id !== target.id)
    throw new FileError(
      "FILE_TARGET",
      `${path}: holds the target ${read.id}, not ${target.id}. Calibrate again with \`condense latency calibrate --target ${target.id}\`.`,
    );
  return read as Device;
}

/** What an interrupted calibration has measured, or undefined. @throws FileError if it is damaged */
export async function loadState(path: string): Promise<CalibrationState | undefined> {
  const text = await readIfThere(path);
  if (text === undefined) return undefined;
  try {
    const state = JSON.parse(text) as CalibrationState;
    if (state.version === STATE_VERSION && typeof state.done === "object") return state;
  } catch {
    // Said below.
  }
  throw new FileError(
    "FILE_CALIBRATION",
    `${path}: not the measurements of a calibration by this Condense. Delete it, or start anew without --resume.`,
  );
}

/** Writes JSON whole or not at all, making its folder. */
export async function saveJson(path: string, value: unknown): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(`${path}.part`, `${JSON.stringify(value)}\n`);
    await rename(`${path}.part`, path);
  } catch (cause) {
    throw new FileError(
      "FILE_WRITE",
      `${path}: cannot be written (${(cause as Error).message}). Choose another file with --out.`,
      { cause },
    );
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new FileError("FILE_READ", `${path}: cannot be read (${(cause as Error).message}). Check the file.`, {
      cause,
    });
  }
}
