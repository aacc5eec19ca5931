import { expectConfined } from "@anneal/processes/confined.fixture";
import { childrenRunning, expectNoOrphan } from "@anneal/processes/orphan.fixture";
import { afterEach, describe, expect, it, vi } from "vitest";
import { endlessFeed } from "../../conformance/hostile-pages.ts";
import { createPageReader, type PageReader } from "./page-reader.ts";

const url = "https://example.org/page";
const page = Buffer.from('<title>Pumps</title><p>Rinse the filter.</p><a href="/next">Next</a>');
const children = () => childrenRunning("page-reader-child");

let reader: PageReader;
function start(signal = new AbortController().signal): void {
  reader = createPageReader(signal);
}
afterEach(() => reader.close());

describe("PageReader", () => {
  it("reads pages, feeds and sitemaps in one process, which starts with the first and ends with the reader", async () => {
    start();
    expect(children()).toEqual([]);
    expect(await reader.readPage(page, url)).toMatchObject({ title: "Pumps", links: ["/next"] });
    const first = children();
    expect(first).toHaveLength(1);
    const [facts, urls, none, sitemap] = await Promise.all([
      reader.readPage(Buffer.from(`<p>größer ${"x".repeat(1_000_000)}`), url),
      reader.readFeed(Buffer.from("<rss><item><link>/a</link></item></rss>"), url),
      reader.readFeed(Buffer.from("<html></html>"), url),
      reader.readSitemap(Buffer.from("<urlset><url><loc>https://example.org/ü</loc></url></urlset>"), url),
    ]);
    expect(facts.text).toMatch(/^größer x{1000000}$/);
    expect([urls, none, sitemap]).toEqual([["/a"], null, { pages: ["https://example.org/ü"], sitemaps: [] }]);
    await expect(reader.readPage(Buffer.from("<br>".repeat(500_001)), url)).rejects.toMatchObject({
      code: "DOCUMENT_HOSTILE",
      message: expect.stringContaining("500,000 elements"),
    });
    await reader.readPage(page, url);
    expect(children()).toEqual(first);
    await reader.close();
    expect(children()).toEqual([]);
    await expect(reader.readPage(page, url)).rejects.toThrow();
    expect(children()).toEqual([]);
  });

  it("loses only what it has in hand when its process dies, and goes on in a new one", async () => {
    start();
    const [lost, next] = await Promise.allSettled([
      reader.readFeed(endlessFeed, url),
      reader.readPage(page, url),
      vi.waitFor(() => process.kill(children()[0]!, "SIGKILL"), { timeout: 20_000 }),
    ]);
    expect(lost).toMatchObject({
      reason: {
        code: "DOCUMENT_DAMAGED",
        message: `"${url}" made the process that reads pages crash (SIGKILL).`,
      },
    });
    expect(next).toMatchObject({ value: { title: "Pumps" } });
  });

  it("leaves no process when the crawl is given up in the middle of a page, or the reader closed", async () => {
    const abort = new AbortController();
    for (const giveUp of [() => abort.abort(new Error("Given up.")), () => reader.close()]) {
      start(abort.signal.aborted ? undefined : abort.signal);
      const endless = reader.readFeed(endlessFeed, url).catch((error: unknown) => error);
      const waiting = reader.readPage(page, url).catch((error: unknown) => error);
      await vi.waitFor(() => expect(children()).toHaveLength(1), { timeout: 20_000 });
      await giveUp();
      const [first, second] = await Promise.all([endless, waiting]);
      expect(first).toBeInstanceOf(Error);
      expect(second).toBe(first);
      expect(children()).toEqual([]);
    }
  });

  it("gives its process neither our environment nor files, programs or the right to write", async () => {
    vi.stubEnv("ANNEAL_ENCRYPTION_KEY", "secret");
    start();
    await reader.readPage(page, url);
    const [pid] = children();
    await expectConfined(pid!, ["core", "connectors", "processes"]);
    vi.unstubAllEnvs();
  });

  it("leaves no process behind when the worker is killed in the middle of a page", async () => {
    start();
    await expectNoOrphan(
      `const { createPageReader } = await import(${JSON.stringify(new URL("./page-reader.ts", import.meta.url))});
       const { endlessFeed } = await import(${JSON.stringify(new URL("../../conformance/hostile-pages.ts", import.meta.url))});
       await createPageReader(new AbortController().signal).readFeed(endlessFeed, "");`,
      "page-reader-child",
    );
  });
});
