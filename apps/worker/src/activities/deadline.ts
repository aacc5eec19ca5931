import { AnnealError } from "@anneal/core/errors";

/** As long as one document's content may take to come, where nothing else is set. */
export const defaultDocumentTimeoutMs = 10 * 60_000;

export type Deadline = {
  /** Aborts when the time is over or the sync ends, with what `wait` throws then. */
  signal: AbortSignal;
  /** What the work comes to, or the end of the wait for it, whether or not the work hears of its signal. */
  wait<Result>(work: Promise<Result>): Promise<Result>;
  /** Throws once the time was over before anything else ended the work. */
  throwIfOver(): void;
  clear(): void;
};

/**
 * The time that one document's content may take to come, in all: what never ends need not be idle for a moment.
 * @param signal of the sync
 * @throws AnnealError DOCUMENT_TIMEOUT from `wait`, and what `signal` was aborted with
 */
export function createDeadline(signal: AbortSignal, timeoutMs: number): Deadline {
  const ended = new AbortController();
  const follow = () => ended.abort(signal.reason);
  const timeout = tookTooLong(timeoutMs);
  const timer = setTimeout(() => ended.abort(timeout), timeoutMs);
  signal.addEventListener("abort", follow);
  if (signal.aborted) follow();
  return {
    signal: ended.signal,
    async wait(work) {
      // What comes after the end is nobody's any more.
      work.catch(() => undefined);
      ended.signal.throwIfAborted();
      const end = Promise.withResolvers<never>();
      const onEnd = () => end.reject(ended.signal.reason);
      ended.signal.addEventListener("abort", onEnd);
      try {
        return await Promise.race([work, end.promise]);
      } finally {
        ended.signal.removeEventListener("abort", onEnd);
      }
    },
    throwIfOver() {
      if (ended.signal.reason === timeout) throw timeout;
    },
    clear() {
      clearTimeout(timer);
      signal.removeEventListener("abort", follow);
    },
  };
}

function tookTooLong(timeoutMs: number): AnnealError {
  const minutes = timeoutMs / 60_000;
  const time = minutes < 1 ? `${timeoutMs / 1000} seconds` : `${Math.round(minutes * 10) / 10} minutes`;
  return new AnnealError("DOCUMENT_TIMEOUT", `The document's content had not come whole after ${time}.`, {
    action: "Read it again when its source answers faster, or raise ANNEAL_DOCUMENT_TIMEOUT_SECONDS.",
  });
}
