import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { linksTo, startSite, type TestSite } from "../../conformance/start-site.ts";
import { startWebCrawl, type WebCrawl } from "../../conformance/start-web-crawl.ts";

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

  it("goes on at any page, asks for no page again that a checkpoint covers, and ends the same", async () => {
    const whole = await crawl.sync(new MemoryTarget(), { concurrency: 1 });
    const kinds = whole.changes.map(({ type }) => type);
    expect(kinds.filter((type) => type === "checkpoint").length).toBeGreaterThan(8);
    // After the last change the crawl is done, and the next one is a new one.
    for (let at = 0; at < whole.changes.length - 1; at += 1) {
      const target = new MemoryTarget();
      site.requests.length = 0;
      expect(await target.apply(crawl.read(target, { concurrency: 1 }), { at, write: "done" })).toBe("killed");
      const read = new Set(target.cursor === null ? [] : [...target.documents.keys()]);
      // What came after the checkpoint may be asked for again.
      for (const change of target.changes.slice(kinds.slice(0, at + 1).lastIndexOf("checkpoint") + 1)) {
        if (change.type === "upsert") read.delete(change.item.ref);
      }
      site.requests.length = 0;
      await crawl.sync(target, { concurrency: 1 });
      expect(target.contents(), `killed at ${at}`).toEqual(whole.contents());
      // The start is asked for once more, to see whether the site is there.
      const again = pagesAsked().filter((path, index) => index > 0 && read.has(site.origin + path));
      expect(again, `killed at ${at}`).toEqual([]);
    }
  });

  it("still deletes what is gone, and only that", async () => {
    // A page that fails keeps whatever it may lead to.
    crawl.page("/busy", "busy no more", plain);
    const stored = await crawl.sync(new MemoryTarget());
    crawl.page("/b", "b leads nowhere now", plain);
    site.pages.delete("/a/2");
    const whole = new MemoryTarget();
    await crawl.sync(whole);
    expect(crawl.paths(stored)).toContain("/a/2");
    const cursor = stored.cursor;
    const documents = new Map(stored.documents);
    const length = await countChanges(stored);
    for (let at = 0; at < length; at += 1) {
      const target = new MemoryTarget();
      for (const [ref, document] of documents) target.documents.set(ref, document);
      target.cursor = cursor;
      await target.apply(crawl.read(target), { at, write: "done" });
      await crawl.sync(target);
      expect(crawl.paths(target), `killed at ${at}`).toEqual(crawl.paths(whole));
    }
  });

  const countChanges = async (stored: MemoryTarget) => {
    const copy = new MemoryTarget();
    for (const [ref, document] of stored.documents) copy.documents.set(ref, document);
    copy.cursor = stored.cursor;
    await crawl.sync(copy);
    return copy.changes.length;
  };

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
      // An address that was beyond the limit before the kill may be found again after it.
      expect(left(target)[0], `killed at ${at}`).toBeGreaterThanOrEqual(7);
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
    site.respond = () => null;
    site.requests.length = 0;
    await crawl.sync(target, config);
    const again = pagesAsked().slice(1);
    expect(again.filter((path) => read.includes(path))).toEqual([]);
    await crawl.sync(target, config);
    expect(crawl.paths(target)).toEqual(["/", "/a", "/a/1", "/a/2", "/b", "/b/1", "/new"]);
  });
});
