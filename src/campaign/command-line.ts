/**
 * A command as a list of words. A run has a folder of its own, so what the command names relative to the caller's folder
 * (the program, scripts) is made absolute first. Edge file: it looks whether files are there.
 */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { OptionError } from "../errors.ts";

/** Splits at blanks outside quotes: '...' is taken as it is, in "..." and outside a backslash takes the next character as it is. */
export function splitCommand(command: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = "";
  for (let i = 0; i < command.length; i++) {
    const c = command[i] ?? "";
    if (c === "\\" && quote !== "'" && i + 1 < command.length) word = (word ?? "") + (command[++i] ?? "");
    else if (c === quote) quote = "";
    else if (quote !== "") word += c;
    else if (c === "'" || c === '"') {
      quote = c;
      word ??= "";
    } else if (!/\s/.test(c)) word = (word ?? "") + c;
    else if (word !== undefined) {
      words.push(word);
      word = undefined;
    }
  }
  if (quote !== "")
    throw new OptionError("OPTION_COMMAND", `--command ${command}: a quote ${quote} is not closed. Close it.`);
  if (word !== undefined) words.push(word);
  if (words.length === 0)
    throw new OptionError("OPTION_COMMAND", "--command: is empty. Write a command, such as './sim --te {te}'.");
  return words;
}

/** Endings of what is run, never of what is written. */
const SCRIPT = /\.(awk|bash|jar|jl|js|lua|m|mjs|cjs|ts|mts|php|pl|py|r|rb|sh|wls)$/i;

/** The program or script that a word of a command names in the caller's folder, absolute; undefined if it names none. */
export function programAt(word: string, here: string): string | undefined {
  const script = SCRIPT.test(word);
  if (!script && !/^\.\.?[\\/]/.test(word)) return undefined;
  const path = resolve(here, word);
  const file = statSync(path, { throwIfNoEntry: false });
  // ./out.csv of an earlier try must not become the file that every run writes.
  return file?.isFile() === true && (script || (file.mode & 0o111) !== 0) ? path : undefined;
}

/** The program itself: with a slash it is a path from the caller's folder. @throws OptionError if there is no such file */
export function resolveProgram(word: string, here: string): string {
  if (!/[\\/]/.test(word)) return word;
  const path = resolve(here, word);
  if (statSync(path, { throwIfNoEntry: false })?.isFile() === true) return path;
  throw new OptionError(
    "OPTION_COMMAND",
    `--command: there is no program ${word} (looked up from ${here}). Check the path.`,
  );
}

/** A text for the shell as one word, whatever is in it. */
export function shellWord(text: string): string {
  return /^[\w.+:/=@%,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A line for the shell with the programs of the caller's folder made absolute, where they stand as words of their own. */
export function resolveInShell(line: string, here: string, found: (path: string) => void): string {
  return line.replace(/(^|[\s;|&(])([^\s;|&()<>'"$`{}]+)/g, (all, before: string, word: string) => {
    const path = programAt(word, here);
    if (path === undefined) return all;
    found(path);
    return before + shellWord(path);
  });
}
