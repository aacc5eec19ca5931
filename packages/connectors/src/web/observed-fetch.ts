import type { ConnectContext } from "../connector.ts";
import type { GuardedFetch } from "../guarded-fetch.ts";
import { inHostSlot, requestsPerHost } from "../remote/host-slots.ts";
import { isAboutLoad } from "../remote/remote-answer.ts";
import { observeAnswer } from "../remote/remote-observer.ts";

/**
 * A crawl's requests, counted and let out as all remote calls are. A crawl paces itself beside that.
 * @param addresses whose hosts have a name there; where pages lead is "elsewhere"
 */
export function observedFetch(
  fetch: GuardedFetch,
  addresses: readonly string[],
  { onRemoteEvent: observe = () => {} }: Pick<ConnectContext, "onRemoteEvent">,
): GuardedFetch {
  const hosts = new Set(addresses.map((address) => new URL(address).host));
  return {
    async fetch(url, request) {
      const { signal } = request;
      const target = new URL(url).host;
      const host = hosts.has(target) ? target : "elsewhere";
      const response = await inHostSlot(target, requestsPerHost, signal, () =>
        observeAnswer({ observe, host, signal }, () => fetch.fetch(url, request)),
      );
      if (isAboutLoad(response.status, null)) observe({ type: "throttled", host });
      return response;
    },
    close: () => fetch.close(),
  };
}
