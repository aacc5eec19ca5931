import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { linksTo } from "../../conformance/start-site.ts";
import { startWebCrawl, type WebCrawl } from "../../conformance/start-web-crawl.ts";

const rss = { "content-type": "application/rss+xml" };
const xml = { "content-type": "application/xml" };
const noindex = `<meta name="robots" content="noindex">`;

describe("a list of pages that is refused", () => {
  let crawl: WebCrawl;
  beforeEach(async () => {
    crawl = await startWebCrawl();
    crawl.page("/", `start ${linksTo(["/linked"])}`);
    crawl.page("/linked", "linked");
    for (const path of ["/only/one", "/only/two"]) crawl.page(path, `the text of ${path}`);
  });
  afterEach(() => crawl.stop());

  const url = (path: string) => crawl.site.origin + path;
  const feed = () => {
    const items = ["/only/one", "/only/two"].map((path) => `<item><link>${url(path)}</link></item>`);
    return `<rss version="2.0"><channel>${items.join("")}</channel></rss>`;
  };
  const all = ["/", "/linked", "/only/one", "/only/two"];
  const failuresOf = (target: MemoryTarget) =>
    target.failures.map(({ ref, error }) => [ref.slice(crawl.site.origin.length), error.code]);

  it("deletes none of them, in as many crawls as it is, and those that are gone once it can be read", async () => {
    const hub = () => `${noindex} archive ${linksTo(["/only/one", "/only/two"])}`;
    const index = () => `<sitemapindex><sitemap><loc>${url("/child.xml")}</loc></sitemap></sitemapindex>`;
    const child = () =>
      `<urlset>${["/only/one", "/only/two"].map((path) => `<url><loc>${url(path)}</loc></url>`).join("")}</urlset>`;
    const start = `start ${linksTo(["/linked"])}`;
    const lists: Record<string, { path: string; headers: Record<string, string>; body: string; start?: string }> = {
      "a given feed": { path: "/given.xml", headers: rss, body: feed() },
      "a feed that the first page names": {
        path: "/feed.xml",
        headers: rss,
        body: feed(),
        start: `<link rel="alternate" type="application/rss+xml" href="/feed.xml">${start}`,
      },
      "a page marked noindex": { path: "/hub", headers: {}, body: hub(), start: `${start} ${linksTo(["/hub"])}` },
      "a sitemap in an index": { path: "/child.xml", headers: xml, body: child() },
    };
    for (const [name, list] of Object.entries(lists)) {
      crawl.page("/", list.start ?? start);
      crawl.page("/sitemap.xml", list.path === "/child.xml" ? index() : "", xml);
      crawl.page("/only/two", "the text of two");
      crawl.page(list.path, list.body, list.headers);
      const config = list.path === "/given.xml" ? { feeds: [url(list.path)] } : {};
      const target = await crawl.sync(new MemoryTarget(), config);
      expect(crawl.paths(target), name).toEqual(all);
      for (const status of [403, 500, 401, 403, 406]) {
        crawl.page(list.path, "no", {}, status);
        await crawl.sync(target, config);
        expect(crawl.paths(target), `${name}, ${status}`).toEqual(all);
        expect(target.failures.map(({ ref }) => ref)).toEqual([url(list.path)]);
      }
      crawl.page(list.path, list.body.replaceAll("/only/two", "/only/one"), list.headers);
      await crawl.sync(target, config);
      expect(crawl.paths(target), name).toEqual(["/", "/linked", "/only/one"]);
      crawl.page(list.path, "gone", {}, 410);
      await crawl.sync(target, config);
      expect(crawl.paths(target), name).toEqual(["/", "/linked"]);
      crawl.site.pages.delete(list.path);
    }
  });

  it("deletes none of them where it leads to a login instead", async () => {
    crawl.page("/", `start ${linksTo(["/linked", "/hub"])}`);
    crawl.page("/hub", `${noindex} archive ${linksTo(["/only/one", "/only/two"])}`);
    const target = await crawl.sync(new MemoryTarget());
    crawl.page("/hub", "", { location: "/login" }, 302);
    crawl.page("/login", `<form><input type="password"></form>`);
    await crawl.sync(target);
    expect(crawl.paths(target)).toEqual(all);
    expect(failuresOf(target)).toEqual([["/hub", "SOURCE_CREDENTIALS"]]);
  });

  it("does not hold deletions up for a page that was never open", async () => {
    crawl.page("/", `start ${linksTo(["/linked", "/admin"])}`);
    crawl.page("/admin", "no", {}, 403);
    const target = await crawl.sync(new MemoryTarget());
    expect(failuresOf(target)).toEqual([["/admin", "SOURCE_FORBIDDEN"]]);
    crawl.page("/", `start ${linksTo(["/admin"])}`);
    await crawl.sync(target);
    expect(crawl.paths(target)).toEqual(["/"]);
  });

  it("says that a feed is too large, and deletes none of its pages", async () => {
    const config = { feeds: [url("/feed")] };
    const bodies = {
      json: JSON.stringify({
        version: "https://jsonfeed.org/version/1.1",
        description: "x".repeat(11 * 1024 * 1024),
        items: ["/only/one", "/only/two"].map((path) => ({ url: path })),
      }),
      xml: feed().replace("<channel>", `<channel><description>${"x".repeat(11 * 1024 * 1024)}</description>`),
    };
    for (const body of [bodies.json, bodies.xml]) {
      crawl.page("/feed", feed(), rss);
      const target = await crawl.sync(new MemoryTarget(), config);
      expect(crawl.paths(target)).toEqual(all);
      crawl.page("/feed", body, {
        "content-type": body.startsWith("{") ? "application/feed+json" : rss["content-type"],
      });
      await crawl.sync(target, config);
      expect(failuresOf(target)).toEqual([["/feed", "DOCUMENT_TOO_LARGE"]]);
      expect(crawl.paths(target)).toEqual(all);
    }
  });
});

it("reads more than a hundred sitemaps, in whatever order they are listed", async () => {
  const crawl = await startWebCrawl();
  try {
    crawl.page("/", "start");
    const names = Array.from(
      { length: 130 },
      (_, index) => `${String.fromCharCode(97 + (index % 26))}-${Math.floor(index / 26)}`,
    );
    const index = (listed: readonly string[]) =>
      `<sitemapindex>${listed.map((name) => `<sitemap><loc>${crawl.site.origin}/map/${name}.xml</loc></sitemap>`).join("")}</sitemapindex>`;
    for (const name of names) {
      crawl.page(`/map/${name}.xml`, `<urlset><url><loc>${crawl.site.origin}/p/${name}</loc></url></urlset>`, xml);
      crawl.page(`/p/${name}`, `the text of ${name}`);
    }
    crawl.page("/sitemap.xml", index(names), xml);
    const target = await crawl.sync(new MemoryTarget());
    expect(target.documents.size).toBe(131);
    expect(target.failures).toEqual([]);
    crawl.page("/sitemap.xml", index(names.toReversed()), xml);
    await crawl.sync(target);
    expect(target.documents.size).toBe(131);
    // As many addresses as are taken from sitemaps.
    const many = Array.from({ length: 100_000 }, (_, at) => `${crawl.site.origin}/many/${at}`).join("\n");
    crawl.page("/map/a-0.xml", many, { "content-type": "text/plain" });
    crawl.page("/sitemap.xml", index(names), xml);
    await crawl.sync(target, { maxPages: 2 });
    expect(target.failures.map(({ error }) => [error.message, error.details])).toContainEqual([
      "Some 129 sitemaps were not read, or not to their end: there were too many.",
      { code: "SITEMAP_LIMIT", leftOut: 129 },
    ]);
    expect(target.documents.size).toBe(131);
  } finally {
    await crawl.stop();
  }
});
