/** `condense cases speedup`: simulators against their emulators on this machine. */
import { loadavg } from "node:os";
import { join } from "node:path";
import { runDefaults } from "../../../cases/run/defaults.ts";
import { type CaseSpeed, caseSpeed, speedupChart, speedupPage, speedupRows } from "../../../cases/run/speedups.ts";
import { alignRows, FileError, hostName, pictures, plotlyScript } from "../../index.ts";
import { progressLine } from "../text.ts";
import type { World } from "../world.ts";
import { type CasesRunOptions, chromiumOf } from "./run.ts";

/** Times the cases named, or all that were run, and writes the chart, as PNG and SVG too where there is a Chromium. */
export async function speedup(names: readonly string[], options: CasesRunOptions, world: World): Promise<number> {
  const out = options.out ?? join(options.in, "speedup.html");
  await world.files.checkWritable(out);
  const progress = progressLine(world);
  const wanted = names.length > 0 ? names : Object.keys(runDefaults);
  const speeds: CaseSpeed[] = [];
  const [load = 0] = loadavg();
  try {
    for (const [i, name] of wanted.entries()) {
      progress.update("speed", i / wanted.length, name);
      try {
        speeds.push(await caseSpeed(name, options.in, options.seed));
      } catch (error) {
        // Without names, all that there is.
        if (names.length > 0 || !(error instanceof FileError) || error.code !== "FILE_MISSING") throw error;
      }
    }
  } finally {
    progress.done();
  }
  if (speeds.length === 0)
    throw new FileError(
      "FILE_MISSING",
      `${options.in}: no case was run here. Run condense cases run all, or pass --in FOLDER.`,
    );
  const machine = `one thread each, machine load ${load.toFixed(1)} before`;
  const text = new TextEncoder();
  await world.files.write(out, text.encode(await speedupPage(speeds, machine)));
  const chromium = chromiumOf(options, world);
  if (chromium !== undefined)
    for (const { png, svg } of await pictures([speedupChart(speeds)], chromium, await plotlyScript())) {
      const stem = out.replace(/\.html$/i, "");
      await world.files.write(`${stem}.png`, png);
      await world.files.write(`${stem}.svg`, text.encode(svg));
    }
  if (options.json)
    await world.out(`${JSON.stringify({ out, host: hostName(), machine, threads: 1, cases: speeds }, null, 2)}\n`);
  else
    await world.out(
      `${alignRows(speedupRows(speeds))}\n\n${hostName()}; ${machine}. All members, scaling and intervals included.\nChart: ${out}\n`,
    );
  return 0;
}
