import { isAnnealError, type ErrorCode } from "@anneal/core/errors";
import type { Credentials } from "./shared-credentials.ts";

/**
 * What goes through the one gateway for remote calls, for whoever counts it. Numbers, fixed words and the host that is
 * asked: no path, no name of a document, nothing that a service said. Where a stranger leads, by a redirect, is "elsewhere".
 */
export type RemoteEvent =
  /** An answer, redirects included, or that none came (`status` null); `durationMs` until its first byte. */
  | { type: "request"; host: string; status: number | null; durationMs: number }
  /** One exchange of a protocol that is no HTTP. `outcome` is the code of its failure. */
  | {
      type: "operation";
      host: string;
      operation: RemoteOperation;
      outcome: "ok" | ErrorCode | "unexpected";
      durationMs: number;
    }
  /** Of contents and answers, as far as they were read. */
  | { type: "received"; host: string; bytes: number }
  /** An answer that says "not now". */
  | { type: "throttled"; host: string }
  /**
   * "told": the service said for how long it wants to be left alone, and all requests wait. "backoff": it did not say.
   * "handed-over": the wait is too long for us, the sync ends and its workflow waits.
   */
  | { type: "wait"; host: string; cause: "told" | "backoff" | "handed-over"; waitMs: number }
  /** New credentials, because the service refused the ones before. */
  | { type: "renewal"; ok: boolean };

/** "page": the next part of a long result. "command": what is none of the others, such as asking for one's rights. */
export type RemoteOperation =
  | "connect"
  | "list"
  | "stat"
  | "open"
  | "read"
  | "close"
  | "search"
  | "fetch"
  | "query"
  | "page"
  | "command";

/** Called in the middle of a request: it must neither wait nor throw. */
export type RemoteObserver = (event: RemoteEvent) => void;

/**
 * What ends because the sync is cancelled is no answer that did not come.
 * @param statusOf the status of an answer that the client throws; null where none came
 */
export async function observeAnswer<T extends { status: number }>(
  { observe, host, signal }: { observe: RemoteObserver; host: string; signal: AbortSignal },
  send: () => Promise<T>,
  statusOf: (error: unknown) => number | null = () => null,
): Promise<T> {
  const startedAt = performance.now();
  const tell = (status: number | null) =>
    observe({ type: "request", host, status, durationMs: performance.now() - startedAt });
  try {
    const answer = await send();
    tell(answer.status);
    return answer;
  } catch (error) {
    if (!signal.aborted) tell(statusOf(error));
    throw error;
  }
}

/** @param toError what a person is told of what `work` throws: the outcome is its code */
export async function observeOperation<T>(
  { observe, host, signal, toError }: ObservedCalls,
  operation: RemoteOperation,
  work: () => Promise<T>,
): Promise<T> {
  const startedAt = performance.now();
  const tell = (outcome: "ok" | ErrorCode | "unexpected") =>
    observe({ type: "operation", host, operation, outcome, durationMs: performance.now() - startedAt });
  try {
    const result = await work();
    tell("ok");
    return result;
  } catch (error) {
    if (!signal.aborted) tell(codeOf(error, toError));
    throw error;
  }
}

type ObservedCalls = {
  observe: RemoteObserver;
  host: string;
  signal: AbortSignal;
  toError: (error: unknown) => unknown;
};

function codeOf(error: unknown, toError: ObservedCalls["toError"]): ErrorCode | "unexpected" {
  try {
    const told = toError(error);
    return isAnnealError(told) ? told.code : "unexpected";
  } catch {
    return "unexpected";
  }
}

/** Passes a body through; what was read of it is told at its end, or where it broke off. */
export async function* observeBody(
  observe: RemoteObserver,
  host: string,
  body: AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> {
  let bytes = 0;
  try {
    for await (const chunk of body) {
      bytes += chunk.byteLength;
      yield chunk;
    }
  } finally {
    observe({ type: "received", host, bytes });
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
