import type { Cursor, JournalEntry, KnownItems } from "@anneal/core/connect/change";
import { describe, expect, it } from "vitest";
import { webConfigSchema } from "./config.ts";
import {
  cursorOf,
  endCursor,
  entriesOfVisit,
  entriesOfWaypoints,
  openJournal,
  type VisitRecord,
} from "./crawl-journal.ts";
import { maxUrlChars } from "./crawl-traps.ts";

const config = webConfigSchema.parse({ url: "https://example.org/" });
const now = Date.parse("2026-11-30T10:00:00Z");
const hourMs = 3_600_000;
const urlOf = (index: number) => `https://example.org/articles/section-${index % 40}/page-${index}`;
const visitOf = (url: string, given: Partial<VisitRecord> = {}): VisitRecord => ({
  url,
  depth: 3,
  as: "document",
  words: "abc",
  links: [],
  feeds: [],
  leads: false,
  hidesLinks: false,
  hasMoreLinks: false,
  signedOut: false,
  countsAs: "seen",
  ...given,
});
const held: Record<string, string> = {};
const known: KnownItems = {
  fingerprintOf: async (ref) => held[ref] ?? null,
  originsOf: async () => null,
  refsWithFingerprint: async () => [],
  async *refs() {},
};
const waypoints = {
  feeds: ["https://example.org/rss"],
  passages: ["https://example.org/hub"],
  passed: ["https://example.org/old"],
};

/** Through JSON, as a database has it. */
const open = async (entries: JournalEntry[], cursor: Cursor | null = cursorOf(config, null, now), atMs = now) => {
  async function* journal() {
    for (const entry of entries) {
      expect(JSON.stringify(entry).length).toBeLessThan(64 * 1024);
      yield JSON.parse(JSON.stringify(entry)) as JournalEntry;
    }
  }
  const opened = await openJournal({ cursor, journal: journal(), known }, config, atMs);
  if (opened.visits === null) return { ...opened, visits: null };
  const visits = [];
  for await (const visit of opened.visits) visits.push(visit);
  return { ...opened, visits };
};
const begun = entriesOfWaypoints(waypoints);

describe("a crawl's journal", () => {
  it("gives back what each visit was, however much it named, and what the last crawl left", async () => {
    const records = [
      visitOf(urlOf(0), { links: Array.from({ length: 5000 }, (_, index) => urlOf(index)), feeds: [urlOf(1)] }),
      visitOf(urlOf(1), { as: "gone", words: null }),
      visitOf(urlOf(2), { as: "failed", hidesLinks: true, hasMoreLinks: true, signedOut: true, links: [urlOf(7)] }),
    ];
    const visits = records.flatMap((record) => entriesOfVisit(record, null, false));
    expect(visits.length).toBeGreaterThan(records.length);
    expect(await open([...begun, ...visits])).toEqual({
      waypoints,
      visits: records.map((record) => ({ record, isKept: true })),
      landed: null,
    });
    const many = { feeds: [], passages: [], passed: Array.from({ length: 5000 }, (_, index) => urlOf(index)) };
    expect((await open(entriesOfWaypoints(many))).waypoints).toEqual(many);
    for (const none of [null, { feeds: [], passages: [], passed: [] }]) {
      expect(await open(entriesOfWaypoints(none))).toEqual({ waypoints: none, visits: [], landed: null });
    }
  });

  it("has no entry of 64 KiB, whatever a page names", async () => {
    // As JSON, a backslash in the query takes two bytes; no address of a page has more characters.
    const longest = (index: number) => `https://example.org/${index}?`.padEnd(maxUrlChars, "\\");
    const short = Array.from({ length: 9000 }, (_, index) => `https://a/${index}`);
    const feeds = Array.from({ length: 20 }, (_, index) => longest(index));
    const records = [
      visitOf(longest(0), { links: Array.from({ length: 100 }, (_, index) => longest(index)), feeds }),
      visitOf(longest(1), { links: short, feeds: short }),
      // What is left out for its length is told by its beginning.
      visitOf(longest(2), { links: [`https://example.org/${"x".repeat(200_000)}`] }),
    ];
    const entries = records.flatMap((record) => entriesOfVisit(record, "f".repeat(2000), false));
    const many = entriesOfWaypoints({ feeds, passages: records[0]!.links, passed: records[0]!.links });
    const { visits } = await open([...many, ...entries, ...entriesOfVisit(visitOf(urlOf(0)), null, false)]);
    expect(visits?.slice(0, 2).map(({ record }) => record)).toEqual(records.slice(0, 2));
    expect(visits?.[2]?.record.links[0]?.length).toBeGreaterThan(maxUrlChars);
  });

  it("counts for the same settings, and until it has rested for a day", async () => {
    const entries = [...begun, ...entriesOfVisit(visitOf(urlOf(0)), null, false)];
    const otherwise = cursorOf({ ...config, maxDepth: 3 }, null, now);
    expect((await open(entries, otherwise)).visits).toBeNull();
    expect((await open(entries, undefined, now + 23 * hourMs)).visits).toHaveLength(1);
    expect((await open(entries, undefined, now + 25 * hourMs)).visits).toBeNull();
    const landed = { "https://example.org/": "https://example.org/en" };
    const slow = cursorOf(config, landed, now);
    expect(await open(entries, slow, now + 25 * hourMs)).toMatchObject({ visits: [{}], landed });
    expect(await open(begun, endCursor)).toEqual({ waypoints, visits: null, landed: null });
  });

  it("is nothing without its cursor, or without its beginning", async () => {
    const visit = entriesOfVisit(visitOf(urlOf(0)), null, false);
    const nothing = { waypoints: null, visits: null, landed: null };
    for (const other of [null, { version: 1 }, { version: 4 }]) expect(await open(begun, other)).toEqual(nothing);
    for (const entries of [[], visit]) expect(await open(entries)).toEqual(nothing);
  });

  it("keeps of a crawl that is given up what unchanged pages do not tell", async () => {
    const records = [
      visitOf(urlOf(0), { feeds: [urlOf(5)] }),
      visitOf(urlOf(1), { as: "feed" }),
      visitOf(urlOf(2), { as: "passed" }),
      visitOf(urlOf(3), { as: "passed", leads: true }),
      visitOf(urlOf(4), { as: "failed", leads: true }),
    ];
    const entries = [...begun, ...records.flatMap((record) => entriesOfVisit(record, null, false))];
    expect((await open(entries, endCursor)).waypoints).toEqual({
      feeds: [...waypoints.feeds, urlOf(5), urlOf(1)],
      passages: [...waypoints.passages, urlOf(3), urlOf(4)],
      passed: [...waypoints.passed, urlOf(1), urlOf(2)],
    });
  });

  it("tells of its last visit whether the document came that it promised, and counts none that did not", async () => {
    const [first, second, third] = [0, 1, 2].map((index) => visitOf(urlOf(index)));
    held[urlOf(0)] = "new";
    held[urlOf(1)] = "old";
    const entries = [...begun, ...entriesOfVisit(first!, "new", false)];
    expect((await open(entries)).visits).toEqual([{ record: first, isKept: true }]);
    entries.push(...entriesOfVisit(second!, "new", false));
    expect((await open(entries)).visits).toEqual([
      { record: first, isKept: true },
      { record: second, isKept: false },
    ]);
    entries.push(...entriesOfVisit(third!, null, true));
    expect((await open(entries)).visits).toEqual([
      { record: first, isKept: true },
      { record: third, isKept: true },
    ]);
  });
});
