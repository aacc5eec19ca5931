import { AnnealError } from "@anneal/core/errors";

/** A sign-in that somebody is to finish, as it is sealed: the credentials that it brings come into its place. */
export type Waiting = { deviceCode: string; intervalMs: string; expiresAt: string; pollAfter: string };

export function isWaiting(stored: Record<string, string>): stored is Waiting {
  return stored.deviceCode !== undefined;
}

/** @param now when the vendor was asked, or gave the code: the next time is an interval later */
export function waitFor(
  { deviceCode, intervalMs }: { deviceCode: string; intervalMs: number },
  expiresAt: Date,
  now: Date,
): Waiting {
  const pollAfter = new Date(now.getTime() + intervalMs).toISOString();
  return { deviceCode, intervalMs: String(intervalMs), expiresAt: expiresAt.toISOString(), pollAfter };
}

/** What may be asked of the vendor now. Past its time a code is not asked about again. */
export function planPoll(
  { expiresAt, pollAfter }: Waiting,
  now: Date,
): { type: "ask" } | { type: "expired" } | { type: "wait"; retryInMs: number } {
  if (now.getTime() >= Date.parse(expiresAt)) return { type: "expired" };
  const retryInMs = Date.parse(pollAfter) - now.getTime();
  return retryInMs > 0 ? { type: "wait", retryInMs } : { type: "ask" };
}

export function codeHasExpired(): AnnealError {
  return new AnnealError("SOURCE_CREDENTIALS", "The code has expired before anybody signed in with it.", {
    action: "Begin the sign-in again, and enter the new code before its time is over.",
  });
}
