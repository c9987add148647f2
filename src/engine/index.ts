/** Engines: what runs a graph. Importing this room loads none of the libraries that do the work. */
import { OptionError } from "../errors.ts";
import type { Engine } from "./engine.ts";
import { onnxruntime } from "./onnxruntime.ts";
import { tfjs } from "./tfjs.ts";

export type { CompileOptions, Engine, Executable, Tensors } from "./engine.ts";

export const engines = { onnxruntime, tfjs } as const satisfies Readonly<Record<string, Engine>>;
export type EngineName = keyof typeof engines;
export const engineNames = Object.keys(engines) as readonly EngineName[];

/** @throws OptionError listing the names, if `name` is none of them */
export function getEngine(name: string): Engine {
  if (Object.hasOwn(engines, name)) return engines[name as EngineName];
  throw new OptionError("OPTION_ENGINE", `unknown engine "${name}": choose one of ${engineNames.join(", ")}`);
}
