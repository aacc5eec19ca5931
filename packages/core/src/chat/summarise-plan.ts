export type RememberedTurn = { id: string; tokens: number };

/**
 * Which turns a memory summary should take in: nothing while the conversation fits, else every turn but the most recent
 * ones, so that summaries are rare and each covers whole exchanges.
 * @param turns not yet summarised, oldest first.
 * @returns ids, oldest first; [] when there is nothing to do.
 */
export function summarisePlan(
  turns: readonly RememberedTurn[],
  options: { budgetTokens: number; keepRecent: number },
): string[] {
  const total = turns.reduce((sum, turn) => sum + turn.tokens, 0);
  if (total <= options.budgetTokens) return [];
  return turns.slice(0, Math.max(0, turns.length - options.keepRecent)).map((turn) => turn.id);
}
