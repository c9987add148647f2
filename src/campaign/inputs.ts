/** The inputs of a campaign: what the user writes of them, and what their values are at a point of a design. */
import { OptionError } from "../errors.ts";
import { type Column, numberColumn, parseCell, splitNames, splitUnit, textColumn } from "../data/index.ts";

/** A number within limits, spread evenly or by its logarithm; a whole number; or one of some values. */
export type CampaignInput =
  | {
      readonly kind: "real" | "integer";
      readonly name: string;
      readonly unit?: string;
      readonly low: number;
      readonly high: number;
      readonly scale: "linear" | "log";
    }
  | { readonly kind: "choice"; readonly name: string; readonly unit?: string; readonly values: readonly Value[] };

/** What an input may be in one run. */
export type Value = number | string;

/** The inputs of one run by name. */
export type Point = Readonly<Record<string, Value>>;

/** Names that placeholders and columns have for themselves. */
const RESERVED = ["run", "dir", "here", "status"];
const NAME = /^[\p{L}_][\p{L}\p{N}_.-]*$/u;
const EXAMPLE = "te[eV]=200:2000:log,n=1:10:int,kind=a|b|c";

/**
 * Parses `te[eV]=200:2000:log,n=1:10:int,kind=a|b|c`: limits with `log` and `int` after them, choices parted by bars,
 * or one value that stays.
 * @throws OptionError OPTION_INPUTS that names the part and what to write
 */
export function parseInputs(text: string): readonly CampaignInput[] {
  const inputs = splitNames(text).map(parseInput);
  if (inputs.length === 0) throw fault(text, "names no input");
  return checkNames(inputs);
}

/** @throws OptionError OPTION_INPUTS for a name that is there twice, is reserved, or cannot stand between braces */
export function checkNames<Named extends { readonly name: string }>(inputs: readonly Named[]): readonly Named[] {
  const seen = new Set<string>();
  for (const { name } of inputs) {
    if (!NAME.test(name)) throw fault(name, "a name is letters, digits, _, - and ., a letter first");
    if (RESERVED.includes(name))
      throw fault(name, `the name "${name}" has a meaning of its own (as do ${RESERVED.join(", ")}); rename it`);
    if (seen.has(name)) throw fault(name, "is named twice");
    seen.add(name);
  }
  return inputs;
}

function parseInput(part: string): CampaignInput {
  const equals = part.indexOf("=");
  const text = part.slice(equals + 1).trim();
  if (equals < 1 || text === "") throw fault(part, "has no limits");
  const { name, unit } = splitUnit(part.slice(0, equals));
  const base = { name, ...(unit === undefined ? {} : { unit }) };
  if (text.includes("|") || !text.includes(":")) return { ...base, kind: "choice", values: choices(part, text) };
  const [low, high, ...flags] = text.split(":").map((word) => word.trim());
  const strange = flags.find((flag) => flag !== "log" && flag !== "int");
  if (strange !== undefined) throw fault(part, `"${strange}" is neither log nor int`);
  const limits = { low: numberIn(part, low), high: numberIn(part, high) };
  const scale = flags.includes("log") ? "log" : "linear";
  const kind = flags.includes("int") ? "integer" : "real";
  if (limits.low >= limits.high) throw fault(part, `the lower limit ${limits.low} is not below ${limits.high}`);
  if (scale === "log" && limits.low <= 0) throw fault(part, "log needs limits above 0");
  if (kind === "integer" && !(Number.isSafeInteger(limits.low) && Number.isSafeInteger(limits.high)))
    throw fault(part, "int needs whole limits");
  return { ...base, kind, ...limits, scale };
}

/** Numbers if all of them are, else words. */
function choices(part: string, text: string): readonly Value[] {
  const words = text.split("|").map((word) => word.trim());
  if (words.some((word) => word === "")) throw fault(part, "a choice is empty");
  if (new Set(words).size < words.length) throw fault(part, "a choice is there twice");
  const numbers = words.map(parseCell);
  return numbers.every((value) => value !== undefined && !Number.isNaN(value)) ? (numbers as number[]) : words;
}

function numberIn(part: string, word: string | undefined): number {
  const value = parseCell(word ?? "");
  if (value === undefined || Number.isNaN(value)) throw fault(part, `"${word ?? ""}" is not a number`);
  return value;
}

function fault(part: string, why: string): OptionError {
  return new OptionError("OPTION_INPUTS", `--inputs ${part}: ${why}. Write name=low:high, such as ${EXAMPLE}.`);
}

/** True where an input takes part in the design: not if it has one value. */
export function varies(input: CampaignInput): boolean {
  return input.kind !== "choice" || input.values.length > 1;
}

/** The value of an input at `share` of its range, in [0, 1). */
export function valueAt(input: CampaignInput, share: number): Value {
  if (input.kind === "choice") return input.values[Math.floor(share * input.values.length)] ?? "";
  const { low, high, scale, kind } = input;
  if (kind === "real") return atShare(low, high, scale, share);
  // Each whole number has a slice of its own: [n, n + 1).
  return Math.min(high, Math.max(low, Math.floor(atShare(low, high + 1, scale, share))));
}

/** The value at a share of the way from `low` to `high`, evenly or in log10. */
export function atShare(low: number, high: number, scale: "linear" | "log", share: number): number {
  if (scale === "linear") return low + share * (high - low);
  return 10 ** (Math.log10(low) + share * (Math.log10(high) - Math.log10(low)));
}

/** One input of many runs as a column: of words if any of its values is a word. */
export function inputColumn(name: string, unit: string | undefined, values: readonly Value[]): Column {
  const numbers = values.filter((value) => typeof value === "number");
  return numbers.length === values.length
    ? numberColumn(name, numbers, unit)
    : textColumn(name, values.map(String), unit);
}

/** A value as text, to the last digit. */
export function showValue(value: Value): string {
  return Object.is(value, -0) ? "-0" : String(value);
}
