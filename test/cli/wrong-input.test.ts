/** What a user can get wrong: exit code 2, one line that says what, where and how to mend it, and nothing lost. */
import { mkdir, readFile, readdir } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fit } from "../../src/index.ts";
import { csvOf, makeFolder, type Ran, run, smoothRows, tinySpace } from "./support.ts";

let folder: Awaited<ReturnType<typeof makeFolder>>;
let runs: string;
let emulator: string;

beforeAll(async () => {
  folder = await makeFolder();
  runs = await folder.write("runs.csv", csvOf(smoothRows(24)));
  const { bytes } = await fit(smoothRows(24), { outputs: ["y", "z"], members: 2, effort: "quick", space: tinySpace });
  emulator = await folder.write("emulator.onnx", bytes);
});
afterAll(() => folder.remove());

/** Exit code 2, nothing on standard output, and one line on standard error with all `parts`. */
function expectRefusal(ran: Ran, ...parts: readonly (string | RegExp)[]): void {
  expect(ran.err).not.toMatch(/\n {4}at |internal:/);
  expect(ran.messages).toHaveLength(1);
  for (const part of parts) expect(ran.messages[0]).toMatch(part);
  expect(ran.messages[0]).toMatch(/^condense: \S/);
  expect(ran.out).toBe("");
  expect(ran.code).toBe(2);
}

const quick = ["--members", "2", "--effort", "quick"];
const fitIt = (table: string, ...more: readonly string[]): Promise<Ran> =>
  run(["fit", table, "--out", folder.at("never.onnx"), ...quick, ...more]);

describe("fit refuses", () => {
  test("a file that is not there", async () => {
    expectRefusal(await fitIt(folder.at("nope.csv"), "--outputs", "y"), "nope.csv: no such file", /Check the path/);
  });

  test("a folder", async () => {
    expectRefusal(await fitIt(folder.path, "--outputs", "y"), folder.path, /is a folder\. Name a file/);
  });

  test.each([
    ["nothing at all", "", /empty|no runs|no header/i],
    ["a header alone", "a,b,y\n", /no runs|no rows/i],
  ])("a table of %s", async (_, text, message) => {
    const path = await folder.write("empty.csv", text);
    expectRefusal(await fitIt(path, "--outputs", "y"), "empty.csv", message);
  });

  test("a column that is not there, naming those that are", async () => {
    expectRefusal(
      await fitIt(runs, "--outputs", "yy"),
      'runs.csv: no column "yy"',
      /found: a, b, y, z|Did you mean "y"/,
    );
    expectRefusal(await fitIt(runs, "--outputs", "y", "--inputs", "q*"), 'no column matches "q*"', "a, b, y, z");
  });

  test("no choice of columns in one table", async () => {
    expectRefusal(await fitIt(runs), "runs.csv", "--inputs or --outputs", "a, b, y, z");
  });

  test("text among the numbers of a column, with its row and column", async () => {
    const rows: object[] = smoothRows(24).map((row, i) => (i === 6 ? { ...row, y: "oops" } : row));
    const path = await folder.write("text.csv", csvOf(rows));
    expectRefusal(await fitIt(path, "--outputs", "y,z"), "text.csv", "row 7", '"y"', '"oops"');
    const inputs: object[] = smoothRows(24).map((row, i) => (i === 6 ? { ...row, a: "1,5" } : row));
    const second = await folder.write("comma.csv", csvOf(inputs).replace("1,5", '"1,5"'));
    expectRefusal(await fitIt(second, "--outputs", "y,z"), "comma.csv", "row 7", '"a"', "1,5");
  });

  test("one run", async () => {
    const path = await folder.write("one.csv", csvOf(smoothRows(1)));
    expectRefusal(await fitIt(path, "--outputs", "y,z"), "one.csv", "one usable run only", "50 or more");
  });

  test("outputs, or inputs, that never change", async () => {
    const path = await folder.write("flat.csv", csvOf(smoothRows(24).map((row) => ({ ...row, y: 3 }))));
    expectRefusal(
      await fitIt(path, "--inputs", "a,b", "--outputs", "y"),
      "flat.csv",
      "every output has the same value",
    );
    const other = await folder.write("still.csv", csvOf(smoothRows(24).map((row) => ({ ...row, a: 3 }))));
    expectRefusal(await fitIt(other, "--inputs", "a", "--outputs", "y"), "still.csv", "every input has the same value");
  });

  test("NaN everywhere", async () => {
    const path = await folder.write("nan.csv", csvOf(smoothRows(24).map((row) => ({ ...row, y: Number.NaN }))));
    expectRefusal(await fitIt(path, "--outputs", "y"), "nan.csv", '"y" has no value in any of the 24 rows');
    const each = smoothRows(24).map((row, i) => (i % 2 === 0 ? { ...row, y: Number.NaN } : { ...row, z: Number.NaN }));
    const all = await folder.write("holes.csv", csvOf(each));
    expectRefusal(await fitIt(all, "--outputs", "y,z"), "holes.csv", "no row is complete");
  });

  test("tables of unequal length", async () => {
    const inputs = await folder.write("in.csv", csvOf(smoothRows(24).map(({ a, b }) => ({ a, b }))));
    const outputs = await folder.write("out.csv", csvOf(smoothRows(23).map(({ y }) => ({ y }))));
    expectRefusal(await fitIt(inputs, outputs), "in.csv has 24 rows", "out.csv has 23", "paired by row");
  });

  test("a field whose shape does not fit, or that is not understood", async () => {
    expectRefusal(await fitIt(runs, "--inputs", "a,b", "--field", "map=?:2x3"), "runs.csv", '"map"', "6 columns");
    expectRefusal(await fitIt(runs, "--inputs", "a,b", "--field", "map"), "--field map", "name=glob:shape");
  });

  test("a schema file that is not there or not JSON", async () => {
    expectRefusal(await fitIt(runs, "--schema", folder.at("nope.json")), "nope.json", "no such schema file");
    const path = await folder.write("bad.json", "{ inputs: ");
    expectRefusal(await fitIt(runs, "--schema", path), "bad.json", /JSON/);
  });

  test("files of other kinds", async () => {
    const hdf5 = await folder.write(
      "runs.h5",
      Uint8Array.from([0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0]),
    );
    expectRefusal(await fitIt(hdf5, "--outputs", "y"), "runs.h5", "HDF5", /Save it as/);
    const parquet = await folder.write("cut.parquet", "PAR1....");
    expectRefusal(await fitIt(parquet, "--outputs", "y"), "cut.parquet");
  });

  test.each([
    ["--strategy", "dens", "dense, random"],
    ["--engine", "torch", "onnxruntime, tfjs"],
    ["--effort", "none", "quick, standard, thorough"],
    ["--loss", "l1", "mse"],
    ["--ensemble", "bagged", "trained, supernet"],
  ])("%s %s, naming the choices", async (option, value, choices) => {
    expectRefusal(await fitIt(runs, "--outputs", "y,z", option, value), `${option} ${value}: unknown`, choices);
  });

  test.each([
    ["--time", "30", /--time 30: .*30s, 5m or 1h/],
    ["--time", "0s", /--time 0s: /],
    ["--time", "-5m", /--time -5m: /],
    ["--time", "soon", /--time soon: /],
    ["--seed", "1.5", /--seed 1\.5: .*whole/],
    ["--members", "1", /--members 1: .*2/],
    ["--members", "many", /--members many: /],
    ["--level", "95", /--level 95: .*0\.95/],
    ["--hold-out", "1", /--hold-out 1: /],
    ["--threads", "0", /--threads 0: /],
    ["--max-macs", "0", /--max-macs 0: /],
  ])("%s %s", async (option, value, message) => {
    expectRefusal(await fitIt(runs, "--outputs", "y,z", option, value), message);
  });

  test("a limit that no network meets, saying the least there is", async () => {
    const path = await folder.write("last-week.onnx", "an emulator of last week");
    const ran = await run(["fit", runs, "--outputs", "y,z", "--max-macs", "3", ...quick, "--out", path]);
    expect(await readFile(path, "utf8")).toBe("an emulator of last week"); // late as the refusal is
    expect(ran.code).toBe(2);
    expect(ran.messages.at(-1)).toMatch(/^condense: .*3.*\d{2,}/);
  });

  test("an unwritable --out, before any work and before the runs are read", async () => {
    const began = performance.now();
    const ran = await run(["fit", folder.at("nope.csv"), "--outputs", "y", "--out", folder.at("no/where.onnx")]);
    expectRefusal(ran, "where.onnx: cannot be written", "no");
    expect(performance.now() - began).toBeLessThan(2000);
    await mkdir(folder.at("taken.onnx"));
    expectRefusal(await run(["fit", runs, "--outputs", "y", "--out", folder.at("taken.onnx")]), "taken.onnx", "folder");
  });

  test("a checkpoint of another fit, and leaves it alone", async () => {
    const out = folder.at("resumed.onnx");
    const base = ["fit", runs, "--outputs", "y,z", "--out", out, ...quick, "--ensemble", "supernet", "--threads", "1"];
    await mkdir(`${out}.checkpoint`);
    const { serialize } = await import("node:v8");
    await folder.write("resumed.onnx.checkpoint/fit.bin", serialize("a fit of long ago"));
    const ran = await run([...base, "--resume"]);
    expect(ran.code).toBe(2);
    expect(ran.messages.at(-1)).toMatch(/checkpoint is of another fit.*leave --resume out/);
    expect(await readdir(`${out}.checkpoint`)).toEqual(["fit.bin"]);
  });

  test("and what stood at --out stays", async () => {
    const path = await folder.write("precious.onnx", "an emulator of last week");
    for (const bad of [
      ["fit", folder.at("nope.csv"), "--outputs", "y"],
      ["fit", runs, "--outputs", "yy"],
      ["fit", runs, "--outputs", "y,z", "--strategy", "dens"],
    ])
      expect((await run([...bad, "--out", path])).code).toBe(2);
    expect(await readFile(path, "utf8")).toBe("an emulator of last week");
    expect((await readdir(folder.path)).filter((name) => name.endsWith(".part"))).toEqual([]);
  });
});

describe("an emulator file that is none", () => {
  const commands = (path: string): readonly (readonly string[])[] => [
    ["query", path, "--at", "a=0.5,b=2"],
    ["query", path, runs],
    ["inspect", path],
    ["validate", path, runs],
  ];

  test("that is not there", async () => {
    for (const argv of commands(folder.at("nope.onnx")))
      expectRefusal(await run(argv), "nope.onnx: no such file", "condense fit");
  });

  test("that is cut off anywhere", async () => {
    const bytes = await readFile(emulator);
    for (const share of [0.1, 0.5, 0.99]) {
      const path = await folder.write("cut.onnx", bytes.subarray(0, Math.floor(share * bytes.length)));
      for (const argv of commands(path)) expectRefusal(await run(argv), "cut.onnx");
    }
  });

  test("that is empty, text, or an ONNX file of another program", async () => {
    const other = await run(["inspect", await folder.write("empty.onnx", "")]);
    expectRefusal(other, "empty.onnx");
    for (const argv of commands(await folder.write("text.onnx", csvOf(smoothRows(5)))))
      expectRefusal(await run(argv), "text.onnx");
    const { graphBuilder, writeOnnx } = await import("../../src/index.ts");
    const b = graphBuilder();
    const x = b.input("x", ["N", 2]);
    const foreign = await folder.write("foreign.onnx", writeOnnx(b.build({ y: b.unary("Tanh", x) }), {}));
    for (const argv of commands(foreign)) expectRefusal(await run(argv), "foreign.onnx", /condense fit|Condense/);
  });
});

describe("query refuses", () => {
  test.each([
    ["a=0.5", /"b"/],
    ["a=0.5,b=2,c=3", /no input "c".*a, b/],
    ["a=0.5;b=2", /--at a=0\.5;b=2|"b"|number/],
    ["a=,b=2", /--at a=: .*name=value/],
    ["a", /--at a: .*name=value/],
    ["a=hot,b=2", /"hot"/],
    ["a=0.5,a=0.6,b=2", /"a".*twice|twice.*a/],
    ["", /--at/],
  ])("--at %s", async (at, message) => {
    expectRefusal(await run(["query", emulator, "--at", at]), message);
  });

  test.each(["0", "1", "95", "wide"])("--interval %s", async (value) => {
    expectRefusal(
      await run(["query", emulator, "--at", "a=0.5,b=2", "--interval", value]),
      `--interval ${value}`,
      "0.9",
    );
  });

  test("a point out of range, when asked to, with its row, range and remedy", async () => {
    const points = await folder.write("points.csv", "a,b\n0.5,2\n0.5,9\n");
    const ran = await run(["query", emulator, points, "--out-of-range", "error", "--out", folder.at("p.csv")]);
    expectRefusal(ran, "points.csv: row 2, b = 9, range 1", "--out-of-range warn or clip");
    expectRefusal(await run(["query", emulator, "--at", "a=7,b=2", "--out-of-range", "error"]), "a = 7");
    expect(await readdir(folder.path)).not.toContain("p.csv");
  });

  test("unknown choices", async () => {
    expectRefusal(await run(["query", emulator, runs, "--out-of-range", "ignore"]), "warn, error, clip");
    expectRefusal(await run(["query", emulator, runs, "--engine", "torch"]), "onnxruntime, tfjs");
  });

  test("points without an input, or with words in one", async () => {
    const lacking = await folder.write("lacking.csv", "a,c\n0.5,2\n");
    expectRefusal(await run(["query", emulator, lacking]), "lacking.csv", '"b"', "a, c");
    const words = await folder.write("words.csv", "a,b\n0.5,2\n0.5,two\n");
    expectRefusal(await run(["query", emulator, words]), "words.csv", "row 2", '"b"', '"two"');
  });

  test("no points, both kinds of points, an empty stream", async () => {
    expectRefusal(await run(["query", emulator]), "no points", "--at");
    expectRefusal(await run(["query", emulator, runs, "--at", "a=1,b=2"]), "--at", "exclude");
    expectRefusal(await run(["query", emulator], {}, ""), "stdin");
  });

  test("an unwritable or unknown --out, and leaves an old one alone when points fail", async () => {
    expectRefusal(await run(["query", emulator, runs, "--out", folder.at("no/p.csv")]), "p.csv: cannot be written");
    expectRefusal(await run(["query", emulator, runs, "--out", folder.at("p.xlsx")]), "p.xlsx", ".csv");
    const old = await folder.write("old.csv", "kept");
    const words = await folder.write("words.csv", "a,b\n0.5,2\n0.5,two\n");
    expect((await run(["query", emulator, words, "--out", old])).code).toBe(2);
    expect(await readFile(old, "utf8")).toBe("kept");
  });
});

describe("validate refuses", () => {
  test("runs without the outputs, or the inputs", async () => {
    const path = await folder.write("no-z.csv", csvOf(smoothRows(9).map(({ a, b, y }) => ({ a, b, y }))));
    expectRefusal(await run(["validate", emulator, path]), "no-z.csv", 'no column "z"');
    const other = await folder.write("no-a.csv", csvOf(smoothRows(9).map(({ b, y, z }) => ({ b, y, z }))));
    expectRefusal(await run(["validate", emulator, other]), "no-a.csv", 'no column "a"');
  });

  test("gates that are no numbers", async () => {
    expectRefusal(await run(["validate", emulator, runs, "--min-coverage", "95"]), "--min-coverage 95");
    expectRefusal(await run(["validate", emulator, runs, "--max-fvu", "x"]), "--max-fvu x");
  });

  test("words among the outputs, and runs that all lack a value", async () => {
    const words = await folder.write("w.csv", csvOf(smoothRows(9).map((row) => ({ ...row, y: "high" }))));
    expectRefusal(await run(["validate", emulator, words]), "w.csv", '"y"');
    const holes = await folder.write("h.csv", csvOf(smoothRows(9).map((row) => ({ ...row, y: Number.NaN }))));
    expectRefusal(await run(["validate", emulator, holes]), "h.csv", "no complete run");
  });
});

describe("the command line refuses", () => {
  test.each([
    [["bogus"], /unknown command 'bogus'/],
    [["quer", "x"], /unknown command 'quer'.*query/],
    [["fit", "x.csv", "--ouputs", "y"], /unknown option '--ouputs'.*--outputs/],
    [["fit", "x.csv", "--seed"], /'--seed <n>' argument missing/],
    [["query"], /missing required argument 'emulator'/],
    [["inspect", "a", "b"], /too many arguments/],
  ])("%j", async (argv, message) => {
    expectRefusal(await run(argv), message);
  });

  test("nothing at all with its help", async () => {
    const ran = await run([]);
    expect(ran.code).toBe(2);
    expect(ran.err).toMatch(/Usage: condense/);
  });

  test("but help and version are no mistakes", async () => {
    expect(await run(["--version"])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as string,
    });
    for (const command of ["fit", "query", "inspect", "validate"])
      expect(await run([command, "--help"])).toMatchObject({ code: 0, err: "" });
  });
});
