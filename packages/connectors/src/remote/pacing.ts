import type { AnnealError } from "@anneal/core/errors";
import { systemClock } from "../clock.ts";
import type { ConnectContext } from "../connector.ts";
import { RateLimited } from "./rate-limited.ts";

/** The one place that decides when a request goes out, whether it is repeated, and whose the wait is. */
export type Pacing = {
  /**
   * Until the service, as far as it told, wants requests again.
   * @throws AnnealError RATE_LIMITED where that is the workflow's wait
   */
  turn(): Promise<void>;
  /**
   * What a good answer asks for is kept to before the next request, which would be refused. Where it is long, each later turn
   * is refused with it.
   */
  keepQuiet(asked: RateLimited): void;
  begin(): Tries;
  /**
   * Leaves a wait to the workflow. Where the service told it, nothing more is asked of it until the wait is over: each
   * later turn is refused in the same words.
   * @param refusal what a person is told, with so long to wait
   * @returns the refusal, to be thrown
   */
  handOver(wait: { toldMs: number | null; askedMs: number }, refusal: (waitMs: number) => AnnealError): AnnealError;
  /** The same for a service that said so in words of its own. */
  leave(limited: RateLimited): AnnealError;
  /**
   * Does `work` in its turn, as often as it may: for clients that come with a library, whose own retries are off.
   * @param toError what the library throws, as a person is told of it
   * @throws AnnealError; RATE_LIMITED has `details.retryAfterMs` for the workflow
   */
  attempt<T>(work: () => Promise<T>, toError: (error: unknown) => AnnealError): Promise<T>;
};

/** The tries of one request. */
export type Tries = {
  /** After an answer that says "not now": whether to try again in the next turn. If not, the wait is the workflow's. */
  again(toldMs: number | null): boolean;
  /** After no answer, or only a part of one: waits a little, or is false where it was tried often enough. */
  afterNone(): Promise<boolean>;
};

const maxTries = 6;
/** For requests that got no answer, or only a part of one. */
export const maxTransferTries = 3;
/** A longer wait is not slept through here: the sync is ended, and its workflow waits (`details.retryAfterMs`). */
const maxWaitMs = 60_000;
const firstBackoffMs = 500;

/** For all requests of one sync to one service: it asked to be left alone by the sync, not by one request. */
export function createPacing(
  host: string,
  { signal, onRemoteEvent: observe = () => {}, clock = systemClock }: PacingContext,
): Pacing {
  let quietUntil = 0;
  let closed: { until: number; refusal: (leftMs: number) => AnnealError } | null = null;

  /** Ends at once when the sync is cancelled, with the reason that it was given. */
  const pause = async (waitMs: number) => {
    await clock.sleep(waitMs, signal).catch(() => signal.throwIfAborted());
  };
  const keepQuiet = (waitMs: number) => {
    quietUntil = Math.max(quietUntil, clock.now() + waitMs);
  };
  const turn = async () => {
    // Somebody else may have been told to wait longer meanwhile.
    for (let waitMs = quietUntil - clock.now(); waitMs > 0; waitMs = quietUntil - clock.now()) await pause(waitMs);
    signal.throwIfAborted();
    if (closed !== null && closed.until > clock.now()) throw closed.refusal(closed.until - clock.now());
  };
  const handOver: Pacing["handOver"] = ({ toldMs, askedMs }, refusal) => {
    observe({ type: "wait", host, cause: "handed-over", waitMs: askedMs });
    if (toldMs !== null) closed = { until: clock.now() + toldMs, refusal };
    return refusal(askedMs);
  };
  const leave: Pacing["leave"] = (limited) => {
    const { toldMs, waitMs } = limited;
    return handOver({ toldMs, askedMs: waitMs }, (leftMs) => (toldMs === null ? limited : limited.after(leftMs)));
  };
  const begin = (): Tries => {
    let tries = 0;
    let waitedMs = 0;
    return {
      again(toldMs) {
        observe({ type: "throttled", host });
        tries += 1;
        const waitMs = toldMs ?? firstBackoffMs * 2 ** tries;
        waitedMs += waitMs;
        if (tries >= maxTries || waitedMs > maxWaitMs) return false;
        observe({ type: "wait", host, cause: toldMs === null ? "backoff" : "told", waitMs });
        keepQuiet(waitMs);
        return true;
      },
      async afterNone() {
        tries += 1;
        if (tries >= maxTransferTries) return false;
        const waitMs = firstBackoffMs * 2 ** tries;
        observe({ type: "wait", host, cause: "backoff", waitMs });
        await pause(waitMs);
        return true;
      },
    };
  };

  return {
    turn,
    begin,
    handOver,
    leave,
    keepQuiet(asked) {
      const { waitMs } = asked;
      if (waitMs > maxWaitMs) return void leave(asked);
      observe({ type: "wait", host, cause: "told", waitMs });
      keepQuiet(waitMs);
    },
    async attempt(work, toError) {
      const tries = begin();
      for (;;) {
        await turn();
        try {
          return await work();
        } catch (error) {
          signal.throwIfAborted();
          const known = toError(error);
          if (known instanceof RateLimited) {
            if (tries.again(known.toldMs)) continue;
            throw leave(known);
          }
          if (!known.retryable || !(await tries.afterNone())) throw known;
        }
      }
    },
  };
}

export type PacingContext = Pick<ConnectContext, "signal" | "onRemoteEvent" | "clock">;
