/** Latency budgets as people write them, `20us`, `1.5ms`, and latencies as people read them. */
import { OptionError } from "../errors.ts";

const unitSeconds = { ns: 1e-9, us: 1e-6, µs: 1e-6, μs: 1e-6, ms: 1e-3, s: 1 } as const;

/** Parses a budget such as `20us`, `50 us`, `1ms` or `0.5s`.
 * @param option where the text came from, for the message   @returns seconds, above 0
 * @throws OptionError for anything else: no unit, an unknown unit, zero or less */
export function parseBudget(text: string, option = "--budget"): number {
  const found = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*(\p{L}*)$/iu.exec(text.trim());
  const value = Number(found?.[1]);
  const unit = found?.[2] ?? "";
  if (found === null || !Number.isFinite(value)) throw wrong(`${option} ${text}: not a latency.`);
  if (unit === "") throw wrong(`${option} ${text}: the unit is missing.`);
  if (!Object.hasOwn(unitSeconds, unit)) throw wrong(`${option} ${text}: unknown unit "${unit}".`);
  if (value <= 0) throw wrong(`${option} ${text}: a budget must be above zero.`);
  return value * unitSeconds[unit as keyof typeof unitSeconds];
}

function wrong(what: string): OptionError {
  return new OptionError("OPTION_BUDGET", `${what} Give a number with ns, us, ms or s, such as 20us or 1.5ms.`);
}

/** The error for a budget that nothing can keep.
 * @param smallest the least upper end that is within reach, seconds; infinite where nothing fits the device */
export function impossibleBudget(budget: number, smallest: number, target: string): OptionError {
  return new OptionError(
    "OPTION_BUDGET",
    Number.isFinite(smallest)
      ? `no emulator keeps ${showLatency(budget)} on ${target}: the smallest reachable is ${showLatency(smallest)}. Raise --budget to at least that, or choose another target.`
      : `no emulator of these inputs and outputs fits ${target}. Choose a larger target, or fewer --members.`,
  );
}

/** The warning for a soft budget that nothing can keep. @param smallest as of {@link impossibleBudget} */
export function unreachedBudget(budget: number, smallest: number, target: string): string {
  return Number.isFinite(smallest)
    ? `no emulator keeps the soft budget of ${showLatency(budget)} on ${target}: the smallest reachable is ${showLatency(smallest)}. The fastest that predict well are taken.`
    : `no emulator of these inputs and outputs fits ${target}: the soft budget cannot be kept. Choose a larger target, or fewer members.`;
}

/** A latency with three significant digits in the unit that suits it: `12.3 us`. @param seconds not negative */
export function showLatency(seconds: number): string {
  if (seconds === 0) return "0 us";
  const unit = seconds < 1e-6 ? "ns" : seconds < 1e-3 ? "us" : seconds < 1 ? "ms" : "s";
  return `${Number((seconds / unitSeconds[unit]).toPrecision(3))} ${unit}`;
}
