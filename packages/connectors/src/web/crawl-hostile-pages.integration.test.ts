import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { childrenRunning } from "@anneal/processes/orphan.fixture";
import { endlessFeed, hungryBounds, hungryPage } from "../../conformance/hostile-pages.ts";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { linksTo } from "../../conformance/start-site.ts";
import { startWebCrawl, type WebCrawl } from "../../conformance/start-web-crawl.ts";
import { defaultPageBounds, type PageBounds } from "../connector.ts";

const feedHeaders = { "content-type": "application/rss+xml" };
const children = () => childrenRunning("page-reader-child");

describe("a crawl that meets hostile pages", () => {
  let crawl: WebCrawl;
  beforeEach(async () => {
    crawl = await startWebCrawl();
    delete crawl.context.pageReader;
  });
  afterEach(() => crawl.stop());
  const boundBy = (pages: PageBounds) => {
    crawl.context = { ...crawl.context, limits: { ...crawl.context.limits, pages } };
  };

  it("loses only the page that takes too much memory, keeps what it said before, and leaves no process", async () => {
    boundBy(hungryBounds);
    crawl.page("/", linksTo(["/a", "/turns", "/b"]));
    for (const path of ["/a", "/turns", "/b"]) crawl.page(path, `page ${path}`);
    const target = await crawl.sync(new MemoryTarget());
    expect(crawl.paths(target)).toEqual(["/", "/a", "/b", "/turns"]);
    expect(children()).toEqual([]);

    crawl.page("/turns", hungryPage.toString());
    crawl.page("/b", linksTo(["/behind"]));
    crawl.page("/behind", "page behind");
    await crawl.sync(target);
    expect(target.failures).toMatchObject([
      {
        ref: `${crawl.site.origin}/turns`,
        error: {
          code: "DOCUMENT_TOO_LARGE",
          message: `Reading "${crawl.site.origin}/turns" needed more than 160 MiB of memory and was ended.`,
        },
      },
    ]);
    expect(crawl.paths(target)).toEqual(["/", "/a", "/b", "/behind", "/turns"]);
    expect(children()).toEqual([]);
  });

  it("loses only the feed that takes too long", async () => {
    boundBy({ ...defaultPageBounds, timeoutMs: 8000 });
    crawl.page("/", linksTo(["/endless", "/a"]));
    crawl.page("/endless", endlessFeed.toString(), feedHeaders);
    crawl.page("/a", "page a");
    const target = await crawl.sync(new MemoryTarget());
    expect(target.failures).toMatchObject([
      {
        ref: `${crawl.site.origin}/endless`,
        error: {
          code: "DOCUMENT_TIMEOUT",
          message: `Reading "${crawl.site.origin}/endless" took longer than 8 s and was ended.`,
        },
      },
    ]);
    expect(crawl.paths(target)).toEqual(["/", "/a"]);
    expect(children()).toEqual([]);
  });

  it("leaves no process when it is ended in the middle of a page", async () => {
    const abort = new AbortController();
    crawl.context = { ...crawl.context, signal: abort.signal };
    crawl.page("/", endlessFeed.toString(), feedHeaders);
    const [sync] = await Promise.allSettled([
      crawl.sync(new MemoryTarget()),
      vi
        .waitFor(() => expect(children()).toHaveLength(1), { timeout: 20_000 })
        .finally(() => abort.abort(new Error("Stopped."))),
    ]);
    expect(sync).toMatchObject({ status: "rejected", reason: { message: "Stopped." } });
    expect(children()).toEqual([]);
  });
});
