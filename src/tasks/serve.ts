/** The worker thread's side of the pool: takes one task at a time and answers with its output. */
import { parentPort } from "node:worker_threads";
import { CondenseError } from "../errors.ts";
import { execute, type TaskMessage, type TaskReply } from "./pool.ts";

export function serve(): void {
  const port = parentPort;
  if (port === null) return;
  const send = (reply: TaskReply): void => {
    port.postMessage(reply);
  };
  port.on("message", (message: TaskMessage) => {
    let last = Number.NEGATIVE_INFINITY; // the first report is always sent
    execute(message, (fraction, note) => {
      const now = performance.now();
      if (now - last < 100) return;
      last = now;
      send({ kind: "progress", fraction, ...(note === undefined ? {} : { note }) });
    })
      .then((output) => {
        send({ kind: "done", output });
      })
      .catch((error: unknown) => {
        send(failure(error));
      });
  });
}

function failure(error: unknown): TaskReply {
  if (error instanceof CondenseError) return { kind: "failed", error: error.message, code: error.code };
  // A DOMException (an output that cannot be sent) would arrive without its message.
  const sendable = error instanceof Error && !(error instanceof DOMException);
  return { kind: "failed", error: sendable ? error : new Error(String(error)) };
}
