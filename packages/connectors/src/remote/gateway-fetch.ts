import { findAnnealError } from "../failure.ts";
import type { RemoteClient, RemoteRequest } from "./remote-client.ts";
import { unexpectedAnswer } from "./remote-answer.ts";

/** As much of the standard's `fetch` as the vendors' own libraries use to read JSON. */
export type GatewayFetch = (input: string | URL | FetchRequest, init?: FetchInit) => Promise<Response>;

type FetchInit = { method?: string | undefined; headers?: RequestInit["headers"]; body?: unknown };
type FetchRequest = FetchInit & { url: string };

/** Of what a library sends, this reaches the service. Credentials are the gateway's to add, and of nothing else is there need. */
const passedHeaders = ["accept", "content-type"];
/** They are about the bytes on the way: what is handed on is the text. */
const transferHeaders = ["content-encoding", "content-length", "transfer-encoding"];

/**
 * The gateway in the shape that vendors' libraries ask for. They get no credentials, and of retries, waits, timeouts and
 * redirects, which are to be switched off in them, they see nothing: they are handed a 2xx answer that is JSON, or the
 * AnnealError that the gateway throws, which `orOwnError` finds again. A signal in `init` is left alone: the sync's ends all.
 *
 * @param vendorHeaders names of headers in lower case that the service needs beyond the usual ones, such as its API's version
 */
export function createGatewayFetch(client: RemoteClient, vendorHeaders: readonly string[] = []): GatewayFetch {
  const passed = [...passedHeaders, ...vendorHeaders];
  return async (input, init) => {
    const isAddress = typeof input === "string" || input instanceof URL;
    const address = isAddress ? String(input) : input.url;
    const { method, headers, body } = init ?? (isAddress ? {} : input);
    const {
      data,
      status,
      headers: answered,
    } = await client.text(address, {
      method: methodOf(method),
      headers: headersOf(headers, passed, body),
      ...bodyOf(body),
    });
    const kept = [...answered].filter(([name]) => !transferHeaders.includes(name));
    return new Response(data, { status, headers: kept });
  };
}

/**
 * For `catch`: what a library throws carries requests with their headers and whole answers, so it never travels on. Ours
 * does, from within whatever it was wrapped in; what else a library throws, it threw over an answer.
 */
export function orOwnError(service: string, signal: AbortSignal): (error: unknown) => never {
  return (error) => {
    signal.throwIfAborted();
    throw findAnnealError(error) ?? unexpectedAnswer(service, "its client library cannot read it");
  };
}

function methodOf(method = "GET"): "GET" | "POST" {
  const upper = method.toUpperCase();
  if (upper === "GET" || upper === "POST") return upper;
  throw new TypeError(`The gateway only reads: ${upper} is not for it.`);
}

function headersOf(given: FetchInit["headers"], passed: readonly string[], body: unknown): Record<string, string> {
  const headers = new Headers(given);
  if (body instanceof URLSearchParams && !headers.has("content-type")) {
    headers.set("content-type", "application/x-www-form-urlencoded;charset=UTF-8");
  }
  return Object.fromEntries([...headers].filter(([name]) => passed.includes(name)));
}

function bodyOf(body: unknown): Pick<RemoteRequest, "body"> {
  if (body === undefined || body === null) return {};
  if (typeof body === "string" || body instanceof URLSearchParams) return { body: String(body) };
  throw new TypeError("The gateway sends text, and nothing that can only be read once.");
}
