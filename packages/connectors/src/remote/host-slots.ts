/** How many are at a host, and who waits to be let in, in their order. */
type Slots = { taken: number; waiting: Set<() => void> };

/** One for each host that is asked for something now. */
const slots = new Map<string, Slots>();

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
  const place = slots.get(host) ?? { taken: 0, waiting: new Set() };
  slots.set(host, place);
  // Whoever leaves hands the place on, so that nobody who comes later gets it first.
  if (place.taken < atOnce) place.taken += 1;
  else await turnOf(place, signal);
  let left = false;
  const leave = () => {
    if (left) return;
    left = true;
    handOn(host, place);
  };
  if (!signal.aborted) return leave;
  leave();
  throw signal.reason;
}

function handOn(host: string, place: Slots): void {
  const [next] = place.waiting;
  if (next !== undefined) {
    place.waiting.delete(next);
    next();
    return;
  }
  place.taken -= 1;
  if (place.taken === 0) slots.delete(host);
}

async function turnOf({ waiting }: Slots, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onAbort = () => {
    waiting.delete(resolve);
    reject(signal.reason);
  };
  waiting.add(resolve);
  signal.addEventListener("abort", onAbort, { once: true });
  await promise.finally(() => signal.removeEventListener("abort", onAbort));
}
