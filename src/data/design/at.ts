import { InternalError } from "../../errors.ts";

/** `values[i]`, checked: the loops over designs are short enough to afford it. @throws InternalError out of range */
export function at(values: ArrayLike<number>, i: number): number {
  const value = values[i];
  if (value === undefined) throw new InternalError(`design index ${i} of ${values.length}`);
  return value;
}
