/** Timing beside a calibration's yardstick: in turn with the reference network, as the calibration itself was made. */
import { InternalError } from "../errors.ts";
import { deviceOf, timing as onProcessor } from "./cpu/calibrate.ts";
import { timing as onGpu } from "./gpu/calibrate.ts";
import { type MeasureOptions, withCall } from "./measured/measure.ts";
import { referenceNetwork } from "./measured/units.ts";
import type { CpuTarget, GpuTarget } from "./target.ts";

/** How to time on a calibrated device, beside the reference network: seconds are then those of the machine as it was
 * calibrated, whatever else runs now. */
export async function withYardstick<Result>(
  target: CpuTarget | GpuTarget,
  use: (beside: MeasureOptions) => Promise<Result>,
): Promise<Result> {
  const { calibration } = target;
  if (calibration === undefined) throw new InternalError("a yardstick needs a calibration");
  const options: MeasureOptions =
    target.class === "cpu"
      ? { ...deviceOf(target), blocks: 100, ...onProcessor }
      : { provider: target.engine.name, ...onGpu };
  return withCall(referenceNetwork(), 1, options, (call) =>
    use({ ...options, yardstick: { call, seconds: calibration.referenceSeconds } }),
  );
}
