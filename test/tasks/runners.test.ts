import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, it } from "vitest";
import { CondenseError } from "../../src/errors.ts";
import { inProcess, type TaskRunner, workerPool } from "../../src/tasks/index.ts";
import * as example from "./example-tasks.ts";

const open: TaskRunner[] = [];
function made(runner: TaskRunner): TaskRunner {
  open.push(runner);
  return runner;
}
afterEach(async () => {
  await Promise.all(open.splice(0).map((runner) => runner.dispose()));
});

const inputs = Array.from({ length: 6 }, (_, i) => ({
  seed: i,
  offsets: Float64Array.from({ length: 5 }, (__, j) => 10 * i + j),
}));

const runners = {
  "this process": () => inProcess(),
  "one thread": () => workerPool(1),
  "two threads": () => workerPool(2),
} as const;

describe.each(Object.entries(runners))("tasks in %s", (_, make) => {
  it("give what the function gives, in the order of the calls", async () => {
    const runner = made(make());
    const direct = await Promise.all(inputs.map((input) => example.drawNormals(input)));
    expect(await Promise.all(inputs.map((input) => runner.run(example.drawTask, input)))).toEqual(direct);
    expect(direct[5]!.draws).toHaveLength(5);
  });

  it("keep the code and the message of a user's mistake", async () => {
    const error: unknown = await made(make())
      .run(example.codedFailure, undefined)
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(CondenseError);
    expect(error).toMatchObject({ code: "OPTION_EXAMPLE", message: "no such example. Choose another." });
  });

  it("keep the message of any other error", async () => {
    await expect(made(make()).run(example.plainFailure, "out of luck")).rejects.toThrow("out of luck");
  });

  it("go on after a task that failed", async () => {
    const runner = made(make());
    const failed = runner.run(example.plainFailure, "first");
    const second = runner.run(example.drawTask, inputs[1]!);
    await expect(failed).rejects.toThrow("first");
    expect((await second).seed).toBe(1);
  });

  it("say which function a module lacks", async () => {
    await expect(made(make()).run(example.notATask, "")).rejects.toThrow(
      /internal: no task missing in .*example-tasks\.ts/,
    );
  });

  it("see that they should stop, and so do those that come later", async () => {
    const runner = made(make());
    const running = runner.run(example.waitTask, 20_000);
    const coming = runner.run(example.waitTask, 20_000);
    expect(runner.stopped).toBe(false);
    setTimeout(() => {
      runner.stop();
    }, 50);
    expect(await Promise.all([running, coming])).toEqual(["asked to stop", "asked to stop"]);
    expect(runner.stopped).toBe(true);
  });

  it("see a deadline that has passed, and none where none is given", async () => {
    const runner = made(make());
    expect(await runner.run(example.waitTask, 20_000, { deadline: Date.now() + 50 })).toBe("asked to stop");
    expect(await runner.run(example.waitTask, 30)).toBe("never asked");
  });

  it("give each task its allowance from when it begins, however long it waited, and tell it how much is spent", async () => {
    const runner = made(make());
    const waits = Array.from({ length: 2 * runner.parallel }, () =>
      runner.run(example.waitTask, 20_000, { allowance: 60 }),
    );
    const late = runner.run(example.shareTask, 0.5, { allowance: 150 });
    expect(new Set(await Promise.all(waits))).toEqual(new Set(["asked to stop"]));
    expect(await late).toBe("in time");
    expect(await runner.run(example.shareTask, 0.01)).toBe("never");
  });

  it("report progress with a note", async () => {
    const heard: [number, string | undefined][] = [];
    await made(make()).run(example.progressTask, 2, { onProgress: (...args) => heard.push(args as [number, string]) });
    expect(heard).toEqual([
      [0.5, "part 1"],
      [1, "part 2"],
    ]);
  });
});

describe("inProcess()", () => {
  it("runs one task at a time", async () => {
    const runner = made(inProcess());
    expect(runner.parallel).toBe(1);
    const counter = new Int32Array(new SharedArrayBuffer(12));
    counter[2] = 1;
    await Promise.all(Array.from({ length: 4 }, () => runner.run(example.countTask, counter)));
    expect(counter[1]).toBe(1);
  });
});

describe("workerPool()", () => {
  it("gives each task its own answer whichever ends first", async () => {
    const runner = made(workerPool(2));
    // Both threads are there before it counts: how long they take to start is not the point.
    await Promise.all([0, 1].map((i) => runner.run(example.drawTask, { ...inputs[i]!, pauseMs: 200 })));
    const ended: number[] = [];
    const outputs = await Promise.all(
      inputs.slice(0, 4).map(async (input, i) => {
        const output = await runner.run(example.drawTask, { ...input, pauseMs: i === 0 ? 400 : 0 });
        ended.push(i);
        return output.seed;
      }),
    );
    expect(outputs).toEqual([0, 1, 2, 3]);
    expect(ended.at(-1)).toBe(0);
  });

  it("runs as many tasks at once as it has threads, and no more", async () => {
    const runner = made(workerPool(2));
    const counter = new Int32Array(new SharedArrayBuffer(12));
    counter[2] = 2;
    await Promise.all(Array.from({ length: 6 }, () => runner.run(example.countTask, counter)));
    expect(counter[1]).toBe(2);
  });

  it("leaves the buffers of the input to the caller", async () => {
    const input = { seed: 1, offsets: Float64Array.of(1, 2) };
    await made(workerPool(1)).run(example.drawTask, input);
    expect([...input.offsets]).toEqual([1, 2]);
  });

  it("rejects the task whose thread dies, and goes on with a new thread", async () => {
    const runner = made(workerPool(1));
    const dead = runner.run(example.dieTask, 7);
    const next = runner.run(example.drawTask, inputs[2]!);
    await expect(dead).rejects.toThrow("a worker thread ended with code 7");
    expect((await next).seed).toBe(2);
  });

  it("takes a task off whose signal is aborted, with its thread, and goes on with a new one", async () => {
    const runner = made(workerPool(1));
    const running = new AbortController();
    const waiting = new AbortController();
    const first = runner.run(example.waitTask, 20_000, { signal: running.signal });
    const second = runner.run(example.drawTask, inputs[1]!, { signal: waiting.signal });
    const third = runner.run(example.drawTask, inputs[2]!);
    waiting.abort(new Error("not needed"));
    await expect(second).rejects.toThrow("not needed");
    running.abort(new Error("takes too long"));
    await expect(first).rejects.toThrow("takes too long");
    expect((await third).seed).toBe(2);
    await expect(runner.run(example.drawTask, inputs[1]!, { signal: running.signal })).rejects.toThrow("too long");
  });

  it.each(["exit", "throw"] as const)("gives no task to a thread that died while idle (%s)", async (how) => {
    const runner = made(workerPool(1));
    expect(await runner.run(example.dieLaterTask, how)).toBe("answered");
    // A task that the thread is given in its last moments fails with it; the ones after that get a new thread.
    const answers: unknown[] = [];
    for (let i = 0; i < 100 && answers.length < 5; i++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      const answer = await runner.run(example.drawTask, inputs[3]!).catch(() => undefined);
      if (i > 10 && answer !== undefined) answers.push(answer.seed);
    }
    expect(answers).toEqual([3, 3, 3, 3, 3]);
  });

  it("rejects an input that cannot be sent, and keeps its threads", async () => {
    const runner = made(workerPool(1));
    const bad = { ...inputs[0]!, extra: () => 1 };
    const first = runner.run(example.drawTask, inputs[1]!);
    const second = runner.run(example.drawTask, bad);
    const third = runner.run(example.drawTask, inputs[4]!);
    expect((await first).seed).toBe(1);
    await expect(second).rejects.toThrow("could not be cloned");
    expect((await third).seed).toBe(4);
  });

  it("rejects an answer that cannot be sent, and keeps its threads", async () => {
    const runner = made(workerPool(1));
    await expect(runner.run(example.unsendable, undefined)).rejects.toThrow("could not be cloned");
    await expect(runner.run(example.functionFailure, undefined)).rejects.toThrow("thrown function");
    expect((await runner.run(example.drawTask, inputs[4]!)).seed).toBe(4);
  });

  it("ends its threads when it is disposed, and rejects what had not ended", async () => {
    const runner = workerPool(1);
    const running = runner.run(example.waitTask, 20_000);
    const waiting = runner.run(example.drawTask, inputs[0]!);
    const both = Promise.allSettled([running, waiting]);
    // Long enough for the thread to be at work.
    await new Promise((resolve) => setTimeout(resolve, 700));
    const threads = (): number =>
      process.getActiveResourcesInfo().filter((resource) => resource === "MessagePort").length;
    expect(threads()).toBeGreaterThan(0);
    await runner.dispose();
    for (const result of await both)
      expect(result).toMatchObject({
        status: "rejected",
        reason: { message: expect.stringContaining("the pool was disposed") as string },
      });
    expect(threads()).toBe(0);
    await expect(runner.run(example.drawTask, inputs[0]!)).rejects.toThrow("the pool was disposed");
  });

  it("refuses a number of threads that is no positive integer", () => {
    expect(() => workerPool(0)).toThrow("a pool needs a positive number of threads, got 0");
    expect(() => workerPool(1.5)).toThrow("got 1.5");
  });
});

describe("the worker's entry", () => {
  // An installed package under /usr/src/app has /src/ in its URL and no TypeScript.
  it("serves compiled JavaScript in any folder, one named src among them", async () => {
    const folder = await mkdtemp(join(tmpdir(), "condense-worker-"));
    try {
      const tasks = join(folder, "src", "app", "dist", "tasks");
      await mkdir(tasks, { recursive: true });
      await cp(fileURLToPath(new URL("../../src/tasks/worker.mjs", import.meta.url)), join(tasks, "worker.mjs"));
      const text = `import { parentPort } from "node:worker_threads";
        export const serve = () => parentPort.postMessage("served");`;
      await writeFile(join(tasks, "serve.js"), text);
      await writeFile(join(folder, "package.json"), `{ "type": "module" }`);
      const worker = new Worker(join(tasks, "worker.mjs"), { execArgv: [] });
      const answer = await new Promise((resolve, reject) => {
        worker.once("message", resolve);
        worker.once("error", reject);
      });
      expect(answer).toBe("served");
      await worker.terminate();
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("serves the source in a folder that is not named src", async () => {
    const folder = await mkdtemp(join(tmpdir(), "condense-worker-"));
    try {
      const root = fileURLToPath(new URL("../..", import.meta.url));
      await cp(join(root, "src", "tasks"), join(folder, "lib", "tasks"), { recursive: true });
      await cp(join(root, "src", "errors.ts"), join(folder, "lib", "errors.ts"));
      await symlink(join(root, "node_modules"), join(folder, "node_modules"));
      await writeFile(join(folder, "package.json"), `{ "type": "module" }`);
      await writeFile(join(folder, "task.mjs"), "export const double = async (x) => 2 * x;\n");
      const worker = new Worker(join(folder, "lib", "tasks", "worker.mjs"), { execArgv: [] });
      const answer = await new Promise((resolve, reject) => {
        worker.once("message", resolve);
        worker.once("error", reject);
        worker.postMessage({
          module: new URL(`file://${folder}/task.mjs`).href,
          name: "double",
          input: 21,
          deadline: Number.POSITIVE_INFINITY,
          allowance: Number.POSITIVE_INFINITY,
          stopFlag: new Int32Array(new SharedArrayBuffer(4)),
        });
      });
      expect(answer).toEqual({ kind: "done", output: 42 });
      await worker.terminate();
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
