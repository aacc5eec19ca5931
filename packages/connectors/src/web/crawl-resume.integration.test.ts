import { hash } from "node:crypto";
import { deflateRawSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { MemoryTarget, type Kill } from "../../conformance/memory-target.ts";
import { linksTo, startSite, type TestSite } from "../../conformance/start-site.ts";
import { startWebCrawl, type WebCrawl } from "../../conformance/start-web-crawl.ts";
import type { WebConfig } from "./config.ts";

/** No validators: whatever is asked for again would be read again. */
const plain = { etag: "" };

describe("a crawl that was killed", () => {
  let crawl: WebCrawl;
  let site: TestSite;
  beforeEach(async () => {
    crawl = await startWebCrawl();
    ({ site } = crawl);
    crawl.page("/", linksTo(["/a", "/b", "/old", "/busy"]), plain);
    crawl.page("/a", `a ${linksTo(["/a/1", "/a/2"])}`, plain);
    crawl.page("/b", `b ${linksTo(["/b/1", "/a/1"])}`, plain);
    crawl.page("/old", "", { ...plain, location: "/new" }, 301);
    crawl.page("/new", "new", plain);
    crawl.page("/busy", "", plain, 500);
    for (const name of ["/a/1", "/a/2", "/b/1"]) crawl.page(name, `text of ${name}`, plain);
    const listed = ["/s/1", "/s/2"];
    crawl.page("/sitemap.xml", listed.map((path) => site.origin + path).join("\n"), { "content-type": "text/plain" });
    for (const name of listed) crawl.page(name, `listed ${name} ${linksTo([`${name}/more`])}`, plain);
    for (const name of listed) crawl.page(`${name}/more`, `more than ${name}`, plain);
  });
  afterEach(() => crawl.stop());

  const pagesAsked = () =>
    site.requests.map(({ path }) => path).filter((path) => !/robots|sitemap|[\da-f]{8}-/.test(path));

  const killAt = async (at: number, write: Kill["write"], config: Partial<WebConfig> = {}) => {
    const target = new MemoryTarget();
    expect(await target.apply(crawl.read(target, config), { at, write })).toBe("killed");
    return target;
  };
  /** The start is asked for whenever a crawl begins or goes on, to see whether the site is there. */
  const pagesAskedAgain = (stored: ReadonlySet<string>) => {
    const asked = pagesAsked();
    // What the attempt before had just asked for may arrive ahead of it.
    const start = asked.indexOf("/");
    return asked.filter((path, index) => index !== start && stored.has(site.origin + path));
  };

  it("goes on at any page, asks for no page again whose document is stored, and ends the same", async () => {
    const config = { concurrency: 1 };
    const whole = await crawl.sync(new MemoryTarget(), config);
    expect(whole.changes.filter(({ type }) => type === "checkpoint").length).toBeGreaterThan(12);
    // After the last change the crawl is done, and the next one is a new one.
    for (let at = 0; at < whole.changes.length - 1; at += 1) {
      for (const write of ["lost", "done"] as const) {
        const target = await killAt(at, write, config);
        const stored = new Set(target.documents.keys());
        site.requests.length = 0;
        await crawl.sync(target, config);
        expect(target.contents(), `killed at ${at}, write ${write}`).toEqual(whole.contents());
        expect(pagesAskedAgain(stored), `killed at ${at}, write ${write}`).toEqual([]);
        expect(target.changes.at(-1)).toMatchObject({ scanned: 12, total: 12, leftOut: { redirect: 1 } });
      }
    }
  });

  it("goes on after any number of kills, one at each of its changes", async () => {
    const whole = await crawl.sync(new MemoryTarget());
    const target = new MemoryTarget();
    const asked: string[] = [];
    for (let kills = 0; ; kills += 1) {
      expect(kills).toBeLessThan(100);
      const stored = new Set(target.documents.keys());
      site.requests.length = 0;
      // Each attempt is killed before it writes its third change: a visit at most is done in it.
      const end = await target.apply(crawl.read(target), { at: 2, write: "lost" });
      asked.push(...pagesAskedAgain(stored));
      if (end === "complete") break;
    }
    expect(target.contents()).toEqual(whole.contents());
    expect(target.changes.at(-1)).toMatchObject({ scanned: 12, total: 12, leftOut: { redirect: 1 } });
    expect(asked).toEqual([]);
  });

  it("asks for no page again, however many there are and wait, and writes little at each of them", async () => {
    const count = 2000;
    // Nothing that would make them small when they are packed.
    const paths = Array.from({ length: count }, (_, index) => `/${hash("sha512", String(index))}`);
    const words = (index: number) => String(index).replace(/\d/g, (digit) => "abcdefghij".charAt(Number(digit)));
    crawl.page("/", linksTo(paths), plain);
    for (const [index, path] of paths.entries())
      crawl.page(path, `About ${words(index)} ${linksTo(paths.slice(index, index + 3))}`, plain);
    for (const path of ["/sitemap.xml", "/new", "/old"]) site.pages.delete(path);
    const config = { maxPages: 5000, concurrency: 16 };
    const target = await killAt(2 * count - 100, "done", config);
    const { changes } = target;
    const stored = new Set(target.documents.keys());
    expect(stored.size).toBeGreaterThan(count - 100);
    site.requests.length = 0;
    await crawl.sync(target, config);
    expect(target.documents.size).toBe(count + 1);
    expect(pagesAskedAgain(stored)).toEqual([]);
    expect(pagesAsked().length).toBe(count + 2 - stored.size);
    // After the first page, which names them all.
    for (const change of changes.slice(3)) {
      if (change.type === "checkpoint") expect(JSON.stringify(change).length).toBeLessThan(1000);
    }
  });

  it("goes on however long it takes, unless it has rested for a day", async () => {
    const whole = await crawl.sync(new MemoryTarget());
    const hour = 3_600_000;
    vi.useFakeTimers({ toFake: ["Date"] });
    try {
      const target = await killAt(5, "done");
      for (const wait of [23 * hour, 23 * hour]) {
        vi.setSystemTime(Date.now() + wait);
        const stored = new Set(target.documents.keys());
        site.requests.length = 0;
        expect(await target.apply(crawl.read(target), { at: 3, write: "done" })).toBe("killed");
        expect(target.documents.size).toBeGreaterThan(stored.size);
        expect(pagesAskedAgain(stored)).toEqual([]);
      }
      vi.setSystemTime(Date.now() + 25 * hour);
      site.requests.length = 0;
      await crawl.sync(target);
      expect(pagesAsked()).toEqual(expect.arrayContaining(["/", "/a", "/s/1"]));
      expect(target.contents()).toEqual(whole.contents());
    } finally {
      vi.useRealTimers();
    }
  });

  it("still deletes what is gone, and only that", async () => {
    // A page that fails keeps whatever it may lead to.
    crawl.page("/busy", "busy no more", plain);
    const stored = await crawl.sync(new MemoryTarget());
    expect(crawl.paths(stored)).toContain("/a/2");
    crawl.page("/b", "b leads nowhere now", plain);
    site.pages.delete("/a/2");
    const whole = await crawl.sync(stored.copy());
    for (let at = 0; at < whole.changes.length; at += 1) {
      const target = stored.copy();
      await target.apply(crawl.read(target), { at, write: "done" });
      await crawl.sync(target);
      expect(crawl.paths(target), `killed at ${at}`).toEqual(crawl.paths(whole));
    }
  });

  it("still tells traps, and how much was left out", async () => {
    for (let day = 0; day < 40; day += 1) {
      crawl.page(`/day/${day}`, `Nothing happens. ${linksTo([`/day/${day + 1}`, `/day/${day + 2}`])}`, plain);
    }
    crawl.page("/", linksTo(["/day/0"]), plain);
    const config = { maxDepth: 100, concurrency: 1 };
    const reports = ({ failures }: MemoryTarget) => failures.map(({ ref, error }) => [ref, error.details?.["leftOut"]]);
    const whole = await crawl.sync(new MemoryTarget(), config);
    expect(reports(whole)).toEqual([[`${site.origin}/day/*`, 2]]);
    for (let at = 0; at < whole.changes.length - 2; at += 5) {
      const target = await killAt(at, "done", config);
      await crawl.sync(target, config);
      expect(target.contents(), `killed at ${at}`).toEqual(whole.contents());
      expect(reports(target), `killed at ${at}`).toEqual(reports(whole));
    }
  });

  describe("where the first page has not changed, and names a feed", () => {
    beforeEach(() => {
      const rss = "application/rss+xml";
      crawl.page("/", `<link rel="alternate" type="${rss}" href="/rss">${linksTo(["/a", "/b"])}`);
      crawl.page("/rss", `<rss><channel><item><link>${site.origin}/by-feed</link></item></channel></rss>`, {
        "content-type": rss,
      });
      crawl.page("/by-feed", "Named by the feed alone.");
      crawl.page("/a", `a ${linksTo(["/a/1"])}`);
    });

    /** As an earlier release had it: the whole crawl in its cursor, here one that was ended in the middle or at its end. */
    const cursorOfVersion2 = (position?: object) => ({
      version: 2,
      waypoints: deflateRawSync(
        JSON.stringify({
          feeds: position ? [] : [`${site.origin}/rss`],
          passed: position ? null : [`${site.origin}/old`],
        }),
      ).toString("base64"),
      ...(position && { position }),
    });
    const positionOfVersion2 = { settings: "s", alive: "", passed: "", rest: "" };

    it.each([
      ["its cursor was forgotten", () => null],
      ["an earlier release was in the middle of a crawl", () => cursorOfVersion2(positionOfVersion2)],
      ["an earlier release had crawled it", () => cursorOfVersion2()],
    ])("loses and doubles nothing when %s", async (_, cursor) => {
      const target = await crawl.sync(new MemoryTarget());
      expect(crawl.paths(target)).toContain("/by-feed");
      crawl.page("/a/1", "a/1 has changed", plain);
      crawl.page("/a", "a leads on no more");
      site.pages.delete("/b/1");
      // A page that fails keeps whatever it may lead to.
      crawl.page("/busy", "busy no more", plain);
      crawl.page("/b", `b ${linksTo(["/a/1", "/busy"])}`, plain);
      target.cursor = cursor();
      site.takeLog();
      await crawl.sync(target);
      const whole = await crawl.sync(new MemoryTarget());
      expect(target.contents()).toEqual(whole.contents());
      expect(target.opened.map((ref) => ref.slice(site.origin.length)).toSorted()).toEqual([
        "/a",
        "/a/1",
        "/b",
        "/busy",
      ]);
    });
  });

  it("begins anew when the settings are others", async () => {
    const target = new MemoryTarget();
    await target.apply(crawl.read(target, { concurrency: 1 }), { at: 5, write: "done" });
    site.requests.length = 0;
    await crawl.sync(target, { concurrency: 1, exclude: ["b"] });
    expect(pagesAsked()).toEqual(expect.arrayContaining(["/", "/a", "/s/1"]));
    expect(crawl.paths(target)).not.toContain("/b");
  });

  it("keeps its place across two hosts", async () => {
    const other = await startSite();
    try {
      other.pages.set("/", { body: linksTo(["/x"]), headers: plain });
      other.pages.set("/x", { body: "x", headers: plain });
      const config = { seeds: [`${other.origin}/`], concurrency: 1 };
      const whole = await crawl.sync(new MemoryTarget(), config);
      for (let at = 0; at < whole.changes.length; at += 1) {
        const target = new MemoryTarget();
        await target.apply(crawl.read(target, config), { at, write: "lost" });
        await crawl.sync(target, config);
        expect(target.contents(), `killed at ${at}`).toEqual(whole.contents());
      }
    } finally {
      await other.stop();
    }
  });

  it("keeps to the limit of pages, and says what lies beyond it", async () => {
    const config = { maxPages: 6, concurrency: 1 };
    const whole = await crawl.sync(new MemoryTarget(), config);
    const left = (target: MemoryTarget) =>
      target.failures.flatMap(({ error }) =>
        error.details?.["code"] === "PAGE_LIMIT" ? error.details["leftOut"] : [],
      );
    expect(left(whole)).toEqual([7]);
    for (let at = 0; at < whole.changes.length - 1; at += 1) {
      const target = new MemoryTarget();
      await target.apply(crawl.read(target, config), { at, write: "done" });
      await crawl.sync(target, config);
      expect(target.contents(), `killed at ${at}`).toEqual(whole.contents());
      expect(left(target), `killed at ${at}`).toEqual([7]);
    }
  });

  it("ends when the host asks for a long wait, and goes on after it", async () => {
    const target = new MemoryTarget();
    const config = { concurrency: 1 };
    site.respond = ({ path }) =>
      path.includes("/", 1) ? { body: "", status: 429, headers: { "retry-after": "600" } } : null;
    crawl.page("/sitemap.xml", "", plain, 404);
    await expect(crawl.sync(target, config)).rejects.toMatchObject({
      code: "RATE_LIMITED",
      details: { retryAfterMs: 600_000 },
    });
    const read = crawl.paths(target);
    expect(read).toEqual(["/", "/a", "/b"]);
    // A wait that brings nothing new is told by its cursor.
    const { cursor } = target;
    await expect(crawl.sync(target, config)).rejects.toMatchObject({ code: "RATE_LIMITED" });
    expect(target.cursor).toEqual(cursor);
    site.respond = () => null;
    site.requests.length = 0;
    await crawl.sync(target, config);
    const again = pagesAsked().slice(1);
    expect(again.filter((path) => read.includes(path))).toEqual([]);
    await crawl.sync(target, config);
    expect(crawl.paths(target)).toEqual(["/", "/a", "/a/1", "/a/2", "/b", "/b/1", "/new"]);
  });
});
