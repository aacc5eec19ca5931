import { Response } from "undici";
import { inHostSlot, requestsPerHost } from "./host-slots.ts";
import { isAboutLoad } from "./remote-answer.ts";
import { observeAnswer, observeBody, type RemoteObserver } from "./remote-observer.ts";

/**
 * One request of a client that paces itself, counted and let out as all remote calls are.
 *
 * @param target the host that is asked, with its port where that is not the usual one
 * @param host its name for whoever counts
 * @throws the signal's reason where it is aborted before its turn; what `send` throws
 */
export async function sendToHost<T extends { status: number }>(
  { target, host, observe, signal }: { target: string; host: string; observe: RemoteObserver; signal: AbortSignal },
  send: () => Promise<T>,
): Promise<T> {
  const answer = await inHostSlot(target, requestsPerHost, signal, () =>
    observeAnswer({ observe, host, signal }, send),
  );
  if (isAboutLoad(answer.status, null)) observe({ type: "throttled", host });
  return answer;
}

/** For clients of services that are no sources and have a `fetch` of their own: what is read of an answer counts as well. */
export function createHostSender(
  observe: RemoteObserver,
): (host: string, signal: AbortSignal, send: () => Promise<Response>) => Promise<Response> {
  return async (host, signal, send) => {
    const response = await sendToHost({ target: host, host, observe, signal }, send);
    if (response.body === null) return response;
    return new Response(ReadableStream.from(observeBody(observe, host, response.body)), response);
  };
}
