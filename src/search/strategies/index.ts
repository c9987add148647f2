/** The strategies. A new one is a file and a line here. */
import { OptionError } from "../../errors.ts";
import type { Strategy } from "../strategy.ts";
import { dense } from "./dense.ts";
import { random } from "./random.ts";

export const strategies = { dense, random } as const satisfies Record<
  string,
  Pick<Strategy, "name" | "summary" | "source">
>;

export type StrategyName = keyof typeof strategies;

/** The strategy itself, from its name or as the user's own. @throws OptionError for an unknown name */
export function getStrategy(strategy: string | Strategy): Strategy {
  if (typeof strategy !== "string") return strategy;
  const known = Object.keys(strategies);
  if (!known.includes(strategy))
    throw new OptionError(
      "OPTION_STRATEGY",
      `no strategy "${strategy}" (there are: ${known.join(", ")}). Choose one of these.`,
    );
  return strategies[strategy as StrategyName];
}
