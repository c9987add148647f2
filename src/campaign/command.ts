/**
 * A program as a simulator: a command line with `{name}` where a value goes, run in a fresh folder that holds the filled
 * templates, its outputs read from a file there or from what it prints. Edge file: it touches the disk.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { cp, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, isAbsolute, join, normalize } from "node:path";
import { CondenseError, FileError, OptionError } from "../errors.ts";
import { programAt, resolveInShell, resolveProgram, shellWord, splitCommand } from "./command-line.ts";
import { type Point, showValue } from "./inputs.ts";
import { checkedOutputs, type RunOutput } from "./outputs.ts";
import { checkPlaceholders, fill, placeholdersIn } from "./placeholders.ts";
import { type Ended, runProcess } from "./process.ts";
import { parseOutputs, readOutputs } from "./read-outputs.ts";
import type { Outcome, Simulator } from "./simulator.ts";

export interface CommandOptions {
  /** `./sim --te {te}`. Besides inputs there are {run}, counted from 1, {dir}, the run's folder, and {here}, the caller's. */
  readonly command: string;
  /** Names of the inputs. */
  readonly inputs: readonly string[];
  /** True where the command is for the shell: pipes, redirections. Default: a list of words, run as they are. */
  readonly shell?: boolean;
  /** Files whose placeholders are filled and which are then written to `to` in the run's folder. */
  readonly templates?: readonly { readonly from: string; readonly to: string }[];
  /** Files in the run's folder that hold the outputs. Default: none, they are on standard output. */
  readonly read?: readonly string[];
  /** Names or globs of the outputs that are wanted. Default: all. */
  readonly outputs?: readonly string[];
  /** Runs at once. Default 1. */
  readonly workers?: number;
  /** Milliseconds that a run may take. Default: no limit. */
  readonly timeoutMs?: number;
  /** Folder to keep the folders of failed runs in, with what they printed. Default: they are removed. */
  readonly keepFailed?: string;
  /** The caller's folder. Default: the working directory. */
  readonly here?: string;
}

/**
 * Makes a simulator of a command.
 * @throws OptionError for a program that is not there, a placeholder that is no input, an input that is used nowhere;
 *   FileError for a template that cannot be read
 */
export async function commandSimulator(options: CommandOptions): Promise<Simulator> {
  const { command, inputs, shell = false, workers = 1, read = [], timeoutMs, here = process.cwd() } = options;
  const words = shell ? [command] : splitCommand(command);
  const programs = new Set<string>();
  const found = (path: string): string => {
    programs.add(path);
    return path;
  };
  const resolved = shell
    ? [resolveInShell(command, here, found)]
    : words.map((word, i) => {
        const path = i === 0 && placeholdersIn(word).length === 0 ? resolveProgram(word, here) : programAt(word, here);
        return path === undefined ? word : path === word ? word : found(path);
      });
  const templates = await readTemplates(options.templates ?? []);
  checkPlaceholders(command, [...inputs, "run", "dir", "here"]);
  checkUse(inputs, [command, ...templates.map(({ text }) => text)]);
  for (const file of read) inFolder("--read", file);

  const values = (run: number, point: Point, dir: string): Record<string, string> => ({
    ...Object.fromEntries(Object.entries(point).map(([name, value]) => [name, showValue(value)])),
    ...{ run: String(run + 1), dir: shell ? shellWord(dir) : dir, here: shell ? shellWord(here) : here },
  });
  const wordsAt = (known: Record<string, string>): string[] => {
    if (shell) {
      const strange = inputs.find((name) => shellWord(known[name] ?? "") !== known[name]);
      if (strange !== undefined) throw notForShell(strange, known[strange] ?? "");
    }
    return resolved.map((word) => fill(word, known));
  };
  let base: Promise<string> | undefined;
  const live = new Set<() => void>();
  const endAll = (): void => {
    for (const end of live) end();
  };
  process.on("exit", endAll);
  return {
    parallel: workers,
    identity: {
      command,
      ...(shell ? { shell: "yes" } : {}),
      ...Object.fromEntries(templates.map(({ from, to, text }) => [`template ${from}=${to}`, hashOf(text)])),
      ...(await hashes(programs)),
      read: read.join(", "),
      outputs: options.outputs?.join(",") ?? "all",
    },
    describe(run, point) {
      const line = wordsAt({ ...values(run, point, ""), dir: "{dir}" }).map((word) => (shell ? word : shellWord(word)));
      // What goes into templates alone would not be seen.
      const hidden = inputs.filter((name) => !placeholdersIn(command).includes(name));
      const rest = hidden.map((name) => `${name}=${showValue(point[name] ?? "")}`);
      return [...line, ...(rest.length === 0 ? [] : [`# ${rest.join(", ")}`])].join(" ");
    },
    async run(run, point, signal) {
      base ??= mkdtemp(join(tmpdir(), "condense-")).then((path) => realpath(path));
      const dir = join(await base, `run-${run + 1}`);
      const known = values(run, point, dir);
      const ready = wordsAt(known);
      await rm(dir, { recursive: true, force: true });
      await mkdir(dir);
      for (const { to, text } of templates) {
        await mkdir(dirname(join(dir, to)), { recursive: true });
        await writeFile(join(dir, to), fill(text, known));
      }
      const ended = await runProcess({
        ...{ words: ready, shell, cwd: dir, signal, live },
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
      });
      const outcome = await outcomeOf(ended, dir, options, ready[0] ?? "");
      const kept = options.keepFailed === undefined ? undefined : join(options.keepFailed, `run-${run + 1}`);
      if (kept !== undefined) await rm(kept, { recursive: true, force: true });
      if (kept !== undefined && outcome.status === "failed") {
        await cp(dir, kept, { recursive: true });
        await writeFile(join(kept, "stdout.txt"), ended.stdout);
        await writeFile(join(kept, "stderr.txt"), ended.stderr);
      }
      await rm(dir, { recursive: true, force: true });
      return outcome;
    },
    async dispose() {
      process.off("exit", endAll);
      endAll();
      if (base !== undefined) await rm(await base, { recursive: true, force: true });
    },
  };
}

async function outcomeOf(ended: Ended, dir: string, options: CommandOptions, program: string): Promise<Outcome> {
  const { how, stdout, stderr } = ended;
  const failed = (reason: string): Outcome => ({ status: "failed", reason: tidy(reason, dir) });
  switch (how.kind) {
    case "stopped":
      return { status: "stopped" };
    case "error":
      throw cannotStart(program, how);
    case "timeout":
      return failed(`timed out after ${(options.timeoutMs ?? 0) / 1000} s`);
    case "too much output":
      return failed("printed more than 64 million characters");
    case "signal":
      return failed(`ended by ${how.signal}`);
    case "exit":
      break;
  }
  if (how.code !== 0) {
    const last = stderr.trim().split("\n").at(-1) ?? "";
    return failed(`exit code ${how.code}${last === "" ? "" : `: ${last}`}`);
  }
  try {
    const outputs: RunOutput[] = [];
    for (const name of options.read ?? []) outputs.push(...(await readOutputs(join(dir, name), name)));
    if (options.read === undefined || options.read.length === 0)
      outputs.push(...(await parseOutputs(stdout, "standard output")));
    return { status: "ok", outputs: checkedOutputs(outputs, options) };
  } catch (error) {
    if (error instanceof CondenseError) return failed(error.message);
    throw error;
  }
}

/** A reason in one line, without the name of the folder, which is another one each time. */
function tidy(reason: string, dir: string): string {
  const line = reason.replaceAll(`${dir}/`, "").replaceAll(dir, "the run's folder").replace(/\s+/g, " ").trim();
  return line.length > 200 ? `${line.slice(0, 197)}...` : line;
}

function cannotStart(program: string, { code, message }: Extract<Ended["how"], { kind: "error" }>): OptionError {
  const why =
    code === "ENOENT"
      ? "there is no such program. Check its name; a program in this folder is ./name"
      : code === "EACCES"
        ? `it may not be run. Make it a program (chmod +x), or name what runs it (python3 ${program})`
        : message;
  return new OptionError("OPTION_COMMAND", `--command: ${program} cannot be started: ${why}.`);
}

function notForShell(name: string, value: string): OptionError {
  return new OptionError(
    "OPTION_COMMAND",
    `--shell: "${value}" of input ${name} has characters that mean something to a shell. Choose plain words, or leave --shell out.`,
  );
}

async function readTemplates(
  templates: NonNullable<CommandOptions["templates"]>,
): Promise<{ readonly from: string; readonly to: string; readonly text: string }[]> {
  return Promise.all(
    templates.map(async ({ from, to }) => {
      inFolder("--template", to);
      try {
        return { from, to, text: await readFile(from, "utf8") };
      } catch (cause) {
        throw new FileError("FILE_MISSING", `--template ${from}: no such file, or it cannot be read. Check the path.`, {
          cause,
        });
      }
    }),
  );
}

/** Refuses a path that leads out of the run's folder. */
function inFolder(option: string, path: string): void {
  if (!isAbsolute(path) && !normalize(path).startsWith("..")) return;
  throw new OptionError(
    "OPTION_COMMAND",
    `${option} ${path}: must be a path inside the run's folder, such as ${option === "--read" ? "out.csv" : "input.txt"}.`,
  );
}

/** An input that goes nowhere would vary without effect. */
function checkUse(inputs: readonly string[], texts: readonly string[]): void {
  const used = new Set(texts.flatMap(placeholdersIn));
  const idle = inputs.find((name) => !used.has(name));
  if (idle === undefined) return;
  throw new OptionError(
    "OPTION_COMMAND",
    `--command: the input ${idle} goes nowhere. Write {${idle}} where its value belongs, in the command or in a --template, or leave the input out.`,
  );
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

async function hashes(paths: Iterable<string>): Promise<Readonly<Record<string, string>>> {
  const all: Record<string, string> = {};
  for (const path of paths) all[path] = await hashOfFile(path);
  return all;
}

async function hashOfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  return hash.digest("hex").slice(0, 16);
}
