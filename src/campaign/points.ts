/** The points of a campaign: of a design within the inputs' ranges, or the rows of a table. */
import { createHash } from "node:crypto";
import { OptionError } from "../errors.ts";
import { type Column, type DesignName, designs, findColumn, listNames, type Table } from "../data/index.ts";
import { makeRng } from "../rng.ts";
import { type CampaignInput, checkNames, inputColumn, type Point, type Value, valueAt, varies } from "./inputs.ts";

/** Where to run. */
export interface Points {
  readonly runs: number;
  readonly names: readonly string[];
  /** The inputs of run `run`, counted from 0. */
  at(run: number): Point;
  /** The inputs of runs `from` to `to` (excluded) as columns. */
  columns(from: number, to: number): readonly Column[];
  /** What the points are, for {@link runCampaign}. */
  readonly identity: Readonly<Record<string, string>>;
}

/** Points of a design. Inputs of one value take no part in it. @throws OptionError if the design cannot be */
export function designPoints(
  inputs: readonly CampaignInput[],
  runs: number,
  design: DesignName = "sobol",
  seed = 0,
): Points {
  const varying = inputs.filter(varies);
  const d = varying.length;
  const u = d === 0 ? new Float64Array() : designs[design](runs, d, makeRng(seed).fork(`simulate ${design}`));
  const values = inputs.map((input): readonly Value[] => {
    const j = varying.indexOf(input);
    return Array.from({ length: runs }, (_, run) => valueAt(input, j < 0 ? 0 : (u[run * d + j] ?? 0)));
  });
  const identity = { inputs: JSON.stringify(inputs), design, seed: String(seed) };
  return pointsOf(inputs, values, runs, identity);
}

/**
 * The rows of a table as points.
 * @param names of the inputs' columns. Default: all but `status`
 * @throws DataError for a missing column; OptionError for a cell without a value or a name that cannot be
 */
export function tablePoints(table: Table, names?: readonly string[]): Points {
  const columns =
    names === undefined
      ? table.columns.filter((column) => column.name !== "status")
      : names.map((name) => findColumn(table, name));
  checkNames(columns);
  for (const column of columns) {
    const gap = [...column.values].findIndex((value) => value === "" || Number.isNaN(value));
    if (gap >= 0)
      throw new OptionError(
        "OPTION_POINTS",
        `${table.source}: row ${gap + 1} has no "${column.name}". A run needs a value of each input: fill it, or leave the row out.`,
      );
  }
  const values = columns.map((column): readonly Value[] => [...column.values]);
  const hash = createHash("sha256").update(JSON.stringify([columns.map(({ name }) => name), values]));
  return pointsOf(columns, values, table.rows, { points: hash.digest("hex").slice(0, 16) });
}

function pointsOf(
  inputs: readonly { readonly name: string; readonly unit?: string }[],
  values: readonly (readonly Value[])[],
  runs: number,
  identity: Points["identity"],
): Points {
  const names = inputs.map(({ name }) => name);
  if (names.length === 0)
    throw new OptionError("OPTION_INPUTS", `no input to run with (columns: ${listNames(names)}). Name one.`);
  return {
    runs,
    names,
    at: (run) => Object.fromEntries(names.map((name, i) => [name, values[i]?.[run] ?? ""])),
    columns: (from, to) =>
      inputs.map(({ name, unit }, i) => inputColumn(name, unit, (values[i] ?? []).slice(from, to))),
    identity,
  };
}
