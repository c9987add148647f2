/** The search's budget: multiply-accumulates actually executed. A forward row costs the architecture's macs, forward and
 * backward three times that; every candidate that ran is charged (spec 1). */

/** Thrown by a charge that the budget cannot bear; the search loop catches it and finishes. Not an error. */
export class BudgetExhausted extends Error {}

export interface Budget {
  /** Multiply-accumulates in all. */
  readonly limit: number;
  readonly spent: number;
  /** Share spent, 0 to 1. */
  readonly fraction: number;
  /** Takes `cost` before the work is done. @throws BudgetExhausted if less is left */
  charge(cost: number): void;
}

export function makeBudget(limit: number, spent = 0): Budget {
  let used = spent;
  return {
    limit,
    get spent() {
      return used;
    },
    get fraction() {
      return Math.min(1, used / limit);
    },
    charge(cost) {
      if (used + cost > limit) throw new BudgetExhausted(`the search budget of ${limit} multiply-accumulates is spent`);
      used += cost;
    },
  };
}
