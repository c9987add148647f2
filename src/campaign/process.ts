/**
 * A program with a time limit, and all that it starts: each has a process group of its own (on Windows: a tree), which
 * ends with it, when its time is up, or when it is told to stop. Edge file: it starts processes.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";

export interface ProcessOptions {
  readonly words: readonly string[];
  /** Give the one word to the shell instead. */
  readonly shell: boolean;
  readonly cwd: string;
  readonly timeoutMs?: number;
  readonly signal: AbortSignal;
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
export function runProcess({ words, shell, cwd, timeoutMs, signal }: ProcessOptions): Promise<Ended> {
  return new Promise((resolve) => {
    const [file = "", ...args] = words;
    const child = spawn(file, args, {
      cwd,
      shell,
      detached: process.platform !== "win32",
      stdio: ["ignore", "pipe", "pipe"],
      windowsHide: true,
    });
    let cut: "timeout" | "stopped" | "too much output" | undefined;
    const end = (why: NonNullable<typeof cut>): void => {
      if (cut !== undefined) return;
      cut = why;
      endTree(child, "SIGTERM");
      setTimeout(() => endTree(child, "SIGKILL"), GRACE_MS).unref();
    };
    const onAbort = (): void => end("stopped");
    const onExit = (): void => endTree(child, "SIGKILL");
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => end("timeout"), timeoutMs);
    signal.addEventListener("abort", onAbort);
    process.on("exit", onExit);
    if (signal.aborted) onAbort();

    const kept = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name].setEncoding("utf8").on("data", (text: string) => {
        kept[name] += text;
        if (kept[name].length > MOST_OUTPUT) end("too much output");
      });
    }
    const done = (how: Ended["how"]): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      process.off("exit", onExit);
      resolve({ how: cut === undefined ? how : { kind: cut }, ...kept });
    };
    child.on("error", (error: NodeJS.ErrnoException) => {
      if (child.pid === undefined) done({ kind: "error", code: error.code ?? "", message: error.message });
    });
    // A run ends with its command: what it left in the background would hold its output open.
    child.on("exit", () => endTree(child, "SIGKILL"));
    child.on("close", (code, by) =>
      done(code === null ? { kind: "signal", signal: by ?? "" } : { kind: "exit", code }),
    );
  });
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
