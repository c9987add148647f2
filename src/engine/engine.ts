/**
 * What every engine offers: compile a graph once, run it many times. Feeds and results are plain typed arrays, row-major,
 * by the names of the graph's inputs and outputs. Engines agree with one another to 1e-4 relative.
 */
import type { Buffer, Graph } from "../graph/index.ts";

export type Tensors = Readonly<Record<string, Buffer>>;

/** A graph made ready to run. */
export interface Executable {
  /** Runs once. Results are written into buffers of `into` where it names them, else into buffers that the executable
   * owns and reuses: copy what must outlive the next run.
   * @param feeds one buffer per input of the graph, of exactly the input's size
   * @param rows value of the symbolic dimension `N`, needed only where the graph has one */
  run(feeds: Tensors, options?: { readonly into?: Tensors; readonly rows?: number }): Promise<Tensors>;
  /** Runs `steps` times, feeding each output named in `carry` back to the input it is mapped to, and changing the
   * `perStep` inputs in between: a training loop of one engine call per step with no copies of the state.
   * @param carry input name by output name
   * @param perStep called before each step with its index; may rewrite buffers of `feeds` in place
   * @param watch called after each step with the results (valid until it returns); return false to stop early */
  loop(options: {
    readonly feeds: Tensors;
    readonly carry: Readonly<Record<string, string>>;
    readonly steps: number;
    readonly perStep?: (step: number) => void;
    readonly watch?: (step: number, results: Tensors) => boolean | undefined;
  }): Promise<Tensors>;
  /** Frees what the engine holds. */
  dispose(): Promise<void>;
}

export interface CompileOptions {
  /** Threads inside one call. Default 1: parallel work is spread over tasks, not nested. */
  readonly threads?: number;
  /** Where to run: `cpu` (default), or a provider of the engine such as `webgpu` or `cuda`. */
  readonly provider?: string;
}

export interface Engine {
  readonly name: string;
  /** What runs underneath, for reports: library, version, backend. */
  describe(): Promise<string>;
  compile(graph: Graph, options?: CompileOptions): Promise<Executable>;
}
