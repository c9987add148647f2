import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

/** Packages whose files a fresh Node process has loaded after running `code`. */
function packagesAfter(code: string): string[] {
  const list = `
    const { createRequire } = await import("node:module");
    const files = Object.keys(createRequire(import.meta.url).cache);
    const names = files.map((file) => /node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(file.replaceAll("\\\\", "/"))?.[1]);
    console.log(JSON.stringify([...new Set(names)].filter((name) => /onnxruntime|tensorflow/.test(name))));`;
  const script = ["--import", "tsx", "--input-type=module", "--eval", `${code}\n${list}`];
  const root = fileURLToPath(new URL("../..", import.meta.url));
  return JSON.parse(execFileSync(process.execPath, script, { cwd: root, encoding: "utf8" })) as string[];
}

describe("importing the engine room", () => {
  const room = `const { getEngine } = await import("./src/engine/index.ts");`;

  it("loads no engine", () => {
    expect(packagesAfter(room)).toEqual([]);
  });

  it("loads what an engine needs when it is used", () => {
    const packages = packagesAfter(`${room} await getEngine("tfjs").describe();`);
    expect(packages).toContain("@tensorflow/tfjs");
    expect(packages).not.toContain("onnxruntime-node");
  });
});
