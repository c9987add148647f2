/**
 * The cases from a terminal, from a checkout of the project:
 *
 *     npx tsx cases/main.ts list
 *     npx tsx cases/main.ts make jag-scalars --runs 1000 --design sobol --seed 1 --out runs.arrow
 */
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { alignRows, CondenseError, type DesignName, designs, OptionError, workerPool } from "../src/index.ts";
import type { Case } from "./case.ts";
import { cases } from "./index.ts";
import { makeRuns } from "./make.ts";

/** Where words go, and who may ask to stop; tests pass their own. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** Calls `listener` on Ctrl-C until the returned function is called. */
  onInterrupt(listener: () => void): () => void;
}

const USAGE = `usage: cases list
       cases make NAME --out FILE [--runs N] [--design ${Object.keys(designs).join("|")}] [--seed S] [--threads N]
`;

/** Runs one command. @returns the exit code: 0 done, 1 stopped before the end   @throws CondenseError for misuse */
export async function main(args: readonly string[], terminal: Terminal): Promise<number> {
  const [command, ...rest] = args;
  if (command === "list" && rest.length === 0) {
    terminal.out(list());
    return 0;
  }
  if (command === "make") return make(rest, terminal);
  throw new OptionError("OPTION_COMMAND", `no such command.\n${USAGE}`);
}

function list(): string {
  const rows = Object.values(cases as Readonly<Record<string, Case>>).map(({ name, title, inputs, outputs, runs }) => {
    const sizes = outputs.map(
      (output) => `${output.name}${output.shape.length === 0 ? "" : `[${output.shape.join(",")}]`}`,
    );
    const shown = sizes.length > 4 ? `${sizes.slice(0, 3).join(" ")} and ${sizes.length - 3} more` : sizes.join(" ");
    return [name, String(inputs.length), String(runs.train), title, shown];
  });
  return `${alignRows([["case", "inputs", "runs", "what", "outputs"], ...rows], [0, 3, 4])}\n`;
}

async function make(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values, name } = parse(args);
  if (name === undefined || values.out === undefined) {
    throw new OptionError("OPTION_OUT", `make needs a case and --out.\n${USAGE}`);
  }
  const { out } = values;
  const design = (values.design ?? "sobol") as DesignName;
  if (!Object.keys(designs).includes(design)) {
    throw new OptionError("OPTION_DESIGN", `no design "${design}". There are ${Object.keys(designs).join(", ")}.`);
  }
  const runner = workerPool(...(values.threads === undefined ? [] : [whole("threads", values.threads)]));
  const stopListening = terminal.onInterrupt(() => {
    runner.stop();
  });
  try {
    const result = await makeRuns(name, {
      ...(values.runs === undefined ? {} : { runs: whole("runs", values.runs) }),
      ...(values.seed === undefined ? {} : { seed: whole("seed", values.seed) }),
      design,
      out,
      runner,
      onProgress({ done, runs, failed }) {
        terminal.err(`${name}: ${done} of ${runs} runs${failed === 0 ? "" : `, ${failed} failed`}\n`);
      },
    });
    if (result.outcome === "made") {
      terminal.err(`${out}: ${result.runs} runs, ${result.failed} of them failed (see the column "status")\n`);
      return 0;
    }
    terminal.err(`stopped after ${result.runs} runs, kept in ${out}.parts: the same command goes on from there\n`);
    return 1;
  } finally {
    stopListening();
    await runner.dispose();
  }
}

type Option = "out" | "runs" | "design" | "seed" | "threads";

function parse(args: readonly string[]): {
  values: Readonly<Partial<Record<Option, string>>>;
  name: string | undefined;
} {
  const text = { type: "string" } as const;
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { out: text, runs: text, design: text, seed: text, threads: text },
    });
    return { values, name: positionals[0] };
  } catch (cause) {
    throw new OptionError("OPTION_ARGUMENTS", `${(cause as Error).message}\n${USAGE}`, { cause });
  }
}

function whole(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) {
    throw new OptionError("OPTION_NUMBER", `--${name} ${text}: must be a whole number, such as 100.`);
  }
  return value;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    process.exitCode = await main(process.argv.slice(2), {
      out: (text) => void process.stdout.write(text),
      err: (text) => void process.stderr.write(text),
      onInterrupt(listener) {
        process.on("SIGINT", listener);
        return () => process.off("SIGINT", listener);
      },
    });
  } catch (error) {
    if (!(error instanceof CondenseError)) throw error;
    process.stderr.write(`error: ${error.message}\n`);
    process.exitCode = 2;
  }
}
