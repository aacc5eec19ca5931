import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { linksTo, type TestSite } from "../../conformance/start-site.ts";
import { startWebCrawl, type WebCrawl } from "../../conformance/start-web-crawl.ts";

/** No validators: whatever is asked for again is read again, with the links that it does not remember. */
const plain = { etag: "" };

describe("what a crawl leaves out", () => {
  let crawl: WebCrawl;
  let site: TestSite;
  beforeEach(async () => {
    crawl = await startWebCrawl();
    ({ site } = crawl);
    const { page } = crawl;
    page("/robots.txt", "User-agent: *\nDisallow: /shut", { "content-type": "text/plain" });
    page(
      "/",
      linksTo(["/a", "/shut/1", "/shut/2", "/missing", "/inside", "/moved", "/copy", "/hidden", "/data"]),
      plain,
    );
    page("/a", `a ${linksTo(["/shut/1", "/shut/3", "/deep"])}`, plain);
    page("/deep", linksTo(["/deeper"]));
    page("/deeper", "not got to");
    page("/inside", "", { location: "http://169.254.169.254/latest/meta-data/" }, 302);
    page("/moved", "", { location: "/a" }, 301);
    page("/copy", '<link rel="canonical" href="/a">a');
    page("/hidden", '<meta name="robots" content="noindex">hidden');
    page("/data", "\u0000", { "content-type": "application/x-unknown" });
  });
  afterEach(() => crawl.stop());

  const config = { maxDepth: 2, concurrency: 1 };
  const leftOut = { robots: 3, missing: 1, elsewhere: 1, redirect: 1, copy: 1, noindex: 1, type: 1, deep: 1 };

  it("is counted by why, and is not seen", async () => {
    const target = await crawl.sync(new MemoryTarget(), config);
    expect(crawl.paths(target)).toEqual(["/", "/a", "/deep"]);
    expect(target.changes.at(-1)).toMatchObject({ type: "checkpoint", scanned: 3, total: 3, leftOut });
    await crawl.sync(target, config);
    expect(target.changes.at(-1)).toMatchObject({ scanned: 3, total: 3, leftOut });
  });

  it("counts the same wherever the crawl was ended in the middle", async () => {
    const whole = await crawl.sync(new MemoryTarget(), config);
    for (let at = 0; at < whole.changes.length - 1; at += 1) {
      for (const write of ["lost", "done"] as const) {
        const target = new MemoryTarget();
        expect(await target.apply(crawl.read(target, config), { at, write })).toBe("killed");
        await crawl.sync(target, config);
        expect(target.changes.at(-1), `killed at ${at}, write ${write}`).toMatchObject({ scanned: 3, leftOut });
      }
    }
  });

  it("counts each address once that Include or Exclude keep out, also of a sitemap, and no other site", async () => {
    const { page } = crawl;
    page(
      "/",
      linksTo(["/docs/a", "/blog/1", "/blog/1#top", "/old/1", "https://elsewhere.example/", "/feed.xml"]),
      plain,
    );
    page("/docs/a", linksTo(["/blog/1", "/blog/2", "/docs/old/2", "/docs/b", "/shut/1"]), plain);
    page("/docs/b", "b", plain);
    const listed = ["/blog/2", "/blog/3", "/shut/1", "/docs/shut"].map((path) => site.origin + path);
    page("/sitemap.xml", listed.join("\n"), { "content-type": "text/plain" });
    page("/robots.txt", "User-agent: *\nDisallow: /docs/shut", { "content-type": "text/plain" });
    page("/feed.xml", `<rss version="2.0"><channel><item><link>${site.origin}/blog/1</link></item></channel></rss>`, {
      "content-type": "application/rss+xml",
    });
    const filtered = { ...config, include: ["docs/**"], exclude: ["**/old/**"], feeds: [`${site.origin}/feed.xml`] };
    const kept = { excluded: 6, robots: 1, unwanted: 1, feed: 1 };
    const whole = await crawl.sync(new MemoryTarget(), filtered);
    expect(crawl.paths(whole)).toEqual(["/docs/a", "/docs/b"]);
    expect(whole.changes.at(-1)).toHaveProperty("leftOut", kept);
    for (let at = 0; at < whole.changes.length - 1; at += 1) {
      const target = new MemoryTarget();
      expect(await target.apply(crawl.read(target, filtered), { at, write: "lost" })).toBe("killed");
      await crawl.sync(target, filtered);
      expect(target.changes.at(-1), `killed at ${at}`).toHaveProperty("leftOut", kept);
    }
  });

  it("takes back what was passed by where a feed leads to it after all, or where it is a feed itself", async () => {
    const { page } = crawl;
    const feed = "/news.rss";
    const alternate = `<link rel="alternate" type="application/rss+xml" href="${feed}">`;
    page("/", `${alternate}${linksTo(["/docs/a", feed])}`, plain);
    page("/docs/a", `a ${linksTo(["/docs/post", "/docs/deep"])}`, plain);
    page("/docs/post", "a post");
    page(feed, `<rss version="2.0"><channel><item><link>${site.origin}/docs/post</link></item></channel></rss>`, {
      "content-type": "application/rss+xml",
    });
    const shallow = { include: ["docs/**"], maxDepth: 1, concurrency: 1 };
    const counted = { deep: 1, feed: 1, unwanted: 1 };
    const whole = await crawl.sync(new MemoryTarget(), shallow);
    expect(crawl.paths(whole)).toEqual(["/docs/a", "/docs/post"]);
    expect(whole.changes.at(-1)).toHaveProperty("scanned", 2);
    expect(whole.changes.at(-1)).toHaveProperty("leftOut", counted);
    for (let at = 0; at < whole.changes.length - 1; at += 1) {
      const target = new MemoryTarget();
      expect(await target.apply(crawl.read(target, shallow), { at, write: "lost" })).toBe("killed");
      await crawl.sync(target, shallow);
      expect(target.changes.at(-1), `killed at ${at}`).toHaveProperty("leftOut", counted);
    }
  });

  it("says that there are more where it has counted as many as it counts", async () => {
    const links = (from: number) => linksTo(Array.from({ length: 5000 }, (_, link) => `/old/${from + link}`));
    const pages = Array.from({ length: 12 }, (_, page) => `/page/${page}`);
    crawl.page("/", linksTo(pages), plain);
    for (const [index, path] of pages.entries()) crawl.page(path, `${path} ${links(index * 5000)}`, plain);
    const target = await crawl.sync(new MemoryTarget(), { ...config, exclude: ["old/**"] });
    expect(target.changes.at(-1)).toHaveProperty("leftOut", { excluded: 50_000, orMore: 1 });
  });

  it("tells what the guard refuses as a failure, or as a redirect to another site", async () => {
    const seeds = ["http://169.254.169.254/latest/"];
    const target = await crawl.sync(new MemoryTarget(), { ...config, seeds });
    expect(target.failures).toMatchObject([{ ref: seeds[0], error: { details: { code: "HOST_REFUSED" } } }]);
    expect(target.changes.at(-1)).toMatchObject({ leftOut });
  });

  it("counts what sitemaps list and robots.txt forbids", async () => {
    const listed = ["/shut/1", "/shut/9", "/a"].map((path) => site.origin + path);
    crawl.page("/sitemap.xml", listed.join("\n"), { "content-type": "text/plain" });
    const target = await crawl.sync(new MemoryTarget(), config);
    expect(target.changes.at(-1)).toMatchObject({ leftOut: { robots: 4 } });
  });

  it("does not count a document that is gone: that is a deletion", async () => {
    const target = await crawl.sync(new MemoryTarget(), config);
    site.pages.delete("/deep");
    await crawl.sync(target, config);
    expect(target.changes).toContainEqual({ type: "delete", ref: `${site.origin}/deep` });
    const { deep: _, ...others } = leftOut;
    expect(target.changes.at(-1)).toMatchObject({ scanned: 2, total: 2, leftOut: others });
  });
});
