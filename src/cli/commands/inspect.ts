/** `condense inspect`: what is in an emulator file. */
import { describeEmulator, inspect as inspectEmulator } from "../../index.ts";
import type { CliCommand } from "../command.ts";

export const inspect: CliCommand = {
  declare(command) {
    command
      .description(
        "Says what is in an emulator file: schema with units and ranges, data, search, architectures, scores.",
      )
      .argument("<emulator>", "emulator file")
      .option("--json", "print one JSON document", false);
  },
  async run([emulator = ""], { json }: { readonly json: boolean }, world) {
    const info = await inspectEmulator(emulator);
    await world.out(json ? `${JSON.stringify(info, null, 2)}\n` : describeEmulator(info, emulator));
    return 0;
  },
};
