/**
 * Figures as PNG and SVG files, drawn by a Chromium that the user names: it opens a page with one figure and hands back
 * what Plotly made of it. Never needed: pages draw themselves. Edge file: it starts a process and writes to the disk.
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { OptionError } from "../errors.ts";
import type { Figure } from "./figure.ts";

export interface Picture {
  readonly png: Uint8Array;
  readonly svg: string;
}

const run = promisify(execFile);

/** Draws figures. @param chromium path of the program   @param plotly the text of plotly.min.js
 * @throws OptionError if the program cannot be started, or gives no picture */
export async function pictures(figures: readonly Figure[], chromium: string, plotly: string): Promise<Picture[]> {
  const folder = await mkdtemp(join(tmpdir(), "condense-figures-"));
  try {
    const page = join(folder, "figures.html");
    await writeFile(page, drawingPage(figures, plotly));
    const dom = await domOf(chromium, page, folder);
    return figures.map((_, i) => {
      const png = new RegExp(`<i id="png-${i}">data:image/png;base64,([^<]*)</i>`).exec(dom)?.[1];
      const svg = new RegExp(`<i id="svg-${i}">([^<]*)</i>`).exec(dom)?.[1];
      if (png === undefined || svg === undefined)
        throw new OptionError(
          "OPTION_CHROMIUM",
          `${chromium}: drew no picture. Name a Chromium or Chrome that starts.`,
        );
      return { png: Buffer.from(png, "base64"), svg: Buffer.from(svg, "base64").toString("utf8") };
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function domOf(chromium: string, page: string, profile: string): Promise<string> {
  const args = [
    "--headless",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    // Chromium's sandbox refuses to run as root, as in containers; the page is ours.
    ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
    `--user-data-dir=${join(profile, "profile")}`,
    "--virtual-time-budget=60000",
    "--dump-dom",
    pathToFileURL(page).href,
  ];
  try {
    const { stdout } = await run(chromium, args, { maxBuffer: 2 ** 30, timeout: 180_000 });
    return stdout;
  } catch (cause) {
    const why = String(cause).split("\n", 1)[0] ?? "";
    throw new OptionError(
      "OPTION_CHROMIUM",
      `${chromium}: cannot draw figures (${why}). Name a Chromium or Chrome, or leave --chromium and CONDENSE_CHROMIUM out.`,
      { cause },
    );
  }
}

/** A page that draws each figure and leaves its PNG, at twice the size, and its SVG, in base64, in its text. */
function drawingPage(figures: readonly Figure[], plotly: string): string {
  return `<!doctype html><meta charset="utf-8"><body>
<script>${plotly.replaceAll("</script", "<\\/script")}</script>
<script type="application/json" id="figures">${JSON.stringify(figures).replaceAll("<", "\\u003c")}</script>
<script type="module">
const leave = (id, text) => { const i = document.createElement("i"); i.id = id; i.textContent = text; document.body.append(i); };
const base64 = (text) => btoa(Array.from(new TextEncoder().encode(text), (b) => String.fromCharCode(b)).join(""));
const figures = JSON.parse(document.getElementById("figures").textContent);
document.querySelectorAll("script").forEach((script) => script.remove());
for (const [i, { data, layout }] of figures.entries()) {
  const { width, height } = layout;
  leave("png-" + i, await Plotly.toImage({ data, layout }, { format: "png", width, height, scale: 2 }));
  const svg = await Plotly.toImage({ data, layout }, { format: "svg", width, height });
  leave("svg-" + i, base64(decodeURIComponent(svg.slice(svg.indexOf(",") + 1))));
}
</script></body>`;
}
