#!/usr/bin/env node
// The `condense` command: from source through tsx in a clone, from dist/ in an installed package. Either way
// `main` takes the arguments after the command's name and gives the exit code.
import { existsSync } from "node:fs";
import module from "node:module";

module.enableCompileCache?.(); // Node 22.1 and later

const source = new URL("../src/cli/main.ts", import.meta.url);
let entry = new URL("../dist/src/cli/main.js", import.meta.url);
if (existsSync(source)) {
  await registerTsx();
  entry = source;
}
const { main } = await import(entry.href);
process.exitCode = await main(process.argv.slice(2));

async function registerTsx() {
  try {
    const { register } = await import("tsx/esm/api");
    register();
  } catch (error) {
    if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
    console.error("condense: its packages are not installed. Run `npm ci` in the clone first.");
    process.exit(2);
  }
}
