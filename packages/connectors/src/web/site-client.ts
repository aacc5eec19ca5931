import { AnnealError, isAnnealError } from "@anneal/core/errors";
import type { HttpAnswer } from "../http-answer.ts";
import { systemClock, type Clock } from "../clock.ts";
import { isCut, tooLarge, type LimitKind } from "../failure.ts";
import { toFetchError, type GuardedFetch } from "../guarded-fetch.ts";
import { spentBudgetMs } from "../remote/told-budget.ts";
import type { HostPaces, Pace } from "./host-paces.ts";
import type { LoginState } from "./login-state.ts";
import type { PageTime } from "./page-time.ts";
import type { Site } from "./site-url.ts";

/** Requests to the sites of one crawl, to each host no faster than it wishes, under one identity and one login. */
export type SiteClient = {
  /** @throws AnnealError RATE_LIMITED with `retryAfterMs` when the host asks to wait longer than a minute */
  get(url: string, headers?: Record<string, string>, options?: GetOptions): Promise<HttpAnswer>;
  /**
   * From robots.txt, known only once that was fetched.
   * @param wasAsked for a page before its wish was known, so that the next one's turn comes after it
   */
  slowTo(site: Site, delayMs: number, wasAsked?: boolean): void;
};

export type GetOptions = {
  anonymous?: boolean;
  /** Goes with a page that had its turn, or is robots.txt: where turns are minutes apart it needs none of its own. */
  alongside?: boolean;
  /** For the scripts of a page: its time stands still meanwhile, and a turn that comes after it is not waited for. */
  render?: PageTime;
};

/** The machine's own clock may be set while a crawl paces itself by it. */
export const steadyClock: Clock = { ...systemClock, now: () => performance.now() };

const maxAttempts = 3;
const maxRetryAfterMs = 60_000;
/** Turns further apart are not slept for: the crawl ends after each page, and its workflow waits. */
export const maxSleptDelayMs = 60_000;
/** How long the turns of what the scripts of one page ask for may take. */
export const maxRenderMs = 5 * 60_000;

export function createSiteClient(options: {
  fetch: GuardedFetch;
  identity: { userAgent: string; from: string | null };
  login: LoginState | null;
  /** Called when the site has renewed the login, before the answer is used; left out: it lasts as long as the crawl. */
  keepLogin?: (() => Promise<void>) | undefined;
  paces: HostPaces;
  signal: AbortSignal;
  clock: Clock;
}): SiteClient {
  const { identity, login, clock } = options;
  const { paceOf } = options.paces;
  const waitForTurn = async (pace: Pace, url: string, { alongside = false, render }: GetOptions) => {
    const signal = render?.signal ?? options.signal;
    signal.throwIfAborted();
    const now = clock.now();
    const isSlow = pace.delayMs > maxSleptDelayMs;
    if (isSlow && alongside) return;
    const start = Math.max(now, pace.nextStart);
    if (render !== undefined && (isSlow || start > render.lastTurnMs)) throw tooSlowToRender(url);
    if (isSlow && start - now > maxSleptDelayMs) throw notItsTurn(url, pace.delayMs, start - now);
    pace.nextStart = start + pace.delayMs;
    if (start > now) await clock.sleep(start - now, signal);
    signal.throwIfAborted();
  };
  const headersFor = (url: string, anonymous: boolean): Record<string, string> => {
    const cookie = anonymous ? null : (login?.cookieHeader(url) ?? null);
    return {
      "user-agent": identity.userAgent,
      ...(identity.from === null ? {} : { from: identity.from }),
      ...(cookie === null ? {} : { cookie }),
    };
  };

  const attempt = async (
    pace: Pace,
    url: string,
    headers: Record<string, string>,
    wish: GetOptions,
    goOn: (() => void) | undefined,
  ) => {
    const { anonymous = false, render } = wish;
    const signal = render?.signal ?? options.signal;
    let hasEnded = false;
    for (let attempts = 1; ; attempts += 1) {
      await waitForTurn(pace, url, wish).finally(goOn);
      const given = { accept: "text/html,application/xhtml+xml,*/*;q=0.8", ...headers };
      let response;
      try {
        response = await options.fetch.fetch(url, { headers: { ...headersFor(url, anonymous), ...given }, signal });
      } catch (error) {
        // RFC 9110, 9.2.2: a server may end a connection that it kept open just when it is used again.
        if (hasEnded || !isAnnealError(error) || !isCut(error)) throw error;
        hasEnded = true;
        goOn = render?.pause();
        continue;
      }
      if (!anonymous && login?.renew(url, response.headers.getSetCookie()) === true) await options.keepLogin?.();
      if (response.status !== 429 && response.status !== 503) return response;
      const nowMs = Date.now();
      const waitMs =
        retryAfterMs(response.headers.get("retry-after"), nowMs) ?? spentBudgetMs(response.headers, nowMs, true);
      if (waitMs === null || (attempts >= maxAttempts && waitMs <= maxRetryAfterMs)) return response;
      response.discard();
      if (waitMs > maxRetryAfterMs) throw mustWait(url, waitMs);
      // Everybody waits: the host asked, not the page.
      pace.nextStart = Math.max(pace.nextStart, clock.now() + waitMs);
      goOn = render?.pause();
    }
  };

  return {
    slowTo(site, wished, wasAsked = false) {
      const pace = paceOf(new URL(site.origin).host);
      pace.delayMs = Math.max(pace.delayMs, wished);
      if (wasAsked && wished > maxSleptDelayMs) pace.nextStart = Math.max(pace.nextStart, clock.now() + wished);
    },
    get(url, headers = {}, wish = {}) {
      const pace = paceOf(new URL(url).host);
      const goOn = wish.render?.pause();
      return pace.limit(() => attempt(pace, url, headers, wish, goOn));
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

/** A site may ask for years. */
const maxWaitMs = 6 * 60 * 60 * 1000;

function mustWait(url: string, waitMs: number): AnnealError {
  const { host } = new URL(url);
  const minutes = Math.ceil(waitMs / 60_000).toLocaleString("en");
  return new AnnealError("RATE_LIMITED", `${host} asks to wait ${minutes} minutes before it is read on.`, {
    action: "The sync goes on by itself; lower the requests per second if this happens often.",
    details: { retryAfterMs: Math.min(waitMs, maxWaitMs) },
    retryable: true,
  });
}

function notItsTurn(url: string, delayMs: number, waitMs: number): AnnealError {
  const minutes = Math.ceil(delayMs / 60_000).toLocaleString("en");
  return new AnnealError(
    "RATE_LIMITED",
    `The robots.txt of ${new URL(url).host} asks for ${minutes} minutes between two pages.`,
    {
      action: "The sync goes on by itself, a page at a time; ask the site's owner for a shorter crawl-delay.",
      details: { retryAfterMs: waitMs },
      retryable: true,
    },
  );
}

function tooSlowToRender(url: string): AnnealError {
  const { host } = new URL(url);
  return new AnnealError(
    "RATE_LIMITED",
    `What the page's scripts ask of ${host} would take longer than ${maxRenderMs / 60_000} minutes at the pace of that host.`,
    {
      action:
        "Set JavaScript to never for this source if its pages can do without, or ask the site's owner for a shorter crawl-delay; where the source's own requests per second are the limit, raise them.",
    },
  );
}

/** The body up to a limit, whatever the server claims its length to be. */
export async function* readBody(
  response: HttpAnswer,
  url: string,
  limitBytes: number,
  kind?: LimitKind,
): AsyncIterable<Uint8Array> {
  const declared = Number(response.headers.get("content-length") ?? 0);
  if (declared > limitBytes) {
    response.discard();
    throw tooLarge(url, declared, limitBytes, kind);
  }
  let sizeBytes = 0;
  try {
    for await (const chunk of response.body()) {
      const bytes = chunk as Uint8Array;
      sizeBytes += bytes.byteLength;
      if (sizeBytes > limitBytes) throw tooLarge(url, null, limitBytes, kind);
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
