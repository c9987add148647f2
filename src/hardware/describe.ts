/** Predictions in words. */
import { showLatency } from "./budget.ts";
import { type LatencyPrediction, meetsBudget } from "./prediction.ts";
import type { Target } from "./target.ts";

/** How many of the dearest parts are named. */
const PARTS = 5;

/** A prediction as lines for people. @param budget seconds, if there is one */
export function describePrediction(prediction: LatencyPrediction, target: Target, budget?: number): string {
  const { latency, throughput, resources, clockHz, mapping, fits, warnings, batch } = prediction;
  const percent = Math.round(100 * latency.coverage);
  const lines = [
    `${target.id} (${target.description}), batch ${batch}`,
    `  latency     ${showLatency(latency.p50)}, ${percent} % between ${showLatency(latency.lo)} and ${showLatency(latency.hi)}`,
    `  throughput  ${Number(throughput.toPrecision(3)).toLocaleString("en")} samples/s`,
  ];
  if (mapping !== undefined)
    lines.push(`  mapping     ${mapping}, ${Number(((clockHz ?? 0) / 1e6).toPrecision(3))} MHz`);
  if (resources && target.class === "fpga") {
    const { lut, ff, dsp, bram18 } = target.fpga;
    const share = (name: string, used: number, of: number): string => `${name} ${Math.ceil(used)} of ${of}`;
    lines.push(
      `  resources   ${[share("LUT", resources.lut, lut), share("FF", resources.ff, ff), share("DSP", resources.dsp, dsp), share("BRAM18", resources.bram18, bram18)].join(", ")}${fits ? "" : ": does not fit"}`,
    );
  }
  const dearest = [...prediction.perOp, ...prediction.fixed.map(({ name, seconds }) => ({ kernel: name, seconds }))]
    .sort((a, b) => b.seconds - a.seconds)
    .slice(0, PARTS)
    .filter(({ seconds }) => seconds > 0);
  lines.push(`  most in     ${dearest.map(({ kernel, seconds }) => `${kernel} ${showLatency(seconds)}`).join(", ")}`);
  if (budget !== undefined)
    lines.push(
      `  budget      ${showLatency(budget)}: ${meetsBudget(prediction, budget) ? "met" : "not met"} (the upper end counts)`,
    );
  return [...lines, ...warnings.map((warning) => `  note: ${warning}`)].join("\n");
}
