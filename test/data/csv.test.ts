import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readBatches, readTable } from "../../src/data/readers/index.ts";
import type { Table } from "../../src/data/table.ts";
import { encodeTable } from "../../src/data/writers/index.ts";
import { failure, parse, plain, tableOf } from "./support.ts";

describe("a CSV table", () => {
  test("is numbers under names, and units stand in brackets", async () => {
    const table = await parse("Te [eV],ne\n1.5,2e19\n-.25,3.\n");
    expect(plain(table)).toEqual({ Te: [1.5, -0.25], ne: [2e19, 3] });
    expect(table.columns.map((column) => column.unit)).toEqual(["eV", undefined]);
    expect(table.rows).toBe(2);
  });

  test("keeps brackets without a blank before them as elements of a field, quoted or not", async () => {
    const table = await parse('y[0],"map[0,1]",map[1,0],A-2\n1,2,3,4\n');
    expect(Object.keys(plain(table))).toEqual(["y[0]", "map[0,1]", "map[1,0]", "A-2"]);
  });

  test.each([
    ["comma", "a,b,c\n1,2,x\n3,4,y\n"],
    ["tab", "a\tb\tc\n1\t2\tx\n3\t4\ty\n"],
    ["semicolon", "a;b;c\n1;2;x\n3;4;y\n"],
    ["bar", "a|b|c\n1|2|x\n3|4|y\n"],
    ["blanks", "  a   b  c\n 1.0  2  x\n  3    4  y"],
    ["blanks, also at the ends of lines", "a b c  \n 1 2 x \n3  4 y\n"],
    ["comma, though there are blanks", "a,b,c\n1 ,2 ,x x\n3 ,4 ,y y\n"],
    ["blanks and a comment mark", "# a b c\n1 2 x\n3 4 y\n".replace("x", "7").replace("y", "8")],
    ["CRLF and a byte-order mark", "\ufeffa,b,c\r\n1,2,x\r\n3,4,y\r\n"],
    ["old Mac line ends", "a,b,c\r1,2,x\r3,4,y\r"],
    ["blank lines", "\n\na,b,c\n\n1,2,x\n\n3,4,y\n\n"],
    ["quotes", '"a","b","c"\n"1","2","x"\n3,4,"y"\n'],
  ])("is told apart by its %s", async (_, text) => {
    const columns = plain(await parse(text));
    expect(columns["a"]).toEqual([1, 3]);
    expect(columns["b"]).toEqual([2, 4]);
    expect(columns["c"]).toHaveLength(2);
  });

  test("may be UTF-16 and may be compressed with gzip", async () => {
    const text = "Größe,n\n1,2\n";
    expect(plain(await parse(Buffer.from(`\ufeff${text}`, "utf16le")))).toEqual({ Größe: [1], n: [2] });
    expect(plain(await parse(gzipSync(text)))).toEqual({ Größe: [1], n: [2] });
  });

  test("has words where almost no cell is a number", async () => {
    const table = await parse("fibre,x\nXN-90,1\n,2\nGF,3\nnone,4\n");
    expect(plain(table)["fibre"]).toEqual(["XN-90", "", "GF", "none"]);
  });

  test("may have blanks in its names and words", async () => {
    expect(plain(await parse("a b,c d\nx y,z w\nx z,z z\n"))).toEqual({ "a b": ["x y", "x z"], "c d": ["z w", "z z"] });
  });

  test("reads empty cells, nan, inf, NA and numbers beyond float64 as missing", async () => {
    const table = await parse("a,b\n,1\nNaN,2\n-inf,3\nNA,4\n1e999,5\n6,6\n");
    expect(plain(table)["a"]).toEqual([NaN, NaN, NaN, NaN, NaN, 6]);
  });

  test("reads Fortran's exponents", async () => {
    expect(plain(await parse("a\n1.5D-03\n2d+1\n"))["a"]).toEqual([0.0015, 20]);
  });

  test("leaves out an unnamed first column and comments above the header, and says so", async () => {
    const table = await parse("# made by hand\n,a\n0,1.5\n1,2.5\n");
    expect(plain(table)).toEqual({ a: [1.5, 2.5] });
    expect(table.notes).toEqual([
      "stdin: 1 comment line above the header left out.",
      "stdin: the unnamed first column is taken for a row index and left out.",
    ]);
  });
});

describe("a CSV table that cannot be used names row, column and remedy:", () => {
  test.each([
    [
      "a decimal comma",
      "Te;ne\n1,5;2\n",
      "DATA_CELL",
      'stdin: row 1, column "Te": "1,5" is not a number. Write a decimal point, not a comma.',
    ],
    [
      "a word among numbers",
      "a\n1\n2\nfailed\n",
      "DATA_CELL",
      'stdin: row 3, column "a": "failed" is not a number, as the others in this column are. Mend the cell, or leave it empty where a run failed.',
    ],
    [
      "a number in five among words",
      "steel\nA36\nA36\n304\nA36\nA36\n",
      "DATA_CELL",
      'stdin: row 3, column "steel": "304" is a number among words. A column holds numbers, or words of which almost none are numbers; name its levels in words.',
    ],
    [
      "no header",
      "1,2\n3,4\n",
      "DATA_HEADER",
      "stdin: the first row holds numbers (1, 2), not the names of the columns. Add a header row above it, such as x1,x2.",
    ],
    [
      "a name that is there twice",
      "a,b,a\n1,2,3\n",
      "DATA_HEADER",
      'stdin: two columns are named "a". Give every column a name of its own.',
    ],
    [
      "a column without a name",
      "a,,b\n1,2,3\n",
      "DATA_HEADER",
      "stdin: column 2 has no name in the header. Name it, or remove the column.",
    ],
    ["a short row", "a,b\n1,2\n3\n", "DATA_ROW_LENGTH", "stdin: row 2 has 1 cell, the header has 2. Mend the row."],
    [
      "a long row",
      "a,b\n1,2,3\n1,2\n3,4\n",
      "DATA_ROW_LENGTH",
      "stdin: row 1 has 3 cells, the header has 2. Mend the row. A decimal comma or an unquoted comma in a word makes cells too many.",
    ],
    [
      "a header alone",
      "a,b\n",
      "DATA_EMPTY",
      "stdin: holds no runs. A table needs a header row and at least one row below it.",
    ],
    ["nothing", "", "DATA_EMPTY", "stdin: holds no runs. A table needs a header row and at least one row below it."],
  ])("%s", async (_, text, code, message) => {
    const error = await failure(() => parse(text));
    expect(error.code).toBe(code);
    expect(error.message).toBe(message);
  });

  test("an open quote", async () => {
    const error = await failure(() => parse('a,b\n1,"2\n3,4\n'));
    expect(error.code).toBe("FILE_DAMAGED");
    expect(error.message).toMatch(/^stdin: line \d+ is not well-formed CSV\. A quote is not closed/);
  });

  test("a number among words, past the rows that settle the kind", async () => {
    const rows = Array.from({ length: 1500 }, (_, i) => (i < 1000 ? "word" : String(i)));
    const error = await failure(() => parse(`a,b\n${rows.map((cell) => `${cell},1`).join("\n")}\n`));
    expect(error.message).toContain('stdin: row 1001, column "a": "1000" is a number among words.');
  });

  test("a word among numbers, past the rows that settle the kind", async () => {
    const rows = Array.from({ length: 3000 }, (_, i) => (i === 2500 ? "oops" : String(i)));
    const error = await failure(() => parse(`a,b\n${rows.map((cell) => `${cell},1`).join("\n")}\n`));
    expect(error.message).toContain('stdin: row 2501, column "a": "oops" is not a number');
  });
});

describe("batches of a CSV table", () => {
  async function* chunks(text: string, size: number): AsyncGenerator<string> {
    for (let at = 0; at < text.length; at += size) yield await Promise.resolve(text.slice(at, at + size));
  }
  async function collect(batches: AsyncIterable<Table>): Promise<Table[]> {
    const all: Table[] = [];
    for await (const batch of batches) all.push(batch);
    return all;
  }

  test("hold the rows in order, and know what went before", async () => {
    const batches = await collect(readBatches(chunks("a,b\n1,x\n2,y\n3,x\n4,z\n5,x\n", 3), 2));
    expect(batches.map((batch) => batch.rowsBefore)).toEqual([0, 2, 4]);
    expect(batches.map(plain)).toEqual([
      { a: [1, 2], b: ["x", "y"] },
      { a: [3, 4], b: ["x", "z"] },
      { a: [5], b: ["x"] },
    ]);
  });

  test("name the row in the file when a cell is wrong", async () => {
    const error = await failure(() => collect(readBatches(chunks("a\n1\n2\n3\noops\n", 4), 2)));
    expect(error.message).toContain('stdin: row 4, column "a": "oops"');
  });

  test("hold in memory what is needed and no more, for a stream without end", async () => {
    async function* endless(): AsyncGenerator<string> {
      yield "a,b\n";
      for (let i = 0; ; i++) yield await Promise.resolve(`${i},${i * i}\n`.repeat(100));
    }
    let rows = 0;
    for await (const batch of readBatches(endless(), 1000)) {
      rows += batch.rows;
      if (rows >= 200_000) break;
    }
    expect(rows).toBe(200_000);
  });

  test("take the kinds that they are told", async () => {
    const kinds = new Map([["steel", "text"]] as const);
    const [first, second] = await collect(readBatches(chunks("steel\n304\n316L\n", 99), 1, { kinds }));
    expect(first?.columns[0]).toMatchObject({ kind: "text", values: ["304"] });
    expect(second?.columns[0]).toMatchObject({ kind: "text", values: ["316L"] });
  });

  test("are the same however the bytes are cut", async () => {
    const text = 'a,"b c",w\n1.25,2e-3,"x ""q"", y"\n-4,,z\n7,8,"two\nlines"\n';
    const whole = plain(await parse(text));
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 60 }), async (size) => {
        expect(plain(await readTable(chunks(text, size)))).toEqual(whole);
      }),
      { numRuns: 40 },
    );
  });
});

test("any table of numbers and words reads back from CSV as it was", async () => {
  const number = fc.oneof(fc.double({ noDefaultInfinity: true }), fc.constant(NaN), fc.integer());
  const word = fc.stringMatching(/^[a-z][ -~äß]{0,8}[a-z]$/);
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 8 }).chain((rows) =>
        fc.record({
          x: fc.array(number, { minLength: rows, maxLength: rows }),
          "y z": fc.array(number, { minLength: rows, maxLength: rows }),
          w: fc.array(word, { minLength: rows, maxLength: rows }),
        }),
      ),
      async (columns) => {
        const table = tableOf(columns);
        expect(plain(await parse(await encodeTable(table, "csv")))).toEqual(columns);
      },
    ),
  );
});
