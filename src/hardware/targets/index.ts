/** The targets that come with Condense. A new family is a file here and a line below. */
import { OptionError } from "../../errors.ts";
import type { FpgaTarget, Target } from "../target.ts";
import { isFpgaBackEnd, readTarget } from "../target-file.ts";
import { cpuTargets } from "./cpu.ts";
import { fpgaTargets } from "./fpga.ts";
import { gpuTargets } from "./gpu.ts";
import { webgpuTargets } from "./webgpu.ts";

export const targets: readonly Target[] = [...cpuTargets, ...gpuTargets, ...webgpuTargets, ...fpgaTargets];

/** Host time of one call from embedded Linux through DMA, seconds (spec latency 4.8). */
const LINUX_CALL_SECONDS = 2e-5;

/** The target of that name. An FPGA's name may go on with a back end and with `linux`, for calls from embedded Linux
 * through DMA: `fpga:pynq-z2:dataflow:linux`.
 * @throws OptionError naming the targets there are */
export function getTarget(name: string): Target {
  const exact = targets.find(({ id }) => id === name);
  if (exact !== undefined) return exact;
  const [family, board, ...modifiers] = name.split(":");
  const found = targets.find(({ id }) => id === `${family ?? ""}:${board ?? ""}`);
  if (found?.class !== "fpga" || modifiers.length === 0) throw unknown(name);
  return modifiers.reduce((target, modifier) => modify(target, modifier, name), { ...found, id: name });
}

function modify(target: FpgaTarget, modifier: string, name: string): FpgaTarget {
  if (modifier === "linux") return { ...target, fpga: { ...target.fpga, hostCallSeconds: LINUX_CALL_SECONDS } };
  if (!isFpgaBackEnd(modifier)) throw unknown(name);
  const bits = modifier === "binary" ? { weightBits: 1, activationBits: 1 } : {};
  return { ...target, engine: { ...target.engine, name: modifier }, fpga: { ...target.fpga, ...bits } };
}

function unknown(name: string): OptionError {
  const names = targets.map(({ id }) => id).join(", ");
  return new OptionError(
    "OPTION_TARGET",
    `unknown target "${name}": choose one of ${names}; an fpga target may go on with :tiled, :dataflow, :reuse or :binary; or give a target file that ends in .json.`,
  );
}

/** The target of that name, or the one in a file whose name ends in `.json`. @throws OptionError or FileError */
export async function resolveTarget(nameOrPath: string): Promise<Target> {
  return nameOrPath.toLowerCase().endsWith(".json") ? readTarget(nameOrPath) : getTarget(nameOrPath);
}
