/** `npm run demo`: two real simulation tables become emulators, are scored on runs kept apart, and answer a query each. */
import { readFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import {
  alignRows,
  buildRuns,
  describeMember,
  examplePoint,
  fitRuns,
  holdOut,
  loadEmulator,
  makeRng,
  median,
  parseSchemaDraft,
  query,
  type Runs,
  showNumber,
  showShare,
  takeRuns,
  toRunTables,
  validateRuns,
  workerPool,
  writeWhole,
  type Emulator,
  type EmulatorInfo,
} from "../src/index.ts";

const folder = "demo-out";
const seed = 1;
const started = performance.now();
const seconds = (): string => `${((performance.now() - started) / 1000).toFixed(0)} s`;
const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** Learns from four fifths of a dataset and tells how well that went on the rest. */
async function demonstrate(name: string, more: (emulator: Emulator, held: Runs) => Promise<void>): Promise<string> {
  const source = join("datasets", name);
  const schema = parseSchemaDraft(await readFile(join(source, "schema.json"), "utf8"), "schema.json");
  const tables = await toRunTables({ inputs: join(source, "inputs.csv"), outputs: join(source, "outputs.csv") });
  const all = buildRuns(tables, { schema });
  const { train, test } = holdOut(all, 0.2, makeRng(seed));
  const fields = all.schema.fields.map(
    (field) => `${field.name}${field.shape.length > 0 ? ` [${field.shape.join(", ")}]` : ""}`,
  );
  say(`\n== ${name}: ${all.d} inputs -> ${fields.join(", ")}`);
  say(`${train.length} runs to learn from, ${test.length} kept apart`);

  const { bytes, info } = await fitOn(takeRuns(all, train));
  const path = join(folder, `${name}.onnx`);
  await mkdir(folder, { recursive: true });
  await writeWhole(path, bytes);

  const held = takeRuns(all, test);
  const emulator = await loadEmulator(path);
  const validation = await validateRuns(emulator, held);
  say(`\nOn the ${validation.rows} runs kept apart (FVU: fraction of variance unexplained, median over elements):`);
  say(
    alignRows(
      [
        ["output", "unit", "FVU", "RMSE", `inside the ${showShare(validation.level)} interval`],
        ...validation.fields.map((scores) => [
          scores.field,
          unitOf(info, scores.field),
          showNumber(scores.fvu, 2),
          showNumber(scores.rmse, 3),
          `${showShare(scores.coverage)} ± ${showShare(scores.coverageError)}`,
        ]),
      ],
      [0, 1],
    ),
  );
  say(
    `Median FVU ${showNumber(validation.overall.fvu, 2)}; ${showShare(validation.overall.coverage)} of all numbers inside.`,
  );
  await more(emulator, held);
  say(`\nArchitectures that the search found, 3 of ${info.members.length}:`);
  for (const member of info.members.slice(0, 3)) say(`  ${describeMember(member)}`);
  await askOnce(emulator, held);
  await emulator.dispose();
  say(`\nWritten to ${path} (${(bytes.length / 1e6).toFixed(1)} MB, ${seconds()} since the start).`);
  const at = Object.entries(examplePoint(info)).map(([input, value]) => `${input}=${value}`);
  return `npx condense query ${path} --at ${at.join(",")}`;
}

async function fitOn(runs: Runs) {
  const runner = workerPool();
  let last = performance.now();
  try {
    return await fitRuns(runs, {
      seed,
      runner,
      onProgress({ phase, fraction }) {
        const now = performance.now();
        if (now - last < 5000) return;
        last = now;
        process.stderr.write(`  ${phase} ${(100 * fraction).toFixed(0)} %, ${seconds()} since the start\n`);
      },
    });
  } finally {
    await runner.dispose();
  }
}

function unitOf(info: EmulatorInfo, name: string): string {
  return info.schema.fields.find((field) => field.name === name)?.unit ?? "";
}

/** One run that was kept apart, by the emulator and by the simulator. */
async function askOnce(emulator: Emulator, held: Runs): Promise<void> {
  const { schema } = emulator;
  const names = schema.inputs.filter((input) => input.constant === undefined);
  const at = Object.fromEntries(names.map((input, j) => [input.name, held.x[j] ?? Number.NaN]));
  const answer = await query(emulator, { at });
  const value = (name: string): number => Number(answer.columns.find((column) => column.name === name)?.values[0]);
  const rows = schema.fields.flatMap((field, f) => {
    const axis = field.coordinates?.[0];
    const size = field.shape.reduce((product, extent) => product * extent, 1);
    const elements = field.shape.length === 0 ? [""] : [0, Math.floor(size / 2), size - 1].map((k) => `[${k}]`);
    return elements.map((element) => {
      const k = Number(element.slice(1, -1));
      const where = element === "" ? "" : ` at ${axis?.name ?? "element"} ${axis?.values[k] ?? k}`;
      return [
        `${field.name}${where}`,
        field.unit ?? "",
        showNumber(held.y[f]?.[k] ?? Number.NaN, 6),
        showNumber(value(`${field.name}_mean${element}`), 6),
        `± ${showNumber(value(`${field.name}_std${element}`), 2)}`,
      ];
    });
  });
  const point = names.map(
    (input) => `${input.name} ${showNumber(Number(at[input.name]))}${input.unit === undefined ? "" : ` ${input.unit}`}`,
  );
  say(`\nOne of them: ${point.join(", ")}`);
  say(alignRows([["output", "unit", "simulator", "emulator", ""], ...rows], [0, 1]));
}

/** The field is log10 P(k): its error is a ratio of P. */
async function powerSpectrumError(emulator: Emulator, held: Runs): Promise<void> {
  const [prediction] = await emulator.predict(held.x);
  const truth = held.y[0] ?? new Float64Array();
  const errors = Array.from(truth, (value, i) => Math.abs(10 ** ((prediction?.mean[i] ?? Number.NaN) - value) - 1));
  say(`Median relative error of P(k): ${(100 * median(errors)).toFixed(2)} %.`);
}

say("Condense: two tables of real simulations, each turned into an emulator (2 to 3 minutes on two cores).");
const first = await demonstrate("fuel-performance", async () => {});
await demonstrate("mpgadget-pk", powerSpectrumError);
say(`
Done in ${seconds()}. What to type next:
  npx condense inspect ${folder}/fuel-performance.onnx
  ${first}
  npx condense query ${folder}/mpgadget-pk.onnx datasets/mpgadget-pk/inputs.csv --out ${folder}/spectra.csv
  npx condense fit datasets/mitr-power/inputs.csv datasets/mitr-power/outputs.csv --out ${folder}/mitr.onnx --hold-out 0.2`);
