/**
 * Lays text, tables and figures out in one HTML file that needs nothing else: no network, no server. Plotly is inside,
 * once. Light, and fit for print.
 */
import type { Figure } from "./figure.ts";

/** A part of a page. */
export type Block =
  | { readonly kind: "heading"; readonly text: string }
  | { readonly kind: "text"; readonly text: string }
  | {
      readonly kind: "table";
      readonly caption: string;
      /** The first row is the head; the first `left` columns stand to the left, the others to the right. */
      readonly rows: readonly (readonly string[])[];
      readonly left?: number;
    }
  | {
      readonly kind: "figure";
      readonly figure: Figure;
      readonly caption: string;
      /** What there is to see, for those who cannot. */
      readonly alt: string;
    };

export interface Page {
  readonly title: string;
  /** One sentence under the title. */
  readonly summary: string;
  readonly blocks: readonly Block[];
}

const style = `
:root { color-scheme: light; }
body { margin: 0 auto; padding: 2rem 1.5rem 4rem; max-width: 1000px; font: 16px/1.5 Helvetica, Arial, sans-serif; color: #111; background: #fff; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .4rem; } h2 { font-size: 1.2rem; margin: 2.4rem 0 .6rem; }
.summary { color: #444; margin: 0 0 1.5rem; }
p { max-width: 46rem; }
figure { margin: 1.5rem 0; } .plot { overflow-x: auto; overflow-y: hidden; }
figcaption, caption { font-size: .88rem; color: #333; text-align: left; max-width: 46rem; } caption { padding-bottom: .4rem; caption-side: top; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .86rem; font-variant-numeric: tabular-nums; margin: 1rem 0; border-top: 1.5px solid #111; border-bottom: 1.5px solid #111; }
th, td { padding: .18rem .7rem; text-align: right; white-space: nowrap; } th { border-bottom: 1px solid #111; font-weight: 600; }
th.left, td.left { text-align: left; }
@media print {
  @page { size: A4; margin: 15mm; }
  body { padding: 0; max-width: none; font-size: 10pt; }
  figure, table { break-inside: avoid; } h2 { break-after: avoid; } .plot { zoom: 0.66; overflow: visible; } .modebar { display: none; }
}
`;

/** The page as HTML. @param plotly the text of plotly.min.js */
export function pageHtml({ title, summary, blocks }: Page, plotly: string): string {
  const figures = blocks.flatMap((block) => (block.kind === "figure" ? [block.figure] : []));
  let number = 0;
  const body = blocks.map((block) => blockHtml(block, block.kind === "figure" ? number++ : 0)).join("\n");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
<p class="summary">${escapeHtml(summary)}</p>
${body}
</main>
<script>${plotly.replaceAll("</script", "<\\/script")}</script>
<script type="application/json" id="figures">${scriptJson(figures)}</script>
<script>
JSON.parse(document.getElementById("figures").textContent).forEach(({ data, layout }, i) => {
  Plotly.newPlot("plot-" + i, data, layout, { displaylogo: false, responsive: false, toImageButtonOptions: { format: "svg" } });
});
</script>
</body>
</html>
`;
}

function blockHtml(block: Block, number: number): string {
  switch (block.kind) {
    case "heading":
      return `<h2>${escapeHtml(block.text)}</h2>`;
    case "text":
      return `<p>${escapeHtml(block.text)}</p>`;
    case "table":
      return tableHtml(block);
    case "figure": {
      const { width, height } = block.figure.layout;
      return [
        `<figure>`,
        `<div class="plot" role="img" aria-label="${escapeHtml(block.alt)}"><div id="plot-${number}" style="width:${width}px;height:${height}px"></div></div>`,
        `<figcaption><b>Figure ${number + 1}.</b> ${escapeHtml(block.caption)}</figcaption>`,
        `</figure>`,
      ].join("\n");
    }
    default:
      return block satisfies never;
  }
}

function tableHtml({ caption, rows, left = 1 }: Extract<Block, { kind: "table" }>): string {
  const cells = (row: readonly string[], tag: "th" | "td"): string =>
    row.map((cell, j) => `<${tag}${j < left ? ' class="left"' : ""}>${escapeHtml(cell)}</${tag}>`).join("");
  const [head = [], ...rest] = rows;
  return [
    `<div class="scroll"><table><caption>${escapeHtml(caption)}</caption>`,
    `<thead><tr>${cells(head, "th")}</tr></thead>`,
    `<tbody>${rest.map((row) => `<tr>${cells(row, "td")}</tr>`).join("\n")}</tbody></table></div>`,
  ].join("\n");
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/** JSON that no HTML parser can mistake for the end of its script. */
function scriptJson(value: unknown): string {
  return JSON.stringify(value).replaceAll("<", "\\u003c");
}
