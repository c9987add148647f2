/** What a command may touch of the outside: files, output, clock, signals, environment. Real by default; tests pass their own. */
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";

/** The files that commands touch themselves; tables and emulators are read by the library, from the paths it is given. */
export interface Files {
  readText(path: string): Promise<string>;
  /** Writes a file whole or not at all. @throws FileError */
  write(path: string, bytes: Uint8Array): Promise<void>;
  /** Fails now rather than after the work if `path` cannot be written. @throws FileError */
  checkWritable(path: string): Promise<void>;
}

export interface World {
  readonly files: Files;
  /** Results. Resolves when the reader is ready for more. */
  out(text: string): void | Promise<void>;
  /** Progress, notes and warnings. */
  err(text: string): void;
  /** Whether progress may rewrite its line, and how long that line may be. */
  readonly isTerminal: boolean;
  readonly columns: number;
  /** Whether somebody pipes points in, and those points. */
  readonly isPiped: boolean;
  readonly stdin: AsyncIterable<Uint8Array>;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Cores to use. */
  readonly cores: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Calls `listener` on Ctrl-C until the returned function is called. */
  onInterrupt(listener: () => void): () => void;
  /** Ends the process at once. */
  exit(code: number): void;
}

/** Files on the disk. */
export const realFiles: Files = {
  readText: (path) => readFile(path, "utf8"),
  async write(path, bytes) {
    const { writeWhole } = await import("../index.ts");
    await writeWhole(path, bytes);
  },
  async checkWritable(path) {
    const { openWhole } = await import("../index.ts");
    const probe = await openWhole(path);
    await probe.discard();
  },
};

export function realWorld(): World {
  // A reader that has seen enough, such as `head`, is no fault.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(0);
  });
  return {
    files: realFiles,
    out: (text) =>
      new Promise((resolve) => {
        process.stdout.write(text, () => {
          resolve();
        });
      }),
    err: (text) => void process.stderr.write(text),
    isTerminal: process.stderr.isTTY,
    get columns() {
      return process.stderr.columns ?? 80;
    },
    isPiped: !process.stdin.isTTY,
    get stdin() {
      return process.stdin;
    },
    now: Date.now,
    cores: availableParallelism(),
    env: process.env,
    onInterrupt(listener) {
      process.on("SIGINT", listener);
      process.on("SIGTERM", listener);
      return () => {
        process.off("SIGINT", listener);
        process.off("SIGTERM", listener);
      };
    },
    exit: (code) => process.exit(code),
  };
}
