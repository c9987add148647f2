/** Small tables, a world of its own for each run of the command line, and a folder that goes away. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { main } from "../../src/cli/main.ts";
import { realFiles, type World } from "../../src/cli/world.ts";
import { makeRng } from "../../src/rng.ts";

/** What a run of the command line left behind. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** Lines on standard error. */
  readonly messages: readonly string[];
}

/** Runs a command in this process; `world` replaces parts of the world, `piped` is standard input. */
export async function run(argv: readonly string[], world: Partial<World> = {}, piped?: string): Promise<Ran> {
  let out = "";
  let err = "";
  async function* stdin(): AsyncGenerator<Uint8Array> {
    if (piped !== undefined) yield new TextEncoder().encode(piped);
  }
  const code = await main(argv, {
    files: realFiles,
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    isTerminal: false,
    columns: 80,
    isPiped: piped !== undefined,
    stdin: stdin(),
    now: Date.now,
    cores: 1,
    env: {},
    onInterrupt: () => () => {},
    exit: (status) => {
      throw new Error(`exit ${status}`);
    },
    ...world,
  });
  return { code, out, err, messages: err.split("\n").filter((line) => line !== "") };
}

/** A fresh folder, and a way to write into it. */
export async function makeFolder() {
  const path = await mkdtemp(join(tmpdir(), "condense-cli-"));
  return {
    path,
    at: (name: string): string => join(path, name),
    async write(name: string, content: string | Uint8Array): Promise<string> {
      await writeFile(join(path, name), content);
      return join(path, name);
    },
    remove: () => rm(path, { recursive: true, force: true }),
  };
}

/** Rows of a smooth simulator of two inputs: y = sin(3a) + b, z = a b, a in 0..1, b in 1..3. */
export function smoothRows(rows: number, seed = 1): { a: number; b: number; y: number; z: number }[] {
  const rng = makeRng(seed);
  return Array.from({ length: rows }, () => {
    const a = rng.uniform();
    const b = 1 + 2 * rng.uniform();
    return { a, b, y: Math.sin(3 * a) + b, z: a * b };
  });
}

/** Rows as CSV with a header. */
export function csvOf(rows: readonly object[]): string {
  const names = Object.keys(rows[0] ?? {});
  return [names.join(","), ...rows.map((row) => Object.values(row).join(","))].join("\n") + "\n";
}

/** Menus of a fit that takes a second. */
export const tinySpace = { widths: [8], trunkNodes: 2 } as const;
