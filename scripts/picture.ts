/**
 * Draws the README's picture from the demo's emulators (`npm run demo` first): needs Chromium (CHROMIUM or
 * /usr/bin/chromium). Run: npx tsx scripts/picture.ts
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";
import {
  buildRuns,
  holdOut,
  makeRng,
  loadEmulator,
  parseSchemaDraft,
  readTable,
  type Runs,
  takeRuns,
} from "../src/index.ts";

async function heldOut(name: string): Promise<Runs> {
  const source = `datasets/${name}`;
  const schema = parseSchemaDraft(await readFile(`${source}/schema.json`, "utf8"), "schema.json");
  const tables = { inputs: await readTable(`${source}/inputs.csv`), outputs: await readTable(`${source}/outputs.csv`) };
  const all = buildRuns(tables, { schema });
  return takeRuns(all, holdOut(all, 0.2, makeRng(1)).test);
}

const colours = ["#1b6ca8", "#c4572e", "#3c8d5a", "#7a4fa3", "#8c6d1f"];

async function spectrum(): Promise<object[]> {
  const runs = await heldOut("mpgadget-pk");
  const emulator = await loadEmulator("demo-out/mpgadget-pk.onnx");
  const [prediction] = await emulator.predict(runs.x);
  await emulator.dispose();
  const [field] = runs.schema.fields;
  const truth = runs.y[0];
  if (prediction === undefined || truth === undefined || field === undefined) throw new Error("no field");
  const k = [...(field.coordinates?.[0]?.values ?? [])];
  const size = k.length;
  const percent = (values: Float64Array, run: number): number[] =>
    k.map((_, j) => 100 * (10 ** ((values[run * size + j] ?? NaN) - (truth[run * size + j] ?? NaN)) - 1));
  return [0, 1, 2].flatMap((run, i) => {
    const colour = colours[i] ?? "#333";
    const line = { x: k, xaxis: "x", yaxis: "y", showlegend: false, mode: "lines" };
    return [
      { ...line, y: percent(prediction.lower, run), line: { width: 0 } },
      { ...line, y: percent(prediction.upper, run), line: { width: 0 }, fill: "tonexty", fillcolor: `${colour}22` },
      { ...line, y: percent(prediction.mean, run), line: { color: colour, width: 2 } },
    ];
  });
}

async function parity(): Promise<object[]> {
  const runs = await heldOut("fuel-performance");
  const emulator = await loadEmulator("demo-out/fuel-performance.onnx");
  const predictions = await emulator.predict(runs.x);
  await emulator.dispose();
  const prediction = predictions[1];
  const truth = runs.y[1];
  if (prediction === undefined || truth === undefined) throw new Error("no field");
  const half = Array.from(prediction.upper, (upper, i) => upper - (prediction.mean[i] ?? NaN));
  const ends = [Math.min(...truth), Math.max(...truth)];
  const axes = { xaxis: "x2", yaxis: "y2", showlegend: false };
  return [
    { ...axes, x: ends, y: ends, mode: "lines", line: { color: "#999", width: 1 } },
    {
      ...axes,
      x: [...truth],
      y: [...prediction.mean],
      mode: "markers",
      marker: { color: colours[0], size: 6 },
      error_y: { array: half, color: `${colours[0] ?? ""}88`, thickness: 1, width: 0 },
    },
  ];
}

const axis = { zeroline: false, linecolor: "#444", mirror: true, ticks: "outside", gridcolor: "#eee" };
const figure = {
  data: [...(await spectrum()), ...(await parity())],
  layout: {
    width: 1100,
    height: 430,
    margin: { l: 70, r: 20, t: 50, b: 60 },
    font: { family: "Helvetica, Arial, sans-serif", size: 14, color: "#222" },
    plot_bgcolor: "#fff",
    xaxis: { ...axis, domain: [0, 0.46], title: { text: "log10 k [h/Mpc]" } },
    yaxis: { ...axis, title: { text: "error of P(k) [%]" }, range: [-4, 4] },
    xaxis2: { ...axis, domain: [0.56, 1], anchor: "y2", title: { text: "simulated centreline temperature [K]" } },
    yaxis2: { ...axis, anchor: "x2", title: { text: "emulated [K]" } },
    annotations: [
      { text: "<b>Power spectrum</b>: 3 new runs, 95 % bands (40 runs learned)", x: 0.23, y: 1.1 },
      { text: "<b>Fuel rod</b>: 80 new runs, 95 % intervals (320 learned)", x: 0.78, y: 1.1 },
    ].map((note) => ({
      ...note,
      xref: "paper",
      yref: "paper",
      showarrow: false,
      xanchor: "center",
      font: { size: 14 },
    })),
  },
};

const plotly = await readFile(createRequire(import.meta.url).resolve("plotly.js-dist-min"), "utf8");
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
});
const page = await browser.newPage({ viewport: { width: 1100, height: 430 }, deviceScaleFactor: 2 });
await page.setContent('<body style="margin:0"><div id="chart"></div></body>');
await page.addScriptTag({ content: plotly });
await page.evaluate(
  `Plotly.newPlot("chart", ${JSON.stringify(figure.data)}, ${JSON.stringify(figure.layout)}, {staticPlot: true})`,
);
await mkdir("docs/images", { recursive: true });
await writeFile("docs/images/held-out.png", await page.screenshot());
await browser.close();
