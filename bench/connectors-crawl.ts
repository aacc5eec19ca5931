import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Cursor, JournalEntry } from "@anneal/core/connect/change";
import type { WebConfig } from "@anneal/connectors/web/config";
import { cursorOf, entriesOfVisit, entriesOfWaypoints, type VisitRecord } from "@anneal/connectors/web/crawl-journal";
import { digestLink, digestPage, encodeMemory } from "@anneal/connectors/web/page-memory";

/** What a run that was ended in the middle has left, its journal and what it read in a file in `folder`. */
export type EarlierRun = { cursor: Cursor; documents: number; folder: string };

export const earlierFile = "earlier";
/** Of that file, as JSON: an entry of the journal, or some, and the document that is held by it. */
export type EarlierLine = { ref: string; fingerprint: string; entries: JournalEntry[] } | { entries: JournalEntry[] };

export type EarlierPage = { url: string; depth: number; title: string; text: string; links: string[] };

/**
 * What a crawl would have left that had read these pages and was ended then, so that going on with it can be measured
 * without reading them first. Their text and links are those that the site has.
 */
export async function writeEarlierCrawl(config: WebConfig, pages: readonly EarlierPage[]): Promise<EarlierRun> {
  const now = new Date();
  const folder = await mkdtemp(join(tmpdir(), "anneal-bench-crawl-"));
  function* lines(): Iterable<string> {
    yield lineOf({ entries: entriesOfWaypoints(null) });
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
        hidesLinks: false,
        signedOut: false,
      };
      yield lineOf({ ref: url, fingerprint, entries: entriesOfVisit(record, fingerprint, false) });
    }
  }
  await writeFile(join(folder, earlierFile), lines());
  return { cursor: cursorOf(config, null, now.getTime()), documents: pages.length, folder };
}

function lineOf(line: EarlierLine): string {
  return `${JSON.stringify(line)}\n`;
}
