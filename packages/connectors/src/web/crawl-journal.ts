import { hash } from "node:crypto";
import { inflateRawSync } from "node:zlib";
import type { Cursor, JournalEntry, KnownItems } from "@anneal/core/connect/change";
import { leftOutReasons, type LeftOutReason } from "@anneal/core/connect/left-out";
import { z } from "zod";
import type { WebConfig } from "./config.ts";
import { maxUrlChars } from "./crawl-traps.ts";

/**
 * A crawl's journal: the waypoints of the crawl before it, then what each visit was. Whoever is given it goes on as if it
 * had made these visits itself, and asks for none of these pages again. The entry of a visit is stored before its document,
 * so that a kill between the two shows: what the last entry promises is not held then, and that page is visited again.
 */

/** What a crawl keeps of one visit. */
export type VisitRecord = {
  url: string;
  depth: number;
  /**
   * "document": there, and held or to be held. "failed": there, as far as one can tell. The others are no documents:
   * "passed" is a redirect, a copy, a page that only leads to others.
   */
  as: "document" | "failed" | "passed" | "feed" | "gone";
  /** The digest of what it says, see digest-words.ts; null where that was not seen. */
  words: string | null;
  /** Addresses that it names; in the journal those that were news to the crawl, to visit or to leave out. */
  links: string[];
  feeds: string[];
  /** It is no document, and names pages; while it cannot be read, it did before. */
  leads: boolean;
  /** It may lead to pages that nobody can name now. */
  hidesLinks: boolean;
  /** It names more pages than were taken from it. */
  hasMoreLinks: boolean;
  /** A known page asked to sign in: what is missing may be there for those who are. */
  signedOut: boolean;
  /** "seen": a document, or one that cannot be read. "deleted": it was a document, and is none now. */
  countsAs: "seen" | "deleted" | LeftOutReason;
};

/** What one crawl leaves to the next besides its documents. */
export type Waypoints = {
  /** Feeds that pages named, which may not be read again when they are unchanged. */
  feeds: string[];
  /** Others that are no documents and name pages, some of them where there were very many: one that is refused hides these. */
  passages: string[];
  /** What else was visited and is no document, as the links of unchanged pages are told by; some of them as well. */
  passed: string[];
};

export type Journal = {
  /** Of the last crawl; null when nothing is known of one. */
  waypoints: Waypoints | null;
  /** Of a crawl that was ended in the middle, in order: `isKept` is false for a last one whose document is not held. */
  visits: AsyncIterable<{ record: VisitRecord; isKept: boolean }> | null;
  /** Where its addresses led to, of a crawl that waits between its pages. */
  landed: Record<string, string> | null;
};

/** A site changes; a crawl that has rested for a day is another one. */
const maxRestMs = 24 * 60 * 60 * 1000;
/** Of `Waypoints.passages`, and of `passed`. */
export const maxPassed = 10_000;
/** Of the links in one entry as JSON, and of its feeds: both are well below the 64 KiB that it may have. */
const maxBytes = 24_000;
/** That there was a longer one, which is left out, needs no more of it. */
const maxAddressChars = maxUrlChars + 1;

const cursorSchema = z.looseObject({
  version: z.literal(3),
  crawl: z
    .looseObject({
      settings: z.string(),
      writtenAtMs: z.number(),
      landed: z.record(z.string(), z.string()).nullable(),
    })
    .nullable(),
});
const urls = z.array(z.string()).default([]);
const recordSchema = z.object({
  url: z.string(),
  depth: z.number(),
  as: z.enum(["document", "failed", "passed", "feed", "gone"]),
  words: z.string().nullable().default(null),
  links: urls,
  feeds: urls,
  leads: z.boolean().default(false),
  hidesLinks: z.boolean().default(false),
  hasMoreLinks: z.boolean().default(false),
  signedOut: z.boolean().default(false),
  countsAs: z.enum(["seen", "deleted", ...leftOutReasons]).default("seen"),
});
const entrySchema = z.union([
  z.object({
    visit: recordSchema,
    /** A digest of the fingerprint that the document has once it is stored; null where none is. */
    promised: z.string().nullable().default(null),
    /** What the entry before this one promised did not come. */
    afterLost: z.boolean().default(false),
  }),
  /** More of those that the visit before it names. */
  z.object({ links: z.array(z.string()) }),
  z.object({ feeds: z.array(z.string()) }),
  /** Before all visits. */
  z.object({ waypoints: z.object({ feeds: urls, passages: urls, passed: urls }).nullable() }),
]);
type Entry = z.infer<typeof entrySchema>;

/** Between two visits of a crawl. */
export function cursorOf(config: WebConfig, landed: Record<string, string> | null, nowMs: number): Cursor {
  return { version: 3, crawl: { settings: settingsOf(config), writtenAtMs: nowMs, landed } };
}

/** At the end of a crawl. */
export const endCursor: Cursor = { version: 3, crawl: null };

/** @returns at least one entry, by which a journal is known to be whole */
export function entriesOfWaypoints(waypoints: Waypoints | null): JournalEntry[] {
  if (waypoints === null) return [{ waypoints }];
  return [
    ...inChunks(waypoints.feeds).map((feeds) => ({ waypoints: { feeds } })),
    ...inChunks(waypoints.passages).map((passages) => ({ waypoints: { passages } })),
    ...inChunks(waypoints.passed).map((passed) => ({ waypoints: { passed } })),
  ];
}

/**
 * @param promised the fingerprint of the document that is stored next; null when none is
 * @param afterLost whether the visit before this one was not kept, see `Journal.visits`
 */
export function entriesOfVisit(record: VisitRecord, promised: string | null, afterLost: boolean): JournalEntry[] {
  const { url, depth, as, words, leads, hidesLinks, hasMoreLinks, signedOut, countsAs } = record;
  const [links = [], ...moreLinks] = inChunks(record.links);
  const [feeds = [], ...moreFeeds] = inChunks(record.feeds);
  const visit = {
    url,
    depth,
    as,
    ...(words === null ? {} : { words }),
    ...(links.length === 0 ? {} : { links }),
    ...(feeds.length === 0 ? {} : { feeds }),
    ...(leads ? { leads } : {}),
    ...(hidesLinks ? { hidesLinks } : {}),
    ...(hasMoreLinks ? { hasMoreLinks } : {}),
    ...(signedOut ? { signedOut } : {}),
    ...(countsAs === "seen" ? {} : { countsAs }),
  };
  const entry = {
    visit,
    ...(promised === null ? {} : { promised: digestOf(promised) }),
    ...(afterLost ? { afterLost } : {}),
  };
  return [entry, ...moreLinks.map((chunk) => ({ links: chunk })), ...moreFeeds.map((chunk) => ({ feeds: chunk }))];
}

/** A crawl goes on under the settings that it began with, unless it has rested for a day. */
export async function openJournal(
  request: { cursor: Cursor | null; journal?: AsyncIterable<JournalEntry> | undefined; known: KnownItems },
  config: WebConfig,
  nowMs: number,
): Promise<Journal> {
  const { cursor, journal, known } = request;
  const parsed = cursorSchema.safeParse(cursor);
  if (!parsed.success || journal === undefined) {
    return { waypoints: waypointsOfVersion2(cursor), visits: null, landed: null };
  }
  const { crawl } = parsed.data;
  const { waypoints, isWhole, entries } = await readWaypoints(journal);
  const visits = readVisits(entries, known);
  // One that waits between its pages takes as long as it is told to.
  const isRecent = crawl !== null && (crawl.landed !== null || nowMs - crawl.writtenAtMs <= maxRestMs);
  if (isWhole && isRecent && crawl.settings === settingsOf(config)) return { waypoints, visits, landed: crawl.landed };
  return { waypoints: waypoints && (await withVisits(waypoints, visits)), visits: null, landed: null };
}

async function readWaypoints(
  journal: AsyncIterable<JournalEntry>,
): Promise<{ waypoints: Waypoints | null; isWhole: boolean; entries: AsyncIterable<Entry> }> {
  const iterator = journal[Symbol.asyncIterator]();
  const next = async () => {
    const { done, value } = await iterator.next();
    return done ? null : entrySchema.parse(value);
  };
  let waypoints: Waypoints | null = null;
  let entry = await next();
  const isWhole = entry !== null && "waypoints" in entry;
  for (; entry !== null && "waypoints" in entry; entry = await next()) {
    if (entry.waypoints === null) continue;
    waypoints ??= { feeds: [], passages: [], passed: [] };
    waypoints.feeds.push(...entry.waypoints.feeds);
    waypoints.passages.push(...entry.waypoints.passages);
    waypoints.passed.push(...entry.waypoints.passed);
  }
  async function* rest() {
    for (; entry !== null; entry = await next()) yield entry;
  }
  return { waypoints, isWhole, entries: rest() };
}

/** What a crawl that is given up has found out, which its pages do not tell again while they are unchanged. */
async function withVisits(waypoints: Waypoints, visits: NonNullable<Journal["visits"]>): Promise<Waypoints> {
  const feeds = new Set(waypoints.feeds);
  const passages = new Set(waypoints.passages);
  const passed = new Set(waypoints.passed);
  for await (const { record } of visits) {
    for (const feed of record.feeds) feeds.add(feed);
    if (record.as === "feed") feeds.add(record.url);
    if (record.leads && !feeds.has(record.url)) {
      if (passages.size < maxPassed) passages.add(record.url);
    } else if (record.as !== "document" && passed.size < maxPassed) {
      passed.add(record.url);
    }
  }
  return { feeds: [...feeds], passages: [...passages], passed: [...passed] };
}

async function* readVisits(
  entries: AsyncIterable<Entry>,
  known: KnownItems,
): AsyncIterable<{ record: VisitRecord; isKept: boolean }> {
  let last: { record: VisitRecord; promised: string | null } | null = null;
  for await (const entry of entries) {
    if ("links" in entry) last?.record.links.push(...entry.links);
    if ("feeds" in entry) last?.record.feeds.push(...entry.feeds);
    if (!("visit" in entry)) continue;
    if (last !== null && !entry.afterLost) yield { record: last.record, isKept: true };
    last = { record: entry.visit, promised: entry.promised };
  }
  if (last === null) return;
  const { record, promised } = last;
  const held = promised === null ? null : await known.fingerprintOf(record.url);
  yield { record, isKept: promised === null || (held !== null && digestOf(held) === promised) };
}

/** An earlier release had the whole crawl in its cursor, with only the waypoints that it had come by itself. */
function waypointsOfVersion2(cursor: Cursor | null): Waypoints | null {
  if (cursor?.version !== 2 || typeof cursor["waypoints"] !== "string" || cursor["position"] !== undefined) return null;
  const json = inflateRawSync(Buffer.from(cursor["waypoints"], "base64"), { maxOutputLength: 64 * 1024 * 1024 });
  const { feeds, passed } = z
    .object({ feeds: z.array(z.string()), passed: z.array(z.string()).nullable() })
    .parse(JSON.parse(json.toString()));
  return { feeds, passages: [], passed: passed ?? [] };
}

/** At least one, which may be empty. */
function inChunks(addresses: readonly string[]): string[][] {
  const chunks: string[][] = [[]];
  let sizeBytes = 0;
  for (const address of addresses) {
    const kept = address.slice(0, maxAddressChars);
    const keptBytes = Buffer.byteLength(JSON.stringify(kept)) + 1;
    sizeBytes += keptBytes;
    if (sizeBytes > maxBytes) {
      chunks.push([]);
      sizeBytes = keptBytes;
    }
    chunks.at(-1)!.push(kept);
  }
  return chunks;
}

/** Every visit's cursor has it. */
const settings = new WeakMap<WebConfig, string>();

function settingsOf(config: WebConfig): string {
  const digest = settings.get(config) ?? digestOf(JSON.stringify(config));
  settings.set(config, digest);
  return digest;
}

function digestOf(text: string): string {
  return hash("sha256", text, "base64url").slice(0, 22);
}
