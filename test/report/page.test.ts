import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { coverageFigure, pageHtml, pictures, plotlyScript } from "../../src/report/index.ts";
import { chromiumPath, NO_BROWSER, openBrowser } from "../support/browser.ts";

const figure = coverageFigure({ levels: [0.5, 0.9], curves: [{ name: "<y>", coverage: [0.6, 0.92] }], runs: 100 });
const page = {
  title: "A & B",
  summary: "Not a script: </script><script>",
  blocks: [
    { kind: "heading", text: "Scores" },
    { kind: "text", text: "Some text." },
    {
      kind: "table",
      caption: "Two rows",
      rows: [
        ["name", "value"],
        ["a", "1"],
      ],
    },
    { kind: "figure", figure, caption: "Calibration.", alt: "Coverage against level." },
  ],
} as const;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "condense-page-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("pageHtml()", () => {
  it("escapes what it is given, names figures, and refers to nothing outside", () => {
    const html = pageHtml(page, "window.Plotly = {}; '</script>'");
    expect(html).toContain("<title>A &amp; B</title>");
    expect(html).toContain("&lt;/script&gt;&lt;script&gt;");
    expect(html).toContain('role="img" aria-label="Coverage against level."');
    expect(html).toContain("<figcaption><b>Figure 1.</b> Calibration.</figcaption>");
    expect(html).toContain('<td class="left">a</td><td>1</td>');
    expect(html.match(/<script/g)).toHaveLength(3);
    expect(html.match(/<\/script>/g)).toHaveLength(3);
    expect(html).not.toMatch(/(?:src|href)=/);
  });
});

describe.skipIf(chromiumPath() === undefined)(`in Chromium (${NO_BROWSER})`, () => {
  it("the page draws its figures offline, without a complaint", async () => {
    const path = join(folder, "page.html");
    await writeFile(path, pageHtml(page, await plotlyScript()));
    const browser = await openBrowser();
    try {
      const tab = await browser.newPage();
      const complaints: string[] = [];
      tab.on("pageerror", (error) => complaints.push(error.message));
      tab.on("request", (request) => request.url().startsWith("http") && complaints.push(request.url()));
      await tab.goto(pathToFileURL(path).href);
      await tab.waitForSelector("#plot-0 svg.main-svg");
      expect(await tab.locator("#plot-0 .scatterlayer .trace").count()).toBeGreaterThanOrEqual(3);
      expect(await tab.locator("#plot-0 .legendtext").allTextContents()).toContain("as stated");
      expect(complaints).toEqual([]);
    } finally {
      await browser.close();
    }
  });

  it("pictures() draws a PNG of twice the size, and an SVG", async () => {
    const [picture] = await pictures([figure], chromiumPath() ?? "", await plotlyScript());
    const png = Buffer.from(picture?.png ?? []);
    expect(png.subarray(1, 4).toString()).toBe("PNG");
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([2 * figure.layout.width, 2 * figure.layout.height]);
    expect(picture?.svg).toMatch(/^<svg [\s\S]*stated level[\s\S]*<\/svg>$/);
  });
});

describe("pictures()", () => {
  it("says what to do where there is no such program", async () => {
    await expect(pictures([figure], "/nowhere/chromium", "")).rejects.toThrow(
      /^\/nowhere\/chromium: cannot draw figures .*leave --chromium and CONDENSE_CHROMIUM out/,
    );
  });
});
