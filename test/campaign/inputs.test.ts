import { describe, expect, it } from "vitest";
import { designPoints, parseInputs, tablePoints } from "../../src/campaign/index.ts";
import { tableFrom } from "../../src/data/index.ts";

describe("parseInputs()", () => {
  it("reads limits, units, log, whole numbers, choices and single values", () => {
    expect(parseInputs("te[eV]=200:2e3:log, n = 1:10:int,kind=a|b c,order=1|2|4,fixed=7,steps=1:1000:int:log")).toEqual(
      [
        { name: "te", unit: "eV", kind: "real", low: 200, high: 2000, scale: "log" },
        { name: "n", kind: "integer", low: 1, high: 10, scale: "linear" },
        { name: "kind", kind: "choice", values: ["a", "b c"] },
        { name: "order", kind: "choice", values: [1, 2, 4] },
        { name: "fixed", kind: "choice", values: [7] },
        { name: "steps", kind: "integer", low: 1, high: 1000, scale: "log" },
      ],
    );
  });

  it.each([
    ["", "names no input"],
    ["te", "--inputs te: has no limits. Write name=low:high"],
    ["te=", "has no limits"],
    ["te=1:0", "the lower limit 1 is not below 0"],
    ["te=1:x", '"x" is not a number'],
    ["te=0:1:log", "log needs limits above 0"],
    ["te=0:1.5:int", "int needs whole limits"],
    ["te=0:1:lin", '"lin" is neither log nor int'],
    ["te=0:1,te=1:2", "is named twice"],
    ["run=0:1", 'the name "run" has a meaning of its own'],
    ["2te=0:1", "a name is letters"],
    ["kind=a||b", "a choice is empty"],
    ["kind=a|a", "a choice is there twice"],
  ])("refuses %j", (text, message) => {
    expect(() => parseInputs(text)).toThrow(message);
  });
});

describe("designPoints()", () => {
  const inputs = parseInputs("x=-1:1,r=1:1000:log,n=1:4:int,kind=a|b,fixed=7");
  const points = designPoints(inputs, 64, "sobol", 3);
  const all = Array.from({ length: 64 }, (_, run) => points.at(run));

  it("spreads numbers, logarithms, whole numbers and choices evenly", () => {
    // A scrambled Sobol sequence of 64 points has one in each 64th of every input.
    const sorted = all.map(({ x }) => Number(x)).sort((a, b) => a - b);
    sorted.forEach((x, i) => expect(Math.floor(32 * (x + 1))).toBe(i));
    expect(all.filter(({ r }) => Number(r) < Math.sqrt(1000))).toHaveLength(32);
    for (const n of [1, 2, 3, 4]) expect(all.filter((point) => point.n === n)).toHaveLength(16);
    expect(all.filter(({ kind }) => kind === "a")).toHaveLength(32);
    expect(new Set(all.map(({ fixed }) => fixed))).toEqual(new Set([7]));
  });

  it("is the same with the same seed, another with another, and says so in its identity", () => {
    expect(designPoints(inputs, 64, "sobol", 3).at(5)).toEqual(all[5]);
    const other = designPoints(inputs, 64, "sobol", 4);
    expect(other.at(5)).not.toEqual(all[5]);
    expect(other.identity).not.toEqual(points.identity);
  });

  it("gives columns of numbers and of words", () => {
    expect(points.columns(2, 4).map(({ kind, values }) => [kind, values.length])).toEqual([
      ...[0, 1, 2].map(() => ["number", 2]),
      ["text", 2],
      ["number", 2],
    ]);
  });
});

describe("tablePoints()", () => {
  const table = tableFrom({ a: [1, 2], kind: ["x", "y"], "b [eV]": [0.1, NaN], status: ["ok", "ok"] });

  it("takes the rows as they are", () => {
    const points = tablePoints(table, ["kind", "a"]);
    expect(points.runs).toBe(2);
    expect(points.at(1)).toEqual({ kind: "y", a: 2 });
  });

  it("refuses a gap, by row and name, and a column that is not there", () => {
    expect(() => tablePoints(table)).toThrow('memory: row 2 has no "b"');
    expect(() => tablePoints(table, ["c"])).toThrow('no column "c"');
  });
});
