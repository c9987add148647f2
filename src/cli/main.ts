/** The `condense` command: parses, runs one command, turns errors into one message and an exit code. */
import { Command, CommanderError } from "commander";
import { version } from "../version.ts";
import { type CommandName, commands } from "./commands/index.ts";
import { realWorld, type World } from "./world.ts";

const examples = `
Examples:
  condense fit runs.csv --outputs power,temperature
  condense fit inputs.csv outputs.csv --out reactor.onnx --hold-out 0.2
  condense query reactor.onnx --at height=20,flow=3
  condense query reactor.onnx points.csv --out predictions.csv
  condense inspect reactor.onnx
  condense validate reactor.onnx new-runs.csv --min-coverage 0.9
  condense compare runs.csv --outputs power,temperature --effort quick

condense help <command> lists a command's options. Exit codes: 0 done, 1 a gate failed or there is no usable
emulator, 2 misuse or bad input.`;

/** Runs the command line. @param argv arguments after the command's name   @returns the exit code */
export async function main(argv: readonly string[], world: World = realWorld()): Promise<number> {
  // `help fit` is `fit --help`: only the command that is named gets loaded.
  const args = argv[0] === "help" && isCommand(argv[1]) ? [argv[1], "--help"] : argv;
  const named = args.find((arg) => !arg.startsWith("-"));
  let code = 0;
  const program = new Command("condense")
    .description("Turns a table of simulation runs into a fast emulator that knows how sure it is.")
    .version(version, "--version")
    .addHelpText("after", examples)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void world.out(text),
      writeErr: (text) => {
        world.err(text);
      },
      // One line, in the manner of our own messages.
      outputError: (text, write) => {
        const line = text
          .trim()
          .replace(/^error: /, "")
          .replaceAll("\n", " ");
        write(`condense: ${line}. See condense --help.\n`);
      },
    });
  try {
    for (const [name, entry] of Object.entries(commands)) {
      const command = program.command(name).summary(entry.summary);
      if (name !== named) continue;
      const { declare, run } = await entry.load();
      declare(command);
      command.action(async () => {
        code = await run(command.processedArgs as readonly (string | undefined)[], command.opts(), world);
      });
    }
    await program.parseAsync([...args], { from: "user" });
    return code;
  } catch (error) {
    return explain(error, world);
  }
}

function isCommand(name: string | undefined): name is CommandName {
  return name !== undefined && Object.hasOwn(commands, name);
}

async function explain(error: unknown, world: World): Promise<number> {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const { CondenseError } = await import("../index.ts");
  const debug = world.env.CONDENSE_DEBUG === "1" && error instanceof Error ? `${error.stack ?? ""}\n` : "";
  if (error instanceof CondenseError) {
    world.err(`condense: ${error.message}\n${debug}`);
    return 2;
  }
  const message = error instanceof Error ? error.message : String(error);
  const ours = message.startsWith("internal:")
    ? message
    : `internal: ${message}. Please report this with the command you ran.`;
  world.err(`condense: ${ours}\n${debug}`);
  return 1;
}
