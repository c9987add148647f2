/**
 * Benchmark: do intervals and bands hold what they state? A default fit to a toy simulator, 200 new runs, 20 seeds: the share
 * of truths inside at each level, with the binomial error of one seed's 200 runs over the square root of the seeds, and the
 * spread between seeds (each seed is a design, a fit and a calibration of its own, so that is the larger one).
 *
 *     npx tsx bench/coverage.ts [--toy friedman|borehole|branin|kinked|oscillator] [--runs 100] [--held 200] [--seeds 20]
 *                               [--effort quick] [--threads 2] [--no-process]
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import {
  buildRuns,
  type Effort,
  fitRuns,
  loadEmulator,
  makeRng,
  type Rng,
  type Runs,
  tableFrom,
  validateRuns,
  workerPool,
} from "../src/index.ts";
import { oscillator } from "./toys.ts";

type Row = Record<string, number>;

/** A toy of scalars on the unit cube. */
function scalar(inputs: readonly string[], f: (u: readonly number[]) => number) {
  return {
    inputs,
    draw(rng: Rng): Row {
      const u = inputs.map(() => rng.uniform());
      return { ...Object.fromEntries(inputs.map((name, i) => [name, u[i]!])), y: f(u) };
    },
  };
}

const within = (u: number, from: number, to: number): number => from + (to - from) * u;

/** Friedman 1991, eq. 61, of five inputs; water flow through a borehole (Morris, Mitchell & Ylvisaker 1993) of eight; Branin's
 * function of two; one with a kink; and a noise-free signal of 50 points, the damped oscillator of bench/toys.ts. */
const toys = {
  friedman: scalar(
    ["a", "b", "c", "d", "e"],
    ([a = 0, b = 0, c = 0, d = 0, e = 0]) => 10 * Math.sin(Math.PI * a * b) + 20 * (c - 0.5) ** 2 + 10 * d + 5 * e,
  ),
  borehole: scalar(["rw", "r", "tu", "hu", "tl", "hl", "l", "kw"], (u) => {
    const rw = within(u[0]!, 0.05, 0.15);
    const r = within(u[1]!, 100, 50000);
    const tu = within(u[2]!, 63070, 115600);
    const tl = within(u[4]!, 63.1, 116);
    const head = within(u[3]!, 990, 1110) - within(u[5]!, 700, 820);
    const log = Math.log(r / rw);
    const leak = (2 * within(u[6]!, 1120, 1680) * tu) / (log * rw ** 2 * within(u[7]!, 9855, 12045));
    return (2 * Math.PI * tu * head) / (log * (1 + leak + tu / tl));
  }),
  branin: scalar(["a", "b"], ([a = 0, b = 0]) => {
    const [x, y] = [within(a, -5, 10), within(b, 0, 15)];
    const valley = y - (5.1 * x * x) / (4 * Math.PI ** 2) + (5 * x) / Math.PI - 6;
    return valley ** 2 + 10 * (1 - 1 / (8 * Math.PI)) * Math.cos(x) + 10;
  }),
  kinked: scalar(["a", "b", "c"], ([a = 0, b = 0, c = 0]) => Math.abs(a - 0.4) + Math.max(0, b + c - 1) + 0.3 * b * c),
  oscillator: {
    inputs: oscillator.inputs.map(({ name }) => name),
    draw(rng: Rng): Row {
      const point = oscillator.inputs.map(({ from, to }) => from + (to - from) * rng.uniform());
      const signal = new Float64Array(50);
      oscillator.simulateInto(signal, point);
      return Object.fromEntries([
        ...oscillator.inputs.map(({ name }, i) => [name, point[i]!] as const),
        ...Array.from(signal, (value, i) => [`signal[${i}]`, value] as const),
      ]);
    },
  },
} as const;

function simulate(toy: keyof typeof toys, n: number, rng: Rng): Runs {
  const { inputs, draw } = toys[toy];
  return buildRuns(tableFrom(Array.from({ length: n }, () => draw(rng))), { inputs: [...inputs] });
}

function mean(values: readonly number[]): number {
  return values.reduce((a, c) => a + c, 0) / values.length;
}

/** One line: the level, the share inside, its binomial error and the standard error between seeds. */
function line(what: string, level: number, shares: readonly number[], held: number): string {
  const share = mean(shares);
  const binomial = Math.sqrt((level * (1 - level)) / (held * shares.length));
  const spread = Math.sqrt(mean(shares.map((each) => (each - share) ** 2)) / Math.max(1, shares.length - 1));
  const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;
  return `| ${what} | ${percent(level)} | ${percent(share)} | ${percent(binomial)} | ${percent(spread)} |`;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      toy: { type: "string", default: "friedman" },
      runs: { type: "string", default: "100" },
      held: { type: "string", default: "200" },
      seeds: { type: "string", default: "20" },
      effort: { type: "string", default: "quick" },
      threads: { type: "string", default: String(availableParallelism()) },
      "no-process": { type: "boolean", default: false },
    },
  });
  const toy = values.toy as keyof typeof toys;
  const [n, held, seeds] = [Number(values.runs), Number(values.held), Number(values.seeds)];
  const inside = new Map<string, number[]>();
  const fvus: number[] = [];
  for (let seed = 1; seed <= seeds; seed++) {
    const rng = makeRng(seed);
    const runner = workerPool(Number(values.threads));
    const train = simulate(toy, n, rng.fork("train"));
    const { bytes } = await fitRuns(train, {
      ...{ effort: values.effort as Effort, seed, runner },
      ...(values["no-process"] ? { process: false } : {}),
    });
    await runner.dispose();
    const emulator = await loadEmulator(bytes);
    const { fields, overall } = await validateRuns(emulator, simulate(toy, held, rng.fork("held")));
    await emulator.dispose();
    fvus.push(overall.fvu);
    const count = (what: string, { level, coverage }: { readonly level: number; readonly coverage: number }): void => {
      const key = `${what} ${level}`;
      inside.set(key, [...(inside.get(key) ?? []), coverage]);
    };
    for (const each of overall.levels) count("numbers", each);
    for (const field of fields) for (const each of field.bands ?? []) count("whole fields", each);
    console.error(`seed ${seed}: FVU ${overall.fvu.toExponential(1)}, PIT p = ${overall.pit.p.toFixed(2)}`);
  }
  console.log(
    `${toy}, ${n} runs, ${values.effort} effort; ${held} new runs for each of ${seeds} seeds; mean FVU ${mean(fvus).toExponential(1)}\n`,
  );
  console.log("| inside | level | share | binomial error | error over seeds |\n|---|---|---|---|---|");
  for (const [key, shares] of inside) {
    const at = key.lastIndexOf(" ");
    console.log(line(key.slice(0, at), Number(key.slice(at + 1)), shares, held));
  }
}

await main();
