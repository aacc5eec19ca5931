import { AnnealError, type ErrorReport } from "@anneal/core/errors";
import pLimit from "p-limit";
import type { HttpAnswer } from "../http-answer.ts";
import type { z } from "zod";
import { systemClock } from "../clock.ts";
import type { ConnectContext } from "../connector.ts";
import { assertAllowedHost } from "../host-guard.ts";
import { createGuardedFetch } from "../guarded-fetch.ts";
import { retryAfterMs } from "../web/site-client.ts";
import { inHostSlot, requestsPerHost } from "./host-slots.ts";
import { createLastAnswered, type LastAnswered } from "./last-answered.ts";
import { createPacing, maxTransferTries } from "./pacing.ts";
import { RateLimited } from "./rate-limited.ts";
import {
  describeStatus,
  isAboutLoad,
  parseAnswer,
  parseJson,
  readAnswer,
  readErrorText,
  readText,
  unexpectedAnswer,
} from "./remote-answer.ts";
import { observeAnswer, observeBody, observeRenewals } from "./remote-observer.ts";
import { shareCredentials, type Credentials } from "./shared-credentials.ts";
import { maxToldMs, spentBudgetMs } from "./told-budget.ts";

/**
 * The one way to a vendor's API: guarded against private addresses, with the vendor's own limits kept, tokens renewed
 * once when they are refused, and every failure an AnnealError that never holds a credential or an address.
 */
export type RemoteClient = {
  /**
   * @param path a path of `baseUrl`, or a whole address that the vendor gave (a next page)
   * @throws RemoteError for an answer that is not 2xx, AnnealError for no answer, or for one that `schema` refuses
   */
  json<T>(path: string, schema: z.ZodType<T>, request?: RemoteRequest): Promise<T>;
  /** The same with what stands around the answer: for vendors that say in a header where the next page is. */
  exchange<T>(path: string, schema: z.ZodType<T>, request?: RemoteRequest): Promise<RemoteAnswer<T>>;
  /** The same, not looked into but for being JSON: for a vendor's own library, which reads it (`gateway-fetch.ts`). */
  text(path: string, request?: RemoteRequest): Promise<RemoteAnswer<string>>;
  /** The body as it comes, at most `context.limits.documentBytes`. */
  download(path: string, ref: string, request?: RemoteRequest): Promise<AsyncIterable<Uint8Array>>;
  close(): Promise<void>;
};

export type RemoteAnswer<T> = { data: T; status: number; headers: Headers; url: string };

export type RemoteRequest = {
  method?: "GET" | "POST";
  query?: Record<string, string | number | boolean | undefined>;
  /** Sent to trusted hosts only, as credentials are; another host gets `accept` and `range` at most. */
  headers?: Record<string, string>;
  /** Sent as JSON, or as it is when it is text. A request that is repeated must change nothing: it may be sent twice. */
  body?: unknown;
};

export type RemoteClientOptions = {
  /** What people call the service, at the start of a sentence: "SharePoint". */
  service: string;
  baseUrl: string;
  /** Also allowed to get the credentials, for vendors that answer with addresses of another host of theirs. */
  trustedHosts?: readonly string[];
  allowPrivateHosts: boolean;
  context: Pick<ConnectContext, "signal" | "limits" | "onRemoteEvent" | "clock">;
  /**
   * Headers of a request; asked with `renew` after a 401, once for all requests that wait for it. It must not use the
   * client that it authorizes, which would wait for itself.
   */
  authorize?: (renew: boolean) => Credentials;
  /** True for an answer of status 200 that refuses the credentials: they are renewed as after a 401. */
  isRefusal?: (answer: unknown) => boolean;
  /** Parameters that are credentials: they go where `authorize`'s headers go. */
  secretQuery?: Record<string, string>;
  /** Requests of this client in flight at once. Default 4. */
  concurrency?: number;
  /**
   * The service says with every answer, good or bad, how long to wait before the next request: 0 for not at all, which
   * then says nothing about an answer that refuses.
   */
  announcesWaits?: boolean;
  /** True for an answer that says "not now" in words of its own, without a time. */
  asksToWait?: (status: number, body: string) => boolean;
  /** Shared by clients of one service; left out: this client's own. */
  lastAnswered?: LastAnswered;
  /** The vendor's own words of what an answer means, where they say more than the status does. */
  explain?: (status: number, body: string) => AnnealError | null;
};

/**
 * An answer that is not 2xx, or with the status 0 none. Connectors decide by `status`: 404 of a known document, 410 of a
 * cursor; and by `isAlone`.
 */
export class RemoteError extends AnnealError {
  readonly status: number;
  /**
   * It was refused without a reason or got no answer, as often as it was tried, while the service answers others: what was
   * asked for fails, not the service. A connector that can do without it tells of a failure; else it is thrown as it is.
   */
  readonly isAlone: boolean;
  readonly #body: string;

  constructor(status: number, body: string, described: AnnealError, isAlone = false) {
    super(described.code, described.message, {
      action: described.action,
      details: { ...described.details, status },
      retryable: described.retryable,
    });
    this.status = status;
    this.isAlone = isAlone;
    this.#body = body;
  }

  /** Of a failure: of one thing that is refused nobody waits. */
  override toReport(): ErrorReport {
    const report = super.toReport();
    if (!this.isAlone) return report;
    const { retryAfterMs: _, unexplained: __, ...details } = report.details ?? {};
    return {
      code: "SOURCE_UNREACHABLE",
      message: `It is refused without a reason, while others are answered: ${report.message}`,
      action: "Open it at its source; once it opens there, sync again.",
      details,
    };
  }

  /** What the vendor wrote; no property, so that nothing that prints an error prints it. */
  get body(): string {
    return this.#body;
  }
}

/** `used` are the credentials that the last hop got; undefined when it got none. */
type Sent = { response: HttpAnswer; used: Credentials | undefined };

/** Its answer is undefined where its text is no JSON. */
type Received = RemoteAnswer<string> & { answer: unknown };

const maxRedirects = 5;
const maxJsonBytes = 64 * 1024 * 1024;

export function createRemoteClient(options: RemoteClientOptions): RemoteClient {
  const { service, context, explain } = options;
  const { signal, limits, clock = systemClock } = context;
  const base = new URL(options.baseUrl);
  const trustedHosts = new Set([base.host, ...(options.trustedHosts ?? [])]);
  const guarded = createGuardedFetch({
    allowPrivateHosts: options.allowPrivateHosts,
    timeoutMs: limits.requestTimeoutMs,
  });
  const limit = pLimit(options.concurrency ?? 4);
  const observe = context.onRemoteEvent ?? (() => {});
  const pacing = createPacing(base.host, context);
  const { lastAnswered = createLastAnswered() } = options;
  const { authorize } = options;
  const credentials = authorize === undefined ? null : shareCredentials(observeRenewals(observe, authorize));

  const isTrusted = ({ host, protocol }: URL) => trustedHosts.has(host) && protocol === base.protocol;
  const hostName = (url: URL) => (isTrusted(url) ? url.host : "elsewhere");

  /** Follows redirects. Once one has left the trusted hosts, no later one is trusted again: a stranger named it. */
  async function send(start: URL, request: RemoteRequest): Promise<Sent> {
    let target = start;
    let trusted = isTrusted(start);
    let { method = "GET", body } = request;
    for (let hop = 0; ; hop += 1) {
      // Before a token is asked for: it would be of no use.
      assertAllowedHost(target.hostname, options.allowPrivateHosts);
      const used = trusted ? credentials?.get() : undefined;
      const address = trusted ? withSecrets(target) : target;
      const isText = typeof body === "string";
      const headers = {
        accept: "application/json",
        ...(body === undefined || isText ? {} : { "content-type": "application/json" }),
        ...(await used),
        ...(trusted ? request.headers : harmless(request.headers)),
      };
      const sent = body === undefined ? {} : { body: isText ? String(body) : JSON.stringify(body) };
      const called = { observe, signal, host: hostName(target) };
      const answer = () => guarded.fetch(address.href, { method, headers, ...sent, signal });
      const response = await inHostSlot(address.host, requestsPerHost, signal, () =>
        observeAnswer(called, answer),
      ).catch((error: unknown) => {
        throw withoutAddress(error);
      });
      const { location } = response;
      if (response.status < 300 || response.status > 399) return { response, used };
      response.discard();
      const next = location === null ? null : URL.parse(location, target.href);
      if (next === null || hop >= maxRedirects) throw unexpectedAnswer(service, "its redirects lead nowhere");
      assertNotDowngraded(next);
      // As browsers do: only 307 and 308 repeat the request as it was.
      if (response.status === 303 || (response.status < 303 && method === "POST")) [method, body] = ["GET", undefined];
      trusted &&= isTrusted(next);
      // A body may hold what only the service may know.
      if (!trusted && body !== undefined) throw unexpectedAnswer(service, "it sends a request on to another host");
      target = next;
    }
  }

  function addressOf(path: string, query: RemoteRequest["query"]): URL {
    const url = URL.parse(path, base.href);
    if (url === null) throw unexpectedAnswer(service, "it names something that is no address");
    for (const [name, value] of entriesOf(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    assertNotDowngraded(url);
    return url;
  }

  function assertNotDowngraded({ protocol }: URL): void {
    if (base.protocol === "https:" && protocol !== "https:") {
      throw unexpectedAnswer(service, "it names an address that is not encrypted");
    }
  }

  /** For how long an answer asks to be left alone: by its Retry-After, else by a budget that is spent. */
  function waitOf({ ok, status, headers }: HttpAnswer): number | null {
    const nowMs = clock.now();
    const announces = options.announcesWaits === true;
    const afterMs = ok && !announces ? null : retryAfterMs(headers.get("retry-after"), nowMs);
    if (afterMs !== null && !(announces && afterMs === 0)) return Math.min(afterMs, maxToldMs);
    return spentBudgetMs(headers, nowMs, isAboutLoad(status, null));
  }

  /** Tries until there is an answer that is not about load, or none is to be expected. */
  async function attempt(url: URL, request: RemoteRequest): Promise<Sent> {
    const tries = pacing.begin();
    let renewed = false;
    for (;;) {
      await pacing.turn();
      let sent: Sent;
      try {
        sent = await send(url, request);
      } catch (error) {
        signal.throwIfAborted();
        const again = error instanceof AnnealError && error.retryable && error.code !== "RATE_LIMITED";
        if (!again || !(await tries.afterNone())) throw error;
        continue;
      }
      const { response, used } = sent;
      const wantedMs = waitOf(response);
      if (response.ok) {
        if (wantedMs !== null) {
          pacing.keepQuiet(new RateLimited({ place: service, toldMs: wantedMs, details: { host: url.host } }));
        }
        return sent;
      }
      if (response.status === 401 && used !== undefined && !renewed) {
        renewed = true;
        response.discard();
        credentials?.refuse(used);
        continue;
      }
      const { status } = response;
      const isBusy = isAboutLoad(status, wantedMs);
      if (isBusy && tries.again(wantedMs)) {
        response.discard();
        continue;
      }
      const body = await readErrorText(response);
      signal.throwIfAborted();
      if (!isBusy && options.asksToWait?.(status, body) === true && tries.again(null)) continue;
      throw describe({ status, body }, url, wantedMs);
    }
  }

  function describe({ status, body }: { status: number; body: string }, url: URL, waitMs: number | null): AnnealError {
    const say = (toldMs: number | null) => {
      const byStatus = describeStatus(service, status, url.host, toldMs);
      const said = explain?.(status, body) ?? byStatus;
      // Whatever words the vendor has for it, how long to wait is for the workflow to know.
      const askedMs = toldMs ?? said.details["retryAfterMs"] ?? byStatus.details["retryAfterMs"];
      return { said, askedMs: typeof askedMs === "number" ? askedMs : null };
    };
    const { said, askedMs } = say(waitMs);
    if (said.code !== "RATE_LIMITED" || askedMs === null) return new RemoteError(status, body, said);
    return pacing.handOver({ toldMs: waitMs, askedMs }, (leftMs) => {
      const { code, message, action, details } = waitMs === null ? said : say(leftMs).said;
      const withWait = { action, details: { ...details, retryAfterMs: leftMs }, retryable: true };
      return new RemoteError(status, body, new AnnealError(code, message, withWait));
    });
  }

  /** @throws RemoteError with `isAlone` where what is asked for is refused alone */
  async function receive(path: string, request: RemoteRequest): Promise<Received> {
    const url = addressOf(path, request.query);
    const place = `${url.href} ${typeof request.body === "string" ? request.body : JSON.stringify(request.body)}`;
    try {
      const received = await receiveText(url, request);
      lastAnswered.keep(place, () => isAnswered(url, request));
      return received;
    } catch (error) {
      signal.throwIfAborted();
      if (!isWithoutReason(error) || !(await lastAnswered.isAnotherAnswered(place))) throw error;
      const { status, body } = error instanceof RemoteError ? error : { status: 0, body: "" };
      throw new RemoteError(status, body, error, true);
    }
  }

  async function isAnswered(url: URL, request: RemoteRequest): Promise<boolean> {
    try {
      await pacing.turn();
      const { response } = await send(url, request);
      response.discard();
      return response.ok;
    } catch {
      signal.throwIfAborted();
      return false;
    }
  }

  async function receiveText(url: URL, request: RemoteRequest): Promise<Received> {
    let renewed = false;
    for (let tries = 1; ; tries += 1) {
      const { response, used } = await attempt(url, request);
      let text: string;
      try {
        text = await readText(
          observed(response, readAnswer(response, `${service}'s answer`, maxJsonBytes, signal, "fixed")),
        );
      } catch (error) {
        if (!(error instanceof AnnealError && error.retryable) || tries >= maxTransferTries) throw error;
        continue;
      }
      const answer = parseJson(text);
      if (used !== undefined && !renewed && options.isRefusal?.(answer)) {
        renewed = true;
        credentials?.refuse(used);
        continue;
      }
      const { status, headers } = response;
      return { data: text, answer, status, headers, url: withoutSecrets(response.url) };
    }
  }

  async function exchange<T>(
    path: string,
    schema: z.ZodType<T>,
    request: RemoteRequest = {},
  ): Promise<RemoteAnswer<T>> {
    const { answer, data: _, ...around } = await receive(path, request);
    return { ...around, data: parseAnswer(service, schema, answer) };
  }

  async function text(path: string, request: RemoteRequest = {}): Promise<RemoteAnswer<string>> {
    const { answer, ...received } = await receive(path, request);
    if (answer === undefined) throw unexpectedAnswer(service, "it is no JSON");
    return received;
  }

  function observed({ url }: HttpAnswer, body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    return observeBody(observe, hostName(new URL(url)), body);
  }

  function withSecrets(address: URL): URL {
    if (options.secretQuery === undefined) return address;
    const url = new URL(address.href);
    for (const [name, value] of entriesOf(options.secretQuery)) url.searchParams.set(name, value);
    return url;
  }

  function withoutSecrets(address: string): string {
    if (options.secretQuery === undefined) return address;
    const url = new URL(address);
    for (const [name] of entriesOf(options.secretQuery)) url.searchParams.delete(name);
    return url.href;
  }

  return {
    json: async (path, schema, request) => (await limit(() => exchange(path, schema, request))).data,
    exchange: (path, schema, request) => limit(() => exchange(path, schema, request)),
    text: (path, request) => limit(() => text(path, request)),
    async download(path, ref, request = {}) {
      const headers = { accept: "*/*", ...request.headers };
      // Its place is free again with the first byte: who reads slowly must not keep the listing waiting.
      const { response } = await limit(() => attempt(addressOf(path, request.query), { ...request, headers }));
      return observed(response, readAnswer(response, ref, limits.documentBytes, signal));
    },
    close: () => guarded.close(),
  };
}

/** A 502, 503 or 504 that names no time, or no answer at all. */
function isWithoutReason(error: unknown): error is AnnealError {
  if (!(error instanceof AnnealError)) return false;
  if (error instanceof RemoteError) return error.code === "RATE_LIMITED" && error.details["unexplained"] === true;
  return error.code === "SOURCE_UNREACHABLE" && error.retryable;
}

function entriesOf<T>(record: Record<string, T> | undefined): [string, T][] {
  return Object.entries(record ?? {});
}

function harmless(headers: Record<string, string> | undefined): Record<string, string> {
  return Object.fromEntries(entriesOf(headers).filter(([name]) => ["accept", "range"].includes(name.toLowerCase())));
}

/** An address may hold a key or be signed; what went wrong is said without it. */
function withoutAddress(error: unknown): unknown {
  if (!(error instanceof AnnealError) || !("url" in error.details)) return error;
  const { url: _, ...details } = error.details;
  const { code, message, action, retryable } = error;
  return new AnnealError(code, message, { action, details, retryable });
}
