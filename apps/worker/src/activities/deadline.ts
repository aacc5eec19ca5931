import { AnnealError } from "@anneal/core/errors";

/** As long as one document's content may take to come, where nothing else is set. */
export const defaultDocumentTimeoutMs = 10 * 60_000;
/** So many times as long at most, however much of it was slept through. */
const maxStretch = 6;

export type Deadline = {
  /** Aborts when the time is over or the sync ends, with what `wait` throws then. */
  signal: AbortSignal;
  /** What the work comes to, or the end of the wait for it, whether or not the work hears of its signal. */
  wait<Result>(work: Promise<Result>): Promise<Result>;
  /** What `wait` throws, once the time was over before anything else ended the work. */
  over(): AnnealError | null;
  clear(): void;
};

/**
 * The time that one document's content may take to come, in all: what never ends need not be idle for a moment. It stands
 * still while the source's requests sleep because that was asked for, as no document is at fault then; not for ever.
 * @param signal of the sync
 * @param sleptMs for how long they have slept so far
 * @throws AnnealError DOCUMENT_TIMEOUT from `wait`, and what `signal` was aborted with
 */
export function createDeadline(signal: AbortSignal, timeoutMs: number, sleptMs = () => 0): Deadline {
  const ended = new AbortController();
  const follow = () => ended.abort(signal.reason);
  const timeout = tookTooLong(timeoutMs);
  const [startedAt, sleptBefore] = [performance.now(), sleptMs()];
  const leftMs = () => {
    const elapsedMs = performance.now() - startedAt;
    const awakeMs = elapsedMs - (sleptMs() - sleptBefore);
    return Math.min(timeoutMs - awakeMs, maxStretch * timeoutMs - elapsedMs);
  };
  const check = () => {
    const restMs = Math.ceil(leftMs());
    // Not again and again while the last moment is slept through.
    if (restMs > 0) timer = setTimeout(check, Math.max(restMs, 50));
    else ended.abort(timeout);
  };
  let timer = setTimeout(check, timeoutMs);
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
    over: () => (ended.signal.reason === timeout ? timeout : null),
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
