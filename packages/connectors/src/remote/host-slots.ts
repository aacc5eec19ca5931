import pLimit, { type LimitFunction } from "p-limit";

/** One for each host that is asked for something now. */
const slots = new Map<string, LimitFunction>();

/** In flight at once with one host over HTTP, of all sources of this process: what S3 takes with ease. */
export const requestsPerHost = 32;
/** The same for statements and commands, which keep a server busier than a request does. */
export const operationsPerHost = 16;
/**
 * The same for SFTP's requests. They cost a server little, which does one after the other for each connection: what is
 * asked for ahead lies on the line. OpenSSH's own client leaves 64 unanswered for one file (sftp(1), -R).
 */
export const sftpRequestsPerHost = 128;

/** Does what takes long and asks nothing of the host, such as to sleep, while the place is somebody else's. */
export type WithoutSlot = <T>(wait: () => Promise<T>) => Promise<T>;

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
  work: (withoutSlot: WithoutSlot) => Promise<T>,
): Promise<T> {
  let leave = await enter(host, atOnce, signal);
  let ended = false;
  const withoutSlot: WithoutSlot = async (wait) => {
    leave();
    const result = await wait();
    leave = await enter(host, atOnce, signal);
    // The work may have ended over the sleep, with its connection.
    if (ended) leave();
    return result;
  };
  try {
    return await work(withoutSlot);
  } finally {
    ended = true;
    leave();
  }
}

/** @returns what gives the place up, once or more often */
async function enter(host: string, atOnce: number, signal: AbortSignal): Promise<() => void> {
  signal.throwIfAborted();
  const limit = slots.get(host) ?? pLimit(atOnce);
  slots.set(host, limit);
  const { promise: left, resolve: leave } = Promise.withResolvers<void>();
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
    return leave;
  } catch (error) {
    leave();
    throw error;
  }
}
