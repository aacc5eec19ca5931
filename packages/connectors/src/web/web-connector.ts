import type { Change, JournalEntry } from "@anneal/core/connect/change";
import { AnnealError } from "@anneal/core/errors";
import { defineConnector, type ReadRequest } from "../connector.ts";
import { keptReaders } from "../hiding.ts";
import { deleteMissing } from "../reconcile.ts";
import { checkSite } from "./check-site.ts";
import { webConfigSchema, webFacts, webSecretSchema, type WebConfig, type WebSecrets } from "./config.ts";
import { crawlSites } from "./crawl.ts";
import { cursorOf, endCursor, entriesOfVisit, entriesOfWaypoints, openJournal } from "./crawl-journal.ts";
import { connectTo } from "./open-crawl.ts";
import { isSameContent } from "./page-memory.ts";
import { loadSitemaps, sitemapsLeftOut, sitemapsToRead, type SitemapResult } from "./sitemap.ts";
import type { Visit } from "./visit-page.ts";

export const webConnector = defineConnector<WebConfig, WebSecrets>({
  kind: "web",
  title: "Website",
  bringsWebPages: true,
  ...webFacts,
  configSchema: webConfigSchema,
  secretSchema: webSecretSchema,
  check: checkSite,
  read: readSites,
});

/** As many as a crawl can be allowed to visit: what is left out by its own limit is counted. */
const maxListed = 100_000;

async function* readSites(request: ReadRequest<WebConfig, WebSecrets>): AsyncIterable<Change> {
  const { config, known, context } = request;
  context.signal.throwIfAborted();
  const connection = connectTo(config, request.secrets, context);
  try {
    const journal = await openJournal(request, config, Date.now());
    const { loader, opened, starts, feeds, failures, landed } = await connection.open(journal.landed);
    const sitemaps =
      landed === null
        ? await loadSitemaps(loader, sitemapsToRead(config, opened), maxListed)
        : leaveSitemaps([...config.sitemaps, ...opened.flatMap(({ robots }) => robots.sitemaps)]);
    const unread = [...failures, ...sitemaps.failures];
    if (sitemaps.leftOut > 0) {
      unread.push({ ref: `${loader.sites[0]?.origin}/#sitemaps-left-out`, error: sitemapsLeftOut(sitemaps.leftOut) });
    }
    for (const { ref, error } of unread) yield { type: "failure", ref, error: error.toReport() };

    const { urls: listed, keptOut } = sitemaps;
    const isPartial = unread.length > 0 || landed !== null;
    const crawl = crawlSites({ loader, known, starts, feeds, listed, keptOut, journal, isPartial });
    /** At least so many addresses there are, of sitemaps all; a later crawl is told by what is held. */
    const totalOf = () => {
      const addresses = Math.min(config.maxPages, Math.max(listed.length, crawl.found()));
      return addresses - (crawl.visited() - crawl.scanned());
    };
    const checkpoint = (scanned: number, entries: JournalEntry[], anew = false): Change => ({
      type: "checkpoint",
      cursor: cursorOf(config, landed, Date.now()),
      scanned,
      total: journal.waypoints === null ? totalOf() : null,
      leftOut: crawl.leftOut(),
      journal: { anew, entries },
    });
    if (journal.visits === null) yield checkpoint(0, entriesOfWaypoints(journal.waypoints), true);
    for await (const { visit, record, afterLost } of crawl.visits) {
      const change = changeOf(visit);
      if (change?.type === "upsert") {
        // Its entry comes first: without the document it counts for nothing, and the document could not tell the visit.
        yield checkpoint(crawl.scanned() - 1, entriesOfVisit(record, change.item.fingerprint, afterLost));
        yield change;
      } else {
        if (visit.outcome.type === "document") await visit.outcome.drop();
        if (change !== null) yield change;
        yield checkpoint(crawl.scanned(), entriesOfVisit(record, null, afterLost));
      }
    }
    const refusal = crawl.refusal();
    if (refusal !== null) throw refusal;
    for (const { ref, error } of crawl.limits()) yield { type: "failure", ref, error: error.toReport() };
    yield* deleteMissing(known, context.deletions, keptReaders, crawl.isGone);
    const scanned = crawl.scanned();
    const entries = entriesOfWaypoints(crawl.waypoints());
    const leftOut = crawl.leftOut();
    yield { type: "checkpoint", cursor: endCursor, scanned, total: scanned, leftOut, journal: { anew: true, entries } };
  } finally {
    await connection.close();
  }
}

/** Each would cost a turn, at every attempt: such a site is crawled by its links and feeds. */
function leaveSitemaps(declared: readonly string[]): SitemapResult {
  const failures = declared.map((ref) => {
    const error = new AnnealError("DOCUMENT_UNSUPPORTED", `The sitemap "${ref}" was not read.`, {
      action:
        "A site asks for more than a minute between two requests: enter pages that no link leads to under “More addresses”.",
    });
    return { ref, error };
  });
  return { urls: [], keptOut: [], failures, leftOut: 0 };
}

function changeOf({ url, outcome, memory, wanted }: Visit): Change | null {
  switch (outcome.type) {
    case "failed":
      return { type: "failure", ref: url, error: outcome.error.toReport() };
    case "document":
      return !wanted || (memory !== null && isSameContent(memory, outcome.digest))
        ? null
        : { type: "upsert", item: outcome.item, content: outcome.content };
    case "not-modified":
    case "passage":
    case "feed":
    case "gone":
    case "skipped":
      return null;
  }
}
