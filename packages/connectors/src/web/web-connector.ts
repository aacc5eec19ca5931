import type { Change } from "@anneal/core/connect/change";
import { AnnealError } from "@anneal/core/errors";
import { defineConnector, type ReadRequest } from "../connector.ts";
import { deleteMissing } from "../reconcile.ts";
import { checkSite } from "./check-site.ts";
import { webConfigSchema, webFacts, webSecretSchema, type WebConfig, type WebSecrets } from "./config.ts";
import { crawlSites } from "./crawl.ts";
import { cursorOf, encodePosition, readCursor, type CrawlPosition } from "./crawl-position.ts";
import { connectTo } from "./open-crawl.ts";
import { isSameContent } from "./page-memory.ts";
import { loadSitemaps, sitemapsOf, type SitemapResult } from "./sitemap.ts";
import { normaliseUrl } from "./site-url.ts";
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
/** A checkpoint is written after each page while it is small, and less often as it grows. */
const pagesPerCheckpointBytes = 1 / 4096;
const pagesPerCheckpointWithoutPosition = 50;

async function* readSites(request: ReadRequest<WebConfig, WebSecrets>): AsyncIterable<Change> {
  const { config, known, context } = request;
  context.signal.throwIfAborted();
  const connection = connectTo(config, request.secrets, context);
  try {
    const last = readCursor(request.cursor, config, Date.now());
    const { loader, opened, starts, feeds, failures, landed } = await connection.open(last.position?.landed);
    const named = [...config.sitemaps, ...opened.flatMap(sitemapsOf)];
    const sitemaps =
      landed === null
        ? await loadSitemaps(loader.client, loader.sites, named, maxListed)
        : leaveSitemaps([...config.sitemaps, ...opened.flatMap(({ robots }) => robots.sitemaps)]);
    const unread = [...failures, ...sitemaps.failures];
    for (const { ref, error } of unread) yield { type: "failure", ref, error: error.toReport() };

    const listed = sitemaps.urls.flatMap((url) => normaliseUrl(url, url, loader.sites) ?? []);
    const isPartial = unread.length > 0 || landed !== null;
    const crawl = crawlSites({ loader, known, starts, feeds, listed, landed, ...last, isPartial });
    let position: ReturnType<typeof encodePosition> = null;
    let pagesToCheckpoint = 1;
    const isFirst = request.cursor === null || request.cursor["first"] === true;
    const checkpoint = (current: CrawlPosition): Change => {
      const cursor = cursorOf(crawl.waypoints(), position);
      const { scanned } = current;
      // A later crawl is told by what is held.
      if (!isFirst) return { type: "checkpoint", cursor, scanned, total: null };
      const total = countSoFar(current, listed.length, config.maxPages);
      return { type: "checkpoint", cursor: { ...cursor, first: true }, scanned, total };
    };
    for await (const visit of crawl.visits) {
      const change = changeOf(visit);
      if (change !== null) yield change;
      pagesToCheckpoint -= 1;
      if (pagesToCheckpoint > 0) continue;
      // After the last page comes the last checkpoint.
      if (!crawl.hasMore()) continue;
      const current = crawl.position();
      const encoded = encodePosition(current, config);
      position = encoded ?? position;
      pagesToCheckpoint =
        encoded === null
          ? pagesPerCheckpointWithoutPosition
          : 1 + Math.floor(JSON.stringify(encoded).length * pagesPerCheckpointBytes);
      yield checkpoint(current);
    }
    const refusal = crawl.refusal();
    if (refusal !== null) {
      const current = crawl.position();
      position = encodePosition(current, config) ?? position;
      yield checkpoint(current);
      throw refusal;
    }
    for (const { ref, error } of crawl.leftOut()) yield { type: "failure", ref, error: error.toReport() };
    yield* deleteMissing(known, context.deletions, crawl.isGone);
    const { scanned } = crawl.position();
    yield { type: "checkpoint", cursor: cursorOf(crawl.waypoints(), null), scanned, total: scanned };
  } finally {
    await connection.close();
  }
}

/** At least so many addresses there are: those that were visited and those that wait, of sitemaps all. */
function countSoFar({ scanned, waiting }: CrawlPosition, listed: number, maxPages: number): number {
  return Math.min(maxPages, Math.max(listed, scanned + waiting.length));
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
  return { urls: [], failures };
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
