/** Reports: charts as Plotly figures, pages that hold them, and pictures of them. */
export * from "./charts/index.ts";
export { type Figure, isLogSpaced, label, type Layout, type Trace } from "./figure.ts";
export * from "./page.ts";
export * from "./pictures.ts";
export { plotlyScript } from "./plotly.ts";
