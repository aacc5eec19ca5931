import type { KnownItems } from "@anneal/core/connect/change";
import { AnnealError } from "@anneal/core/errors";
import { SeenRefs } from "../seen-refs.ts";
import { DigestList, noWaypoints, type CrawlPosition, type Waiting, type Waypoints } from "./crawl-position.ts";
import { TrapLedger } from "./crawl-traps.ts";
import { addressTable, linksOf } from "./links-behind.ts";
import type { PageLoader, PageOutcome } from "./load-page.ts";
import { digestLink } from "./page-memory.ts";
import { visitPage, type Visit } from "./visit-page.ts";

export type Crawl = {
  /** In the order in which addresses were found. */
  visits: AsyncIterable<Visit>;
  /** Where the crawl stands after the visit that was yielded last. */
  position(): CrawlPosition;
  /** Why `visits` ended before all was visited: the host wants to be left alone, and its last pages wait. */
  refusal(): AnnealError | null;
  /** Whether anything waits to be visited, what sitemaps name included. */
  hasMore(): boolean;
  waypoints(): Waypoints;
  /** Of the documents known before, the one that is not there any more; meaningful once `visits` has ended. */
  isGone(ref: string): boolean;
  /** What was left out on purpose, under refs that stay the same from crawl to crawl. */
  leftOut(): { ref: string; error: AnnealError }[];
};

export type CrawlOptions = {
  loader: PageLoader;
  known: KnownItems;
  /** Addresses that people or the site itself name: the starts, then feeds, then what sitemaps list. */
  starts: string[];
  feeds: string[];
  listed: string[];
  /** Of the last crawl. */
  waypoints: Waypoints;
  /** Of a crawl that was ended in the middle. */
  position: CrawlPosition | null;
  /** Of a crawl that waits between its pages: where its addresses led to. */
  landed: Record<string, string> | null;
  /** Something that names pages could not be had, so that a page that was not found may still be there. */
  isPartial: boolean;
};

/** A site that fails this often in a row is down; its pages are not. */
const maxFailuresInARow = 10;
/**
 * One page may have a limit of its own; when the host has, the crawl is ended here, and its workflow waits. So it is by
 * fewer at the end, unless the crawl has come back after a wait and met nothing else.
 */
const maxRefusalsInARow = 3;
/** Every page of a blog may name feeds of its own; those of the first pages are the site's. */
const maxFeeds = 20;
const maxWaypoints = 3000;

type Entry = Waiting & { isGrown: boolean; isListed: boolean };
type Origin = { foundOn: string | null; isListed?: boolean; isFeed?: boolean };
type Flight = { entry: Entry; visit: Promise<Visit> };

/**
 * Breadth first, a few requests ahead, results in order: depth is then the shortest way to a page, and two runs over
 * the same site visit the same pages in the same order.
 */
export function crawlSites(options: CrawlOptions): Crawl {
  const { loader, known, position } = options;
  const { config } = loader;
  const queue: Entry[] = [];
  let next = 0;
  const inFlight: Flight[] = [];
  /** Pages that the host does not want to be asked for now: theirs alone, or the first of all that follow. */
  const refused: { entry: Entry; visit: Visit }[] = [];
  let refusal: AnnealError | null = null;
  const found = new SeenRefs();
  const alive = position?.alive ?? new DigestList();
  const passed = position?.passed ?? new DigestList();
  const gone = new SeenRefs();
  const traps = new TrapLedger(config.maxPagesPerPattern);
  if (position !== null) traps.restore(position.traps);
  const startedAtMs = position?.startedAtMs ?? Date.now();
  let scanned = position?.scanned ?? 0;
  let complete = (position?.complete ?? true) && !options.isPartial;
  let signedOut = position?.signedOut ?? false;
  let feedCount = 0;
  const beyondBefore = position?.beyondLimit ?? 0;
  const beyond = () => beyondBefore + queue.length - next;
  // A crawl that goes on keeps those of its first part; one from the start makes its list anew.
  const waypoints: Waypoints = structuredClone(position === null ? noWaypoints : options.waypoints);
  const addresses = addressTable(known, options.waypoints.passed ?? []);
  const visitor = { loader, known, addresses, named: new Set([...options.starts, ...options.feeds]) };

  const enqueue = async (url: string, depth: number, { foundOn, isListed = false, isFeed = false }: Origin) => {
    if (depth > config.maxDepth || !loader.mayVisit(url, isFeed)) return;
    if (alive.has(url) || passed.has(url) || found.has(url)) return;
    const verdict = traps.admit(url, foundOn);
    if (verdict === "left-out") return;
    found.add(url);
    (await addresses()).set(digestLink(url), url);
    queue.push({ url, depth, isGrown: verdict === "grown", isListed });
  };

  const begin = async () => {
    const listed = { foundOn: null, isListed: true };
    for (const url of options.starts) await enqueue(url, 0, listed);
    for (const url of [...options.feeds, ...options.waypoints.feeds])
      await enqueue(url, 0, { ...listed, isFeed: true });
    for (const url of options.listed) await enqueue(url, 0, listed);
    for (const { url, depth } of position?.waiting ?? []) {
      // What robots.txt says may have changed meanwhile; feeds may wait as well.
      if (!loader.mayVisit(url, true) || !found.add(url)) continue;
      (await addresses()).set(digestLink(url), url);
      queue.push({ url, depth, isGrown: false, isListed: false });
    }
  };

  const follow = async ({ url, outcome, memory }: Visit, depth: number) => {
    const { links, areAll } = await linksOf(outcome, memory, addresses);
    if (!areAll) complete = false;
    const foundOn = outcome.type === "feed" ? null : url;
    for (const link of links) await enqueue(link, depth + 1, { foundOn });
    if (depth > 0 || !("feeds" in outcome)) return;
    for (const feed of outcome.feeds) {
      if (feedCount >= maxFeeds) return;
      feedCount += 1;
      await enqueue(feed, depth, { foundOn: null, isFeed: true });
    }
  };

  const note = ({ url, outcome, memory, wanted }: Visit) => {
    scanned += 1;
    const isThere = outcome.type === "document" || outcome.type === "not-modified" || outcome.type === "failed";
    (wanted && isThere ? alive : passed).add(url);
    if (outcome.type === "gone") gone.add(url);
    if (outcome.type === "document") traps.note(url, outcome.digest.words);
    if (outcome.type === "not-modified" && memory !== null) traps.note(url, memory.words);
    // The page had its text once, so the login did what it should, and does not any more.
    signedOut ||= memory !== null && outcome.type === "failed" && outcome.error.code === "SOURCE_CREDENTIALS";
    if (wanted && (outcome.type === "document" || outcome.type === "not-modified")) return;
    if (outcome.type === "feed" && !waypoints.feeds.includes(url)) waypoints.feeds.push(url);
    if (waypoints.passed !== null && waypoints.passed.push(url) > maxWaypoints) waypoints.passed = null;
  };

  /** The next address to ask for; those whose pattern has turned out to be a trap meanwhile are passed over. */
  const take = (): Entry | null => {
    while (next < queue.length && scanned + refused.length + inFlight.length < config.maxPages) {
      const entry = queue[next]!;
      next += 1;
      if (!entry.isGrown || !traps.isBarren(entry.url)) return entry;
      traps.leave(entry.url);
    }
    return null;
  };

  async function* visits(): AsyncIterable<Visit> {
    await begin();
    let failuresInARow = 0;
    let hasAnswered = position === null;
    async function* accept({ entry, visit }: { entry: Entry; visit: Visit }) {
      note(visit);
      await follow(visit, entry.depth);
      yield visit;
    }
    for (;;) {
      while (inFlight.length < config.concurrency * loader.sites.length) {
        const entry = take();
        if (entry === null) break;
        inFlight.push({ entry, visit: visitPage(visitor, entry.url) });
      }
      const first = inFlight[0];
      if (first === undefined) break;
      const visit = await first.visit;
      inFlight.shift();
      loader.signal.throwIfAborted();
      failuresInARow = isOutage(visit.outcome) ? failuresInARow + 1 : 0;
      if (failuresInARow >= maxFailuresInARow && visit.outcome.type === "failed") throw visit.outcome.error;
      if (asksToWait(visit.outcome)) {
        refused.push({ entry: first.entry, visit });
        if (refused.length >= maxRefusalsInARow) return stop();
        continue;
      }
      hasAnswered = true;
      for (const page of refused.splice(0)) yield* accept(page);
      yield* accept({ entry: first.entry, visit });
    }
    if (refused.length > 0 && hasAnswered) return stop();
    for (const page of refused.splice(0)) yield* accept(page);
    if (beyond() > 0) complete = false;
  }

  const stop = () => {
    const last = refused.at(-1)?.visit.outcome;
    if (last?.type === "failed") refusal = last.error;
  };

  return {
    visits: visits(),
    position() {
      const found = [...[...refused, ...inFlight].map(({ entry }) => entry), ...queue.slice(next)];
      const waiting = found.slice(0, Math.max(0, config.maxPages - scanned));
      return {
        alive,
        passed,
        waiting: waiting.filter(({ isListed }) => !isListed).map(({ url, depth }) => ({ url, depth })),
        beyondLimit: beyondBefore + found.slice(waiting.length).filter(({ isListed }) => !isListed).length,
        traps: traps.save(),
        scanned,
        complete: complete && !traps.isOverflowing,
        signedOut,
        startedAtMs,
        landed: options.landed,
      };
    },
    hasMore: () => refused.length > 0 || inFlight.length > 0 || next < queue.length,
    refusal: () => refusal,
    waypoints: () => waypoints,
    isGone(ref) {
      if (alive.has(ref) || signedOut) return false;
      // Where the crawl did not get everywhere, only what was seen to be gone is gone.
      return gone.has(ref) || (complete && !traps.isLeftOut(ref));
    },
    leftOut() {
      const reports = traps.reports();
      if (beyond() > 0) reports.push(beyondLimit(loader, beyond()));
      for (const { ref } of reports) alive.add(ref);
      return reports;
    },
  };
}

function beyondLimit({ config, sites }: PageLoader, count: number): { ref: string; error: AnnealError } {
  const number = count.toLocaleString("en");
  const limit = config.maxPages.toLocaleString("en");
  const error = new AnnealError(
    "DOCUMENT_UNSUPPORTED",
    `${count === 1 ? "One address" : `Some ${number} addresses`} that turned up ${count === 1 ? "was" : "were"} not visited: the limit is ${limit} pages.`,
    {
      action: "Raise “Pages at most”, or exclude what is not needed.",
      details: { code: "PAGE_LIMIT", leftOut: count },
    },
  );
  return { ref: `${sites[0]?.origin}/#beyond-the-page-limit`, error };
}

function asksToWait(outcome: PageOutcome): boolean {
  return outcome.type === "failed" && outcome.error.details["retryAfterMs"] !== undefined;
}

function isOutage(outcome: PageOutcome): boolean {
  return outcome.type === "failed" && outcome.error.code === "SOURCE_UNREACHABLE";
}
