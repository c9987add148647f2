/** `{name}` in commands and templates. `{{name}}` stands for the text `{name}` itself. */
import { OptionError } from "../errors.ts";
import { listNames, nearestName } from "../data/index.ts";

const PLACEHOLDER = /\{\{([\p{L}_][\p{L}\p{N}_.-]*)\}\}|\{([\p{L}_][\p{L}\p{N}_.-]*)\}/gu;

/** Names between braces in a text. */
export function placeholdersIn(text: string): string[] {
  return [...text.matchAll(PLACEHOLDER)].flatMap(([, , name]) => (name === undefined ? [] : [name]));
}

/** Puts values in the places of their names; braces around anything else stay. */
export function fill(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(PLACEHOLDER, (all, escaped?: string, name?: string) => {
    if (escaped !== undefined) return `{${escaped}}`;
    return name !== undefined && Object.hasOwn(values, name) ? (values[name] ?? all) : all;
  });
}

/** Refuses a placeholder in a command that means nothing. @throws OptionError OPTION_COMMAND */
export function checkPlaceholders(command: string, known: readonly string[]): void {
  const strange = placeholdersIn(command).find((name) => !known.includes(name));
  if (strange === undefined) return;
  const near = nearestName(strange, known);
  throw new OptionError(
    "OPTION_COMMAND",
    `--command: {${strange}} is no input (there are: ${listNames(known)}). ` +
      `${near === undefined ? "Correct it" : `Did you mean {${near}}?`}${near === undefined ? ", or w" : " W"}rite {{${strange}}} for the text {${strange}} itself.`,
  );
}
