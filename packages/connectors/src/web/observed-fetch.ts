import type { ConnectContext } from "../connector.ts";
import type { GuardedFetch } from "../guarded-fetch.ts";
import { sendToHost } from "../remote/send-to-host.ts";

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
    fetch(url, request) {
      const target = new URL(url).host;
      const host = hosts.has(target) ? target : "elsewhere";
      return sendToHost({ target, host, observe, signal: request.signal }, () => fetch.fetch(url, request));
    },
    close: () => fetch.close(),
  };
}
