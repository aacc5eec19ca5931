import { setTimeout as sleep } from "node:timers/promises";
import { AnnealError } from "@anneal/core/errors";
import type { Response } from "undici";
import { toFetchError, type GuardedFetch } from "../guarded-fetch.ts";
import { tooLarge } from "../failure.ts";

/** Requests to one site, no faster than it wishes. */
export type SiteClient = {
  get(url: string, headers?: Record<string, string>): Promise<Response>;
  /** From robots.txt, known only once that was fetched. */
  slowTo(delayMs: number): void;
};

const maxAttempts = 3;
const maxRetryAfterMs = 60_000;

export function createSiteClient(options: {
  fetch: GuardedFetch;
  userAgent: string;
  requestsPerSecond: number;
  signal: AbortSignal;
}): SiteClient {
  const { signal } = options;
  let delayMs = 1000 / options.requestsPerSecond;
  let nextStart = 0;

  const waitForTurn = async () => {
    const now = performance.now();
    const start = Math.max(now, nextStart);
    nextStart = start + delayMs;
    if (start > now) await sleep(start - now, undefined, { signal });
    signal.throwIfAborted();
  };

  return {
    slowTo(wished) {
      delayMs = Math.max(delayMs, wished);
    },
    async get(url, headers = {}) {
      for (let attempt = 1; ; attempt += 1) {
        await waitForTurn();
        const response = await options.fetch.fetch(url, {
          headers: { "user-agent": options.userAgent, accept: "text/html,application/xhtml+xml,*/*;q=0.8", ...headers },
          signal,
        });
        if (response.status !== 429 && response.status !== 503) return response;
        const waitMs = retryAfterMs(response.headers.get("retry-after"), Date.now());
        if (attempt >= maxAttempts || waitMs === null || waitMs > maxRetryAfterMs) return response;
        await discard(response);
        // Everybody waits: the site asked, not the page.
        nextStart = Math.max(nextStart, performance.now() + waitMs);
      }
    },
  };
}

/** RFC 9110, 10.2.3: seconds or a date. */
export function retryAfterMs(value: string | null, nowMs: number): number | null {
  if (value === null) return null;
  if (/^\d+$/.test(value.trim())) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? null : Math.max(0, date - nowMs);
}

export async function discard(response: Response): Promise<void> {
  await response.body?.cancel().catch(() => {});
}

/** The body up to a limit, whatever the server claims its length to be. */
export async function* readBody(response: Response, url: string, limitBytes: number): AsyncIterable<Uint8Array> {
  const declared = Number(response.headers.get("content-length") ?? 0);
  if (declared > limitBytes) {
    await discard(response);
    throw tooLarge(url, declared, limitBytes);
  }
  let sizeBytes = 0;
  try {
    for await (const chunk of response.body ?? []) {
      const bytes = chunk as Uint8Array;
      sizeBytes += bytes.byteLength;
      if (sizeBytes > limitBytes) throw tooLarge(url, null, limitBytes);
      yield bytes;
    }
  } catch (error) {
    throw toFetchError(error, new URL(url));
  }
}

/** @returns what is wrong with an answer that is neither a page nor a redirect nor "not found" */
export function statusError(url: string, status: number): AnnealError {
  const details = { status };
  if (status === 401 || status === 403) {
    return new AnnealError("SOURCE_FORBIDDEN", `"${url}" may not be read without signing in (${status}).`, {
      action: "Exclude it, or ask the site's owner to let this crawler in.",
      details,
    });
  }
  if (status === 429) {
    return new AnnealError("RATE_LIMITED", `"${url}" asked to slow down (429).`, {
      action: "Lower the requests per second, and sync again later.",
      details,
      retryable: true,
    });
  }
  if (status >= 500) {
    return new AnnealError("SOURCE_UNREACHABLE", `"${url}" answered with an error (${status}).`, {
      action: "Sync again later; if it stays, tell the site's owner.",
      details,
      retryable: true,
    });
  }
  return new AnnealError("SOURCE_NOT_FOUND", `"${url}" answered with status ${status}.`, {
    action: "Check the address.",
    details,
  });
}
