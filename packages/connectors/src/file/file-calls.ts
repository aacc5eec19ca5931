import { AnnealError } from "@anneal/core/errors";
import type { ConnectContext } from "../connector.ts";

/** What a folder's file system is asked for; each call ends, whether or not the file system ever answers. */
export type FileCalls = {
  /**
   * @param place the path a person would recognise
   * @param work one call of the file system; `heard` says that a part of its answer came
   * @param own ends this call alone
   * @throws AnnealError SOURCE_UNREACHABLE once nothing was heard for the request timeout; what the signals end with
   */
  call<T>(place: string, work: (heard: () => void) => Promise<T>, own?: AbortSignal): Promise<T>;
  /** The same for what has to be closed, and is where it comes after nobody waits for it any more. */
  open<T extends Closable>(place: string, work: () => Promise<T>, own?: AbortSignal): Promise<T>;
  /** Never throws: what was read is read. */
  close(place: string, opened: Closable, own?: AbortSignal): Promise<void>;
  /** Aborted with the sync, and by the first call that is not answered: then the folder is asked for nothing more. */
  ended: AbortSignal;
};

type Closable = { close(): Promise<void> };

/**
 * Node's calls are made by threads that all of the process shares: libuv's, four unless `UV_THREADPOOL_SIZE` says otherwise,
 * as a worker's does. One that a mount does not answer, because its server is gone, cannot be taken back: it holds its thread
 * until the server goes on or somebody unmounts by force. With all of them held no file is read and no host name looked up in
 * the whole worker. So a folder has no more than these under way, is not asked again after the first that is not answered,
 * and by no later sync either while one still hangs: a worker stands ten folders whose servers hang at the same time.
 */
const callsAtOnce = 3;

/** Calls that nobody waits for any more, by the folder that was asked. */
const abandoned = new Map<string, Set<Promise<unknown>>>();

/** @throws AnnealError SOURCE_UNREACHABLE where a call of an earlier sync hangs for another request timeout */
export async function openFileCalls(
  folder: string,
  { signal, limits: { requestTimeoutMs } }: Pick<ConnectContext, "signal" | "limits">,
): Promise<FileCalls> {
  const silence = new AbortController();
  const ended = AbortSignal.any([signal, silence.signal]);
  const underWay = new Set<(reason: unknown) => void>();
  const waiting: (() => void)[] = [];
  let places = callsAtOnce;
  ended.addEventListener("abort", () => {
    for (const leave of underWay) leave(ended.reason);
    for (const wake of waiting.splice(0)) wake();
  });

  async function begin<T>(place: string, work: (heard: () => void) => Promise<T>, call: CallOptions<T>): Promise<T> {
    while (places === 0 && !ended.aborted) await new Promise<void>((wake) => waiting.push(wake));
    ended.throwIfAborted();
    call.own?.throwIfAborted();
    return wait(place, work, call);
  }

  function wait<T>(place: string, work: (heard: () => void) => Promise<T>, { own, late }: CallOptions<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => silence.abort(noAnswer(place, requestTimeoutMs)), requestTimeoutMs);
      places -= 1;
      const made = work(() => underWay.has(leave) && timer.refresh());
      const leave = (reason: unknown) => {
        forget();
        abandon(folder, made);
        reject(reason);
      };
      const leaveAlone = () => leave(own?.reason);
      /** @returns whether somebody waited for it */
      const forget = () => {
        clearTimeout(timer);
        own?.removeEventListener("abort", leaveAlone);
        return underWay.delete(leave);
      };
      underWay.add(leave);
      own?.addEventListener("abort", leaveAlone);
      const end = () => {
        places += 1;
        waiting.shift()?.();
        return forget();
      };
      made.then(
        (value) => (end() ? resolve(value) : late?.(value)),
        (error: unknown) => end() && reject(error),
      );
    });
  }

  /** Once the folder answers again: closing takes a thread as well. */
  const closeLater = (opened: Closable) =>
    void Promise.allSettled(abandoned.get(folder) ?? [])
      .then(() => opened.close())
      .catch(() => {});

  const calls: FileCalls = {
    call: (place, work, own) => begin(place, work, { own }),
    open: (place, work, own) => begin(place, work, { own, late: closeLater }),
    async close(place, opened, own) {
      if (ended.aborted || own?.aborted === true) closeLater(opened);
      else await calls.call(place, () => opened.close(), own).catch(() => {});
    },
    ended,
  };
  const hanging = abandoned.get(folder);
  if (hanging !== undefined) await calls.call(folder, () => Promise.allSettled(hanging));
  return calls;
}

type CallOptions<T> = { own: AbortSignal | undefined; late?: (value: T) => void };

function abandon(folder: string, call: Promise<unknown>): void {
  const hanging = abandoned.get(folder) ?? new Set();
  abandoned.set(folder, hanging.add(call));
  const forget = () => {
    hanging.delete(call);
    if (hanging.size === 0) abandoned.delete(folder);
  };
  call.then(forget, forget);
}

function noAnswer(place: string, waitedMs: number): AnnealError {
  return new AnnealError("SOURCE_UNREACHABLE", `"${place}" was not answered for within ${waitedMs / 1000} s.`, {
    action: "Check the disk or the network share behind it, and the server of a mounted one; then sync again.",
    details: { waitedMs },
    retryable: true,
  });
}
