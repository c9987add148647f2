/** What query, inspect and validate print for people and for programs; what starting up loads. */
import { readdir } from "node:fs/promises";
import { posix } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { InternalError, query } from "../../src/index.ts";
import { main } from "../../src/cli/main.ts";
import { realFiles } from "../../src/cli/world.ts";
import { importsOf } from "../architecture/imports.ts";
import { readTexts } from "../architecture/texts.ts";
import { sampleBytes, sampleInfo } from "../support/sample-emulator.ts";
import { makeFolder, run } from "./support.ts";

let folder: Awaited<ReturnType<typeof makeFolder>>;
let emulator: string;
const at = { huge: 1e20, decades: 2, material: "Cu", shell: 4, small: 1e-13 };
const atText = Object.entries(at)
  .map(([name, value]) => `${name}=${value}`)
  .join(",");
const head = "huge,decades,material,shell,small";

beforeAll(async () => {
  folder = await makeFolder();
  emulator = await folder.write("sample.onnx", sampleBytes);
});
afterAll(() => folder.remove());

describe("query", () => {
  test("--at prints every output with mean, std, noise and interval, and the elements of fields", async () => {
    const ran = await run(["query", emulator, "--at", atText]);
    expect(ran).toMatchObject({ code: 0, err: "" });
    const lines = ran.out.trimEnd().split("\n");
    expect(lines[0]).toMatch(/^ {2}output +unit +mean +std +noise +interval +90 %$/);
    expect(lines.slice(1).map((line) => line.trim().split(/\s+/)[0])).toEqual([
      "energy",
      ...[0, 1, 2, 3, 4, 5].map((i) => `signal[${i}]`),
      "flux",
      ...[0, 1].flatMap((i) => [0, 1, 2, 3, 4].map((j) => `pair[${i},${j}]`)),
    ]);
    const table = await query(emulator, { at });
    const mean = Number(table.columns.find(({ name }) => name === "energy_mean")?.values[0]);
    expect(lines[1]).toContain(mean.toExponential(5).replace("e+", "e"));
    expect(new Set(lines.map((line) => line.length)).size).toBeLessThanOrEqual(2); // columns are aligned
  });

  test("--interval sets the level that is printed", async () => {
    const ran = await run(["query", emulator, "--at", atText, "--interval", "0.5"]);
    expect(ran.out).toMatch(/interval +50 %\n/);
  });

  test("--json prints one document with level, units and nested fields", async () => {
    const ran = await run(["query", emulator, "--at", atText, "--json", "--interval", "0.99"]);
    const { level, units, rows } = JSON.parse(ran.out) as {
      readonly level: number;
      readonly units: object;
      readonly rows: readonly Record<string, unknown>[];
    };
    expect([level, units]).toEqual([0.99, {}]);
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ ...at, in_domain: 1 });
    expect(rows[0]!.pair_mean).toHaveLength(2);
  });

  test("rows from a pipe come out as CSV with one header, in batches, and warnings once", async () => {
    const text = `${head}\n${"1e20,2,Cu,4,0\n".repeat(5000)}1e20,2,Cu,40,0\n`;
    const pieces: string[] = [];
    const ran = await run(["query", emulator], { out: (piece) => void pieces.push(piece) }, text);
    expect(ran.code, ran.err).toBe(0);
    expect(pieces).toHaveLength(2);
    const lines = pieces.join("").trimEnd().split("\n");
    expect(lines).toHaveLength(5002);
    expect(lines[0]).toMatch(/^huge,decades,material,shell,small,energy_mean,.*,in_domain$/);
    expect(lines.filter((line) => line.includes("energy"))).toHaveLength(1);
    expect(lines.slice(1).map((line) => line.at(-1))).toEqual([...new Array<string>(5000).fill("1"), "0"]);
    expect(ran.messages).toEqual([
      expect.stringMatching(/^warning: stdin: 1 of 5001 rows outside .*row 5001, shell = 40/),
    ]);
  });

  test("waits for a slow reader before it goes on", async () => {
    const text = `${head}\n${"1e20,2,Cu,4,0\n".repeat(9000)}`;
    let open = 0;
    let most = 0;
    let wait = 1000; // the first piece takes long, longer than the next one is made
    const out = async (): Promise<void> => {
      most = Math.max(most, ++open);
      await new Promise((resolve) => setTimeout(resolve, wait));
      wait = 0;
      open--;
    };
    expect((await run(["query", emulator], { out }, text)).code).toBe(0);
    expect(most).toBe(1);
  });

  test("Ctrl-C while a file is written leaves nothing of it", async () => {
    const points = await folder.write("points.csv", `${head}\n${"1e20,2,Cu,4,0\n".repeat(9000)}`);
    const exits: number[] = [];
    const world = {
      onInterrupt(listener: () => void) {
        setTimeout(listener, 0);
        return () => {};
      },
      exit: (code: number) => exits.push(code), // a real process ends there
    };
    await run(["query", emulator, points, "--out", folder.at("cut.csv")], world);
    await expect.poll(() => exits).toEqual([130]);
    expect((await readdir(folder.path)).filter((name) => name.includes("cut.csv"))).toEqual([]);
  });
});

test("inspect says schema, units, ranges, data, search, architectures and scores", async () => {
  const ran = await run(["inspect", emulator]);
  expect(ran).toMatchObject({ code: 0, err: "" });
  for (const part of [
    /sample\.onnx: an emulator of 1 networks \(format 1, made by condense 0\.1\.0\)/,
    / {2}decades +real +0\.001 to 1000, as its logarithm/,
    / {2}material +categorical +Al \| Cu \| Fe/,
    / {2}fixed +real +always 1/,
    / {2}pair +2 x 5, fourth-root +0\.04 +4\n/,
    /Intervals hold 90 % of new runs/,
    /Data: 200 of 201 runs, sha256 ab12\n {2}1 row left out as exact copies of others\./,
    /Fit: quick effort, seed 7, mse loss, 4 folds/,
    /Search: dense, 5 slots, 34 architectures tried in 12 steps, 1\.3 bits a slot undecided\n {2}Kasim et al\. 2021/,
    / {2}trunk: width 8, 0-1 silu; field1: decoder linear; 120 weights/,
  ])
    expect(ran.out).toMatch(part);
  const json = await run(["inspect", emulator, "--json"]);
  expect(JSON.parse(json.out)).toEqual(JSON.parse(JSON.stringify(sampleInfo)));
});

describe("errors", () => {
  const broken = (error: Error, env: Record<string, string> = {}) => {
    let err = "";
    const world = {
      files: { ...realFiles, checkWritable: () => Promise.reject(error) },
      out: () => {},
      err: (text: string) => (err += text),
      isTerminal: false,
      columns: 80,
      isPiped: false,
      stdin: {} as AsyncIterable<Uint8Array>,
      now: Date.now,
      cores: 1,
      env,
      onInterrupt: () => () => {},
      exit: () => {},
    };
    return main(["fit", "x.csv", "--outputs", "y"], world).then((code) => ({ code, err }));
  };

  test("of ours exit with 1, ask for a report, and show their stack only with CONDENSE_DEBUG=1", async () => {
    expect(await broken(new InternalError("the moon is gone"))).toEqual({
      code: 1,
      err: "condense: internal: the moon is gone. Please report this with the command you ran.\n",
    });
    expect(await broken(new TypeError("x is undefined"))).toEqual({
      code: 1,
      err: "condense: internal: x is undefined. Please report this with the command you ran.\n",
    });
    const { code, err } = await broken(new TypeError("x is undefined"), { CONDENSE_DEBUG: "1" });
    expect(code).toBe(1);
    expect(err).toMatch(/TypeError: x is undefined\n +at /);
  });
});

describe("starting up", () => {
  const sources = readTexts(["src"], [".ts"]);

  /** Everything that a file loads before its first line runs. */
  function loaded(path: string, seen = new Set<string>()): Set<string> {
    if (seen.has(path)) return seen;
    seen.add(path);
    for (const { specifier = "", kind } of importsOf(path, sources.get(path) ?? "")) {
      if (kind !== "static") continue;
      if (specifier.startsWith(".")) loaded(posix.join(posix.dirname(path), specifier), seen);
      else seen.add(specifier);
    }
    return seen;
  }

  test("loads nothing but the parser: version and help do not wait for the library", () => {
    expect([...loaded("src/cli/main.ts")].sort()).toEqual([
      "commander",
      "node:fs/promises",
      "node:os",
      "src/cli/commands/index.ts",
      "src/cli/main.ts",
      "src/cli/world.ts",
      "src/version.ts",
    ]);
  });

  test("the library itself loads no engine", () => {
    const packages = [...loaded("src/index.ts")].filter(
      (name) => !name.startsWith("src/") && !name.startsWith("node:"),
    );
    expect(packages).toContain("apache-arrow");
    expect(packages.filter((name) => /onnxruntime|tensorflow|plotly/.test(name))).toEqual([]);
  });

  test("help lists the commands, and each one's own help its options", async () => {
    const all = await run(["--help"]);
    expect(all.code).toBe(0);
    for (const line of [
      /fit +make an emulator/,
      /query +predict/,
      /inspect +say what/,
      /validate +score an/,
      /Examples:\n {2}condense fit/,
    ])
      expect(all.out).toMatch(line);
    const one = await run(["help", "fit"]);
    expect(one).toMatchObject({ code: 0, err: "" });
    expect(one.out).toMatch(/Usage: condense fit \[options\] <runs> \[outputs\]/);
    expect(one.out).toMatch(/Strategies:\n {2}dense +\S/);
    expect(one.out).toMatch(/--target.*\n(.*\n)*.*--budget/);
    expect((await run(["fit", "--help"])).out).toBe(one.out);
  });
});
