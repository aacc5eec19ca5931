import type { KnownItems } from "@anneal/core/connect/change";
import type { LeftOutReason } from "@anneal/core/connect/left-out";
import { AnnealError, isAnnealError } from "@anneal/core/errors";
import { isIncluded } from "../path-filter.ts";
import type { VisitRecord } from "./crawl-journal.ts";
import { linksOf, type AddressTable } from "./links-behind.ts";
import { loadPage, type PageLoader, type PageOutcome } from "./load-page.ts";
import { decodeMemory, type PageMemory } from "./page-memory.ts";
import { pathOf } from "./site-url.ts";

/** One visited address. `wanted`: a document where it is one, and not only on the way to others. */
export type Visit = { url: string; outcome: PageOutcome; memory: PageMemory | null; wanted: boolean };

export type Visitor = {
  loader: PageLoader;
  known: KnownItems;
  addresses: AddressTable;
  /** What a person entered: when it was never there, they should hear of it. */
  named: ReadonlySet<string>;
  /** Whether an address was no document, and named pages in the crawl before. */
  hasLed(url: string): boolean;
};

/**
 * Never rejects: a page that was fetched ahead may be left behind when the consumer stops.
 * @param mayBeUnchanged whether "not modified" is an answer to live with
 */
export async function visitPage(visitor: Visitor, url: string, mayBeUnchanged: boolean): Promise<Visit> {
  const memory = await visitor.known.fingerprintOf(url).then(decodeMemory, () => null);
  const wanted = isIncluded(pathOf(url), visitor.loader.config);
  const outcome = await loadOutcome(visitor, url, memory, mayBeUnchanged).catch((error: unknown): PageOutcome => {
    return { type: "failed", error: isAnnealError(error) ? error : unreadable(url, error) };
  });
  const isMisnamed = outcome.type === "gone" && memory === null && visitor.named.has(url);
  return {
    url,
    outcome: isMisnamed ? { type: "failed", error: misnamed(url), leads: false } : outcome,
    memory,
    wanted,
  };
}

async function loadOutcome(
  visitor: Visitor,
  url: string,
  memory: PageMemory | null,
  mayBeUnchanged: boolean,
): Promise<PageOutcome> {
  const table = memory === null ? null : await visitor.addresses();
  const areLinksKnown = memory?.links?.every((link) => table?.has(link)) ?? false;
  const isConditional = mayBeUnchanged && areLinksKnown;
  return loadPage(visitor.loader, url, { memory, isConditional, hasLed: visitor.hasLed(url) });
}

export async function recordOf(visitor: Visitor, visit: Visit, depth: number): Promise<VisitRecord> {
  const { url, outcome, memory } = visit;
  const hasLed = memory === null && visitor.hasLed(url);
  const { links, areAll } = await linksOf(outcome, memory, hasLed, visitor.addresses);
  const unchanged = outcome.type === "not-modified" ? memory : null;
  return {
    url,
    depth,
    as: standingOf(visit),
    words: outcome.type === "document" ? outcome.digest.words : (unchanged?.words ?? null),
    links,
    feeds: depth === 0 && "feeds" in outcome ? outcome.feeds : [],
    leads: outcome.type === "failed" ? (outcome.leads ?? hasLed) : standingOf(visit) !== "document" && links.length > 0,
    hidesLinks: !areAll,
    hasMoreLinks: "hasMoreLinks" in outcome && outcome.hasMoreLinks,
    // The page had its text once, so the login did what it should, and does not any more.
    countsAs: countingOf(visit),
    signedOut: memory !== null && outcome.type === "failed" && outcome.error.code === "SOURCE_CREDENTIALS",
  };
}

function standingOf({ outcome, wanted }: Visit): VisitRecord["as"] {
  switch (outcome.type) {
    case "document":
    case "not-modified":
      return wanted ? "document" : "passed";
    case "failed":
      return wanted ? "failed" : "passed";
    case "passage":
    case "skipped":
      return "passed";
    case "feed":
    case "gone":
      return outcome.type;
  }
}

/** What was a document before is deleted, which is told as that. */
function countingOf(visit: Visit): VisitRecord["countsAs"] {
  const { outcome, memory, wanted } = visit;
  if (outcome.type === "failed") return "seen";
  const reason = reasonOf(outcome, wanted);
  if (reason === null) return "seen";
  return memory === null ? reason : "deleted";
}

/** Why there is no document; null where there is one. */
function reasonOf(outcome: Exclude<PageOutcome, { type: "failed" }>, wanted: boolean): LeftOutReason | null {
  switch (outcome.type) {
    case "document":
    case "not-modified":
      return wanted ? null : "unwanted";
    case "passage":
    case "skipped":
      return outcome.why;
    case "feed":
      return "feed";
    case "gone":
      return "missing";
  }
}

function misnamed(url: string): AnnealError {
  return new AnnealError("SOURCE_NOT_FOUND", `"${url}" does not exist.`, {
    action: "Correct it in the source's settings, or leave it out.",
  });
}

function unreadable(url: string, cause: unknown): AnnealError {
  return new AnnealError("DOCUMENT_DAMAGED", `"${url}" could not be read.`, {
    action: "Open it in a browser; if it works there, report this page.",
    cause,
  });
}
