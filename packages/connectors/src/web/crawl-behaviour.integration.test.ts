import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Change } from "@anneal/core/connect/change";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { linksTo, startSite, type TestSite } from "../../conformance/start-site.ts";
import { startWebCrawl, type WebCrawl } from "../../conformance/start-web-crawl.ts";
import { maxSpare } from "./crawl.ts";
import { maxLinks } from "./page-limits.ts";
import { webConnector } from "./web-connector.ts";

const feedTypes = { rss: "application/rss+xml", json: "application/feed+json" };

describe("a crawl", () => {
  let crawl: WebCrawl;
  let site: TestSite;
  beforeEach(async () => {
    crawl = await startWebCrawl();
    ({ site } = crawl);
  });
  afterEach(() => crawl.stop());

  const page: WebCrawl["page"] = (...args) => crawl.page(...args);
  const sync: WebCrawl["sync"] = (target, config) => crawl.sync(target, config);
  const paths: WebCrawl["paths"] = (target) => crawl.paths(target);

  it("begins at several addresses, and keeps to each host's own robots.txt", async () => {
    const other = await startSite();
    try {
      page("/", linksTo(["/a", `${other.origin}/linked`]));
      page("/a", "a");
      page("/second-start", linksTo(["/behind"]));
      page("/behind", "behind the second start");
      other.pages.set("/robots.txt", {
        body: "User-agent: *\nDisallow: /shut",
        headers: { "content-type": "text/plain" },
      });
      other.pages.set("/docs/", { body: linksTo(["/shut/x", "/open"]) });
      other.pages.set("/open", { body: "open" });
      other.pages.set("/linked", { body: "linked from the first host" });
      other.pages.set("/shut/x", { body: "shut" });
      const seeds = [`${site.origin}/second-start`, `${other.origin}/docs/`];
      const target = await sync(new MemoryTarget(), { seeds });
      expect([...target.documents.keys()].sort()).toEqual(
        [
          ...["/", "/a", "/behind", "/second-start"].map((path) => site.origin + path),
          ...["/docs/", "/linked", "/open"].map((path) => other.origin + path),
        ].sort(),
      );
      await other.stop();
      site.pages.delete("/behind");
      page("/second-start", "leads nowhere now");
      await sync(target, { seeds });
      expect(target.failures.map(({ ref }) => ref)).toEqual([`${other.origin}/docs/`]);
      expect(target.documents.size).toBe(7);
    } finally {
      await other.stop();
    }
  });

  it("finds pages by feeds that the first page names, that are given, and that are linked", async () => {
    page(
      "/",
      `<link rel="alternate" type="${feedTypes.rss}" href="/rss"><link rel="alternate" hreflang="de" href="/de">${linksTo(["/feed.xml"])}`,
    );
    page(
      "/rss",
      `<rss><channel><link>/</link><item><link>${site.origin}/by-rss?utm_source=feed</link></item></channel></rss>`,
      {
        "content-type": feedTypes.rss,
      },
    );
    page(
      "/feed.xml",
      `<feed xmlns="http://www.w3.org/2005/Atom"><link rel="next" href="/feed-2"/><entry><link href="/by-atom"/></entry></feed>`,
      {
        "content-type": "application/xml",
      },
    );
    page("/feed-2", `<feed><entry><link href="/by-next"/></entry></feed>`, { "content-type": "application/atom+xml" });
    const json = {
      version: "https://jsonfeed.org/version/1.1",
      items: [{ url: "/by-json" }, { url: "http://away.example/" }],
    };
    page("/given", JSON.stringify(json), { "content-type": "application/json" });
    for (const name of ["/by-rss", "/by-atom", "/by-next", "/by-json", "/de"]) page(name, `page ${name}`);
    const config = { feeds: [`${site.origin}/given`] };
    const target = await sync(new MemoryTarget(), config);
    expect(paths(target)).toEqual(["/", "/by-atom", "/by-json", "/by-next", "/by-rss"]);
    await sync(target, config);
    expect(target.changes.map(({ type }) => type)).not.toContain("delete");
    expect(target.opened).toEqual([]);
  });

  it("says when a feed or a sitemap lies on a host that is not crawled", async () => {
    page("/", "start");
    const feeds = ["https://feeds.example/x"];
    const { error } = await webConnector.check(crawl.configOf({ feeds }), {}, crawl.context);
    expect(error).toMatchObject({ code: "INVALID_INPUT", action: expect.stringContaining("https://feeds.example") });
    const target = await sync(new MemoryTarget(), { feeds });
    expect(target.failures.map(({ ref }) => ref)).toEqual(feeds);
  });

  it("says which of several addresses does not exist, or is forbidden", async () => {
    page("/robots.txt", "User-agent: *\nDisallow: /shut", { "content-type": "text/plain" });
    page("/", "start");
    page("/shut", "shut");
    const seeds = [`${site.origin}/misspelt`, `${site.origin}/shut`, "http://169.254.169.254/latest/"];
    const target = await sync(new MemoryTarget(), { seeds });
    expect(target.failures.map(({ ref, error }) => [ref, error.code])).toEqual([
      [seeds[1], "SOURCE_FORBIDDEN"],
      [seeds[2], "SOURCE_FORBIDDEN"],
      [seeds[0], "SOURCE_NOT_FOUND"],
    ]);
    expect(paths(target)).toEqual(["/"]);
  });

  it("still finds what lies behind redirects and pages marked noindex when what leads there is unchanged", async () => {
    page("/", linksTo(["/a"]));
    page("/a", `a ${linksTo(["/old", "/hub"])}`);
    page("/old", "", { location: "/new" }, 301);
    page("/new", "new");
    page("/hub", `<meta name="robots" content="noindex">${linksTo(["/from-hub"])}`);
    page("/from-hub", "from hub");
    const target = await sync(new MemoryTarget());
    expect(paths(target)).toEqual(["/", "/a", "/from-hub", "/new"]);
    page("/hub", `<meta name="robots" content="noindex">${linksTo(["/from-hub", "/newer"])}`);
    page("/newer", "newer");
    site.takeLog();
    await sync(target);
    expect(site.takeLog()).toEqual(expect.arrayContaining(["304 /a", "304 /new", "304 /from-hub", "200 /newer"]));
    expect(paths(target)).toEqual(["/", "/a", "/from-hub", "/new", "/newer"]);
    expect(target.opened).toEqual([`${site.origin}/newer`]);
  });

  it("asks by the time of the last change where a server gives nothing else", async () => {
    const modified = "Wed, 25 Nov 2026 10:00:00 GMT";
    page("/", linksTo(["/a"]));
    site.respond = ({ path, headers }) => {
      if (path !== "/a") return null;
      const status = headers["if-modified-since"] === modified ? 304 : 200;
      return { body: "a", status, headers: { "last-modified": modified, etag: "" } };
    };
    const target = await sync(new MemoryTarget());
    site.takeLog();
    await sync(target);
    expect(site.takeLog()).toContain("304 /a");
    expect(target.documents.get(`${site.origin}/a`)?.item.modifiedAt).toBe("2026-11-25T10:00:00.000Z");
  });

  it("reads a page again for its content, not for an advertisement, a menu, a nonce or the day", async () => {
    const html = (content: string, day: Date, visit: number) =>
      `<html lang="en"><head><title>Tides</title><meta name="csrf" content="${visit}"></head><body><nav>${visit} new</nav>
       <div class="ad-banner">Buy ${visit}</div><main><p>${day.toLocaleDateString("en-GB", { dateStyle: "full", timeZone: "UTC" })}</p>
       <p>${content}</p></main><footer>Rendered in ${visit} ms</footer><script nonce="${visit}">x(${visit})</script></body></html>`;
    let visit = 0;
    let content = "High water at noon.";
    site.respond = ({ path }) => {
      if (path !== "/") return null;
      visit += 1;
      const day = new Date(Date.now() + visit * 24 * 60 * 60 * 1000);
      return { body: html(content, day, visit), headers: { date: day.toUTCString() } };
    };
    const target = await sync(new MemoryTarget());
    await sync(target);
    expect(target.opened).toEqual([]);
    content = "High water at one.";
    await sync(target);
    expect(target.opened).toEqual([`${site.origin}/`]);
  });

  it("believes a page's canonical address when the page it names is there, and stands for itself", async () => {
    const canonical = (href: string, text: string) => `<link rel="canonical" href="${href}">${text}`;
    page("/", linksTo(["/copy", "/lost", "/ring-a", "/abroad", "/manual.pdf", "/front"]));
    page("/copy", canonical("/original", "same"));
    page("/original", canonical("/original?utm_source=x", "same"));
    page("/lost", canonical("/missing", "its canonical page is gone"));
    page("/ring-a", canonical("/ring-b", "ring a"));
    page("/ring-b", canonical("/ring-a", "ring b"));
    page("/abroad", canonical("https://elsewhere.example/", "says it comes from elsewhere"));
    page("/front", canonical("/", "a page of its own"));
    page("/manual.pdf", "%PDF-1.7", { "content-type": "application/pdf", link: `</original>; rel="canonical"` });
    expect(paths(await sync(new MemoryTarget()))).toEqual(
      ["/", "/abroad", "/front", "/lost", "/original", "/ring-a", "/ring-b"].sort(),
    );
  });

  it("asks for nonsense in the same folder before it calls a page missing; words alone say nothing", async () => {
    page("/", linksTo(["/wiki/real", "/wiki/ghost", "/wiki/ghost-2", "/errors/404-not-found"]));
    page("/wiki/real", "<title>Wiki</title><p>A page about valves and what does not exist.</p>");
    page("/errors/404-not-found", "<title>404 Not Found explained</title><p>What a server means by it.</p>");
    const missing = (path: string) => `<title>Wiki</title><p>There is no text on ${path} yet. Write it?</p>`;
    site.respond = ({ path }) => (path.startsWith("/wiki/") && path !== "/wiki/real" ? { body: missing(path) } : null);
    expect(paths(await sync(new MemoryTarget()))).toEqual(["/", "/errors/404-not-found", "/wiki/real"]);
  });

  it("takes a page that turns into an error page for gone, though the site answers 200", async () => {
    page("/", linksTo(["/shop/pump", "/shop/valve"]));
    page("/shop/pump", "<p>The pump moves forty litres a minute and rests on four rubber feet of its own.</p>");
    page("/shop/valve", "<p>The valve opens at four bar.</p>");
    const target = await sync(new MemoryTarget());
    site.pages.delete("/shop/pump");
    site.respond = ({ path }) =>
      path.startsWith("/shop/") && path !== "/shop/valve" ? { body: "<p>Sold out.</p>" } : null;
    await sync(target);
    expect(paths(target)).toEqual(["/", "/shop/valve"]);
  });

  it("does not take a site whose pages are all one shell for a site of missing pages", async () => {
    site.respond = ({ path }) =>
      path === "/robots.txt" || path === "/sitemap.xml" ? null : { body: `<p>Loading</p>${linksTo(["/a", "/b"])}` };
    expect(paths(await sync(new MemoryTarget()))).toEqual(["/", "/a", "/b"]);
  });

  it("says how many addresses the page limit left out", async () => {
    page("/", linksTo(["/a", "/b", "/c"]));
    for (const name of ["/a", "/b", "/c"]) page(name, name);
    const target = await sync(new MemoryTarget(), { maxPages: 2 });
    expect(target.failures).toMatchObject([
      { ref: `${site.origin}/#beyond-the-page-limit`, error: { details: { code: "PAGE_LIMIT", leftOut: 2 } } },
    ]);
  });

  it("deletes nothing that a page with too many links may name, and says so", async () => {
    page("/", linksTo(["/list", "/old"]));
    page("/list", "short");
    page("/old", "old");
    const target = await sync(new MemoryTarget());
    page("/", linksTo(["/list"]));
    page("/list", `${`<a href="/list">again</a>`.repeat(maxLinks)}<a href="/old">old</a>`);
    await sync(target);
    expect(paths(target)).toEqual(["/", "/list", "/old"]);
    const ref = `${site.origin}/#beyond-the-link-limit`;
    expect(target.failures).toMatchObject([{ ref, error: { details: { code: "LINK_LIMIT" } } }]);
    page("/list", "short again");
    await sync(target);
    expect(paths(target)).toEqual(["/", "/list"]);
  });

  it("finds pages in frames, and where a page sends its reader on", async () => {
    page("/", `<meta http-equiv="refresh" content="0; url=/en/"><title>Moved</title>`);
    page("/en/", `<frameset><frame src="/menu"><frame src="/text"></frameset>`);
    page("/menu", linksTo(["/chapter"]));
    page("/text", "the text");
    page("/chapter", "a chapter");
    expect(paths(await sync(new MemoryTarget()))).toEqual(["/", "/chapter", "/en/", "/menu", "/text"]);
  });

  it("keeps no more addresses waiting than it may come to, and counts the others", async () => {
    const pages = 12;
    const named = (of: number) => Array.from({ length: maxLinks }, (_, index) => `/${of}-${index.toString(36)}x`);
    page("/", linksTo(Array.from({ length: pages }, (_, index) => `/list${index}-x`)));
    for (let index = 0; index < pages; index += 1) page(`/list${index}-x`, linksTo(named(index)));
    let kept = 0;
    const failures: Change[] = [];
    for await (const change of crawl.read(new MemoryTarget(), { maxPages: pages + 1 })) {
      if (change.type === "failure") failures.push(change);
      if (change.type !== "checkpoint") continue;
      for (const entry of change.journal?.entries ?? []) kept += (JSON.stringify(entry).match(/x"/g) ?? []).length;
    }
    expect(kept).toBeLessThan(maxSpare + 4 * pages);
    expect(failures).toMatchObject([{ error: { details: { code: "PAGE_LIMIT", leftOut: pages * maxLinks } } }]);
  });

  it("keeps what it knows of a pattern of which it visits only a part", async () => {
    page("/", linksTo(["/story?id=0"]));
    for (let id = 0; id < 30; id += 1) {
      page(`/story?id=${id}`, `A story about ${"ab".repeat(id + 1)} ${linksTo([`/story?id=${id + 1}`])}`);
    }
    const target = await sync(new MemoryTarget(), { maxDepth: 100 });
    expect(target.documents.size).toBe(31);
    page("/story?id=3", "Story three leads on no more.");
    page("/story?id=2", `A story about two ${linksTo(Array.from({ length: 28 }, (_, id) => `/story?id=${id + 2}`))}`);
    site.pages.delete("/story?id=5");
    await sync(target, { maxDepth: 100, maxPagesPerPattern: 10 });
    expect(target.failures.map(({ ref, error }) => [ref, error.details?.["code"]])).toEqual([
      [`${site.origin}/story?…`, "TRAP_PATTERN_FULL"],
    ]);
    expect(target.changes.flatMap((change) => (change.type === "delete" ? change.ref : []))).toEqual([
      `${site.origin}/story?id=5`,
    ]);
  });

  it("ends a list that leads to itself in every order", async () => {
    const items = ["pump", "valve", "hose", "seal"];
    const orders = ["name", "price", "date", "stock"];
    site.respond = ({ path }) => {
      const url = new URL(path, "http://site");
      if (url.pathname !== "/list") return null;
      const turn = Number(url.searchParams.get("page") ?? 0);
      const links = orders.map((order) => `/list?sort=${order}&page=${turn + 1}`);
      return {
        body: `${[...items.slice(turn % 4), ...items.slice(0, turn % 4)].join(" ")} ${links.map((href) => `<a href="${href}"></a>`).join("")}`,
      };
    };
    page("/", linksTo(["/list"]));
    const target = await sync(new MemoryTarget(), { maxDepth: 100 });
    expect(target.failures.map(({ error }) => error.details?.["code"])).toEqual(["TRAP_SAME_TEXT"]);
    expect(target.documents.size).toBeLessThan(40);
  });

  it("tells every server who asks", async () => {
    page("/", linksTo(["/a"]));
    page("/a", "a");
    await sync(new MemoryTarget(), { contact: "https://example.org/bot", from: "crawl@example.org" });
    expect(site.requests.map(({ path }) => path)).toEqual(
      expect.arrayContaining(["/robots.txt", "/sitemap.xml", "/", "/a"]),
    );
    for (const { headers } of site.requests) {
      expect(headers).toMatchObject({
        "user-agent": "AnnealBot/0.1 (+https://example.org/bot)",
        from: "crawl@example.org",
      });
    }
    site.requests.length = 0;
    await sync(new MemoryTarget(), { contact: "owner@example.org" });
    expect(site.requests[0]?.headers["from"]).toBe("owner@example.org");
  });

  it("never has more requests to a host in flight than it may", async () => {
    const names = Array.from({ length: 12 }, (_, index) => `/page-${index}`);
    page("/", linksTo(names));
    let waiting: (() => void)[] = [];
    let most = 0;
    site.respond = ({ path }) => {
      if (!path.startsWith("/page-")) return null;
      const gate = new Promise<void>((open) => waiting.push(open));
      most = Math.max(most, waiting.length);
      // All that may come together have come when the third would.
      const isLast = waiting.length === 2;
      if (isLast) setImmediate(() => setImmediate(release));
      return { body: `about ${path}`, gate };
    };
    const release = () => {
      const opened = waiting;
      waiting = [];
      for (const open of opened) open();
    };
    const target = await sync(new MemoryTarget(), { concurrency: 2 });
    expect(most).toBe(2);
    expect(target.documents.size).toBe(13);
  });
});
