import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { linksTo, startSite } from "../../conformance/start-site.ts";
import { startWebCrawl, testChromiumPath, type WebCrawl } from "../../conformance/start-web-crawl.ts";
import { createTestClock, type TestClock } from "../../conformance/test-clock.ts";

const script = { "content-type": "text/javascript" };
const plain = { "content-type": "text/plain" };

describe.skipIf(testChromiumPath === null)("what the scripts of a page ask for", { timeout: 60_000 }, () => {
  let crawl: WebCrawl;
  let clock: TestClock;
  /** When each request came, by the crawl's clock. */
  let asked: [path: string, atMs: number][];

  beforeEach(async () => {
    crawl = await startWebCrawl();
    clock = createTestClock(0);
    crawl.context.chromiumPath = testChromiumPath;
    crawl.context.clock = clock;
    asked = [];
    crawl.site.respond = ({ path }) => {
      asked.push([path, clock.now()]);
      return null;
    };
  });
  afterEach(() => crawl.stop());

  const robots = (rules: string) => crawl.page("/robots.txt", `User-agent: *\n${rules}`, plain);
  const textOf = (target: MemoryTarget, path: string) => target.documents.get(crawl.site.origin + path)?.text;
  const paths = () => asked.map(([path]) => path);
  /** A page in which so many scripts write a word each. */
  const pageOf = (count: number) => {
    const names = Array.from({ length: count }, (_, index) => `/s${index}.js`);
    for (const name of names) crawl.page(name, `root.textContent += " by${name}"`, script);
    return `<div id="root"></div>${names.map((name) => `<script src="${name}"></script>`).join("")}`;
  };

  it("is asked for at the pace of its host", async () => {
    robots("Crawl-delay: 10");
    crawl.page("/", pageOf(4));
    const target = await crawl.sync(new MemoryTarget(), { render: "always", concurrency: 1 });
    expect(textOf(target, "/")).toContain("by/s0.js by/s1.js by/s2.js by/s3.js");
    const times = asked.filter(([path]) => path.endsWith(".js")).map(([, atMs]) => atMs);
    expect(times).toHaveLength(4);
    for (const [index, atMs] of times.slice(1).entries()) expect(atMs - times[index]!).toBeGreaterThanOrEqual(10_000);
  });

  it("is not asked for where robots.txt forbids it, on other hosts too, and not by way of a redirect", async () => {
    const other = await startSite();
    try {
      other.pages.set("/robots.txt", { body: "User-agent: *\nDisallow: /shut", headers: plain });
      const free = { "access-control-allow-origin": "*" };
      other.pages.set("/shut/text", { body: "shut text", headers: free });
      other.pages.set("/open/text", { body: "open text", headers: free });
      robots("Disallow: /api/");
      crawl.page("/api/private", "private text");
      crawl.page("/detour", "", { location: "/api/private" }, 302);
      const wanted = ["/api/private", "/detour", `${other.origin}/shut/text`, `${other.origin}/open/text`];
      crawl.page(
        "/",
        `<div id="root"></div><script>for (const url of ${JSON.stringify(wanted)})
        fetch(url).then((r) => r.text(), () => "nothing").then((text) => { root.textContent += " " + text; })</script>`,
      );
      const target = await crawl.sync(new MemoryTarget(), { render: "always" });
      expect(textOf(target, "/")).toContain("open text");
      expect(textOf(target, "/")).not.toMatch(/private text|shut text/);
      expect(paths()).not.toContain("/api/private");
      expect(other.requests.map(({ path }) => path)).toEqual(["/robots.txt", "/open/text"]);
    } finally {
      await other.stop();
    }
  });

  it("ends a page for which it would take too long, and says so", async () => {
    robots("Crawl-delay: 50");
    crawl.page("/", `${linksTo(["/app", "/next"])}${"A long enough start page. ".repeat(20)}`);
    crawl.page("/app", pageOf(8));
    crawl.page("/next", "next");
    const target = await crawl.sync(new MemoryTarget(), { render: "auto", concurrency: 1 });
    expect(crawl.paths(target)).toEqual(["/", "/next"]);
    expect(target.failures).toMatchObject([
      {
        ref: `${crawl.site.origin}/app`,
        error: { code: "RATE_LIMITED", message: expect.stringContaining("longer than 5 minutes") },
      },
    ]);
    expect(paths()).not.toContain("/s7.js");
  });

  it("is not asked for at all where turns are minutes apart, and the page says so", async () => {
    robots("Crawl-delay: 600");
    crawl.page("/", pageOf(1));
    const target = new MemoryTarget();
    // Its turn is over with the question whether the site is there; the page is read after the wait.
    await expect(crawl.sync(target, { render: "auto" })).rejects.toMatchObject({ code: "RATE_LIMITED" });
    await clock.sleep(600_000, new AbortController().signal);
    await crawl.sync(target, { render: "auto" });
    expect(target.failures).toMatchObject([
      { ref: `${crawl.site.origin}/`, error: { code: "RATE_LIMITED", message: expect.stringContaining("scripts") } },
    ]);
    expect(paths()).not.toContain("/s0.js");
  });

  it("ends the crawl, to go on later, where its host asks to be left alone", async () => {
    crawl.page("/", `<div id="root"></div><script>fetch("/api/text")</script>`);
    crawl.page("/api/text", "", { "retry-after": "3600" }, 429);
    await expect(crawl.sync(new MemoryTarget(), { render: "always" })).rejects.toMatchObject({
      code: "RATE_LIMITED",
      details: { retryAfterMs: 3_600_000 },
    });
  });

  it("leaves out styles, which bring no text, and lets scripts that wait for them go on", async () => {
    crawl.page(
      "/",
      `<div id="root"></div><script>
      const link = document.createElement("link");
      Object.assign(link, { rel: "stylesheet", href: "/style.css" });
      link.onload = () => { root.textContent = "the style has come"; };
      document.head.append(link);</script>`,
    );
    const target = await crawl.sync(new MemoryTarget(), { render: "always" });
    expect(textOf(target, "/")).toContain("the style has come</div>");
    expect(paths()).not.toContain("/style.css");
  });

  it("is asked for once where pages share a script", async () => {
    crawl.page("/", `${pageOf(1)}${linksTo(["/a", "/b"])}`);
    crawl.page("/a", pageOf(1));
    crawl.page("/b", pageOf(1));
    const target = await crawl.sync(new MemoryTarget(), { render: "always" });
    for (const path of ["/", "/a", "/b"]) expect(textOf(target, path)).toContain("by/s0.js");
    expect(paths().filter((path) => path === "/s0.js")).toHaveLength(1);
  });
});
