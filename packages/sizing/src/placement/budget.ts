import type { Budget } from "./cluster-snapshot.ts";

/** The budget in the period that `nowMs` lies in: past its renewal nothing of it is spent. */
export function budgetAt(budget: Budget, nowMs: number): Budget {
  if (nowMs < budget.renewsAtMs) return budget;
  const periods = Math.floor((nowMs - budget.renewsAtMs) / budget.periodMs) + 1;
  return { ...budget, spent: 0, renewsAtMs: budget.renewsAtMs + periods * budget.periodMs };
}

/** What a request would draw from a budget: GPU-hours as expected at admission, or tokens. */
export type Draw = { gpuHours: number; tokens: number };

export type BudgetRefusal = { unit: Budget["unit"]; limit: number; left: number; needed: number; renewsAtMs: number };

/** Null where the budgets allow it. `committed` is what running work is still expected to draw. */
export function checkBudgets(
  budgets: readonly Budget[],
  need: Draw,
  committed: Draw,
  nowMs: number,
): BudgetRefusal | null {
  for (const stored of budgets) {
    const budget = budgetAt(stored, nowMs);
    const [needed, held] =
      budget.unit === "gpu-hours" ? [need.gpuHours, committed.gpuHours] : [need.tokens, committed.tokens];
    const left = budget.limit - budget.spent - held;
    // Work that does not say how long it takes may start only while something is left.
    if (needed > left || left <= 0)
      return { unit: budget.unit, limit: budget.limit, left: Math.max(0, left), needed, renewsAtMs: budget.renewsAtMs };
  }
  return null;
}

/** The budgets after work has drawn from them. */
export function drawFromBudgets(budgets: readonly Budget[], drawn: Draw, nowMs: number): Budget[] {
  return budgets.map((stored) => {
    const budget = budgetAt(stored, nowMs);
    return { ...budget, spent: budget.spent + (budget.unit === "gpu-hours" ? drawn.gpuHours : drawn.tokens) };
  });
}
