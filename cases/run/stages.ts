/** Work in stages that are kept: a stage that was done with the same options is not done again. */
import type { CheckpointStore } from "../../src/index.ts";

interface Kept<Result> {
  readonly options: string;
  readonly result: Result;
}

/** The kept result of stage `name` if it was made with equal options, else what `make` gives; `undefined`, a stage that
 * was stopped, is not kept. @param options plain data that decide the result, those of earlier stages included
 * @param again make it whatever is kept: a file of it is gone */
export async function stage<Result>(
  store: CheckpointStore,
  name: string,
  options: unknown,
  make: () => Promise<Result | undefined>,
  again = false,
): Promise<Result | undefined> {
  const key = JSON.stringify(options);
  const kept = (await store.read(name)) as Kept<Result> | undefined;
  if (kept?.options === key && !again) return kept.result;
  const result = await make();
  if (result !== undefined) await store.write(name, { options: key, result } satisfies Kept<Result>);
  return result;
}
