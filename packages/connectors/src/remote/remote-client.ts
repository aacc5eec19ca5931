import { setTimeout as sleep } from "node:timers/promises";
import { AnnealError } from "@anneal/core/errors";
import type { Response } from "undici";
import type { z } from "zod";
import type { ConnectContext } from "../connector.ts";
import { tooLarge } from "../failure.ts";
import { createGuardedFetch, toFetchError } from "../guarded-fetch.ts";
import { discard, readBody, retryAfterMs } from "../web/site-client.ts";
import { Lanes } from "./lanes.ts";

/**
 * The one way to a vendor's API: guarded against private addresses, with the vendor's own limits kept, tokens renewed
 * once when they are refused, and every failure an AnnealError that never holds a credential.
 */
export type RemoteClient = {
  /**
   * @param path a path of `baseUrl`, or a whole address that the vendor gave (a next page)
   * @throws RemoteError for an answer that is not 2xx, AnnealError for no answer, or for one that `schema` refuses
   */
  json<T>(path: string, schema: z.ZodType<T>, request?: RemoteRequest): Promise<T>;
  /** The body as it comes, at most `context.limits.documentBytes`. A redirect to another host loses the credentials. */
  download(path: string, ref: string, request?: RemoteRequest): Promise<AsyncIterable<Uint8Array>>;
  close(): Promise<void>;
};

export type RemoteRequest = {
  method?: "GET" | "POST";
  query?: Record<string, string | number | boolean | undefined>;
  headers?: Record<string, string>;
  /** Sent as JSON, or as it is when it is text. */
  body?: unknown;
};

export type RemoteClientOptions = {
  /** What people call the service, at the start of a sentence: "SharePoint". */
  service: string;
  baseUrl: string;
  /** Also allowed to get the credentials, for vendors that answer with addresses of another host of theirs. */
  trustedHosts?: readonly string[];
  allowPrivateHosts: boolean;
  context: Pick<ConnectContext, "signal" | "limits">;
  /** Headers of a request; asked with `renew` after a 401, once for all requests that wait for it. */
  authorize?: (renew: boolean) => Promise<Record<string, string>>;
  /** Requests in flight at once. Default 4. */
  concurrency?: number;
  /** The vendor's own words of what an answer means, where they say more than the status does. */
  explain?: (status: number, body: string) => AnnealError | null;
};

/** An answer that is not 2xx. Connectors decide by `status`: 404 of a known document, 410 of a cursor. */
export class RemoteError extends AnnealError {
  readonly status: number;
  readonly body: string;

  constructor(status: number, body: string, described: AnnealError) {
    super(described.code, described.message, {
      action: described.action,
      details: { ...described.details, status },
      retryable: described.retryable,
    });
    this.status = status;
    this.body = body;
  }
}

const maxAttempts = 6;
/** A longer wait is not slept through here: the sync is ended, and its workflow waits (`details.retryAfterMs`). */
const maxWaitMs = 60_000;
const firstBackoffMs = 500;
const maxRedirects = 5;
const maxErrorChars = 4000;
const maxJsonBytes = 64 * 1024 * 1024;

export function createRemoteClient(options: RemoteClientOptions): RemoteClient {
  const { service, context, explain } = options;
  const { signal } = context;
  const base = new URL(options.baseUrl);
  const trusted = new Set([base.host, ...(options.trustedHosts ?? [])]);
  const guarded = createGuardedFetch({
    allowPrivateHosts: options.allowPrivateHosts,
    timeoutMs: context.limits.requestTimeoutMs,
  });
  const lanes = new Lanes(options.concurrency ?? 4);
  let pausedUntil = 0;
  let credentials: Promise<Record<string, string>> | undefined;

  const authorization = async (): Promise<Record<string, string>> => {
    credentials ??= options.authorize?.(false) ?? Promise.resolve({});
    // One that could not be had is asked for again by the next request.
    credentials.catch(() => (credentials = undefined));
    return credentials;
  };
  /** @param refused the credentials that got the 401: others may have renewed them meanwhile */
  const renew = async (refused: Promise<Record<string, string>> | undefined) => {
    if (credentials === refused && options.authorize) credentials = options.authorize(true);
    await authorization();
  };

  async function send(url: URL, request: RemoteRequest): Promise<Response> {
    let target = url;
    for (let hop = 0; ; hop += 1) {
      const isText = typeof request.body === "string";
      const response = await guarded.fetch(target.href, {
        method: request.method ?? "GET",
        headers: {
          accept: "application/json",
          ...(request.body === undefined || isText ? {} : { "content-type": "application/json" }),
          ...(trusted.has(target.host) ? await authorization() : {}),
          ...request.headers,
        },
        ...(request.body === undefined ? {} : { body: isText ? String(request.body) : JSON.stringify(request.body) }),
        signal,
      });
      const location = response.headers.get("location");
      if (response.status < 300 || response.status > 399 || location === null || hop >= maxRedirects) return response;
      await discard(response);
      target = new URL(location, target);
    }
  }

  /** Tries until there is an answer that is not about load, or none is to be expected. */
  async function attempt(path: string, request: RemoteRequest): Promise<Response> {
    const url = new URL(path, base);
    for (const [name, value] of Object.entries(request.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    if (url.protocol !== base.protocol) throw unexpectedAnswer(service, "it names an address of another protocol");
    let renewed = false;
    for (let tries = 1; ; tries += 1) {
      const pauseMs = pausedUntil - Date.now();
      if (pauseMs > 0) await sleep(pauseMs, undefined, { signal });
      const used = credentials;
      let response: Response;
      try {
        response = await send(url, request);
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof AnnealError && error.retryable) || tries >= 3) throw error;
        await sleep(firstBackoffMs * 2 ** tries, undefined, { signal });
        continue;
      }
      if (response.status < 400) return response;
      if (response.status === 401 && options.authorize && !renewed) {
        renewed = true;
        await discard(response);
        await renew(used);
        continue;
      }
      const isLoad = response.status === 429 || response.status === 503 || response.status === 504;
      const wantedMs = retryAfterMs(response.headers.get("retry-after"), Date.now());
      if (isLoad && tries < maxAttempts && (wantedMs ?? 0) <= maxWaitMs) {
        await discard(response);
        const waitMs = wantedMs ?? firstBackoffMs * 2 ** tries;
        // The vendor asked everybody to wait, not this one request.
        pausedUntil = Math.max(pausedUntil, Date.now() + waitMs);
        continue;
      }
      throw await describe(response, url, wantedMs);
    }
  }

  async function describe(response: Response, url: URL, waitMs: number | null): Promise<AnnealError> {
    const body = (await response.text().catch(() => "")).slice(0, maxErrorChars);
    const said = explain?.(response.status, body) ?? describeStatus(service, response.status, url.host, waitMs);
    return new RemoteError(response.status, body, said);
  }

  return {
    json: (path, schema, request = {}) =>
      lanes.run(async () => {
        const response = await attempt(path, request);
        let text = "";
        const decoder = new TextDecoder();
        for await (const chunk of readBody(response, response.url || base.href, maxJsonBytes)) {
          text += decoder.decode(chunk, { stream: true });
        }
        const parsed = schema.safeParse(parseJson(text));
        if (parsed.success) return parsed.data;
        const [issue] = parsed.error.issues;
        throw unexpectedAnswer(service, `${issue?.path.join(".") || "the answer"}: ${issue?.message}`);
      }),
    async download(path, ref, request = {}) {
      // Its lane is free again with the first byte: who reads slowly must not keep the listing waiting.
      const response = await lanes.run(() =>
        attempt(path, { ...request, headers: { accept: "*/*", ...request.headers } }),
      );
      const { documentBytes } = context.limits;
      const declared = Number(response.headers.get("content-length") ?? 0);
      if (declared > documentBytes) {
        await discard(response);
        throw tooLarge(ref, declared, documentBytes);
      }
      return streamBody(response, ref, documentBytes, base);
    },
    close: () => guarded.close(),
  };
}

async function* streamBody(response: Response, ref: string, limitBytes: number, base: URL): AsyncIterable<Uint8Array> {
  let sizeBytes = 0;
  try {
    for await (const chunk of response.body ?? []) {
      const bytes = chunk as Uint8Array;
      sizeBytes += bytes.byteLength;
      if (sizeBytes > limitBytes) throw tooLarge(ref, null, limitBytes);
      yield bytes;
    }
  } catch (error) {
    throw toFetchError(error, base);
  }
  const declared = response.headers.get("content-length");
  // What was sent compressed is longer than declared; what is shorter broke off.
  if (declared !== null && response.headers.get("content-encoding") === null && sizeBytes < Number(declared)) {
    throw new AnnealError("SOURCE_UNREACHABLE", `The transfer of "${ref}" broke off.`, {
      action: "It is read again by the next sync.",
      retryable: true,
    });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unexpectedAnswer(service: string, what: string): AnnealError {
  return new AnnealError("SOURCE_UNREACHABLE", `${service} sent an answer that cannot be understood (${what}).`, {
    action: "Check that the address is the API's own, and sync again later.",
    details: { what },
  });
}

function describeStatus(service: string, status: number, host: string, waitMs: number | null): AnnealError {
  const details = { host };
  switch (status) {
    case 401:
      return new AnnealError("SOURCE_CREDENTIALS", `${service} does not accept the credentials.`, {
        action: "Enter them again; they may have expired or been revoked.",
        details,
      });
    case 403:
      return new AnnealError("SOURCE_FORBIDDEN", `${service} accepts the credentials, which lack a permission.`, {
        action: "Grant what the check of this source names as missing.",
        details,
      });
    case 404:
      return new AnnealError("SOURCE_NOT_FOUND", `${service} does not have what was asked for.`, {
        action: "Check the ids in the source's settings; it may have been moved or deleted.",
        details,
      });
    case 429:
    case 503:
    case 504:
      return new AnnealError(
        "RATE_LIMITED",
        `${service} asks to wait${waitMs === null ? "" : ` ${Math.ceil(waitMs / 1000)} s`}.`,
        {
          action: "The sync goes on by itself after the wait.",
          details: { ...details, retryAfterMs: waitMs ?? maxWaitMs },
          retryable: true,
        },
      );
    default:
      return new AnnealError("SOURCE_UNREACHABLE", `${service} answered with status ${status}.`, {
        action: "Sync again later; if it stays, look at the service's status page.",
        details,
        retryable: status >= 500,
      });
  }
}
