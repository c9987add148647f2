/** What a command is: its arguments and options for the parser, and its work. */
import type { Command, OptionValues } from "commander";
import type { World } from "./world.ts";

export interface CliCommand {
  /** Adds arguments, options and help. */
  declare(command: Command): void;
  /**
   * Does the work.
   * @param args the arguments, in order; undefined for an optional one that is not given
   * @returns the exit code: 0 done, 1 a gate failed or there is no usable emulator
   * @throws CondenseError for misuse and bad input
   */
  run(args: readonly (string | undefined)[], options: OptionValues, world: World): Promise<number>;
}
