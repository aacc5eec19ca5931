import type { KnownItems } from "@anneal/core/connect/change";
import { AnnealError, isAnnealError } from "@anneal/core/errors";
import { isExcluded, isIncluded } from "../path-filter.ts";
import { SeenRefs } from "../seen-refs.ts";
import type { WebConfig } from "./config.ts";
import { loadPage, type PageLoader, type PageOutcome } from "./load-page.ts";
import { decodeMemory, digestLink, type PageMemory } from "./page-memory.ts";
import type { RobotsRules } from "./robots.ts";
import { isSkippedFile, pathOf } from "./site-url.ts";

/** One visited address, in the order in which addresses were found. */
export type Visit = { url: string; outcome: PageOutcome; memory: PageMemory | null; wanted: boolean };

export type Crawl = {
  visits: AsyncIterable<Visit>;
  /** Known once `visits` has ended: whether every page that can be reached was. */
  isComplete(): boolean;
};

/** Calendars and filters make endless pages of one path. */
const maxVariantsPerPath = 100;
/** A site that fails this often in a row is down; its pages are not. */
const maxFailuresInARow = 10;

type Waiting = { url: string; depth: number };

/**
 * Breadth first, a few requests ahead, results in order: depth is then the shortest way to a page, and two runs over
 * the same site visit the same pages in the same order.
 */
export function crawlSite(loader: PageLoader, robots: RobotsRules, known: KnownItems, seeds: string[]): Crawl {
  const { config } = loader;
  const queue: Waiting[] = [];
  const found = new SeenRefs();
  const variants = new Map<string, number>();
  let complete = true;

  const enqueue = (url: string, depth: number) => {
    if (depth > config.maxDepth || isSkippedFile(url) || !mayVisit(url, config, seeds[0]) || !found.add(url)) return;
    const path = pathOf(url);
    const count = (variants.get(path) ?? 0) + 1;
    if (new URL(url).search !== "") variants.set(path, count);
    if (count <= maxVariantsPerPath && robots.isAllowed(url)) queue.push({ url, depth });
  };

  const linksBehind = knownLinks(known);
  const follow = async ({ outcome, memory }: Visit, depth: number) => {
    const links = await linksOf(outcome, memory, linksBehind);
    if (links === null) complete = false;
    for (const link of links ?? []) enqueue(link, depth + 1);
  };

  async function* visits(): AsyncIterable<Visit> {
    const inFlight: { depth: number; visit: Promise<Visit> }[] = [];
    let next = 0;
    let failuresInARow = 0;
    for (const seed of seeds) enqueue(seed, 0);
    for (;;) {
      while (inFlight.length < config.concurrency && next < Math.min(queue.length, config.maxPages)) {
        const { url, depth } = queue[next]!;
        next += 1;
        inFlight.push({ depth, visit: visitPage(loader, known, url) });
      }
      const first = inFlight.shift();
      if (first === undefined) break;
      const visit = await first.visit;
      loader.signal.throwIfAborted();
      failuresInARow = isOutage(visit.outcome) ? failuresInARow + 1 : 0;
      if (failuresInARow >= maxFailuresInARow && visit.outcome.type === "failed") throw visit.outcome.error;
      await follow(visit, first.depth);
      yield visit;
    }
    if (queue.length > config.maxPages) complete = false;
  }

  return { visits: visits(), isComplete: () => complete };
}

/** The start page is always fetched for its links, even where only others are wanted as documents. */
function mayVisit(url: string, config: WebConfig, start: string | undefined): boolean {
  return !isExcluded(pathOf(url), config) && (url === start || isIncluded(pathOf(url), config));
}

/** Never rejects: a page that was fetched ahead may be left behind when the consumer stops. */
async function visitPage(loader: PageLoader, known: KnownItems, url: string): Promise<Visit> {
  const memory = await known.fingerprintOf(url).then(decodeMemory, () => null);
  const wanted = isIncluded(pathOf(url), loader.config);
  try {
    return { url, outcome: await loadPage(loader, url, memory), memory, wanted };
  } catch (error) {
    return {
      url,
      outcome: { type: "failed", error: isAnnealError(error) ? error : unreadable(url, error) },
      memory,
      wanted,
    };
  }
}

function unreadable(url: string, cause: unknown): AnnealError {
  return new AnnealError("DOCUMENT_DAMAGED", `"${url}" could not be read.`, {
    action: "Open it in a browser; if it works there, report this page.",
    cause,
  });
}

function isOutage(outcome: PageOutcome): boolean {
  return outcome.type === "failed" && outcome.error.code === "SOURCE_UNREACHABLE";
}

/** @returns null when pages may lie behind this one that nobody can name now */
async function linksOf(
  outcome: PageOutcome,
  memory: PageMemory | null,
  linksBehind: (memory: PageMemory) => Promise<string[]>,
): Promise<string[] | null> {
  switch (outcome.type) {
    case "document":
    case "passage":
      return outcome.links;
    case "not-modified":
      return memory === null ? null : linksBehind(memory);
    case "failed":
      if (memory?.links) return linksBehind(memory);
      // A page that never opened to us has led nowhere before.
      return memory === null && !outcome.error.retryable ? [] : null;
    case "gone":
    case "skipped":
      return [];
  }
}

/** Finds the addresses of remembered links among the known pages; the table is made at first need. */
function knownLinks(known: KnownItems): (memory: PageMemory) => Promise<string[]> {
  let table: Promise<Map<string, string>> | null = null;
  const build = async () => {
    const urls = new Map<string, string>();
    for await (const ref of known.refs()) urls.set(digestLink(ref), ref);
    return urls;
  };
  return async (memory) => {
    table ??= build();
    const urls = await table;
    return (memory.links ?? []).flatMap((link) => urls.get(link) ?? []);
  };
}
