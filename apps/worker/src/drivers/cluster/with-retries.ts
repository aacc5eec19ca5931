import { setTimeout as sleep } from "node:timers/promises";

export type RetrySettings = { attempts: number; firstDelayMs: number; maxDelayMs: number };

export const defaultRetries: RetrySettings = { attempts: 6, firstDelayMs: 250, maxDelayMs: 10_000 };

/** What a failure says about trying again: `afterMs` is what the server asked for, if it did. */
export type RetryVerdict = { retry: false } | { retry: true; afterMs: number | null };

/** Runs an action that may be repeated, at most `attempts` times. The last failure is thrown. */
export async function withRetries<Result>(
  action: () => Promise<Result>,
  judge: (error: unknown) => RetryVerdict,
  settings: RetrySettings,
): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await action();
    } catch (error) {
      const verdict = judge(error);
      if (!verdict.retry || attempt >= settings.attempts) throw error;
      await sleep(chooseDelay(attempt, verdict.afterMs, settings, Math.random()));
    }
  }
}

/**
 * Doubling from the first delay, or what the server asked for, within the bound.
 * @param chance in [0, 1): spreads clients that failed at the same moment over half of the delay
 */
export function chooseDelay(attempt: number, afterMs: number | null, settings: RetrySettings, chance: number): number {
  const grown = Math.min(settings.firstDelayMs * 2 ** (attempt - 1), settings.maxDelayMs);
  const spread = grown / 2 + (grown / 2) * chance;
  return afterMs === null ? spread : Math.min(Math.max(afterMs, spread), settings.maxDelayMs);
}
