import { readFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium, type Browser } from "playwright-core";

/**
 * A real browser for tests: finds Chromium, serves files on localhost, and runs ONNX models in onnxruntime-web. Where
 * there is no Chromium, tests skip with {@link NO_BROWSER} in their name:
 * `describe.skipIf(chromiumPath() === undefined)(...)`.
 */

export const NO_BROWSER = "needs Chromium: install it, or set CHROMIUM to its path";

/** Path of Chromium: the variable CHROMIUM, or where Debian puts it. Undefined where there is none. */
export function chromiumPath(): string | undefined {
  const named = process.env.CHROMIUM;
  if (named !== undefined && named !== "") {
    if (!existsSync(named)) throw new Error(`CHROMIUM names ${named}, which is not there`);
    return named;
  }
  return ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find((path) => existsSync(path));
}

/** A headless Chromium with a fresh profile, which talks to nobody but the pages it opens. Close it when done. */
export async function openBrowser(): Promise<Browser> {
  const executablePath = chromiumPath();
  if (executablePath === undefined) throw new Error(NO_BROWSER);
  return chromium.launch({
    executablePath,
    headless: true,
    chromiumSandbox: false,
    args: [
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
  ".wasm": "application/wasm",
  ".png": "image/png",
};

export interface Server {
  /** Such as "http://127.0.0.1:40123", without a slash at the end. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves files on a free port of localhost.
 * @param content by path: bytes or text under "/page.html", or a folder's absolute path under "/lib/"
 */
export async function serve(content: Readonly<Record<string, string | Uint8Array>>): Promise<Server> {
  const read = async (path: string): Promise<string | Uint8Array | undefined> => {
    if (content[path] !== undefined && !path.endsWith("/")) return content[path];
    const prefix = Object.keys(content).find((key) => key.endsWith("/") && path.startsWith(key));
    if (prefix === undefined) return undefined;
    return readFile(join(content[prefix] as string, path.slice(prefix.length))).catch(() => undefined);
  };
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname));
    void read(path).then((body) => {
      response.writeHead(body === undefined ? 404 : 200, {
        "content-type": TYPES[extname(path)] ?? "application/octet-stream",
      });
      response.end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A tensor as plain data, to cross into the page and back. Integers of 64 bits are not provided for. */
export interface PlainTensor {
  readonly type: "float32" | "float64" | "int32" | "bool" | "uint8";
  readonly dims: readonly number[];
  readonly data: readonly number[];
}

const RUN_PAGE = `<!doctype html><meta charset="utf-8"><title>onnxruntime-web</title><script type="module">
import * as ort from "/ort/ort.wasm.min.mjs";
ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmPaths = "/ort/";
const ARRAYS = { float32: Float32Array, float64: Float64Array, int32: Int32Array, bool: Uint8Array, uint8: Uint8Array };
window.runModel = async (feeds) => {
  const session = await ort.InferenceSession.create("/model.onnx", { executionProviders: ["wasm"] });
  const tensor = ({ type, dims, data }) => new ort.Tensor(type, ARRAYS[type].from(data), dims);
  const inputs = Object.fromEntries(Object.entries(feeds).map(([name, t]) => [name, tensor(t)]));
  const outputs = await session.run(inputs);
  const plain = (t) => ({ type: t.type, dims: [...t.dims], data: Array.from(t.data, Number) });
  return Object.fromEntries(Object.entries(outputs).map(([name, t]) => [name, plain(t)]));
};
</script>`;

/**
 * Runs an ONNX model once in onnxruntime-web (WebAssembly, one thread) in Chromium: its outputs by name.
 * @param browser an open one, to save the second that starting one takes; by default opened and closed here
 */
export async function runInBrowser(
  modelBytes: Uint8Array,
  feeds: Readonly<Record<string, PlainTensor>>,
  browser?: Browser,
): Promise<Record<string, PlainTensor>> {
  const ort = fileURLToPath(new URL(".", import.meta.resolve("onnxruntime-web")));
  const server = await serve({ "/ort/": ort, "/run.html": RUN_PAGE, "/model.onnx": modelBytes });
  const opened = browser ?? (await openBrowser());
  try {
    const page = await opened.newPage();
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    await page.goto(`${server.url}/run.html`);
    try {
      await page.waitForFunction("window.runModel", undefined, { timeout: 20_000 });
      const run = (given: typeof feeds): Promise<Record<string, PlainTensor>> =>
        (window as unknown as { runModel: (f: typeof feeds) => Promise<Record<string, PlainTensor>> }).runModel(given);
      return await page.evaluate(run, feeds);
    } catch (error) {
      throw new Error(["onnxruntime-web failed in the browser", ...complaints].join("\n"), { cause: error });
    } finally {
      await page.close();
    }
  } finally {
    if (browser === undefined) await opened.close();
    await server.close();
  }
}
