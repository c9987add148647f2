/** Data frames of Danfo.js itself, the library that `DataFrameLike` is modelled on. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { expect, test } from "vitest";
import { tableFrom, type DataFrameLike } from "../../src/data/from.ts";
import { buildRuns } from "../../src/data/runs.ts";
import { plain } from "./support.ts";

// Its types do not compile under this project's settings, and it is CommonJS.
const { DataFrame } = createRequire(import.meta.url)("danfojs-node") as {
  readonly DataFrame: new (data: object, options?: object) => DataFrameLike & { iloc(at: object): DataFrameLike };
};

test("a Danfo data frame is a table, its numbers in full precision", () => {
  const frame = new DataFrame({
    "Te [eV]": [0.1, 1e20, NaN],
    gas: ["He", "Ar", "He"],
    n: [1, 2, 3],
    on: [true, false, true],
  });
  const table = tableFrom(frame);
  expect(plain(table)).toEqual({ Te: [0.1, 1e20, NaN], gas: ["He", "Ar", "He"], n: [1, 2, 3], on: [1, 0, 1] });
  expect(table.columns[0]?.unit).toBe("eV");
});

test("a part of a Danfo data frame is a table too", () => {
  const frame = new DataFrame({ a: [1, 2, 3, 4], y: [5, 6, 7, 8] });
  expect(plain(tableFrom(frame.iloc({ rows: ["1:3"] })))).toEqual({ a: [2, 3], y: [6, 7] });
  expect(
    plain(
      tableFrom(
        new DataFrame(
          [
            [1, 2],
            [3, 4],
          ],
          { columns: ["a", "y"] },
        ),
      ),
    ),
  ).toEqual({ a: [1, 3], y: [2, 4] });
});

test("two Danfo data frames are runs", () => {
  const inputs = tableFrom(new DataFrame({ a: [1, 2, 3] }), "inputs");
  const outputs = tableFrom(new DataFrame({ y: [2, 4, 6] }), "outputs");
  expect(Array.from(buildRuns({ inputs, outputs }).y[0] ?? [])).toEqual([2, 4, 6]);
});

test("what stands in for the native TensorFlow that Danfo wants is seen by nobody else", async () => {
  // Danfo's own copy is nested by hand in the lock file: npm would put it where our engine looks for the real one.
  const lock = await readFile(join(import.meta.dirname, "../../package-lock.json"), "utf8");
  const places = Object.keys((JSON.parse(lock) as { packages: object }).packages);
  expect(places.filter((place) => place.endsWith("tfjs-node"))).toEqual([
    "node_modules/danfojs-node/node_modules/@tensorflow/tfjs-node",
  ]);
});
