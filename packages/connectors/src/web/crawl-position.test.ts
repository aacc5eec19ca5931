import { describe, expect, it } from "vitest";
import { webConfigSchema } from "./config.ts";
import { cursorOf, DigestList, encodePosition, noWaypoints, readCursor, type CrawlPosition } from "./crawl-position.ts";

const config = webConfigSchema.parse({ url: "https://example.org/" });
const now = Date.parse("2026-11-28T10:00:00Z");
const urlOf = (index: number) => `https://example.org/articles/section-${index % 40}/page-${index}`;
const positionOf = (visited: number, waiting: number): CrawlPosition => {
  const alive = new DigestList();
  for (let index = 0; index < visited; index += 1) alive.add(urlOf(index));
  return {
    alive,
    passed: new DigestList(),
    waiting: Array.from({ length: waiting }, (_, index) => ({ url: urlOf(visited + index), depth: 3 })),
    beyondLimit: 0,
    traps: {
      patterns: [["https://example.org/a/*", 40, 2]],
      leftOut: [["https://example.org/b?…", "TRAP_SAME_TEXT", 3]],
    },
    scanned: visited,
    complete: true,
    signedOut: false,
    startedAtMs: now,
    landed: null,
  };
};
const waypointsOf = (passed: string[]) => ({ feeds: ["https://example.org/rss"], passed });
const carry = (position: CrawlPosition) => {
  const stored = encodePosition(position, config);
  return JSON.parse(JSON.stringify(cursorOf(waypointsOf(["https://example.org/old"]), stored))) as ReturnType<
    typeof cursorOf
  >;
};

describe("a crawl's position", () => {
  it("comes back as it was, of a thousand pages in a cursor that a row can hold", () => {
    const position = positionOf(1000, 1000);
    const cursor = carry(position);
    expect(JSON.stringify(cursor).length).toBeLessThan(64 * 1024);
    const { waypoints, position: read } = readCursor(cursor, config, now + 1000);
    expect(waypoints).toEqual(waypointsOf(["https://example.org/old"]));
    expect(read).toMatchObject({ waiting: position.waiting, traps: position.traps, scanned: 1000, complete: true });
    for (let index = 0; index < 1000; index += 1) expect(read?.alive.has(urlOf(index))).toBe(true);
    for (const { url } of position.waiting) expect(read?.alive.has(url)).toBe(false);
  });

  it("is left out rather than grow beyond that", () => {
    for (const [visited, waiting] of [
      [100_000, 0],
      [7000, 50_000],
    ] as const) {
      expect(encodePosition(positionOf(visited, waiting), config)).toBeNull();
    }
    const many = cursorOf(waypointsOf(Array.from({ length: 100_000 }, (_, index) => urlOf(index * 7919))), null);
    expect(JSON.stringify(many).length).toBeLessThan(64 * 1024);
    expect(readCursor(many, config, now).waypoints).toEqual({ feeds: ["https://example.org/rss"], passed: null });
  });

  it("counts for the same settings, on the same day and in the same version only", () => {
    const cursor = carry(positionOf(10, 10));
    expect(readCursor(cursor, config, now).position).not.toBeNull();
    expect(readCursor(cursor, { ...config, maxDepth: 3 }, now).position).toBeNull();
    expect(readCursor(cursor, config, now + 25 * 60 * 60 * 1000).position).toBeNull();
    expect(readCursor({ ...cursor, version: 3 }, config, now)).toEqual({ waypoints: noWaypoints, position: null });
    for (const other of [null, { version: 1 }]) {
      expect(readCursor(other, config, now)).toEqual({ waypoints: noWaypoints, position: null });
    }
  });
});
