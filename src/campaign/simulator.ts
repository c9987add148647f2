/** What a simulator is to a campaign: something that runs at a point, alone or beside others. */
import type { Point } from "./inputs.ts";
import type { RunOutput } from "./outputs.ts";

/** How one run ended. A simulator that fails is no exception: the run is kept, with the reason. */
export type Outcome =
  | { readonly status: "ok"; readonly outputs: readonly RunOutput[] }
  | { readonly status: "failed"; readonly reason: string }
  | { readonly status: "stopped" };

export interface Simulator {
  /** What it is, for {@link runCampaign}: a change makes another campaign. */
  readonly identity: Readonly<Record<string, string>>;
  /** Runs that it does at once. */
  readonly parallel: number;
  /** What run `run` would do, in words. */
  describe(run: number, point: Point): string;
  /**
   * Runs at `point`. The reason of a failure must not tell where or when it ran: the table is the same wherever.
   * @param run counted from 0   @param signal ends the run, which is then "stopped"
   * @throws CondenseError where no run can succeed: no such program, no such module
   */
  run(run: number, point: Point, signal: AbortSignal): Promise<Outcome>;
  /** Ends what is still running. */
  dispose(): Promise<void>;
}
