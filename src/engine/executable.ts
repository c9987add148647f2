/**
 * The part of running a graph that all engines share: checking buffers, choosing where results go, keeping prepared
 * calls, carrying state from step to step, and letting the event loop breathe. An engine adds only a {@link Backend}.
 */
import { EngineError, ShapeError } from "../errors.ts";
import { type Buffer, allocate, showShape, sizeOf } from "../graph/index.ts";
import type { Executable, Tensors } from "./engine.ts";
import { type Port, type Signature, buffersFor, checkNames, checked, rowsOf } from "./signature.ts";

/** One call over fixed buffers: reads them, computes, writes them. */
export type Call = () => void | Promise<void>;

/** What an engine does for one compiled graph. */
export interface Backend {
  /** Prepares a call that reads `feeds` and writes `results`, both in the signature's order and of checked sizes. */
  bind(feeds: readonly Buffer[], results: readonly Buffer[], rows: number): Call;
  dispose(): Promise<void>;
}

/** A prepared call, and what it was prepared for. */
interface Bound {
  readonly feeds: readonly Buffer[];
  /** As the caller gave them: undefined where the executable's own buffers serve. */
  readonly into: readonly (Buffer | undefined)[];
  readonly rows: number | undefined;
  readonly call: Call;
  readonly results: Tensors;
}

/** How many prepared calls are kept. A caller that feeds the same buffers again pays for no preparation. */
const KEPT_CALLS = 6;
/** Timers, signals and other tasks get their turn this often. */
const BREATH_MS = 10;

/** Puts `backend` behind the contract of {@link Executable}. One run at a time. */
export function makeExecutable(signature: Signature, backend: Backend): Executable {
  const { inputs, outputs } = signature;
  const breathe = makeBreather();
  let own = makeOwnBuffers(outputs, 1);
  let kept: Bound[] = [];
  let disposed = false;
  const checkAlive = (): void => {
    if (disposed) throw new EngineError("ENGINE_DISPOSED", "this executable was disposed: compile the graph again");
  };

  /** Buffers belong to one number of rows: with another one all start afresh. */
  const useRows = (rows: number): void => {
    if (own.rows === rows) return;
    own = makeOwnBuffers(outputs, rows);
    kept = [];
  };

  const known = (feeds: Tensors, into: Tensors, rows: number | undefined): Bound | undefined =>
    kept.find(
      (bound) =>
        bound.rows === rows &&
        Object.keys(feeds).length === inputs.length &&
        inputs.every(({ name }, i) => feeds[name] === bound.feeds[i]) &&
        outputs.every(({ name }, i) => into[name] === bound.into[i]),
    );

  const prepare = (feeds: Tensors, into: Tensors, rowsGiven: number | undefined): Bound => {
    const rows = rowsOf(signature, feeds, rowsGiven);
    const fed = buffersFor(inputs, feeds, rows);
    checkNames(outputs, into, "output");
    const given = outputs.map((port) => {
      const buffer = into[port.name];
      return buffer === undefined ? undefined : checked(port, buffer, rows);
    });
    useRows(rows);
    const busy = [...fed, ...given.filter((buffer) => buffer !== undefined)];
    const results = given.map((buffer, i) => buffer ?? own.take(i, 1, busy)[0]!);
    checkApart(signature, fed, results);
    const call = backend.bind(fed, results, rows);
    const bound = { feeds: fed, into: given, rows: rowsGiven, call, results: named(outputs, results) };
    kept = [bound, ...kept.slice(0, KEPT_CALLS - 1)];
    return bound;
  };

  return {
    async run(feeds, { into = {}, rows } = {}) {
      checkAlive();
      const { call, results } = known(feeds, into, rows) ?? prepare(feeds, into, rows);
      const pause = breathe();
      if (pause !== undefined) await pause;
      const wait = call();
      if (wait !== undefined) await wait;
      return results;
    },

    async loop({ feeds, carry, steps, perStep, watch }) {
      checkAlive();
      const rows = rowsOf(signature, feeds, undefined);
      const fed = buffersFor(inputs, feeds, rows);
      const pairs = carriedPairs(signature, carry);
      useRows(rows);
      const carried = new Set(pairs.map(({ output }) => output));
      const places = outputs.map((_, i) => own.take(i, carried.has(i) ? 2 : 1, fed));
      const [fedEven, fedOdd] = [[...fed], [...fed]];
      for (const { input, output } of pairs) {
        const [a, b] = places[output] as [Buffer, Buffer];
        copyInto(a, fed[input]!);
        fedEven[input] = a;
        fedOdd[input] = b;
      }
      const initial = pairs.map(({ output }) => places[output]![0]!);
      let results = named(
        pairs.map(({ output }) => outputs[output]!),
        initial,
      );
      if (steps < 1) return results;
      /** An even step reads the first buffer of each pair and writes the second; an odd one the other way round. */
      const prepared = [fedEven, fedOdd].map((from, parity) => {
        const to = places.map(([a, b]) => (parity === 0 ? (b ?? a!) : a!));
        return { call: backend.bind(from, to, rows), results: named(outputs, to) };
      });
      for (let step = 0; step < steps; step++) {
        const now = prepared[step & 1]!;
        perStep?.(step);
        const pause = breathe();
        if (pause !== undefined) await pause;
        const wait = now.call();
        if (wait !== undefined) await wait;
        results = now.results;
        if (watch?.(step, results) === false) break;
      }
      return results;
    },

    async dispose() {
      if (disposed) return;
      disposed = true;
      kept = [];
      await backend.dispose();
    },
  };
}

/** Result buffers of the executable itself. There are as many per output as it takes to never write what is being read. */
function makeOwnBuffers(outputs: readonly Port[], rows: number) {
  const pools: Buffer[][] = outputs.map(() => []);
  return {
    rows,
    /** `count` buffers for an output, none of which shares memory with `busy`. */
    take(output: number, count: number, busy: readonly Buffer[]): Buffer[] {
      const { dtype, shape } = outputs[output]!;
      const pool = pools[output]!;
      const free = pool.filter((buffer) => !busy.some((other) => overlap(buffer, other))).slice(0, count);
      while (free.length < count) {
        const buffer = allocate(dtype, sizeOf(shape, rows));
        pool.push(buffer);
        free.push(buffer);
      }
      return free;
    },
  };
}

/** Indices of the outputs and inputs that `carry` ties together. @throws ShapeError if a pair does not fit */
function carriedPairs(signature: Signature, carry: Readonly<Record<string, string>>) {
  const find = (ports: readonly Port[], name: string, kind: Port["kind"]): number => {
    checkNames(ports, { [name]: true }, kind);
    return ports.findIndex((port) => port.name === name);
  };
  const pairs = Object.entries(carry).map(([from, to]) => {
    const output = find(signature.outputs, from, "output");
    const input = find(signature.inputs, to, "input");
    const [given, wanted] = [signature.outputs[output]!, signature.inputs[input]!];
    if (given.dtype !== wanted.dtype || showShape(given.shape) !== showShape(wanted.shape)) {
      const [a, b] = [given, wanted].map(({ dtype, shape }) => `${dtype} ${showShape(shape)}`);
      throw new ShapeError("SHAPE_CARRY", `output "${from}" (${a!}) cannot be carried to input "${to}" (${b!})`);
    }
    return { input, output };
  });
  const twice = pairs.find(({ input }, i) => pairs.findIndex((pair) => pair.input === input) !== i);
  if (twice !== undefined)
    throw new ShapeError("SHAPE_CARRY", `two outputs are carried to input "${signature.inputs[twice.input]!.name}"`);
  return pairs;
}

/** @throws ShapeError if a result would overwrite a feed or another result while the graph runs */
function checkApart(signature: Signature, feeds: readonly Buffer[], results: readonly Buffer[]): void {
  results.forEach((result, i) => {
    const output = signature.outputs[i]!.name;
    const fed = feeds.findIndex((feed) => overlap(feed, result));
    if (fed >= 0) {
      const input = signature.inputs[fed]!.name;
      throw new ShapeError(
        "SHAPE_SHARED",
        `output "${output}" would be written over input "${input}": use two buffers`,
      );
    }
    const other = results.findIndex((earlier, j) => j < i && overlap(earlier, result));
    if (other >= 0)
      throw new ShapeError(
        "SHAPE_SHARED",
        `outputs "${signature.outputs[other]!.name}" and "${output}" share a buffer`,
      );
  });
}

function overlap(a: Buffer, b: Buffer): boolean {
  return (
    a.buffer === b.buffer && a.byteOffset < b.byteOffset + b.byteLength && b.byteOffset < a.byteOffset + a.byteLength
  );
}

function copyInto(to: Buffer, from: Buffer): void {
  if (to instanceof BigInt64Array) to.set(from as BigInt64Array);
  else to.set(from as Float32Array);
}

function named(ports: readonly Port[], buffers: readonly Buffer[]): Tensors {
  return Object.fromEntries(ports.map(({ name }, i) => [name, buffers[i]!]));
}

/** Runs that end at once would starve the event loop: now and then there is a pause to wait for. */
function makeBreather(): () => Promise<void> | undefined {
  let last = performance.now();
  return () => {
    if (performance.now() - last < BREATH_MS) return undefined;
    return new Promise((resolve) => {
      setImmediate(() => {
        last = performance.now();
        resolve();
      });
    });
  };
}
