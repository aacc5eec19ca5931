import pLimit, { type LimitFunction } from "p-limit";

/** One for each host that is asked for something now. */
const slots = new Map<string, LimitFunction>();

/** In flight at once with one host over HTTP, of all sources of this process: what S3 takes with ease. */
export const requestsPerHost = 32;
/** The same for statements and commands, which keep a server busier than a request does. */
export const operationsPerHost = 16;

/**
 * Does `work` as soon as fewer than `atOnce` others are at the host, whichever sources they belong to. It must not ask for
 * another place at the same host, which it may wait for without end.
 *
 * @param host with its port, where that is not the usual one
 * @throws the signal's reason where it is aborted before its turn
 */
export async function inHostSlot<T>(
  host: string,
  atOnce: number,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const limit = slots.get(host) ?? pLimit(atOnce);
  slots.set(host, limit);
  let leave = () => {};
  const left = new Promise<void>((resolve) => (leave = resolve));
  try {
    await new Promise<void>((resolve, reject) => {
      const onAbort = () => reject(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
      const place = limit(() => {
        signal.removeEventListener("abort", onAbort);
        resolve();
        return left;
      });
      void place.then(() => {
        if (limit.activeCount + limit.pendingCount === 0 && slots.get(host) === limit) slots.delete(host);
      });
    });
    signal.throwIfAborted();
    return await work();
  } finally {
    leave();
  }
}
