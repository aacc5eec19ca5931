import pLimit, { type LimitFunction } from "p-limit";

/** How fast one host is asked: the time between two requests, when the next may start, and how many may be under way. */
export type Pace = { delayMs: number; nextStart: number; limit: LimitFunction };

/** The paces of one crawl. What it wishes counts for everybody who asks the host meanwhile: two crawls of one site are no
 * faster than the slower of them. */
export type HostPaces = { paceOf(host: string): Pace; close(): void };

type Shared = Map<string, Pace & { crawls: number }>;
const ofThisProcess: Shared = new Map();

/** @param all the paces to share; by default those of this process */
export function openHostPaces(
  wished: { requestsPerSecond: number; concurrency: number },
  all: Shared = ofThisProcess,
): HostPaces {
  const mine = new Map<string, Pace & { crawls: number }>();
  return {
    paceOf(host) {
      const held = mine.get(host);
      if (held !== undefined) return held;
      const delayMs = 1000 / wished.requestsPerSecond;
      const pace = all.get(host) ?? { delayMs, nextStart: 0, limit: pLimit(wished.concurrency), crawls: 0 };
      pace.delayMs = Math.max(pace.delayMs, delayMs);
      pace.limit.concurrency = Math.min(pace.limit.concurrency, wished.concurrency);
      pace.crawls += 1;
      all.set(host, pace);
      mine.set(host, pace);
      return pace;
    },
    close() {
      for (const [host, pace] of mine) {
        pace.crawls -= 1;
        if (pace.crawls === 0) all.delete(host);
      }
      mine.clear();
    },
  };
}
