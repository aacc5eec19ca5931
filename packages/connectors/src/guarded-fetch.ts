import { isIP } from "node:net";
import { AnnealError } from "@anneal/core/errors";
import { Agent, buildConnector, type Dispatcher } from "undici";
import { isBlockedPort } from "./blocked-ports.ts";
import { assertAllowedHost, guardedLookup, refuseHost, isAllowedAddress, type Resolve } from "./host-guard.ts";
import { findAnnealError, systemCode, unreachable } from "./failure.ts";
import { acceptedCodings, HttpAnswer } from "./http-answer.ts";

export type GuardedFetchOptions = {
  allowPrivateHosts: boolean;
  /** To connect, to the first byte, and between two bytes; a whole exchange may take ten times as long. */
  timeoutMs: number;
  /** Tests pass one to play a name that changes its address. */
  resolve?: Resolve;
};

export type GuardedRequest = {
  headers?: Record<string, string>;
  method?: "GET" | "HEAD" | "POST";
  body?: string;
  signal: AbortSignal;
};

/** A redirect is returned, not followed: the caller decides, and its target passes through here again. */
export type GuardedFetch = {
  fetch(url: string, request: GuardedRequest): Promise<HttpAnswer>;
  close(): Promise<void>;
};

/** What everybody gets to see who is asked by no other name. */
const userAgent = "Anneal";

/**
 * Not the standard's `fetch`, whose web streams cost three times as much processor time for each request, of which there is
 * one for each document of many a source.
 */
export function createGuardedFetch(options: GuardedFetchOptions): GuardedFetch {
  const dispatcher = createGuardedDispatcher(options);
  const bounded = dispatcher.compose((dispatch) => (exchange, handler) => {
    return dispatch(exchange, boundExchange(handler, 10 * options.timeoutMs));
  });
  /** The last host that was let through: what an address is does not change, and most requests go where the last one went. */
  let admitted = "";
  return {
    async fetch(url, request) {
      const target = new URL(url);
      if (target.protocol !== "http:" && target.protocol !== "https:") throw notHttp(target);
      if (isBlockedPort(target.port)) throw blockedPort(target);
      if (target.hostname !== admitted) assertAllowedHost(target.hostname, options.allowPrivateHosts);
      admitted = target.hostname;
      // Whoever signs in within an address does so with a header.
      const { origin, pathname, search } = target;
      try {
        const { statusCode, headers, body } = await bounded.request({
          origin,
          path: `${pathname}${search}`,
          method: request.method ?? "GET",
          headers: headersOf(request),
          ...(request.body === undefined ? {} : { body: request.body }),
          signal: request.signal,
        });
        target.hash = "";
        return new HttpAnswer({ url: target.href, status: statusCode, headers, body });
      } catch (error) {
        request.signal.throwIfAborted();
        throw toFetchError(error, target);
      }
    },
    close: () => dispatcher.destroy(),
  };
}

/** In lower case: a name that comes twice would be sent twice. */
function headersOf({ headers = {} }: GuardedRequest): Record<string, string> {
  const given = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  // A part of a coded body could not be decoded.
  const codings = given["range"] === undefined ? acceptedCodings : "identity";
  return { accept: "*/*", "accept-encoding": codings, "user-agent": userAgent, ...given };
}

/**
 * Ends an exchange that takes too long as a whole, however steadily its bytes trickle. The timer ends with the exchange:
 * one that only its own time ends (AbortSignal.timeout) would be kept for minutes after each of thousands of requests.
 */
function boundExchange(handler: Dispatcher.DispatchHandler, limitMs: number): Dispatcher.DispatchHandler {
  let timer: NodeJS.Timeout | undefined;
  return {
    onRequestStart(controller, context) {
      clearTimeout(timer);
      timer = setTimeout(() => {
        controller.abort(new DOMException("The exchange took too long.", "TimeoutError"));
      }, limitMs);
      handler.onRequestStart?.(controller, context);
    },
    onRequestUpgrade: (...event) => handler.onRequestUpgrade?.(...event),
    onBodySent: (chunk) => handler.onBodySent?.(chunk),
    onRequestSent: () => handler.onRequestSent?.(),
    onResponseStarted: () => handler.onResponseStarted?.(),
    onResponseStart: (...event) => handler.onResponseStart?.(...event),
    onResponseData: (...event) => handler.onResponseData?.(...event),
    onResponseEnd(...event) {
      clearTimeout(timer);
      handler.onResponseEnd?.(...event);
    },
    onResponseError(...event) {
      clearTimeout(timer);
      handler.onResponseError?.(...event);
    },
  };
}

function createGuardedDispatcher(options: GuardedFetchOptions): Agent {
  const connect = buildConnector({
    lookup: guardedLookup(options.allowPrivateHosts, options.resolve),
    timeout: options.timeoutMs,
  });
  return new Agent({
    headersTimeout: options.timeoutMs,
    bodyTimeout: options.timeoutMs,
    connect(target, callback) {
      // A literal address never reaches `lookup`.
      if (isIP(target.hostname) !== 0 && !isAllowedAddress(target.hostname, options.allowPrivateHosts)) {
        return callback(refuseHost(target.hostname), null);
      }
      connect(target, callback);
    },
  });
}

/** Turns what a fetch or its body can throw into what a person can act on. */
export function toFetchError(error: unknown, url: URL): AnnealError {
  const ours = findAnnealError(error);
  if (ours !== null) return ours;
  if (isTimeout(error)) return timedOut(url);
  const known = unreachable(error, url.host);
  if (known !== null) return known;
  return new AnnealError("SOURCE_UNREACHABLE", `${url.host} sent an answer that cannot be read.`, {
    action: "Open the address in a browser to see whether the site works; then sync again.",
    details: { code: systemCode(error) ?? "BAD_RESPONSE" },
    retryable: true,
  });
}

/** Found through the wrapper that fetch puts around it. */
function isTimeout(error: unknown): boolean {
  for (let current = error; current instanceof Error; current = current.cause) {
    if (current.name === "TimeoutError") return true;
  }
  return false;
}

function timedOut(url: URL): AnnealError {
  return new AnnealError("SOURCE_UNREACHABLE", `${url.host} took too long to answer.`, {
    action: "Sync again later, or lower the number of requests at a time.",
    details: { url: url.href },
    retryable: true,
  });
}

function blockedPort(url: URL): AnnealError {
  return new AnnealError("INVALID_INPUT", `Port ${url.port} is kept for another protocol, so no page is asked of it.`, {
    action: "Use the port that the site serves its pages on.",
  });
}

function notHttp(url: URL): AnnealError {
  return new AnnealError("INVALID_INPUT", `"${url.protocol}" addresses cannot be fetched.`, {
    action: "Use an http:// or https:// address.",
  });
}
