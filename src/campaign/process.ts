/**
 * A program with a time limit, and all that it starts: each has a process group of its own (on Windows: a tree), which
 * ends with it, when its time is up, or when it is told to stop. Edge file: it starts processes.
 */
import { type ChildProcess, type ChildProcessByStdio, spawn, spawnSync } from "node:child_process";
import type { Readable } from "node:stream";

export interface ProcessOptions {
  readonly words: readonly string[];
  /** Give the one word to the shell instead. */
  readonly shell: boolean;
  readonly cwd: string;
  readonly timeoutMs?: number;
  readonly signal: AbortSignal;
  /** Gets a function that ends the process at once, as long as it runs: for when this process ends. */
  readonly live: Set<() => void>;
}

/** How a process ended. */
export interface Ended {
  readonly how:
    | { readonly kind: "exit"; readonly code: number }
    | { readonly kind: "signal"; readonly signal: string }
    | { readonly kind: "timeout" | "stopped" | "too much output" }
    /** It never began. */
    | { readonly kind: "error"; readonly code: string; readonly message: string };
  readonly stdout: string;
  readonly stderr: string;
}

/** The most that a run may print, in characters: more is a program gone wild. */
const MOST_OUTPUT = 1 << 26;
/** How long a process may take to tidy up before it is ended for good. */
const GRACE_MS = 1000;

/** Runs a process to its end. Never rejects. */
export function runProcess({ words, shell, cwd, timeoutMs, signal, live }: ProcessOptions): Promise<Ended> {
  return new Promise((resolve) => {
    const kept = { stdout: "", stderr: "" };
    let child: ChildProcessByStdio<null, Readable, Readable>;
    try {
      const [file = "", ...args] = words;
      child = spawn(file, args, {
        cwd,
        shell,
        detached: process.platform !== "win32",
        stdio: ["ignore", "pipe", "pipe"],
        windowsHide: true,
      });
    } catch (error) {
      resolve({ how: errorOf(error), ...kept });
      return;
    }
    let cut: "timeout" | "stopped" | "too much output" | undefined;
    const timers: NodeJS.Timeout[] = [];
    const endNow = (): void => endTree(child, "SIGKILL");
    const end = (why: NonNullable<typeof cut>): void => {
      if (cut !== undefined) return;
      cut = why;
      endTree(child, "SIGTERM");
      timers.push(setTimeout(endNow, GRACE_MS));
    };
    const onAbort = (): void => end("stopped");
    if (timeoutMs !== undefined) timers.push(setTimeout(() => end("timeout"), timeoutMs));
    signal.addEventListener("abort", onAbort);
    live.add(endNow);
    if (signal.aborted) onAbort();

    for (const name of ["stdout", "stderr"] as const) {
      child[name].setEncoding("utf8").on("data", (text: string) => {
        kept[name] += text;
        if (kept[name].length > MOST_OUTPUT) end("too much output");
      });
    }
    const done = (how: Ended["how"]): void => {
      timers.forEach(clearTimeout);
      signal.removeEventListener("abort", onAbort);
      live.delete(endNow);
      resolve({ how: cut === undefined ? how : { kind: cut }, ...kept });
    };
    child.on("error", (error) => {
      if (child.pid === undefined) done(errorOf(error));
    });
    // A run ends with its command: what it left in the background would hold its output open.
    child.on("exit", endNow);
    child.on("close", (code, by) =>
      done(code === null ? { kind: "signal", signal: by ?? "" } : { kind: "exit", code }),
    );
  });
}

function errorOf(error: unknown): Ended["how"] {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return { kind: "error", code, message: error instanceof Error ? error.message : String(error) };
}

/** Ends a process and its group; no fault if it is gone. */
function endTree({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  if (process.platform === "win32") {
    spawnSync("taskkill", ["/pid", String(pid), "/T", "/F"]);
    return;
  }
  try {
    process.kill(-pid, signal);
  } catch {
    // Nobody is left in the group.
  }
}
