/** Devices as commands name them: resolved, and processors with their calibration. */
import {
  calibrationPath,
  type CpuTarget,
  type Deployment,
  type GpuTarget,
  hostName,
  latencyModel,
  loadCalibrated,
  referenceRatio,
  resolveTarget,
  runtimeVersion,
  type Target,
} from "../index.ts";
import type { World } from "./world.ts";

interface DeviceOptions {
  /** Where the calibration of a processor is kept. Default: the target's own, else the user's cache. */
  readonly calibration?: string;
  /** Whether to time the reference network again, for how far the machine drifted. Default true. */
  readonly check?: boolean;
}

/** Latency models of the targets that are named, in order.
 * @throws OptionError, FileError for targets that do not exist or make no sense */
export async function devicesOf(
  names: readonly string[],
  world: World,
  { calibration, check = true }: DeviceOptions = {},
): Promise<Deployment["devices"]> {
  const devices: Deployment["devices"][number][] = [];
  for (const name of names) {
    const resolved = await resolveTarget(name);
    const target = isMeasurable(resolved) ? await withCalibration(resolved, calibration, world) : resolved;
    devices.push(latencyModel(target, target.class === "cpu" && check ? await referenceRatio(target) : 1));
  }
  return devices;
}

/** What people call an engine. */
export function engineTitle(name: Target["engine"]["name"]): string {
  return name === "tfjs" ? "TensorFlow.js" : "ONNX Runtime";
}

/** Whether this machine can be such a device. */
export function isMeasurable(target: Target): target is CpuTarget | GpuTarget {
  return target.class === "cpu" || (target.class === "gpu" && target.engine.name === "webgpu");
}

/** A device with its calibration, if there is one; one of another machine is used with a warning, and the check decides. */
async function withCalibration<Device extends CpuTarget | GpuTarget>(
  target: Device,
  calibration: string | undefined,
  world: World,
): Promise<Device> {
  if (target.calibration !== undefined && calibration === undefined) return checkHost(target, world);
  return checkHost(await loadCalibrated(target, calibration ?? calibrationPath(target, world.env)), world);
}

async function checkHost<Device extends CpuTarget | GpuTarget>(target: Device, world: World): Promise<Device> {
  const { calibration, engine: used } = target;
  if (calibration === undefined) return target;
  const [host, engine] = [hostName(), await runtimeVersion(used.name)];
  if (calibration.host !== host)
    world.err(
      `warning: ${target.id} was calibrated on another machine (${calibration.host}; this is ${host}). Predictions are for that machine; calibrate here for this one.\n`,
    );
  else if (used.version !== engine)
    world.err(
      `warning: ${target.id} was calibrated with ${engineTitle(used.name)} ${used.version}, this is ${engine}. Calibrate again for this one.\n`,
    );
  return target;
}
