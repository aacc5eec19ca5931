import type { KnownItems } from "@anneal/core/connect/change";
import { leaveOut, type LeftOut, type LeftOutReason, takeIn } from "@anneal/core/connect/left-out";
import { AnnealError } from "@anneal/core/errors";
import { SeenRefs } from "../seen-refs.ts";
import { maxPassed, type Journal, type VisitRecord, type Waypoints } from "./crawl-journal.ts";
import { TrapLedger } from "./crawl-traps.ts";
import { addressTable } from "./links-behind.ts";
import type { PageLoader, PageOutcome } from "./load-page.ts";
import { maxLinks } from "./page-limits.ts";
import { digestLink } from "./page-memory.ts";
import { recordOf, visitPage, type Visit, type Visitor } from "./visit-page.ts";

export type Crawl = {
  /** In the order in which addresses were found. */
  visits: AsyncIterable<RecordedVisit>;
  /** Documents that were visited, and what cannot be read, before this crawl went on as well. */
  scanned(): number;
  /** All addresses that were visited. */
  visited(): number;
  /** Addresses that were visited and those that wait. */
  found(): number;
  /** Why `visits` ended before all was visited: the host wants to be left alone, and its last pages wait. */
  refusal(): AnnealError | null;
  waypoints(): Waypoints;
  /** Of the documents known before, the one that is not there any more; meaningful once `visits` has ended. */
  isGone(ref: string): boolean;
  /** What holds no document, or may not be visited. */
  leftOut(): LeftOut;
  /** Where pages were left out by a limit, under refs that stay the same from crawl to crawl. */
  limits(): { ref: string; error: AnnealError }[];
};

/** `afterLost`: what the journal's last entry promised did not come, and this is the first visit since. */
export type RecordedVisit = { visit: Visit; record: VisitRecord; afterLost: boolean };

export type CrawlOptions = {
  loader: PageLoader;
  known: KnownItems;
  /** Addresses that people or the site itself name: the starts, then feeds, then what sitemaps list. */
  starts: string[];
  feeds: string[];
  listed: string[];
  /** What sitemaps list and the settings or robots.txt keep out. */
  keptOut: string[];
  journal: Pick<Journal, "waypoints" | "visits">;
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
/**
 * So many addresses wait beside those that the limit of pages lets be visited: some turn out to be of a trap. What more a
 * site names is counted, and not kept: each page may name thousands.
 */
export const maxSpare = 50_000;
/** More that is passed by is not counted: each page may name thousands that are kept out. */
const maxPassedBy = 50_000;
/** Every page of a blog may name feeds of its own; those of the first pages are the site's. */
const maxFeeds = 20;

type Entry = { url: string; depth: number; isGrown: boolean };
type Flight = { entry: Entry; visit: Promise<Visit> };

/**
 * Breadth first, a few requests ahead, results in order: depth is then the shortest way to a page, and two runs over
 * the same site visit the same pages in the same order.
 */
export function crawlSites(options: CrawlOptions): Crawl {
  const { loader, known, journal } = options;
  const { config } = loader;
  let queue: Entry[] = [];
  let next = 0;
  const inFlight: Flight[] = [];
  /** Pages that the host does not want to be asked for now: theirs alone, or the first of all that follow. */
  const refused: { entry: Entry; visit: Visit }[] = [];
  let refusal: AnnealError | null = null;
  const found = new SeenRefs();
  const visited = new SeenRefs();
  /** Of the visited, pages that are there: documents, unchanged ones, failed ones. */
  const alive = new SeenRefs();
  const gone = new SeenRefs();
  const traps = new TrapLedger(config.maxPagesPerPattern);
  let visitCount = 0;
  let scanned = 0;
  const leftOut: LeftOut = {};
  /** By digest, why an address is not visited; another way may still lead to it. */
  const passedBy = new Map<string, LeftOutReason>();
  let wasPassedByFull = false;
  let complete = !options.isPartial;
  let signedOut = false;
  /** The first page that names more pages than are taken from one. */
  let crowded: string | null = null;
  let feedCount = 0;
  let afterLost = false;
  /** Found when there was no room to wait. */
  let turnedAway = 0;
  const waiting = () => queue.length - next;
  const beyond = () => waiting() + turnedAway;
  const waypoints: Waypoints = { feeds: [], passages: [], passed: [] };
  const last = journal.waypoints;
  const addresses = addressTable(known, [...(last?.passages ?? []), ...(last?.passed ?? [])]);
  const lastFeeds = new Set(last?.feeds);
  const lists = new Set([...options.feeds, ...lastFeeds, ...(last?.passages ?? [])]);
  const visitor: Visitor = {
    loader,
    known,
    addresses,
    named: new Set([...options.starts, ...options.feeds]),
    // Where there were too many to be kept, it may have been any.
    hasLed: (url) => lists.has(url) || last?.passages.length === maxPassed,
  };

  const find = async (url: string): Promise<void> => {
    if (found.add(url)) (await addresses()).set(digestLink(url), url);
  };

  /**
   * @param foundOn the page that names it; null for what is named as a list of pages
   * @returns whether this is news: an address to visit, or one more to leave out
   */
  const enqueue = async (url: string, depth: number, foundOn: string | null, isFeed = false): Promise<boolean> => {
    if (found.has(url)) return false;
    if (!loader.mayVisit(url, isFeed)) {
      const reason = loader.whyNot(url, isFeed);
      return reason !== null && passBy(url, reason);
    }
    if (depth > config.maxDepth) return passBy(url, "deep");
    const wasPassedBy = takeBack(url);
    if (waiting() >= config.maxPages + maxSpare) {
      found.add(url);
      turnedAway += 1;
      return wasPassedBy;
    }
    const verdict = traps.admit(url, foundOn);
    if (verdict === "left-out" || verdict === "left-out-before") return verdict === "left-out" || wasPassedBy;
    await find(url);
    queue.push({ url, depth, isGrown: verdict === "grown" });
    return true;
  };

  /** @returns whether it is counted now, and was not before */
  const passBy = (url: string, reason: LeftOutReason): boolean => {
    const digest = digestLink(url);
    if (passedBy.size >= maxPassedBy || passedBy.has(digest)) return false;
    passedBy.set(digest, reason);
    leaveOut(leftOut, reason);
    wasPassedByFull ||= passedBy.size >= maxPassedBy;
    return true;
  };

  /** @returns whether it was passed by, which it is not any more */
  const takeBack = (url: string): boolean => {
    const digest = digestLink(url);
    const reason = passedBy.get(digest);
    if (reason === undefined) return false;
    passedBy.delete(digest);
    takeIn(leftOut, reason);
    return true;
  };

  const begin = async () => {
    for (const url of options.starts) await enqueue(url, 0, null);
    for (const url of [...options.feeds, ...(last?.feeds ?? [])]) await enqueue(url, 0, null, true);
    for (const url of options.listed) await enqueue(url, 0, null);
    for (const url of options.keptOut) await enqueue(url, 0, null);
    for await (const { record, isKept } of journal.visits ?? []) {
      if (isKept) await settle(record);
      else afterLost = true;
    }
    queue = queue.filter(({ url }) => !visited.has(url));
  };

  /** Counts a visit and queues what it leads to. @returns the record, of its links and feeds only what counted */
  const settle = async (record: VisitRecord): Promise<VisitRecord> => {
    const { url, depth, as } = record;
    await find(url);
    visited.add(url);
    visitCount += 1;
    if (record.countsAs === "seen") scanned += 1;
    else if (record.countsAs !== "deleted") leaveOut(leftOut, record.countsAs);
    if (as === "document" || as === "failed") alive.add(url);
    if (as === "gone") gone.add(url);
    // One that cannot be read now is still asked for by the next crawl.
    const isFeed = as === "feed" || (record.leads && lastFeeds.has(url));
    if (isFeed) waypoints.feeds.push(url);
    if (record.leads && !isFeed) keep(waypoints.passages, url);
    else if (as !== "document") keep(waypoints.passed, url);
    if (record.words !== null) traps.note(url, record.words);
    if (record.hidesLinks || record.hasMoreLinks) complete = false;
    if (record.hasMoreLinks) crowded ??= url;
    signedOut ||= record.signedOut;
    const foundOn = as === "feed" ? null : url;
    const links: string[] = [];
    for (const link of record.links) if (await enqueue(link, depth + 1, foundOn)) links.push(link);
    const feeds = record.feeds.slice(0, maxFeeds - feedCount);
    feedCount += feeds.length;
    for (const feed of feeds) await enqueue(feed, depth, null, true);
    return { ...record, links, feeds };
  };

  const keep = (urls: string[], url: string) => {
    if (urls.length < maxPassed) urls.push(url);
  };

  /** The next address to ask for; those whose pattern has turned out to be a trap meanwhile are passed over. */
  const take = (): Entry | null => {
    while (next < queue.length && visitCount + refused.length + inFlight.length < config.maxPages) {
      const entry = queue[next]!;
      next += 1;
      if (!entry.isGrown || !traps.isBarren(entry.url)) return entry;
      traps.leave(entry.url);
    }
    return null;
  };

  /** Without waypoints nobody remembers the feeds that the first pages name, which an unchanged page does not show. */
  const mayBeUnchanged = ({ depth }: Entry) => last !== null || depth > 0 || feedCount >= maxFeeds;

  async function* visits(): AsyncIterable<RecordedVisit> {
    await begin();
    let failuresInARow = 0;
    let hasAnswered = journal.visits === null;
    async function* accept({ entry, visit }: { entry: Entry; visit: Visit }) {
      const record = await settle(await recordOf(visitor, visit, entry.depth));
      yield { visit, record, afterLost };
      afterLost = false;
    }
    for (;;) {
      while (inFlight.length < config.concurrency * loader.sites.length) {
        const entry = take();
        if (entry === null) break;
        inFlight.push({ entry, visit: visitPage(visitor, entry.url, mayBeUnchanged(entry)) });
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
    scanned: () => scanned,
    visited: () => visitCount,
    leftOut: () => ({ ...leftOut, ...(wasPassedByFull ? { orMore: 1 } : {}) }),
    found: () => visitCount + refused.length + inFlight.length + beyond(),
    refusal: () => refusal,
    waypoints() {
      if (complete) return waypoints;
      // Where the crawl did not get to, what led on before still may.
      const unvisited = last?.passages.filter((url) => !visited.has(url)) ?? [];
      return { ...waypoints, passages: [...waypoints.passages, ...unvisited].slice(0, maxPassed) };
    },
    isGone(ref) {
      if (alive.has(ref) || signedOut) return false;
      // Where the crawl did not get everywhere, only what was seen to be gone is gone.
      return gone.has(ref) || (complete && !traps.isLeftOut(ref));
    },
    limits() {
      const reports = traps.reports();
      if (crowded !== null) reports.push(tooManyLinks(loader, crowded));
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

function tooManyLinks({ sites }: PageLoader, url: string): { ref: string; error: AnnealError } {
  const number = maxLinks.toLocaleString("en");
  const error = new AnnealError(
    "DOCUMENT_UNSUPPORTED",
    `"${url}" has more than ${number} links, and the first ${number} of a page are followed.`,
    {
      action:
        "Enter a sitemap that names the others, or pages that lead to them under “More addresses”. Nothing is deleted for not being found.",
      details: { code: "LINK_LIMIT" },
    },
  );
  return { ref: `${sites[0]?.origin}/#beyond-the-link-limit`, error };
}

function asksToWait(outcome: PageOutcome): boolean {
  return outcome.type === "failed" && outcome.error.details["retryAfterMs"] !== undefined;
}

function isOutage(outcome: PageOutcome): boolean {
  return outcome.type === "failed" && outcome.error.code === "SOURCE_UNREACHABLE";
}
