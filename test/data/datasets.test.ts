/** The data sets that come with the project can be read by what their folders say. */
import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readTable } from "../../src/data/readers/index.ts";
import { buildRuns } from "../../src/data/runs.ts";
import { parseSchemaDraft } from "../../src/data/schema-file.ts";

const root = join(import.meta.dirname, "../../datasets");
/** Runs of the project's own simulators are in a folder of another kind: see test/cases/tables.test.ts. */
const own = "cases";
const folders = readdirSync(root, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== own)
  .map((entry) => entry.name);

/** Runs, columns of x and fields; the numbers are those that the sources state. */
const known: Readonly<Record<string, readonly [runs: number, d: number, fields: number]>> = {
  "al5083-flyer": [1000, 11, 30],
  "b777-engine": [1056, 3, 2],
  "cardiac-8p-sham": [119, 8, 14],
  "energy-efficiency": [768, 8, 2],
  "fuel-performance": [400, 13, 4],
  "mitr-power": [1000, 6, 22],
  "mpgadget-pk": [50, 5, 1],
};

test("every folder is known here and in the index", async () => {
  expect([...folders].sort()).toEqual(Object.keys(known));
  const index = await readFile(join(root, "README.md"), "utf8");
  for (const folder of folders) expect(index).toContain(`(${folder}/README.md)`);
});

describe.each(Object.entries(known))("%s", (folder, [n, d, fields]) => {
  const read = (file: string): Promise<string> => readFile(join(root, folder, file), "utf8");

  test("reads under its schema, all rows of it", async () => {
    const inputs = await readTable(join(root, folder, "inputs.csv"));
    const outputs = await readTable(join(root, folder, "outputs.csv"));
    const runs = buildRuns({ inputs, outputs }, { schema: parseSchemaDraft(await read("schema.json"), "schema.json") });
    expect([runs.n, runs.d, runs.schema.fields.length]).toEqual([n, d, fields]);
    expect(runs.report.leftOut).toEqual([]);
    const columns = runs.schema.fields.reduce((sum, field) => sum + (field.columns?.length ?? 1), 0);
    expect(columns).toBe(outputs.columns.length);
  });

  test("states origin, licence and the checksums that its files have", async () => {
    const text = await read("README.md");
    expect(text).toMatch(/^- Origin: .*commit `[0-9a-f]{40}`/m);
    expect(text).toMatch(/^- Licence: /m);
    for (const file of ["inputs.csv", "outputs.csv"]) {
      expect(text).toContain(
        `\`${createHash("sha256")
          .update(await read(file))
          .digest("hex")}\` | \`${file}\``,
      );
    }
    if (text.includes("`LICENSE`")) expect((await read("LICENSE")).length).toBeGreaterThan(500);
  });
});

test("the power spectrum is one field with its wavenumbers", async () => {
  const folder = join(root, "mpgadget-pk");
  const schema = parseSchemaDraft(await readFile(join(folder, "schema.json"), "utf8"), "schema.json");
  const tables = {
    inputs: await readTable(join(folder, "inputs.csv")),
    outputs: await readTable(join(folder, "outputs.csv")),
  };
  const [field] = buildRuns(tables, { schema }).schema.fields;
  expect(field).toMatchObject({ name: "log10P", shape: [49], scale: "linear" });
  expect(field?.coordinates?.[0]?.values.slice(0, 2)).toEqual([-1.6101, -1.0337]);
  const [grouped] = buildRuns(tables, { fields: ["log10P=log10P_k*:49"] }).schema.fields;
  expect(grouped?.coordinates?.[0]?.values).toEqual(field?.coordinates?.[0]?.values);
});
