/** Option values from the command line: durations, numbers, lists. Each says what it wants when it gets something else. */
import { OptionError, splitNames } from "../index.ts";

const unitsMs = { ms: 1, s: 1e3, m: 6e4, h: 3.6e6 } as const;

/** `30s`, `5m`, `1.5h` in milliseconds. */
export function duration(option: string) {
  return (text: string): number => {
    const found = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text.trim());
    const value = Number(found?.[1]) * unitsMs[(found?.[2] ?? "s") as keyof typeof unitsMs];
    if (found === null || !(value > 0))
      throw new OptionError(
        "OPTION_TIME",
        `${option} ${text}: not a time. Give a number with its unit, such as 30s, 5m or 1h.`,
      );
    return value;
  };
}

/** A number within limits. */
export function number(option: string, low: number, high: number, example: string) {
  return (text: string): number => {
    const value = Number(text);
    if (text.trim() === "" || !(value >= low && value <= high))
      throw new OptionError(
        "OPTION_NUMBER",
        `${option} ${text}: must be a number from ${low} to ${high}, such as ${example}.`,
      );
    return value;
  };
}

/** A whole number within limits. */
export function whole(option: string, low: number, high: number, example: string) {
  const parse = number(option, low, high, example);
  return (text: string): number => {
    const value = parse(text);
    if (!Number.isInteger(value))
      throw new OptionError("OPTION_NUMBER", `${option} ${text}: must be a whole number, such as ${example}.`);
    return value;
  };
}

/** One of the names that there are. */
export function oneOf<Name extends string>(option: string, names: readonly Name[]) {
  return (text: string): Name => {
    const found = names.find((name) => name === text);
    if (found !== undefined) return found;
    throw new OptionError(
      "OPTION_CHOICE",
      `${option} ${text}: unknown (there are: ${names.join(", ")}). Choose one of these.`,
    );
  };
}

/** `a,b,c` as a list; a comma inside brackets, as in `map[0,1]`, parts nothing. */
export function list(text: string): string[] {
  return splitNames(text);
}

/** Repeated options as a list. */
export function collect(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}

/** `a=1,b=2` as text by name; what is a number and what a word is the schema's to say. */
export function point(text: string): Record<string, string> {
  const at: Record<string, string> = {};
  for (const part of list(text)) {
    const split = part.indexOf("=");
    const name = part.slice(0, split).trim();
    const value = part.slice(split + 1).trim();
    if (split < 1 || value === "")
      throw new OptionError(
        "OPTION_AT",
        `--at ${part}: write name=value pairs with commas between, such as --at te=200,ne=1e19.`,
      );
    if (Object.hasOwn(at, name))
      throw new OptionError("OPTION_AT", `--at: "${name}" is given twice. Leave one of the two out.`);
    at[name] = value;
  }
  if (Object.keys(at).length === 0)
    throw new OptionError("OPTION_AT", "--at: names no input. Write name=value pairs, such as --at te=200,ne=1e19.");
  return at;
}
