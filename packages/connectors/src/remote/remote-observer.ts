import type { Credentials } from "./shared-credentials.ts";

/**
 * What goes through the one gateway for remote calls, for whoever counts it. Numbers and fixed words only: no address, no
 * name, nothing that a service said.
 */
export type RemoteEvent =
  /** An answer, redirects included, or that none came (`status` null); `durationMs` until its first byte. */
  | { type: "request"; status: number | null; durationMs: number }
  /**
   * "told": the service said for how long it wants to be left alone, and all requests wait. "backoff": it did not say.
   * "handed-over": the wait is too long for us, the sync ends and its workflow waits.
   */
  | { type: "wait"; cause: "told" | "backoff" | "handed-over"; waitMs: number }
  /** New credentials, because the service refused the ones before. */
  | { type: "renewal"; ok: boolean };

/** Called in the middle of a request: it must neither wait nor throw. */
export type RemoteObserver = (event: RemoteEvent) => void;

/** What ends because the sync is cancelled is no answer that did not come. */
export async function observeAnswer<T extends { status: number }>(
  observe: RemoteObserver,
  signal: AbortSignal,
  send: () => Promise<T>,
): Promise<T> {
  const startedAt = performance.now();
  const tell = (status: number | null) =>
    observe({ type: "request", status, durationMs: performance.now() - startedAt });
  try {
    const answer = await send();
    tell(answer.status);
    return answer;
  } catch (error) {
    if (!signal.aborted) tell(null);
    throw error;
  }
}

export function observeRenewals(
  observe: RemoteObserver,
  authorize: (renew: boolean) => Credentials,
): (renew: boolean) => Credentials {
  return async (renew) => {
    if (!renew) return authorize(renew);
    try {
      const headers = await authorize(renew);
      observe({ type: "renewal", ok: true });
      return headers;
    } catch (error) {
      observe({ type: "renewal", ok: false });
      throw error;
    }
  };
}
