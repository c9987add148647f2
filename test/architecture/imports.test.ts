import { describe, expect, it } from "vitest";
import { MAY_IMPORT, breaches, importsOf, rings, ringsOf, unlisted } from "./imports.ts";
import { readTexts } from "./texts.ts";

const sources = readTexts(["src", "cases", "notebooks", "bench"], [".ts", ".mjs"]);

describe("the project's sources", () => {
  it("are found at all", () => {
    expect([...sources.keys()]).toContain("src/errors.ts");
    expect([...sources.values()].every((text) => text.length > 0)).toBe(true);
  });

  it("import only what the table of rooms allows", () => {
    expect(breaches(sources)).toEqual([]);
  });

  it("import each other in no ring", () => {
    expect(rings(sources)).toEqual([]);
  });

  it("list every member of a family in its index", () => {
    expect(unlisted(sources)).toEqual([]);
  });
});

describe("the checker", () => {
  const of = (files: Record<string, string>): Map<string, string> => new Map(Object.entries(files));
  const breachesOf = (path: string, text: string): string[] => breaches(of({ [path]: text }));

  it("sees every way to import", () => {
    const text = `
      import a from "./a.ts";
      import type { B } from "./b.ts";
      import { type C } from "./c.ts";
      import "./d.ts";
      export { e } from "./e.ts";
      export type * from "./f.ts";
      const g = await import("./g.ts");
      type H = import("./h.ts").H;
      const i = require("./i.ts");
      const j = new Worker(new URL("./j.ts", import.meta.url));
      const k = new URL("./page.html", import.meta.url);
      const l = await import(name);
      // import m from "./m.ts";
      const n = 'import n from "./n.ts"';
      import o = require("./o.ts");
      const p = await import(built ? "./p.js" : "./p.ts");
    `;
    const seen = importsOf("src/x.ts", text).map(({ specifier, kind }) => `${kind} ${specifier ?? "?"}`);
    expect(seen).toEqual([
      "static ./a.ts",
      "type ./b.ts",
      "static ./c.ts",
      "static ./d.ts",
      "static ./e.ts",
      "type ./f.ts",
      "dynamic ./g.ts",
      "type ./h.ts",
      "dynamic ./i.ts",
      "reference ./j.ts",
      "dynamic ?",
      "static ./o.ts",
      "dynamic ./p.js",
      "dynamic ./p.ts",
    ]);
  });

  it("names file, line, rooms and specifier of a breach", () => {
    expect(breachesOf("src/hardware/fpga.ts", `\nimport type { Fit } from "../train/loop.ts";`)).toEqual([
      "src/hardware/fpga.ts:2: hardware may not import train (../train/loop.ts)",
    ]);
  });

  it.each([
    ["src/space/encoding.ts", `export * from "../train/index.ts"`, "space may not import train"],
    ["src/data/split.ts", `import { x } from "../graph/index.ts"`, "data may not import graph"],
    ["src/graph/node.ts", `type E = import("../engine/engine.ts").Engine`, "graph may not import engine"],
    ["src/emulator/file.ts", `await import("../train/loop.ts")`, "emulator may not import train"],
    ["src/train/loop.ts", `new URL("../cli/main.ts", import.meta.url)`, "train may not import cli"],
    ["src/graph/node.ts", `import { fit } from "../index.ts"`, "graph may not import index.ts"],
    ["src/graph/node.ts", `import { c } from "../../cases/index.ts"`, "graph may not import cases"],
    ["src/fit.ts", `import { main } from "./cli/main.ts"`, "fit.ts may not import cli"],
    ["src/query.ts", `import { fit } from "./fit.ts"`, "query.ts may not import fit.ts"],
    ["src/index.ts", `export { main } from "./cli/main.ts"`, "index.ts may not import cli"],
    ["src/cli/fit.ts", `import { fit } from "../fit.ts"`, "cli may not import fit.ts"],
    ["src/cli/fit.ts", `import { DataError } from "../errors.ts"`, "cli may not import errors"],
    ["cases/halo/index.ts", `import { x } from "../../src/graph/index.ts"`, "cases may not import graph"],
    ["notebooks/a.ts", `import { x } from "../src/rng.ts"`, "notebooks may not import rng"],
    ["bench/step.ts", `import { x } from "../src/cli/main.ts"`, "bench may not import cli"],
    ["src/errors.ts", `import { x } from "./rng.ts"`, "errors may not import rng"],
    ["src/rng.ts", `import { x } from "fflate"`, "rng.ts imports nothing, but it imports fflate"],
    ["src/graph/node.ts", `import { x } from "../../test/support/browser.ts"`, "is outside the rooms"],
    ["src/utils/a.ts", `import { x } from "../graph/index.ts"`, `"utils" is not in the table of rooms`],
    ["src/graph/node.ts", `await import(name)`, "computed import"],
  ])("refuses in %s: %s", (path, text, message) => {
    expect(breachesOf(path, text)).toEqual([expect.stringContaining(message)]);
  });

  it.each([
    ["src/graph/node.ts", `import { ShapeError } from "../errors.ts"; import { a } from "./onnx/read.ts";`],
    ["src/search/loop.ts", `import { a } from "../space/index.ts"; import { b } from "../hardware/index.ts";`],
    [
      "src/fit.ts",
      `import { a } from "./search/index.ts"; import { b } from "./rng.ts"; import { c } from "./query.ts";`,
    ],
    ["src/cli/main.ts", `import { fit } from "../index.ts"; import { a } from "./fit.ts"; import "node:fs";`],
    ["cases/halo/index.ts", `import { a } from "../../src/index.ts"; import { b } from "../sampling.ts";`],
    ["src/data/readers/npz.ts", `import { unzipSync } from "fflate";`],
  ])("lets pass in %s: %s", (path, text) => {
    expect(breachesOf(path, text)).toEqual([]);
  });

  it("has no ring in the table of rooms itself", () => {
    expect(ringsOf(new Map(Object.entries(MAY_IMPORT)))).toEqual([]);
  });

  it("finds a ring once, through type-only imports too, and none where two files share a third", () => {
    const ring = of({
      "src/a/x.ts": `import type { Y } from "./y.ts"; import "./z.ts";`,
      "src/a/y.ts": `export { z } from "./z.ts";`,
      "src/a/z.ts": `import "./x.ts";`,
    });
    expect(rings(ring)).toEqual(["src/a/x.ts -> src/a/y.ts -> src/a/z.ts -> src/a/x.ts"]);
    const diamond = of({
      "src/a/x.ts": `import "./y.ts"; import "./z.ts";`,
      "src/a/y.ts": `import "./z.ts";`,
      "src/a/z.ts": ``,
    });
    expect(rings(diamond)).toEqual([]);
    expect(rings(of({ "src/a/x.ts": `import "./x.ts";` }))).toEqual(["src/a/x.ts -> src/a/x.ts"]);
  });

  it("does not call a worker that imports its starter a ring", () => {
    const pool = {
      "src/a/pool.ts": `new URL("./worker.ts", import.meta.url)`,
      "src/a/worker.ts": `import "./pool.ts"`,
    };
    expect(rings(of(pool))).toEqual([]);
  });

  it("names members that their family does not list, and families without a list", () => {
    const files = {
      "src/data/readers/csv.ts": ``,
      "src/data/readers/npz.ts": ``,
      "src/data/readers/index.ts": `import { csv } from "./csv.ts";`,
      "src/search/strategies/dense.ts": ``,
      "src/search/strategies/random.ts": ``,
      "src/search/index.ts": `export * from "./strategies/dense.ts";`,
      "src/hardware/targets/cpu.ts": ``,
      "cases/halo/index.ts": ``,
      "cases/index.ts": ``,
    };
    expect(unlisted(of(files))).toEqual([
      "src/data/readers/npz.ts: not listed in src/data/readers/index.ts",
      "src/search/strategies/random.ts: not listed in src/search/index.ts",
      "src/hardware/targets/cpu.ts: its family has no list (expected src/hardware/index.ts)",
      "cases/halo/index.ts: not listed in cases/index.ts",
    ]);
  });
});
