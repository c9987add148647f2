/** Figures of a case as PNG and SVG files. Edge file: it writes them. */
import { join } from "node:path";
import { pictures, plotlyScript, writeWhole } from "../../src/index.ts";
import type { NamedFigure } from "./figures.ts";
import { makeFolder } from "./folder.ts";

/** Draws figures into `out/figures`. @param chromium path of the program   @throws OptionError if it draws nothing */
export async function draw(figures: readonly NamedFigure[], chromium: string, out: string): Promise<void> {
  const folder = join(out, "figures");
  await makeFolder(folder);
  const drawn = await pictures(
    figures.map(({ figure }) => figure),
    chromium,
    await plotlyScript(),
  );
  for (const [i, { png, svg }] of drawn.entries()) {
    await writeWhole(join(folder, `${figures[i]!.name}.png`), png);
    await writeWhole(join(folder, `${figures[i]!.name}.svg`), new TextEncoder().encode(svg));
  }
}
