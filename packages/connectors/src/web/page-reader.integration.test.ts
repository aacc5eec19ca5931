import { readFile } from "node:fs/promises";
import { childrenRunning, expectNoOrphan } from "@anneal/processes/orphan.fixture";
import { afterEach, describe, expect, it, vi } from "vitest";
import { endlessFeed, hungryPage, hungryBounds } from "../../conformance/hostile-pages.ts";
import { type PageBounds, defaultPageBounds } from "../connector.ts";
import { createPageReader, type PageReader } from "./page-reader.ts";

const url = "https://example.org/page";
const page = Buffer.from('<title>Pumps</title><p>Rinse the filter.</p><a href="/next">Next</a>');
const children = () => childrenRunning("page-reader-child");

let reader: PageReader;
function start(bounds: PageBounds = defaultPageBounds, signal = new AbortController().signal): PageReader {
  reader = createPageReader(signal, bounds);
  return reader;
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

  it("gives up a page that takes too long, and goes on with the next", async () => {
    start({ ...defaultPageBounds, timeoutMs: 5000 });
    const [endless, next] = await Promise.allSettled([reader.readFeed(endlessFeed, url), reader.readPage(page, url)]);
    expect(endless).toMatchObject({
      reason: { code: "DOCUMENT_TIMEOUT", message: `Reading "${url}" took longer than 5 s and was ended.` },
    });
    expect(next).toMatchObject({ value: { title: "Pumps" } });
    expect(children()).toHaveLength(1);
  });

  it("gives up a page that takes too much memory, and goes on with the next", async () => {
    start(hungryBounds);
    const [hungry, next] = await Promise.allSettled([reader.readPage(hungryPage, url), reader.readPage(page, url)]);
    expect(hungry).toMatchObject({
      reason: {
        code: "DOCUMENT_TOO_LARGE",
        message: `Reading "${url}" needed more than 160 MiB of memory and was ended.`,
      },
    });
    expect(next).toMatchObject({ value: { title: "Pumps" } });
    expect(children()).toHaveLength(1);
  });

  it("leaves no process when the crawl is given up in the middle of a page, or the reader closed", async () => {
    const abort = new AbortController();
    for (const giveUp of [() => abort.abort(new Error("Given up.")), () => reader.close()]) {
      start(defaultPageBounds, abort.signal.aborted ? undefined : abort.signal);
      const endless = reader.readFeed(endlessFeed, url).catch((error: unknown) => error);
      const waiting = reader.readPage(page, url).catch((error: unknown) => error);
      await vi.waitFor(() => expect(children()).toHaveLength(1));
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
    const environment = (await readFile(`/proc/${pid}/environ`, "utf8")).split("\0").filter((entry) => entry !== "");
    const command = (await readFile(`/proc/${pid}/cmdline`, "utf8")).split("\0");
    vi.unstubAllEnvs();
    expect(environment.filter((entry) => !entry.startsWith("NODE_CHANNEL_"))).toEqual([]);
    expect(command).toContain("--permission");
    const allowed = command.filter((argument) => argument.startsWith("--allow"));
    expect(allowed.length).toBeGreaterThan(2);
    for (const argument of allowed) {
      expect(argument).toMatch(
        /^--allow-fs-read=\/.*\/(?:packages\/(?:core|connectors|processes)|node_modules\/.+)(?:\/|$)/u,
      );
    }
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
