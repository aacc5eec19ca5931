import { isAnnealError } from "@anneal/core/errors";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { linksTo } from "../../conformance/start-site.ts";
import { startWebCrawl, type WebCrawl } from "../../conformance/start-web-crawl.ts";
import { createTestClock } from "../../conformance/test-clock.ts";
import { webConnector } from "./web-connector.ts";

const delayMs = 600_000;

describe("a robots.txt that asks for more than a minute between pages", () => {
  let crawl: WebCrawl;
  beforeEach(async () => {
    crawl = await startWebCrawl();
    crawl.page("/", linksTo(["/a", "/old", "/gone"]));
    crawl.page("/a", `a ${linksTo(["/a/1", "/a/2"])}`);
    crawl.page("/old", "", { location: "/new" }, 301);
    for (const name of ["/new", "/a/1", "/a/2"]) crawl.page(name, `text of ${name}`);
  });
  afterEach(() => crawl.stop());

  const askFor = (seconds: number | string, more = "") =>
    crawl.page("/robots.txt", `User-agent: *\nCrawl-delay: ${seconds}\n${more}`, { "content-type": "text/plain" });

  /** As the sync's workflow does: each wait is a timer, after which another attempt goes on from the last checkpoint. */
  const syncByTimers = async (target: MemoryTarget) => {
    const clock = createTestClock();
    const waits: number[] = [];
    const asked: string[][] = [];
    for (let attempt = 0; attempt < 20; attempt += 1) {
      crawl.site.requests.length = 0;
      const sleptMs = clock.sleptMs;
      crawl.context.clock = clock;
      const before = JSON.stringify([target.cursor, [...target.documents.keys()]]);
      const error = await crawl.sync(target, { concurrency: 2 }).then(
        () => null,
        (reason: unknown) => reason,
      );
      asked.push(crawl.site.requests.map(({ path }) => path).filter((path) => path !== "/robots.txt"));
      // Nothing is slept for that holds a worker.
      expect(clock.sleptMs - sleptMs).toBeLessThan(1000);
      if (error === null) return { waits, asked };
      if (!isAnnealError(error) || error.code !== "RATE_LIMITED") throw error;
      // Six waits in a row that bring nothing new end a sync.
      expect(JSON.stringify([target.cursor, [...target.documents.keys()]])).not.toBe(before);
      const waitMs = Number(error.details["retryAfterMs"]);
      waits.push(waitMs);
      await clock.sleep(waitMs, new AbortController().signal);
    }
    throw new Error("It came to no end.");
  };

  it("is read a page at a time, each after the whole delay, and ends with every page", async () => {
    askFor(delayMs / 1000);
    const target = new MemoryTarget();
    const { waits, asked } = await syncByTimers(target);
    expect(crawl.paths(target)).toEqual(["/", "/a", "/a/1", "/a/2", "/new"]);
    // First whether the site is there, then its pages, none twice.
    expect(asked).toEqual([["/"], ["/"], ["/a"], ["/old"], ["/gone"], ["/a/1"], ["/a/2"], ["/new"]]);
    expect(waits).toHaveLength(asked.length - 1);
    for (const waitMs of waits) {
      expect(waitMs).toBeGreaterThan(delayMs - 1000);
      expect(waitMs).toBeLessThanOrEqual(delayMs);
    }
  });

  it("deletes what is gone, and nothing else where a sitemap was not read", async () => {
    const target = await crawl.sync(new MemoryTarget());
    askFor(delayMs / 1000, `Sitemap: ${crawl.site.origin}/sitemap.xml\n`);
    crawl.page("/a", "a leads nowhere now");
    crawl.site.pages.delete("/new");
    await syncByTimers(target);
    expect(crawl.paths(target)).toEqual(["/", "/a", "/a/1", "/a/2"]);
    expect(target.changes).toContainEqual(
      expect.objectContaining({ type: "failure", ref: `${crawl.site.origin}/sitemap.xml` }),
    );
  });

  it("is said by a check, which asks for one page", async () => {
    askFor(delayMs / 1000);
    const { error, summary, checks } = await webConnector.check(crawl.configOf(), {}, crawl.context);
    expect(error).toBeNull();
    expect(summary).toContain("asks for 10 minutes between two pages");
    expect(checks).toContainEqual(expect.objectContaining({ capability: "pace", status: "warning" }));
    expect(crawl.site.requests.map(({ path }) => path)).toEqual(["/", "/robots.txt"]);
  });

  it("is heard up to a day; beyond that the site is refused in one sentence, and what is no number is none", async () => {
    askFor(86_401);
    await expect(crawl.sync(new MemoryTarget())).rejects.toMatchObject({
      code: "SOURCE_FORBIDDEN",
      message: expect.stringContaining("asks for 86,401 seconds between two pages"),
    });
    askFor("soon");
    expect(crawl.paths(await crawl.sync(new MemoryTarget()))).toContain("/a/2");
  });
});

describe("a site whose turns are less than a minute apart", () => {
  let crawl: WebCrawl;
  /** When each page was asked for, by the crawl's clock. */
  let askedAtMs: number[];
  beforeEach(async () => {
    crawl = await startWebCrawl();
    const clock = createTestClock();
    crawl.context.clock = clock;
    crawl.page("/", linksTo(["/a", "/b", "/c"]));
    for (const name of ["/a", "/b", "/c"]) crawl.page(name, `text of ${name}`);
    askedAtMs = [];
    crawl.site.respond = () => {
      askedAtMs.push(clock.now());
      return null;
    };
  });
  afterEach(() => crawl.stop());

  const gapsOf = (times: readonly number[]) => times.slice(1).map((time, index) => time - times[index]!);

  it("is read in one go, each page after the delay of its robots.txt", async () => {
    crawl.page("/robots.txt", "User-agent: *\nCrawl-delay: 5\n", { "content-type": "text/plain" });
    const target = await crawl.sync(new MemoryTarget(), { concurrency: 1 });
    expect(crawl.paths(target)).toEqual(["/", "/a", "/b", "/c"]);
    const known = crawl.site.requests.findIndex(({ path }) => path === "/robots.txt");
    const gaps = gapsOf(askedAtMs.slice(known + 1));
    expect(gaps.length).toBeGreaterThanOrEqual(3);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(5000);
  });

  it("is asked no faster by two crawls at once than by one", async () => {
    const wished = { concurrency: 1, requestsPerSecond: 1 };
    const crawls = [1, 2].map(() => crawl.sync(new MemoryTarget(), wished));
    for (const target of await Promise.all(crawls)) expect(crawl.paths(target)).toEqual(["/", "/a", "/b", "/c"]);
    expect(askedAtMs.length).toBeGreaterThanOrEqual(10);
    expect(Math.min(...gapsOf(askedAtMs))).toBeGreaterThanOrEqual(1000);
  });
});
