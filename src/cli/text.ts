/** Time and progress for people. */
import type { World } from "./world.ts";

/** `1m 20s`. */
export function showTime(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${String(seconds % 60).padStart(2, "0")}s`;
  return `${Math.floor(seconds / 3600)}h ${String(Math.floor((seconds % 3600) / 60)).padStart(2, "0")}m`;
}

/** A progress line: rewritten in place on a terminal, else a line every ten seconds. */
export interface ProgressLine {
  /** @param fraction of all work that is done */
  update(phase: string, fraction: number, note?: string): void;
  /** Prints a message and goes on below it. */
  say(message: string): void;
  /** Takes the line away. */
  done(): void;
}

/** @param until the clock time at which the work ends in any case, milliseconds since the epoch */
export function progressLine(world: World, until = Number.POSITIVE_INFINITY): ProgressLine {
  const started = world.now();
  let last = started - 8000; // the first line without a terminal comes after two seconds
  let shown = 0;
  const wipe = (): void => {
    if (shown > 0) world.err(`\r${" ".repeat(shown)}\r`);
    shown = 0;
  };
  return {
    update(phase, fraction, note = "") {
      const now = world.now();
      if (now - last < (world.isTerminal ? 200 : 10_000)) return;
      last = now;
      const spent = now - started;
      // The first few percent tell little of the rest.
      const estimate = fraction > 0.05 ? (spent * (1 - fraction)) / fraction : Number.POSITIVE_INFINITY;
      const left = Math.min(estimate, until - now);
      const rest = Number.isFinite(left) ? `, ${showTime(left)} left` : "";
      const line = `${phase.padEnd(6)} ${String(Math.floor(100 * fraction)).padStart(3)} %  ${showTime(spent)}${rest}  ${note}`;
      if (!world.isTerminal) {
        world.err(`${line.trimEnd()}\n`);
        return;
      }
      // A line that wraps could not be rewritten.
      const cut = line.trimEnd().slice(0, Math.max(20, world.columns - 1));
      world.err(`\r${cut.padEnd(shown)}`);
      shown = cut.length;
    },
    say(message) {
      wipe();
      world.err(`${message}\n`);
    },
    done: wipe,
  };
}

/** The first Ctrl-C ends the work with what there is, the second one the process. @param stop asks the work to end
 * @param kept what the first one keeps, a clause */
export function listenForInterrupts(world: World, stop: () => void, progress: ProgressLine, kept: string): () => void {
  let interrupts = 0;
  return world.onInterrupt(() => {
    interrupts++;
    if (interrupts > 1) world.exit(130);
    else {
      stop();
      progress.say(`stopping: ${kept} (Ctrl-C again to quit at once)`);
    }
  });
}
