/** The ready-made tables are what the simulators give, and small. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Case, cases } from "../../cases/index.ts";
import { readTable } from "../../src/index.ts";
import { unitInputs } from "./kernels/case-laws.ts";

const folder = join(import.meta.dirname, "../../datasets/cases");
const mostBytes = 20e6;

it("every case has a table, and together they are small", () => {
  const tables = readdirSync(folder).filter((file) => file.endsWith(".arrow"));
  expect(tables.sort()).toEqual(
    Object.keys(cases)
      .map((name) => `${name}.arrow`)
      .sort(),
  );
  const bytes = tables.reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
  expect(bytes).toBeLessThan(mostBytes);
});

describe.each(Object.values(cases as Readonly<Record<string, Case>>))("$name", (study) => {
  it("has the runs that the list says, and its simulator gives the first that worked again", async () => {
    const table = await readTable(join(folder, `${study.name}.arrow`));
    const listed = /\| (\d+) \|/.exec(
      readFileSync(join(folder, "README.md"), "utf8")
        .split("\n")
        .find((line) => line.includes(`\`${study.name}.arrow\``)) ?? "",
    );
    expect(table.rows).toBe(Number(listed?.[1]));
    const column = (name: string) => table.columns.find((each) => each.name === name)!;
    const row = (column("status").values as readonly string[]).indexOf("ok");
    expect(row).toBeGreaterThanOrEqual(0);
    const physical = study.inputs.map(({ name }) => Number(column(name).values[row]));
    const run = study.simulate(unitInputs(study, physical));
    if (run.status !== "ok") throw new Error(`the simulator fails where the table does not: ${run.reason}`);
    for (const { name } of study.outputs) {
      const columns = table.columns.filter((each) => each.name === name || each.name.startsWith(`${name}[`));
      const told = columns.map((each) => Number(each.values[row]));
      const values = run.outputs[name]!;
      expect(told).toHaveLength(values.length);
      const scale = Math.max(...values.map(Math.abs));
      // u is known to rounding only.
      const worst = Math.max(...told.map((value, i) => Math.abs(value - values[i]!)));
      expect(worst).toBeLessThanOrEqual(1e-5 * scale);
    }
  });
});
