import { entriesOfVisit, entriesOfWaypoints, type VisitRecord } from "@anneal/connectors/web/crawl-journal";
import { digestLink, digestPage, encodeMemory } from "@anneal/connectors/web/page-memory";
import type { EarlierLine } from "./connectors-earlier.ts";

export type BenchPage = { url: string; depth: number; title: string; text: string; links: string[] };

/** What a crawl that was ended in the middle has left of the pages that it has read, which are as the site has them. */
export function* linesOfCrawl(pages: Iterable<BenchPage>): Iterable<EarlierLine> {
  const now = new Date();
  yield { entries: entriesOfWaypoints(null) };
  for (const { url, depth, title, text, links } of pages) {
    const digest = digestPage(title, text, now, null);
    const fingerprint = encodeMemory({ ...digest, etag: null, lastModified: null, links: links.map(digestLink) });
    const record: VisitRecord = {
      url,
      depth,
      as: "document",
      words: digest.words,
      links,
      feeds: [],
      leads: false,
      hidesLinks: false,
      hasMoreLinks: false,
      signedOut: false,
      countsAs: "seen",
    };
    yield { ref: url, fingerprint, entries: entriesOfVisit(record, fingerprint, false) };
  }
}
